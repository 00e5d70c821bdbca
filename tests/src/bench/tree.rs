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
use super::{Beside, Row, Samples, figure, now};

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
        let begin = now();
        let name = format!("import-{}", lab.fresh());
        let workspace = lab.client.import_workspace(&name, zip.clone()).await?;
        imports.since(begin);
        sync(lab, &workspace, &mut syncs).await?;
        for (program, times) in COPIES.iter().zip(&mut copies) {
            match peers.find(program) {
                Some(binary) => copy(&binary, lab.folder.path(), round, times).await?,
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
        format!("zip of 10,000 files, 40 MB, durable; median of {rounds} rounds"),
        &beside,
    )?;
    rows.extend(figure(
        "session_10000",
        seconds(&syncs),
        "from Start until the sandbox's disk shows the revision",
        &beside,
    )?);
    Ok(rows)
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

async fn copy(program: &Path, folder: &Path, round: usize, times: &mut Samples) -> Result<()> {
    let to = folder.join("copy").join(round.to_string());
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
    let mut state = 7_u64;
    for number in 0..10_000_u32 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let size = usize::try_from(1_000 + (state >> 33) % 6_000).unwrap_or(4_000);
        let line = format!("{state:016x} {number}\n");
        let content = line.repeat(size / line.len() + 1);
        let name = format!("d{:03}/f{number:05}.txt", number % 600);
        zip.start_file(&name, options)?;
        zip.write_all(content.as_bytes())?;
        let file = folder.join("small").join(&name);
        std::fs::create_dir_all(file.parent().context("invariant: the name has a folder")?)?;
        std::fs::write(file, content)?;
    }
    Ok(Bytes::from(zip.finish()?.into_inner()))
}
