//! Bulk output: 150 MB from a program to a fast reader, in turn with the peers and with a bare terminal.
use anyhow::{Context as _, Result, ensure};
use slipway_client::socket::Socket;

use super::lab::Lab;
use super::peer::plain::Plain;
use super::peer::{Connection, Peer};
use super::process;
use super::{Row, Samples, count, figure, now, tell};

/// Bytes of the workload: lines of 100 bytes.
const BYTES: u64 = 150_000_000;
const END: &[u8] = b"bulk-42";

/// Makes the file once.
fn prepare(folder: &str) -> String {
    format!("yes $(printf '%099d' 7) | head -c {BYTES} > {folder}/bulk; echo ready-$((40+2))\n")
}

/// Prints it, with the ends of lines that terminals make.
fn print(folder: &str) -> String {
    format!("stty -echo; clear; cat {folder}/bulk; echo bulk-$((40+2))\n")
}

/// Prints the same for each, in rounds.
///
/// # Errors
/// When a byte of ours is missing.
pub async fn bulk(lab: &Lab, peers: &[Peer], rounds: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut first = lab.connect(&session).await?;
    first.write(prepare("/home/slipway").as_bytes()).await?;
    first.read_until("ready-42").await?;
    let folder = lab.folder.path().to_string_lossy().into_owned();
    let mut plain = Plain::start()?;
    plain.write(prepare(&folder).as_bytes())?;
    plain.read_until("ready-42")?;

    let mut held = lab.connect(&session).await?;
    held.write(print("/home/slipway").as_bytes()).await?;
    let held = measure(&mut held).await?;
    // Peers may take all processors.
    let lifted = process::agents(&lab.parts.agent)
        .into_iter()
        .filter(|agent| process::lift_cpu_limit(*agent))
        .count()
        > 0;

    let (mut ours, mut reference) = (Samples::default(), Samples::default());
    let mut to_reference = Samples::default();
    let mut theirs = vec![(Samples::default(), Samples::default()); peers.len()];
    for _ in 0..rounds {
        let bare = bare(&folder)?;
        let mut connection = lab.connect(&session).await?;
        connection.write(print("/home/slipway").as_bytes()).await?;
        let rate = measure(&mut connection).await?;
        ours.push(rate);
        reference.push(bare);
        to_reference.push(rate / bare);
        for (peer, (rates, ratios)) in peers.iter().zip(&mut theirs) {
            let mut connection = peer.connect().await?;
            connection.write(print(&folder).as_bytes()).await?;
            match measure(&mut connection).await {
                Ok(its) => {
                    rates.push(its);
                    ratios.push(rate / its);
                }
                Err(error) => tell(&format!("{}: {error:#}", peer.name())),
            }
        }
    }
    let limit = if lifted {
        "without the session's limit of processor time, as peers have none"
    } else {
        "the session is held to its share of a core, peers are not"
    };
    let detail = |its: &Samples| {
        format!(
            "{:.1} MB/s against {:.1} MB/s, {rounds} rounds; {limit}",
            ours.median(),
            its.median()
        )
    };
    let mut rows = figure(
        "bulk_held",
        held,
        "MB/s within the session's share of a core, the program included; one round",
        &[],
    )?;
    for (peer, (rates, ratios)) in peers.iter().zip(&theirs) {
        if !rates.is_empty() {
            rows.extend(figure(
                &format!("bulk_to_{}", peer.name()),
                ratios.median(),
                detail(rates),
                &[(peer.name().to_owned(), rates.median())],
            )?);
        }
    }
    rows.extend(figure(
        "bulk_to_pty",
        to_reference.median(),
        detail(&reference),
        &[("pty".to_owned(), reference.median())],
    )?);
    Ok(rows)
}

/// The reference: read by this thread.
fn bare(folder: &str) -> Result<f64> {
    let mut plain = Plain::start()?;
    plain.write(print(folder).as_bytes())?;
    let (mut meter, mut buffer) = (Meter::default(), vec![0; 64 * 1024]);
    loop {
        let bytes = plain.read(&mut buffer)?;
        if let Some(rate) = meter.take(&buffer[..bytes])? {
            return Ok(rate);
        }
    }
}

/// MB/s of what comes.
async fn measure(connection: &mut Connection) -> Result<f64> {
    let mut meter = Meter::default();
    loop {
        let bytes = connection.read().await?.context("the terminal ended")?;
        if let Some(rate) = meter.take(&bytes)? {
            return Ok(rate);
        }
    }
}

/// Counts the bytes from the first to the last.
#[derive(Default)]
struct Meter {
    begin: Option<std::time::Instant>,
    bytes: u64,
    end: Vec<u8>,
}

impl Meter {
    /// Takes output; the rate in MB/s once the end mark has come.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<f64>> {
        let tail = bytes.len().saturating_sub(64);
        self.end.extend_from_slice(&bytes[tail..]);
        self.end.drain(..self.end.len().saturating_sub(64));
        let zeros = |window: &[u8]| window == b"00000000000000000000";
        if self.begin.is_none() && bytes.windows(20).any(zeros) {
            self.begin = Some(now());
        }
        let Some(begin) = self.begin else {
            return Ok(None);
        };
        self.bytes += bytes.len() as u64;
        if !self.end.windows(END.len()).any(|window| window == END) {
            return Ok(None);
        }
        ensure!(
            self.bytes >= BYTES,
            "{} bytes are missing",
            BYTES - self.bytes
        );
        let seconds = begin.elapsed().as_secs_f64();
        Ok(Some(count(self.bytes) / 1e6 / seconds))
    }
}
