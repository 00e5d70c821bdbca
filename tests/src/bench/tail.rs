//! The end of an output whose program ends at once: the last bytes must not be lost.
use anyhow::Result;
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::peer::{Connection, Peer};
use super::{Row, count, figure};

const LINES: u32 = 100_000;
/// The shell itself becomes the program, so that the terminal ends with its last byte.
const ENDS: &str = "stty -echo -opost; echo begin-$((6*7)); exec seq 1 100000\n";
const BEGIN: &[u8] = b"begin-42\n";

/// Runs the program over and over, for each in turn; counts the runs that lost a byte.
///
/// # Errors
/// When our terminal breaks.
pub async fn tail(lab: &Lab, peers: &[Peer], runs: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let wanted: Vec<u8> = (1..=LINES)
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect();
    let (mut ours, mut theirs) = ((0, 0), vec![(0, 0); peers.len()]);
    for _ in 0..runs {
        let (terminal, mut connection) = lab.attach(&session).await?;
        count_up(&mut ours, lost(&mut connection, &wanted).await?);
        lab.client.close_terminal(session.id, terminal).await?;
        for (peer, lost_by) in peers.iter().zip(&mut theirs) {
            let mut connection = peer.connect().await?;
            count_up(lost_by, lost(&mut connection, &wanted).await?);
        }
    }
    let each: Vec<String> = peers
        .iter()
        .zip(&theirs)
        .map(|(peer, (_, bytes))| format!("{} {bytes}", peer.name()))
        .collect();
    let detail = format!(
        "of {runs} programs that print {} bytes and end; lost in all: we {}, {}",
        wanted.len(),
        ours.1,
        each.join(", ")
    );
    let beside: Vec<_> = peers
        .iter()
        .zip(&theirs)
        .map(|(peer, (runs, _))| (peer.name().to_owned(), count(*runs)))
        .collect();
    figure("tail_lost", count(ours.0), detail, &beside)
}

fn count_up((runs, bytes): &mut (u64, u64), lost: u64) {
    *runs += u64::from(lost > 0);
    *bytes += lost;
}

/// Bytes that did not come before the terminal ended.
async fn lost(connection: &mut Connection, wanted: &[u8]) -> Result<u64> {
    connection.write(ENDS.as_bytes()).await?;
    let mut seen = Vec::new();
    // Some end with a close, some by a reset; what came before is what there is.
    while let Ok(Some(bytes)) = connection.read().await {
        seen.extend_from_slice(&bytes);
    }
    let begin = seen.windows(BEGIN.len()).position(|window| window == BEGIN);
    let came = begin.map_or(&[][..], |at| &seen[at + BEGIN.len()..]);
    let same = wanted.iter().zip(came).take_while(|(a, b)| a == b).count();
    Ok((wanted.len() - same) as u64)
}
