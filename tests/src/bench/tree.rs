//! Ten thousand small files: their zip import, then a new session's disk; copies of the same tree as the reference.
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use slipway_api::session::SessionState;
use slipway_api::workspace::Workspace;
use slipway_client::socket::Socket;
use slipway_proto::v1;

use super::lab::Lab;
use super::peer::Peers;
use super::workload::{Seeded, text};
use super::{Beside, Row, Samples, count, figure, now};

/// Programs that copy a tree on this machine, in the order in which they are told.
const COPIES: [&str; 2] = ["cp", "rsync"];

/// Imports and syncs in turn with copies of the same files.
///
/// # Errors
/// As the API.
pub async fn import(lab: &Lab, peers: &Peers, rounds: usize) -> Result<Vec<Row>> {
    let zip = small_files(lab.folder.path())?;
    let (mut imports, mut syncs) = (Samples::default(), Samples::default());
    let mut copies = COPIES.map(|_| Samples::default());
    for round in 0..rounds {
        // Whoever comes first in a round finds the disk as the one before left it.
        for turn in (0..=COPIES.len()).map(|turn| (turn + round) % (COPIES.len() + 1)) {
            rest_of(lab.folder.path())?;
            let Some(program) = COPIES.get(turn) else {
                let begin = now();
                let name = format!("import-{}", lab.fresh());
                let workspace = lab.client.import_workspace(&name, zip.clone()).await?;
                imports.since(begin);
                rest_of(lab.folder.path())?;
                sync(lab, &workspace, &mut syncs).await?;
                continue;
            };
            match peers.find(program) {
                Some(binary) => copy(&binary, lab.folder.path(), &mut copies[turn]).await?,
                None => super::peer::missing(program),
            }
        }
    }
    let seconds = |samples: &Samples| samples.median() / 1e3;
    let beside: Beside = COPIES
        .iter()
        .zip(&copies)
        .filter(|(_, times)| !times.is_empty())
        .map(|(program, times)| (format!("{program} -a"), seconds(times)))
        .collect();
    let mut rows = figure(
        "import_10000",
        seconds(&imports),
        format!(
            "zip of 10,000 files, 40 MB ({:.0} packed), durable; median of {rounds} rounds, {} s",
            count(zip.len() as u64) / 1e6,
            seconds_range(&imports)
        ),
        &beside,
    )?;
    rows.extend(figure(
        "session_10000",
        seconds(&syncs),
        format!(
            "from Start until the sandbox's disk shows the revision, {} s",
            seconds_range(&syncs)
        ),
        &beside,
    )?);
    Ok(rows)
}

fn seconds_range(samples: &Samples) -> String {
    let [least, most] = [0.0, 1.0].map(|part| samples.quantile(part) / 1e3);
    format!("{least:.2}-{most:.2}")
}

async fn sync(lab: &Lab, workspace: &Workspace, times: &mut Samples) -> Result<()> {
    let socket = Socket::connect(&lab.client).await?;
    let mut events = socket.events(Some(workspace.id)).await?;
    let begin = now();
    lab.client.start_session(workspace.id).await?;
    loop {
        let event = events.recv().await.context("the events ended")?;
        if let Some(v1::event::Event::Session(session)) = event.event
            && session.applied_revision >= workspace.head
            && session.state == "ready"
        {
            break;
        }
    }
    times.since(begin);
    lab.client.stop_session(workspace.id).await?;
    lab.client
        .wait_for_session(&socket, workspace.id, |state| {
            state == SessionState::Stopped
        })
        .await?;
    Ok(())
}

/// Waits until the disk has what was written before, so that nobody pays for another.
fn rest_of(folder: &Path) -> Result<()> {
    rustix::fs::syncfs(std::fs::File::open(folder)?)?;
    Ok(())
}

async fn copy(program: &Path, folder: &Path, times: &mut Samples) -> Result<()> {
    let to = folder.join("copy");
    std::fs::create_dir_all(&to)?;
    let begin = now();
    let status = tokio::process::Command::new(program)
        .arg("-a")
        .arg(folder.join("small"))
        .arg(&to)
        .status()
        .await?;
    ensure!(status.success(), "{} failed", program.display());
    times.since(begin);
    std::fs::remove_dir_all(to)?;
    Ok(())
}

/// The tree on disk and as zip: 10,000 files in 600 folders, 40 MB.
fn small_files(folder: &Path) -> Result<Bytes> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut sizes = Seeded::new(7);
    for number in 0..10_000_u32 {
        let content = text(number.into(), usize::try_from(1_000 + sizes.below(6_000))?);
        let name = format!("d{:03}/f{number:05}.txt", number % 600);
        zip.start_file(&name, options)?;
        zip.write_all(&content)?;
        let file = folder.join("small").join(&name);
        std::fs::create_dir_all(file.parent().context("invariant: the name has a folder")?)?;
        std::fs::write(file, content)?;
    }
    Ok(Bytes::from(zip.finish()?.into_inner()))
}
