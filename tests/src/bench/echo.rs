//! A keystroke: through WebSocket, server, agent and PTY and back, in turn with the peers and with a bare terminal.
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use slipway_api::session::Session;
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::peer::plain::Plain;
use super::peer::{Connection, Peer};
use super::process::Cpu;
use super::workload::Seeded;
use super::{Row, Samples, count, figure, now};

/// A program that gives back every key as it comes.
const RAW: &str = "stty raw -echo; echo raw-$((1+1)); cat\n";
/// Keys before the measured ones of a round.
const WARM_UP: usize = 50;
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

/// Keys, `keys` for each in each round; whoever was first is last in the next.
///
/// # Errors
/// When a terminal does not answer, or answers something else.
pub async fn echo(lab: &Lab, peers: &[Peer], rounds: usize, keys: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut ours = Echo::new("slipway", None);
    let mut theirs: Vec<_> = peers
        .iter()
        .map(|peer| Echo::new(peer.name(), Some(peer)))
        .collect();
    let mut plain = Echo::new(PTY, None);
    for round in 0..rounds {
        let mut pace = Seeded::new(round as u64);
        let turns = theirs.len() + 2;
        let mut came: Vec<Option<Samples>> = vec![None; turns];
        for turn in (0..turns).map(|turn| (turn + round) % turns) {
            came[turn] = Some(match turn {
                0 => ours.round(lab, &session, keys, &mut pace).await?,
                1 => bare(keys, &mut pace).await?,
                peer => {
                    theirs[peer - 2]
                        .round(lab, &session, keys, &mut pace)
                        .await?
                }
            });
        }
        let mut came = came.into_iter().flatten();
        let mine = came.next().context("invariant: we had a turn")?;
        for (echo, its) in std::iter::once(&mut plain).chain(&mut theirs).zip(came) {
            for (ratios, part) in echo.ratios.iter_mut().zip([0.5, 0.99]) {
                ratios.push(mine.quantile(part) / its.quantile(part));
            }
            echo.all.extend(&its);
        }
        ours.all.extend(&mine);
    }
    rows(&ours, &theirs, &plain, rounds)
}

fn rows(ours: &Echo<'_>, theirs: &[Echo<'_>], plain: &Echo<'_>, rounds: usize) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for echo in theirs.iter().chain([plain]) {
        for (name, part, ratios) in [
            ("p50", 0.5, &echo.ratios[0]),
            ("p99", 0.99, &echo.ratios[1]),
        ] {
            if echo.name == PTY && name == "p99" {
                continue;
            }
            let (mine, its) = (ours.all.quantile(part), echo.all.quantile(part));
            rows.extend(figure(
                &format!("echo_{name}_to_{}", echo.name),
                ratios.median(),
                format!(
                    "{mine:.3} ms against {its:.3} ms, {} keys each, {rounds} rounds, ratios {}",
                    ours.all.len(),
                    ratios.range()
                ),
                &[(echo.name.to_owned(), its)],
            )?);
        }
    }
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
        session: &Session,
        keys: usize,
        pace: &mut Seeded,
    ) -> Result<Samples> {
        let mut connection = match self.peer {
            Some(peer) => peer.connect().await?,
            None => lab.connect(session).await?,
        };
        connection.write(RAW.as_bytes()).await?;
        connection.read_until("raw-2").await?;
        let mut round = Samples::default();
        self.keys(&mut connection, WARM_UP, pace, &mut round)
            .await?;
        let processes = match self.peer {
            Some(peer) => peer.processes(),
            None => lab.processes()?,
        };
        let before = Cpu::of(processes.iter().copied());
        let mut round = Samples::default();
        self.keys(&mut connection, keys, pace, &mut round).await?;
        self.cpu_us += Cpu::of(processes).us_since(&before);
        Ok(round)
    }

    async fn keys(
        &self,
        connection: &mut Connection,
        keys: usize,
        pace: &mut Seeded,
        round: &mut Samples,
    ) -> Result<()> {
        for number in 0..keys {
            pause(pace).await;
            let key = key(number);
            let begin = now();
            connection.write(&[key]).await?;
            let ended = || format!("{} ended", self.name);
            let mut came = connection.read().await?.with_context(ended)?;
            // The rest of the line before the first key.
            while number == 0 && !came.contains(&key) {
                came = connection.read().await?.with_context(ended)?;
            }
            round.since(begin);
            ensure!(
                came.last() == Some(&key) && (came.len() == 1 || number == 0),
                "{} gave back {came:?} for {key}",
                self.name
            );
        }
        Ok(())
    }
}

/// On a shell of its own, read by this thread.
async fn bare(keys: usize, pace: &mut Seeded) -> Result<Samples> {
    let mut plain = Plain::start()?;
    plain.write(RAW.as_bytes())?;
    plain.read_until("raw-2\n")?;
    let (mut round, mut buffer) = (Samples::default(), [0; 64]);
    for number in 0..WARM_UP + keys {
        pause(pace).await;
        let begin = now();
        plain.write(&[key(number)])?;
        let bytes = plain.read(&mut buffer)?;
        if number >= WARM_UP {
            round.since(begin);
        }
        ensure!(
            buffer[..bytes] == [key(number)],
            "the reference gave back another key"
        );
    }
    Ok(round)
}

/// Another one each time, so that an answer belongs to its key.
fn key(number: usize) -> u8 {
    b'a' + u8::try_from(number % 26).unwrap_or(0)
}

/// A pause between keys that is no multiple of anything; faster than hands, so that enough keys fit into a round.
async fn pause(pace: &mut Seeded) {
    let pause = Duration::from_micros(5_000 + pace.below(25_000));
    tokio::time::sleep(pause).await; // waits: a pace of the workload
}
