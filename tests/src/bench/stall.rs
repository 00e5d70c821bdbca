//! `yes` with a reader that stops for ten seconds: memory, Ctrl-C afterwards, and a second terminal meanwhile.
use std::time::Duration;

use anyhow::Result;
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::peer::{Connection, Peer};
use super::process::pss_kib;
use super::{Beside, Row, Samples, count, figure, now, tell};

const STALL: Duration = Duration::from_secs(10);
/// A peer that kept all it could not send sends it first; whoever takes longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Stalls ours, then each peer.
///
/// # Errors
/// When our terminal does not come back.
pub async fn stall(lab: &Lab, peers: &[Peer]) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut stalled = lab.connect(&session).await?;
    // A connection of its own: the stalled one is held back, as it should be.
    let mut other = lab.terminal(&socket, &session).await?;
    flood(&mut stalled).await?;
    let before = pss_kib(lab.processes());
    let mut lively = Samples::default();
    for number in 0..100 {
        tokio::time::sleep(STALL / 100).await; // waits: a pace of the workload
        let begin = now();
        let line = format!("echo n-$(({number}+0))-\n");
        other.write(line.as_bytes()).await?;
        other.read_until(&format!("n-{number}-")).await?;
        lively.since(begin);
    }
    let growth = mib(pss_kib(lab.processes()).saturating_sub(before));
    let ctrl_c = interrupt(&mut stalled).await?;

    let (mut growths, mut interrupts) = (Beside::new(), Beside::new());
    for peer in peers {
        match stalled_peer(peer).await {
            Ok((growth, ctrl_c)) => {
                growths.push((peer.name().to_owned(), growth));
                interrupts.push((peer.name().to_owned(), ctrl_c));
            }
            Err(error) => tell(&format!("{} did not come back: {error:#}", peer.name())),
        }
    }
    let mut rows = figure(
        "stall_growth",
        growth,
        "PSS of server and agent together, 10 s without reading",
        &growths,
    )?;
    rows.extend(figure(
        "stall_ctrl_c",
        ctrl_c,
        "from Ctrl-C, reading again, until the shell's next line; 10,000 means longer",
        &interrupts,
    )?);
    rows.extend(figure(
        "stall_other_terminal",
        lively.quantile(0.99),
        format!(
            "p99 of {} commands in a second terminal meanwhile, p50 {:.1} ms",
            lively.len(),
            lively.median()
        ),
        &[],
    )?);
    Ok(rows)
}

async fn stalled_peer(peer: &Peer) -> Result<(f64, f64)> {
    let mut stalled = peer.connect().await?;
    flood(&mut stalled).await?;
    let before = pss_kib(peer.processes());
    tokio::time::sleep(STALL).await; // waits: the workload itself
    let growth = pss_kib(peer.processes()).saturating_sub(before);
    let back = tokio::time::timeout(PATIENCE, interrupt(&mut stalled)).await;
    Ok((
        mib(growth),
        back.unwrap_or(Ok(PATIENCE.as_secs_f64() * 1e3))?,
    ))
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

fn mib(kib: u64) -> f64 {
    count(kib) / 1024.0
}
