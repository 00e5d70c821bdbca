//! A connection that is cut in mid-output: what is lost, what comes twice.
use std::time::Duration;

use anyhow::{Context as _, Result};
use slipway_api::session::Session;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Place, Told, Viewer};

use super::cut::Wire;
use super::lab::Lab;
use super::peer::Peer;
use super::workload::Seeded;
use super::{Beside, Row, count, figure, tell};

/// Three times what a terminal keeps, over some seconds.
const LINES: u32 = 1_000_000;
const PRINT: &str = "stty -echo -opost; echo begin-$((6*7)); \
    for i in $(seq 0 5000 995000); do seq $((i+1)) $((i+5000)); sleep 0.03; done; echo end-$((6*7))\n";
const BEGIN: &[u8] = b"begin-42\n";
const END: &[u8] = b"end-42\n";
/// Bytes between cuts, at most.
const BETWEEN: u64 = 90_000;
/// A peer that says nothing for so long after a cut has nothing left to say.
const QUIET: Duration = Duration::from_secs(3);

/// Cuts ours over and over, each peer once.
///
/// # Errors
/// When our terminal is lost.
pub async fn resume(lab: &Lab, peers: &[Peer], cuts: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let wire = Wire::to(lab.client.base()).await?;
    let token = lab.client.token().context("the lab is signed in")?.clone();
    let client = Client::new(format!("http://{}", wire.address))?.with_token(token);
    let (mut made, mut wrong, mut bytes) = (0, 0, 0);
    while made < cuts {
        let place = begin(lab, &socket, &session).await?;
        let round = cut_ours(&client, &wire, place, cuts - made).await?;
        made += round.0;
        wrong += round.1;
        bytes += wanted().len();
    }
    let mut beside = Beside::new();
    for peer in peers {
        match cut_peer(peer).await {
            Ok(wrong) => beside.push((peer.name().to_owned(), count(wrong as u64))),
            Err(error) => tell(&format!("{} after a cut: {error:#}", peer.name())),
        }
    }
    let detail = format!(
        "{made} resets of the connection while the program printed {bytes} bytes, each byte compared; \
         peers: lost and doubled after one cut in {} bytes",
        wanted().len()
    );
    figure("resume_wrong_bytes", count(wrong as u64), detail, &beside)
}

fn wanted() -> Vec<u8> {
    (1..=LINES)
        .flat_map(|line| format!("{line}\n").into_bytes())
        .collect()
}

fn ended(collected: &[u8]) -> bool {
    // The mark may stand somewhat before the end: a prompt follows.
    let from = collected.len().saturating_sub(512);
    collected[from..]
        .windows(END.len())
        .any(|window| window == END)
}

async fn begin(lab: &Lab, socket: &Socket, session: &Session) -> Result<Place> {
    let mut viewer = lab.terminal(socket, session).await?;
    viewer.write(PRINT.as_bytes()).await?;
    Ok(viewer.place())
}

/// One program's output over many cuts: how many were made before its end, how many bytes were wrong.
async fn cut_ours(
    client: &Client,
    wire: &Wire,
    mut place: Place,
    cuts: usize,
) -> Result<(usize, usize)> {
    let mut pace = Seeded::new(cuts as u64);
    let mut collected: Vec<u8> = Vec::new();
    let mut made = 0;
    while !ended(&collected) {
        let socket = Socket::connect(client).await?;
        let mut viewer = Viewer::attach(&socket, place).await?;
        let more = match made < cuts {
            true => usize::try_from(pace.below(BETWEEN))?,
            false => usize::MAX / 2,
        };
        let cut_at = collected.len() + more;
        let mut is_cut = false;
        // After a cut, what had arrived is still read.
        while let Some(told) = viewer.next().await? {
            match told {
                Told::Output(bytes) => collected.extend_from_slice(&bytes),
                // Bytes that are not kept any more are lost, and a log that begins anew doubles them.
                Told::Gap(_) | Told::Restored(_) => collected.push(0),
                Told::Reset | Told::Exited(_) => {}
            }
            if ended(&collected) {
                break;
            }
            if collected.len() >= cut_at && !is_cut {
                wire.cut();
                is_cut = true;
                made += 1;
            }
        }
        place = viewer.place();
    }
    let came = after_begin(&collected).context("the mark was lost")?;
    let wanted = wanted();
    let wrong = wanted.iter().zip(came).filter(|(a, b)| a != b).count()
        + wanted.len().saturating_sub(came.len());
    Ok((made, wrong))
}

fn after_begin(collected: &[u8]) -> Option<&[u8]> {
    let at = collected
        .windows(BEGIN.len())
        .position(|window| window == BEGIN)?;
    Some(&collected[at + BEGIN.len()..])
}

/// One cut, then the way back that the peer's own page takes: bytes of lines that never came or came again.
async fn cut_peer(peer: &Peer) -> Result<usize> {
    let way = peer.way().await?;
    let mut connection = peer.go(way.clone()).await?;
    connection.write(PRINT.as_bytes()).await?;
    let mut collected = Vec::new();
    while after_begin(&collected).is_none_or(|came| (came.len() as u64) < BETWEEN) {
        collected.extend(connection.read().await?.context("it ended early")?);
    }
    // Cut without a word.
    drop(connection);
    let mut connection = peer.go(way).await?;
    while !ended(&collected)
        && let Ok(Ok(Some(bytes))) = tokio::time::timeout(QUIET, connection.read()).await
    {
        collected.extend_from_slice(&bytes);
    }
    Ok(misses(after_begin(&collected).unwrap_or(&[])))
}

fn misses(came: &[u8]) -> usize {
    let mut times = vec![0_usize; LINES as usize + 1];
    for line in came.split(|byte| *byte == b'\n') {
        let number = std::str::from_utf8(line).ok().map(str::trim);
        if let Some(Ok(number)) = number.map(str::parse::<usize>)
            && let Some(times) = times.get_mut(number)
        {
            *times += 1;
        }
    }
    let wrong =
        |(number, times): (usize, &usize)| (number.to_string().len() + 1) * times.abs_diff(1);
    times.iter().enumerate().skip(1).map(wrong).sum()
}
