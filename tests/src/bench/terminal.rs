//! Terminals: start, echo, bulk output, a viewer that stops reading, cuts, idle memory.
use anyhow::{Context as _, Result, ensure};
use slipway_api::session::Session;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Told, Viewer};

use super::lab::Lab;
use super::process::{agents, cpu_us, pss_kib};
use super::ttyd::{Connection, Ttyd};
use super::{Row, Samples, now, row};

/// Bytes of the bulk workload: lines of 100 bytes.
const BULK_BYTES: u64 = 150_000_000;

/// From the click on Start until the shell's prompt answers.
///
/// # Errors
/// When a session does not start.
pub async fn start(lab: &Lab, rounds: usize) -> Result<Vec<Row>> {
    let mut samples = Samples::default();
    for _ in 0..rounds {
        let workspace = lab.workspace().await?;
        let socket = Socket::connect(&lab.client).await?;
        let begin = now();
        lab.client.start_session(workspace.id).await?;
        let session = lab
            .client
            .wait_for_session(&socket, workspace.id, |state| {
                state == slipway_api::session::SessionState::Ready
            })
            .await?;
        lab.terminal(&socket, &session).await?;
        samples.since(begin);
        lab.client.stop_session(workspace.id).await?;
        lab.client
            .wait_for_session(&socket, workspace.id, |_| false)
            .await?;
    }
    let detail = format!(
        "{} sessions of new workspaces; until a typed line's output arrived",
        samples.len()
    );
    Ok(vec![
        row("start_p50", samples.quantile(0.5), detail.clone(), None)?,
        row("start_p95", samples.quantile(0.95), detail, None)?,
    ])
}

/// Keys through WebSocket, server, agent and PTY and back, in turn with ttyd.
///
/// # Errors
/// When a terminal does not answer.
pub async fn echo(lab: &Lab, ttyd: Option<&Ttyd>, rounds: usize, keys: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut viewer = lab.terminal(&socket, &session).await?;
    viewer
        .write(b"stty raw -echo; echo raw-$((1+1)); cat\n")
        .await?;
    viewer.read_until("raw-2").await?;
    let mut peer = match ttyd {
        Some(ttyd) => Some(ttyd.connect().await?),
        None => None,
    };
    if let Some(peer) = &mut peer {
        peer.write(b"stty raw -echo; echo raw-$((1+1)); cat\n")
            .await?;
        read_peer_until(peer, b"raw-2").await?;
    }
    let (mut ours, mut theirs, mut ratios50, mut ratios99) = (
        Samples::default(),
        Samples::default(),
        Samples::default(),
        Samples::default(),
    );
    let mut cpu = 0;
    for _ in 0..rounds {
        let before = our_cpu(lab);
        let mut round = Samples::default();
        for _ in 0..keys {
            pause().await;
            let begin = now();
            viewer.write(b"k").await?;
            while !matches!(
                viewer.next().await?.context("the terminal ended")?,
                Told::Output(_)
            ) {}
            round.since(begin);
        }
        cpu += our_cpu(lab) - before;
        ours.extend(&round);
        if let Some(peer) = &mut peer {
            let mut peer_round = Samples::default();
            for _ in 0..keys {
                pause().await;
                let begin = now();
                peer.write(b"k").await?;
                peer.read().await?;
                peer_round.since(begin);
            }
            ratios50.push(round.quantile(0.5) / peer_round.quantile(0.5));
            ratios99.push(round.quantile(0.99) / peer_round.quantile(0.99));
            theirs.extend(&peer_round);
        }
    }
    let detail = |part: f64| {
        format!(
            "{:.3} ms against {:.3} ms, {} keys each, median of {rounds} rounds",
            ours.quantile(part),
            theirs.quantile(part),
            ours.len()
        )
    };
    let mut rows = Vec::new();
    if ttyd.is_some() {
        rows.push(row(
            "echo_p50_to_ttyd",
            ratios50.quantile(0.5),
            detail(0.5),
            Some(("ttyd", theirs.quantile(0.5))),
        )?);
        rows.push(row(
            "echo_p99_to_ttyd",
            ratios99.quantile(0.5),
            detail(0.99),
            Some(("ttyd", theirs.quantile(0.99))),
        )?);
    }
    #[expect(clippy::cast_precision_loss, reason = "microseconds of a benchmark")]
    let per_key = cpu as f64 / ours.len() as f64;
    rows.push(row(
        "echo_cpu",
        per_key,
        "user and system time of server and agent",
        None,
    )?);
    Ok(rows)
}

/// A pause between keys that is no multiple of anything.
async fn pause() {
    let ms = 3 + u64::from(std::process::id() % 3);
    tokio::time::sleep(std::time::Duration::from_millis(ms)).await; // waits: a pace of the workload
}

fn our_cpu(lab: &Lab) -> u64 {
    agents(&lab.parts.agent)
        .into_iter()
        .chain(lab.server.pid())
        .map(cpu_us)
        .sum()
}

fn our_pss(lab: &Lab) -> u64 {
    agents(&lab.parts.agent)
        .into_iter()
        .chain(lab.server.pid())
        .map(pss_kib)
        .sum()
}

async fn read_peer_until(peer: &mut Connection, wanted: &[u8]) -> Result<()> {
    let mut seen = Vec::new();
    while !seen.windows(wanted.len()).any(|window| window == wanted) {
        seen.extend_from_slice(&peer.read().await?);
    }
    Ok(())
}

/// The command that prints the bulk; it ends at once after its last byte.
fn bulk_command(folder: &str) -> String {
    format!(
        "stty -echo -opost; yes $(printf '%099d' 7) | head -c {BULK_BYTES} > {folder}/bulk; clear; cat {folder}/bulk; echo bulk-$((40+2))\n"
    )
}

/// 150 MB from a program to a fast reader, in turn with ttyd.
///
/// # Errors
/// When a byte is missing.
pub async fn bulk(lab: &Lab, ttyd: Option<&Ttyd>, rounds: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let (mut ours, mut theirs, mut ratios) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..rounds {
        let mut viewer = lab.terminal(&socket, &session).await?;
        let rate = our_bulk(&mut viewer).await?;
        ours.push(rate);
        if let Some(ttyd) = ttyd {
            let mut peer = ttyd.connect().await?;
            let folder = lab.folder.path().to_string_lossy().into_owned();
            peer.write(bulk_command(&folder).as_bytes()).await?;
            let peer_rate = peer_bulk(&mut peer).await?;
            theirs.push(peer_rate);
            ratios.push(rate / peer_rate);
        }
    }
    let detail = format!(
        "{:.1} MB/s against {:.1} MB/s, {rounds} rounds; the session is held to half a core, ttyd is not",
        ours.quantile(0.5),
        theirs.quantile(0.5)
    );
    if ttyd.is_none() {
        return Ok(Vec::new());
    }
    Ok(vec![row(
        "bulk_to_ttyd",
        ratios.quantile(0.5),
        detail,
        Some(("ttyd", theirs.quantile(0.5))),
    )?])
}

#[expect(clippy::cast_precision_loss, reason = "megabytes of a benchmark")]
fn rate(bytes: u64, begin: std::time::Instant) -> f64 {
    bytes as f64 / 1e6 / begin.elapsed().as_secs_f64()
}

async fn our_bulk(viewer: &mut Viewer) -> Result<f64> {
    viewer
        .write(bulk_command("/home/slipway").as_bytes())
        .await?;
    let mut meter = Meter::default();
    loop {
        match viewer.next().await?.context("the terminal ended")? {
            Told::Output(bytes) => {
                if let Some(rate) = meter.take(&bytes)? {
                    return Ok(rate);
                }
            }
            other => anyhow::bail!("the terminal told {other:?}"),
        }
    }
}

async fn peer_bulk(peer: &mut Connection) -> Result<f64> {
    let mut meter = Meter::default();
    loop {
        if let Some(rate) = meter.take(&peer.read().await?)? {
            return Ok(rate);
        }
    }
}

/// Counts the bulk's bytes from its first to its last.
#[derive(Default)]
struct Meter {
    begin: Option<std::time::Instant>,
    bytes: u64,
    end: Vec<u8>,
}

impl Meter {
    /// Takes output; the rate in MB/s once the end mark has come.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<f64>> {
        self.end.extend_from_slice(bytes);
        let keep = self.end.len().saturating_sub(64);
        self.end.drain(..keep);
        if self.begin.is_none()
            && bytes
                .windows(20)
                .any(|window| window == b"00000000000000000000")
        {
            self.begin = Some(now());
        }
        if let Some(begin) = self.begin {
            self.bytes += bytes.len() as u64;
            if self.end.windows(7).any(|window| window == b"bulk-42") {
                ensure!(
                    self.bytes >= BULK_BYTES,
                    "{} bytes are missing",
                    BULK_BYTES - self.bytes
                );
                return Ok(Some(rate(self.bytes, begin)));
            }
        }
        Ok(None)
    }
}

/// `yes` with a viewer that stops reading for ten seconds.
///
/// # Errors
/// When the terminal does not come back.
pub async fn stall(lab: &Lab) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut viewer = lab.terminal(&socket, &session).await?;
    // A connection of its own: the stalled one is held back, as it should be.
    let other_socket = Socket::connect(&lab.client).await?;
    let mut other = lab.terminal(&other_socket, &session).await?;
    viewer.write(b"yes\n").await?;
    viewer.read_until("y\r\ny\r\ny\r\n").await?;
    let before = our_pss(lab);
    let mut lively = Samples::default();
    for number in 0..100 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await; // waits: a pace of the workload
        let begin = now();
        other
            .write(format!("echo n-$(({number}+0))-\n").as_bytes())
            .await?;
        other.read_until(&format!("n-{number}-")).await?;
        lively.since(begin);
    }
    #[expect(clippy::cast_precision_loss, reason = "KiB of a benchmark")]
    let growth = our_pss(lab).saturating_sub(before) as f64 / 1024.0;
    let begin = now();
    viewer.write(b"\x03").await?;
    viewer.write(b"echo back-$((40+2))\n").await?;
    viewer.read_until("back-42").await?;
    let mut ctrl_c = Samples::default();
    ctrl_c.since(begin);
    Ok(vec![
        row(
            "stall_growth",
            growth,
            "server and agent together, 10 s without reading",
            Some(("jupyter-server", 184.0)),
        )?,
        row(
            "stall_ctrl_c",
            ctrl_c.quantile(0.5),
            "from Ctrl-C until the shell's next line",
            None,
        )?,
        row(
            "stall_other_terminal",
            lively.quantile(0.99),
            format!(
                "p99 of {} commands in a second terminal meanwhile",
                lively.len()
            ),
            None,
        )?,
    ])
}

/// The connection is cut in mid-output, over and over.
///
/// # Errors
/// When the terminal is lost.
pub async fn resume(lab: &Lab, cuts: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let (mut made, mut wrong, mut bytes) = (0, 0, 0);
    while made < cuts {
        let round = cut_output(lab, &session, cuts - made).await?;
        made += round.0;
        wrong += round.1;
        bytes += round.2;
    }
    #[expect(clippy::cast_precision_loss, reason = "bytes of a benchmark")]
    Ok(vec![row(
        "resume_wrong_bytes",
        wrong as f64,
        format!("{made} cuts in {bytes} bytes, each compared"),
        None,
    )?])
}

/// One program's output over many cuts: how many were made, how many bytes were wrong, how many there were.
async fn cut_output(lab: &Lab, session: &Session, cuts: usize) -> Result<(usize, usize, usize)> {
    // Less than what a terminal keeps: nobody reads while the connection is cut, so the program is not held back.
    const LINES: u32 = 200_000;
    let socket = Socket::connect(&lab.client).await?;
    let mut viewer = lab.terminal(&socket, session).await?;
    viewer
        .write(
            format!("stty -echo -opost; echo begin-$((6*7)); seq 1 {LINES}; echo end-$((6*7))\n")
                .as_bytes(),
        )
        .await?;
    let mut place = viewer.place();
    let mut collected: Vec<u8> = Vec::new();
    let (mut done, mut made) = (false, 0);
    drop(viewer);
    while !done {
        let socket = Socket::connect(&lab.client).await?;
        let mut viewer = Viewer::attach(&socket, place).await?;
        let cut_at = collected.len() + if made < cuts { 10_000 } else { usize::MAX / 2 };
        while collected.len() < cut_at && !done {
            if let Told::Output(bytes) = viewer
                .next()
                .await?
                .context("the connection closed by itself")?
            {
                collected.extend_from_slice(&bytes);
                done = collected.ends_with(b"end-42\n")
                    || collected
                        .windows(7)
                        .rev()
                        .take(256)
                        .any(|window| window == b"end-42\n");
            }
        }
        place = viewer.place();
        made += usize::from(!done);
    }
    let begin = collected
        .windows(9)
        .position(|window| window == b"begin-42\n")
        .context("the mark was lost")?
        + 9;
    let wanted: Vec<u8> = (1..=LINES)
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect();
    let wrong = wanted
        .iter()
        .zip(&collected[begin..])
        .filter(|(a, b)| a != b)
        .count()
        + wanted.len().saturating_sub(collected.len() - begin);
    Ok((made, wrong, wanted.len()))
}

/// Memory of server and agent for one more idle terminal.
///
/// # Errors
/// When a terminal cannot be opened.
pub async fn idle(lab: &Lab) -> Result<Vec<Row>> {
    const TERMINALS: usize = 12;
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut viewers = vec![
        lab.terminal(&socket, &session).await?,
        lab.terminal(&socket, &session).await?,
    ];
    let before = our_pss(lab);
    for _ in 0..TERMINALS {
        viewers.push(lab.terminal(&socket, &session).await?);
    }
    #[expect(clippy::cast_precision_loss, reason = "KiB of a benchmark")]
    let each = our_pss(lab).saturating_sub(before) as f64 / TERMINALS as f64;
    Ok(vec![row(
        "idle_terminal",
        each,
        format!("PSS of server and agent, {TERMINALS} more terminals with a viewer each"),
        None,
    )?])
}
