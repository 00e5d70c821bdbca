//! What one more idle terminal costs.
use std::time::Duration;

use anyhow::Result;
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::peer::Peer;
use super::process::pss_kib;
use super::{Beside, Row, Samples, count, figure};

const TERMINALS: usize = 12;
/// The first ones make what all share.
const FIRST: usize = 2;
/// A look at memory is taken so long after the last terminal came.
const SETTLED: Duration = Duration::from_secs(2);

/// Memory of server and agent for each of some more terminals, of a new session in each round; the same of the peers.
///
/// # Errors
/// When a terminal cannot be opened.
pub async fn idle(lab: &Lab, peers: &[Peer], rounds: usize) -> Result<Vec<Row>> {
    let mut ours = Samples::default();
    let mut theirs = vec![Samples::default(); peers.len()];
    for _ in 0..rounds {
        ours.push(of_session(lab).await?);
        for (peer, samples) in peers.iter().zip(&mut theirs) {
            samples.push(of_peer(peer).await?);
        }
    }
    let beside: Beside = peers
        .iter()
        .zip(&theirs)
        .map(|(peer, samples)| (peer.name().to_owned(), samples.median()))
        .collect();
    let detail = format!(
        "PSS of server and agent, {TERMINALS} more terminals with a viewer each, {rounds} sessions: {} KiB",
        ours.range()
    );
    figure("idle_terminal", ours.median(), detail, &beside)
}

async fn of_session(lab: &Lab) -> Result<f64> {
    let socket = Socket::connect(&lab.client).await?;
    let (workspace, session) = lab.session(&socket).await?;
    let (mut viewers, mut before) = (Vec::new(), 0);
    for number in 0..FIRST + TERMINALS {
        if number == FIRST {
            tokio::time::sleep(SETTLED).await; // waits: what is measured is at rest
            before = pss_kib(lab.processes()?)?;
        }
        viewers.push(lab.terminal(&socket, &session).await?);
    }
    tokio::time::sleep(SETTLED).await; // waits: what is measured is at rest
    let each = each(before, pss_kib(lab.processes()?)?);
    lab.client.stop_session(workspace.id).await?;
    lab.client
        .wait_for_session(&socket, workspace.id, |_| false)
        .await?;
    Ok(each)
}

async fn of_peer(peer: &Peer) -> Result<f64> {
    let (mut connections, mut before) = (Vec::new(), 0);
    for number in 0..FIRST + TERMINALS {
        if number == FIRST {
            tokio::time::sleep(SETTLED).await; // waits: what is measured is at rest
            before = pss_kib(peer.processes())?;
        }
        connections.push(peer.connect().await?);
    }
    tokio::time::sleep(SETTLED).await; // waits: what is measured is at rest
    Ok(each(before, pss_kib(peer.processes())?))
}

fn each(before: u64, after: u64) -> f64 {
    count(after.saturating_sub(before)) / count(TERMINALS as u64)
}
