//! A keystroke: through WebSocket, server, agent and PTY and back, in turn with the peers and with a bare terminal.
use anyhow::{Context as _, Result};
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::peer::plain::Plain;
use super::peer::{Connection, Peer};
use super::process::Cpu;
use super::{Row, Samples, count, figure, now};

/// A program that gives back every key as it comes.
const RAW: &str = "stty raw -echo; echo raw-$((1+1)); cat\n";
/// The reference's name.
const PTY: &str = "pty";

/// One who echoes, and what came out.
#[derive(Default)]
struct Echo<'a> {
    name: &'static str,
    peer: Option<&'a Peer>,
    all: Samples,
    cpu_us: u64,
    /// Our median and 99th percentile through its own, round by round.
    ratios: [Samples; 2],
}

/// Keys, `keys` for each in each round.
///
/// # Errors
/// When a terminal does not answer.
pub async fn echo(lab: &Lab, peers: &[Peer], rounds: usize, keys: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut all = vec![Echo::new("slipway", None)];
    all.extend(peers.iter().map(|peer| Echo::new(peer.name(), Some(peer))));
    let (mut plain, mut plain_all, mut plain_ratio) =
        (Plain::start()?, Samples::default(), Samples::default());
    plain.write(RAW.as_bytes())?;
    plain.read_until("raw-2")?;
    for _ in 0..rounds {
        let reference = bare(&mut plain, keys).await?;
        let mut ours: Option<Samples> = None;
        for echo in &mut all {
            let connection = match echo.peer {
                Some(peer) => peer.connect().await?,
                None => lab.connect(&session).await?,
            };
            let round = echo.round(lab, connection, keys).await?;
            if let Some(ours) = &ours {
                for (ratios, part) in echo.ratios.iter_mut().zip([0.5, 0.99]) {
                    ratios.push(ours.quantile(part) / round.quantile(part));
                }
            } else {
                plain_ratio.push(round.median() / reference.median());
                ours = Some(round);
            }
        }
        plain_all.extend(&reference);
    }
    let (ours, theirs) = all.split_first().context("invariant: we are the first")?;
    rows(ours, theirs, (&plain_all, &plain_ratio), rounds)
}

fn rows(
    ours: &Echo<'_>,
    theirs: &[Echo<'_>],
    (plain, plain_ratio): (&Samples, &Samples),
    rounds: usize,
) -> Result<Vec<Row>> {
    let detail = |part: f64, other: &Samples| {
        let (mine, its) = (ours.all.quantile(part), other.quantile(part));
        let keys = ours.all.len();
        format!("{mine:.3} ms against {its:.3} ms, {keys} keys each, median of {rounds} rounds")
    };
    let mut rows = Vec::new();
    for echo in theirs {
        for (name, part, ratios) in [
            ("p50", 0.5, &echo.ratios[0]),
            ("p99", 0.99, &echo.ratios[1]),
        ] {
            rows.extend(figure(
                &format!("echo_{name}_to_{}", echo.name),
                ratios.median(),
                detail(part, &echo.all),
                &[(echo.name.to_owned(), echo.all.quantile(part))],
            )?);
        }
    }
    rows.extend(figure(
        "echo_p50_to_pty",
        plain_ratio.median(),
        detail(0.5, plain),
        &[(PTY.to_owned(), plain.median())],
    )?);
    let cost = |echo: &Echo<'_>| count(echo.cpu_us) / count(echo.all.len() as u64);
    let beside: Vec<_> = theirs
        .iter()
        .map(|echo| (echo.name.to_owned(), cost(echo)))
        .collect();
    rows.extend(figure(
        "echo_cpu",
        cost(ours),
        "what the threads of server and agent ran, user and system",
        &beside,
    )?);
    Ok(rows)
}

impl<'a> Echo<'a> {
    fn new(name: &'static str, peer: Option<&'a Peer>) -> Self {
        Self {
            name,
            peer,
            ..Self::default()
        }
    }

    /// On a new connection: wetty and others end one that does not answer their pings while another has its turn.
    async fn round(
        &mut self,
        lab: &Lab,
        mut connection: Connection,
        keys: usize,
    ) -> Result<Samples> {
        connection.write(RAW.as_bytes()).await?;
        connection.read_until("raw-2").await?;
        let processes = self.peer.map_or_else(|| lab.processes(), Peer::processes);
        let before = Cpu::of(processes.iter().copied());
        let mut round = Samples::default();
        for _ in 0..keys {
            pause().await;
            let begin = now();
            connection.write(b"k").await?;
            connection
                .read()
                .await?
                .with_context(|| format!("{} ended", self.name))?;
            round.since(begin);
        }
        self.cpu_us += Cpu::of(processes).us_since(&before);
        self.all.extend(&round);
        Ok(round)
    }
}

async fn bare(plain: &mut Plain, keys: usize) -> Result<Samples> {
    let (mut round, mut buffer) = (Samples::default(), [0; 64]);
    for _ in 0..keys {
        pause().await;
        let begin = now();
        plain.write(b"k")?;
        plain.read(&mut buffer)?;
        round.since(begin);
    }
    Ok(round)
}

/// A pause between keys that is no multiple of anything.
async fn pause() {
    let ms = 3 + u64::from(std::process::id() % 3);
    tokio::time::sleep(std::time::Duration::from_millis(ms)).await; // waits: a pace of the workload
}
