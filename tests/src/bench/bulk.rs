//! Bulk output: 150 MB from a program to a fast reader, in turn with the peers and with a bare terminal.
use anyhow::{Context as _, Result, ensure};
use slipway_api::session::Session;
use slipway_client::socket::Socket;

use super::group::CpuGroup;
use super::lab::Lab;
use super::peer::plain::Plain;
use super::peer::{Connection, Kind, Peer};
use super::{Row, Samples, count, figure, now, tell};

/// Lines of the workload: 99 digits and the end, to which a terminal adds a carriage return.
const LINES: u64 = 1_500_000;
const BYTES: u64 = LINES * 101;
const BEGIN: &[u8] = b"begin-42\r\n";
const END: &[u8] = b"end-42";
/// Where sessions keep what is not of the workspace.
const HOME: &str = "/home/slipway";

/// Makes the file once.
fn prepare(folder: &str) -> String {
    format!("yes $(printf '%099d' 7) | head -n {LINES} > {folder}/bulk; echo ready-$((40+2))\n")
}

/// Prints it, with the ends of lines that terminals make.
fn print(folder: &str) -> String {
    format!("stty -echo; echo begin-$((6*7)); cat {folder}/bulk; echo end-$((6*7))\n")
}

/// One who prints, and at what rates.
struct Printer<'a> {
    peer: &'a Peer,
    rates: Samples,
    /// Our rate through its own, round by round.
    ratios: Samples,
}

impl<'a> Printer<'a> {
    fn new(peer: &'a Peer) -> Self {
        Self {
            peer,
            rates: Samples::default(),
            ratios: Samples::default(),
        }
    }

    async fn round(&mut self, folder: &str, ours: f64) -> Result<()> {
        let mut connection = self.peer.connect().await?;
        connection.write(print(folder).as_bytes()).await?;
        match measure(&mut connection).await {
            Ok(rate) => {
                self.rates.push(rate);
                self.ratios.push(ours / rate);
            }
            Err(error) => tell(&format!("{}: {error:#}", self.peer.name())),
        }
        Ok(())
    }

    fn row(&self, name: &str, ours: &Samples, how: &str) -> Result<Vec<Row>> {
        if self.rates.is_empty() {
            return Ok(Vec::new());
        }
        let detail = format!(
            "{:.1} MB/s against {:.1} MB/s, {} of {} rounds, ratios {}; {how}",
            ours.median(),
            self.rates.median(),
            self.rates.len(),
            ours.len(),
            self.ratios.range()
        );
        let beside = [(self.peer.name().to_owned(), self.rates.median())];
        figure(name, self.ratios.median(), detail, &beside)
    }
}

/// Prints the same for each, in rounds: first ours and the leanest peer within a session's share of a processor, then
/// all without that limit.
///
/// # Errors
/// When a byte of ours is missing.
pub async fn bulk(lab: &Lab, peers: &[Peer], rounds: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (_, session) = lab.session(&socket).await?;
    let mut first = lab.connect(&session).await?;
    first.write(prepare(HOME).as_bytes()).await?;
    first.read_until("ready-42").await?;
    let folder = lab.folder.path().to_string_lossy().into_owned();
    let mut plain = Plain::start()?;
    plain.write(prepare(&folder).as_bytes())?;
    plain.read_until("ready-42")?;

    let agent = lab.agents().first().copied();
    let Some(group) = agent.and_then(CpuGroup::of) else {
        tell(
            "######## no control groups: bulk output cannot be compared, every row is SKIPPED ########",
        );
        return Ok(Vec::new());
    };
    let mut rows = held(lab, &session, peers, &group, &folder, rounds).await?;
    group.lift()?;
    rows.extend(free(lab, &session, peers, &folder, rounds).await?);
    Ok(rows)
}

/// Ours and ttyd with all that it starts in the session's control group, one after the other.
async fn held(
    lab: &Lab,
    session: &Session,
    peers: &[Peer],
    group: &CpuGroup,
    folder: &str,
    rounds: usize,
) -> Result<Vec<Row>> {
    let Some(peer) = peers.iter().find(|peer| peer.kind == Kind::Ttyd) else {
        return Ok(Vec::new());
    };
    let processes = peer.processes();
    let before = processes.first().copied().and_then(CpuGroup::of);
    group.take(processes.iter().copied())?;
    let (mut ours, mut ttyd) = (Samples::default(), Printer::new(peer));
    for _ in 0..rounds {
        let rate = our_rate(lab, session).await?;
        ours.push(rate);
        ttyd.round(folder, rate).await?;
    }
    if let Some(before) = before {
        before.take(processes)?;
    }
    ttyd.row(
        "bulk_held_to_ttyd",
        &ours,
        "program and agent, or program and ttyd, within half a core",
    )
}

async fn free(
    lab: &Lab,
    session: &Session,
    peers: &[Peer],
    folder: &str,
    rounds: usize,
) -> Result<Vec<Row>> {
    let (mut ours, mut reference) = (Samples::default(), Samples::default());
    let mut to_reference = Samples::default();
    let mut theirs: Vec<Printer<'_>> = peers.iter().map(Printer::new).collect();
    for _ in 0..rounds {
        let bare = bare(folder)?;
        let rate = our_rate(lab, session).await?;
        ours.push(rate);
        reference.push(bare);
        to_reference.push(rate / bare);
        for printer in &mut theirs {
            printer.round(folder, rate).await?;
        }
        if let Some(first) = theirs.pop() {
            theirs.insert(0, first);
        }
    }
    let mut rows = Vec::new();
    for peer in peers {
        for printer in theirs
            .iter()
            .filter(|printer| printer.peer.kind == peer.kind)
        {
            let name = format!("bulk_to_{}", peer.name());
            rows.extend(printer.row(&name, &ours, "without a limit of processor time")?);
        }
    }
    rows.extend(figure(
        "bulk_to_pty",
        to_reference.median(),
        format!(
            "{:.1} MB/s against {:.1} MB/s",
            ours.median(),
            reference.median()
        ),
        &[("pty".to_owned(), reference.median())],
    )?);
    Ok(rows)
}

async fn our_rate(lab: &Lab, session: &Session) -> Result<f64> {
    let (terminal, mut connection) = lab.attach(session).await?;
    connection.write(print(HOME).as_bytes()).await?;
    let rate = measure(&mut connection).await?;
    lab.client.close_terminal(session.id, terminal).await?;
    Ok(rate)
}

/// The reference: read by this thread.
fn bare(folder: &str) -> Result<f64> {
    let mut plain = Plain::start()?;
    plain.write(print(folder).as_bytes())?;
    let (mut meter, mut buffer) = (Meter::new(BYTES), vec![0; 64 * 1024]);
    loop {
        let bytes = plain.read(&mut buffer)?;
        if let Some(rate) = meter.take(&buffer[..bytes])? {
            return Ok(rate);
        }
    }
}

/// MB/s of what comes.
async fn measure(connection: &mut Connection) -> Result<f64> {
    let mut meter = Meter::new(BYTES);
    loop {
        let bytes = connection.read().await?.context("the terminal ended")?;
        if let Some(rate) = meter.take(&bytes)? {
            return Ok(rate);
        }
    }
}

/// Counts the bytes between the marks.
struct Meter {
    wanted: u64,
    begin: Option<std::time::Instant>,
    bytes: u64,
    /// The last bytes, in which a mark may stand.
    end: Vec<u8>,
}

impl Meter {
    const fn new(wanted: u64) -> Self {
        Self {
            wanted,
            begin: None,
            bytes: 0,
            end: Vec::new(),
        }
    }

    /// Takes output; the rate in MB/s once the end mark has come.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<f64>> {
        self.end.extend_from_slice(bytes);
        if self.begin.is_none() {
            let Some(at) = find(&self.end, BEGIN) else {
                return Ok(None);
            };
            self.begin = Some(now());
            self.bytes = (self.end.len() - at - BEGIN.len()) as u64;
        } else {
            self.bytes += bytes.len() as u64;
        }
        // Only what is new, and as much before it as may hold the rest of a mark.
        let from = self.end.len().saturating_sub(bytes.len() + END.len());
        if let (Some(begin), Some(at)) = (self.begin, find(&self.end[from..], END)) {
            let seconds = begin.elapsed().as_secs_f64();
            let behind = (self.end.len() - from - at) as u64;
            let came = self.bytes - behind;
            ensure!(came == self.wanted, "{came} bytes came of {}", self.wanted);
            return Ok(Some(count(came) / 1e6 / seconds));
        }
        self.end.drain(..self.end.len().saturating_sub(64));
        Ok(None)
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(lines: u64) -> Vec<u8> {
        let mut all = b"stty -echo; echo begin-$((6*7))\r\nbegin-42\r\n".to_vec();
        for _ in 0..lines {
            all.extend(format!("{:099}\r\n", 7).bytes());
        }
        all.extend(b"end-42\r\n$ ");
        all
    }

    #[test]
    fn every_byte_between_the_marks_is_counted_however_it_is_cut() {
        for cut in [1, 7, 4096, 65_536] {
            for (wanted, whole) in [(500 * 101, true), (500 * 101 + 1, false)] {
                let mut meter = Meter::new(wanted);
                let output = output(500);
                let mut rates = output
                    .chunks(cut)
                    .filter_map(|piece| meter.take(piece).transpose());
                assert_eq!(rates.next().map(|rate| rate.is_ok()), Some(whole));
            }
        }
    }
}
