//! What one more idle terminal costs.
use anyhow::Result;
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::peer::{Connection, Peer};
use super::process::pss_kib;
use super::{Beside, Row, count, figure};

const TERMINALS: usize = 12;
/// The first ones make what all share.
const FIRST: usize = 2;

/// Memory of server and agent for each of some more terminals; the same of the peers.
///
/// # Errors
/// When a terminal cannot be opened.
pub async fn idle(lab: &Lab, peers: &[Peer]) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let (mut viewers, mut before) = (Vec::new(), 0);
    for number in 0..FIRST + TERMINALS {
        if number == FIRST {
            before = pss_kib(lab.processes());
        }
        viewers.push(lab.terminal(&socket, &session).await?);
    }
    let ours = each(before, pss_kib(lab.processes()));
    let mut beside = Beside::new();
    for peer in peers {
        let mut connections: Vec<Connection> = Vec::new();
        for number in 0..FIRST + TERMINALS {
            if number == FIRST {
                before = pss_kib(peer.processes());
            }
            connections.push(peer.connect().await?);
        }
        let its = each(before, pss_kib(peer.processes()));
        beside.push((peer.name().to_owned(), its));
    }
    let detail = format!("PSS of server and agent, {TERMINALS} more terminals with a viewer each");
    figure("idle_terminal", ours, detail, &beside)
}

fn each(before: u64, after: u64) -> f64 {
    count(after.saturating_sub(before)) / count(TERMINALS as u64)
}
