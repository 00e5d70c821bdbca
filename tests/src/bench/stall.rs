//! `yes` with a reader that stops for ten seconds: memory, Ctrl-C afterwards, and a second terminal meanwhile.
use std::time::Duration;

use anyhow::Result;
use slipway_api::session::Session;
use slipway_client::socket::Socket;
use slipway_client::terminal::Viewer;

use super::lab::Lab;
use super::peer::{Connection, Peer};
use super::process::pss_kib;
use super::{Beside, Row, Samples, count, figure, now, tell};

const STALL: Duration = Duration::from_secs(10);
/// How often memory is looked at meanwhile.
const LOOK: Duration = Duration::from_millis(100);
/// A peer that kept all it could not send sends it first; whoever takes longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between the commands of the second terminal.
const PAUSE: Duration = Duration::from_millis(20);
/// Commands of the second terminal before anything floods.
const CALM: usize = 100;

/// What some stalls did to a program.
#[derive(Default)]
struct Stalls {
    /// Largest growth of memory during a stall, MiB.
    growths: Samples,
    /// Milliseconds.
    interrupts: Samples,
}

/// The second terminal, before and during.
#[derive(Default)]
struct Other {
    calm: Samples,
    beside: Samples,
    commands: usize,
}

/// Stalls ours and each peer in turn.
///
/// # Errors
/// When our terminal does not come back.
pub async fn stall(lab: &Lab, peers: &[Peer], rounds: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    // A connection of its own: the stalled one is held back, as it should be.
    let mut viewer = lab.terminal(&socket, &session).await?;
    let (mut ours, mut other) = (Stalls::default(), Other::default());
    let mut theirs: Vec<Stalls> = peers.iter().map(|_| Stalls::default()).collect();
    for _ in 0..rounds {
        ours.ours(lab, &session, &mut viewer, &mut other).await?;
        for (peer, stalls) in peers.iter().zip(&mut theirs) {
            if let Err(error) = stalls.of(peer).await {
                tell(&format!("{} did not come back: {error:#}", peer.name()));
            }
        }
    }
    let beside = |of: fn(&Stalls) -> f64| -> Beside {
        let each = peers.iter().zip(&theirs);
        each.filter(|(_, stalls)| !stalls.interrupts.is_empty())
            .map(|(peer, stalls)| (peer.name().to_owned(), of(stalls)))
            .collect()
    };
    let largest = |stalls: &Stalls| stalls.growths.quantile(1.0);
    let mut rows = figure(
        "stall_growth",
        largest(&ours),
        format!(
            "largest PSS of server and agent together within 10 s without reading, {rounds} times"
        ),
        &beside(largest),
    )?;
    let median = |stalls: &Stalls| stalls.interrupts.median();
    rows.extend(figure(
        "stall_ctrl_c",
        median(&ours),
        format!(
            "from Ctrl-C, reading again, until the shell's next line: {} ms; 10,000 means longer",
            ours.interrupts.range()
        ),
        &beside(median),
    )?);
    rows.extend(other.row()?);
    Ok(rows)
}

impl Stalls {
    async fn ours(
        &mut self,
        lab: &Lab,
        session: &Session,
        viewer: &mut Viewer,
        other: &mut Other,
    ) -> Result<()> {
        let (terminal, mut stalled) = lab.attach(session).await?;
        for _ in 0..CALM {
            let took = other.command(viewer).await?;
            other.calm.push(took);
        }
        flood(&mut stalled).await?;
        let before = pss_kib(lab.processes()?)?;
        let mut growth = Growth::from(before);
        let begin = now();
        while begin.elapsed() < STALL {
            let took = other.command(viewer).await?;
            other.beside.push(took);
            growth.look(|| pss_kib(lab.processes()?))?;
        }
        self.growths.push(growth.mib());
        self.interrupts.push(interrupt(&mut stalled).await?);
        lab.client.close_terminal(session.id, terminal).await?;
        Ok(())
    }

    async fn of(&mut self, peer: &Peer) -> Result<()> {
        let mut stalled = peer.connect().await?;
        flood(&mut stalled).await?;
        let mut growth = Growth::from(pss_kib(peer.processes())?);
        let begin = now();
        while begin.elapsed() < STALL {
            tokio::time::sleep(LOOK).await; // waits: a pace of the look
            growth.look(|| pss_kib(peer.processes()))?;
        }
        let back = tokio::time::timeout(PATIENCE, interrupt(&mut stalled)).await;
        self.growths.push(growth.mib());
        let patience = PATIENCE.as_secs_f64() * 1e3;
        self.interrupts.push(back.unwrap_or(Ok(patience))?);
        Ok(())
    }
}

impl Other {
    /// Milliseconds from a typed line until its output.
    async fn command(&mut self, viewer: &mut Viewer) -> Result<f64> {
        tokio::time::sleep(PAUSE).await; // waits: a pace of the workload
        self.commands += 1;
        let number = self.commands;
        let begin = now();
        let line = format!("echo n-$(({number}+0))-\n");
        viewer.write(line.as_bytes()).await?;
        viewer.read_until(&format!("n-{number}-")).await?;
        Ok(begin.elapsed().as_secs_f64() * 1e3)
    }

    fn row(&self) -> Result<Vec<Row>> {
        figure(
            "stall_other_terminal",
            self.beside.quantile(0.99),
            format!(
                "p99 of {} commands in a second terminal meanwhile, p50 {:.1} ms; before it {:.1} and {:.1} ms",
                self.beside.len(),
                self.beside.median(),
                self.calm.quantile(0.99),
                self.calm.median()
            ),
            &[],
        )
    }
}

/// The largest of what was seen, looked for now and then.
struct Growth {
    before: u64,
    largest: u64,
    looked: std::time::Instant,
}

impl Growth {
    fn from(before: u64) -> Self {
        Self {
            before,
            largest: before,
            looked: now(),
        }
    }

    fn look(&mut self, kib: impl FnOnce() -> Result<u64>) -> Result<()> {
        if self.looked.elapsed() >= LOOK {
            self.largest = self.largest.max(kib()?);
            self.looked = now();
        }
        Ok(())
    }

    fn mib(&self) -> f64 {
        count(self.largest - self.before) / 1024.0
    }
}

async fn flood(stalled: &mut Connection) -> Result<()> {
    stalled.write(b"yes\n").await?;
    stalled.read_until("y\r\ny\r\ny\r\n").await.map(drop)
}

async fn interrupt(stalled: &mut Connection) -> Result<f64> {
    let begin = now();
    stalled.write(b"\x03").await?;
    stalled.write(b"echo back-$((40+2))\n").await?;
    stalled.read_until("back-42").await?;
    Ok(begin.elapsed().as_secs_f64() * 1e3)
}
