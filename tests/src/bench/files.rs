//! Files: durable writes, a save until it is in the sandbox, ten thousand small files, and the server at rest.
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use slipway_api::session::SessionState;
use slipway_client::socket::Socket;
use slipway_core::hash::ContentHash;
use slipway_proto::v1;

use super::lab::Lab;
use super::process::rss_kib;
use super::{Row, Samples, now, row};

/// 2 KB through REST by eight clients at once, each durable before it is answered.
///
/// # Errors
/// As the API.
pub async fn write(lab: &Lab, writes: usize) -> Result<Vec<Row>> {
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let (client, workspace) = (lab.client.clone(), lab.workspace().await?);
        tasks.spawn(async move {
            let mut samples = Samples::default();
            for number in 0..writes {
                let content = Bytes::from(format!("{writer}-{number:06}\n").repeat(200));
                let begin = now();
                client
                    .write_file(workspace.id, &format!("f{number}.txt"), None, content)
                    .await?;
                samples.since(begin);
            }
            anyhow::Ok(samples)
        });
    }
    let mut all = Samples::default();
    while let Some(samples) = tasks.join_next().await {
        all.extend(&samples??);
    }
    Ok(vec![row(
        "write_p99",
        all.quantile(0.99),
        format!(
            "p50 {:.1} ms, {} writes by 8 clients",
            all.quantile(0.5),
            all.len()
        ),
        None,
    )?])
}

/// From a save in the editor until the sandbox's disk shows it.
///
/// # Errors
/// When a save does not arrive.
pub async fn save(lab: &Lab, saves: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (workspace, _) = lab.session(&socket).await?;
    let file = lab.volume(&workspace)?.join("main.py");
    let mut base: Option<ContentHash> = None;
    let mut samples = Samples::default();
    for number in 0..saves {
        let pace = std::time::Duration::from_millis(17 + (number as u64 * 7) % 29);
        tokio::time::sleep(pace).await; // waits: a pace of the workload
        let content = Bytes::from(format!("# save {number:06}\n{}", "x = 1\n".repeat(300)));
        let begin = now();
        lab.client
            .write_file(workspace.id, "main.py", base.as_ref(), content.clone())
            .await?;
        wait_for_content(&file, &content).await?;
        samples.since(begin);
        base = Some(ContentHash::of(&content));
    }
    let detail = format!(
        "{} saves of 2 KB, from the request until the file has the content",
        samples.len()
    );
    Ok(vec![
        row(
            "save_p50",
            samples.quantile(0.5),
            detail.clone(),
            Some(("lsyncd (best of six, measured apart)", 474.0)),
        )?,
        row("save_p99", samples.quantile(0.99), detail, None)?,
    ])
}

async fn wait_for_content(file: &Path, content: &[u8]) -> Result<()> {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    loop {
        if std::fs::read(file).is_ok_and(|found| found == content) {
            return Ok(());
        }
        ensure!(
            tokio::time::Instant::now() < deadline,
            "the save did not arrive within 10 s"
        );
        tokio::time::sleep(std::time::Duration::from_micros(200)).await; // waits: a pace of the workload
    }
}

/// Ten thousand small files: zip import, then on a new session's disk; `cp -a` of the same tree as the reference.
///
/// # Errors
/// As the API.
pub async fn import(lab: &Lab) -> Result<Vec<Row>> {
    let zip = small_files(lab.folder.path())?;
    let begin = now();
    let workspace = lab
        .client
        .import_workspace(&format!("import-{}", lab.fresh()), zip)
        .await?;
    let imported = begin.elapsed().as_secs_f64();
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
    let synced = begin.elapsed().as_secs_f64();
    let begin = now();
    let status = tokio::process::Command::new("cp")
        .arg("-a")
        .arg(lab.folder.path().join("small"))
        .arg(lab.folder.path().join("copy"))
        .status()
        .await?;
    ensure!(status.success(), "cp failed");
    let copied = begin.elapsed().as_secs_f64();
    lab.client.stop_session(workspace.id).await?;
    lab.client
        .wait_for_session(&socket, workspace.id, |state| {
            state == SessionState::Stopped
        })
        .await?;
    Ok(vec![
        row(
            "import_10000",
            imported,
            "zip of 10,000 files, 40 MB, durable",
            Some(("cp -a", copied)),
        )?,
        row(
            "session_10000",
            synced,
            "from Start until the sandbox's disk shows the revision",
            Some(("cp -a", copied)),
        )?,
    ])
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

/// Resident memory of the server with nothing to do.
///
/// # Errors
/// When the goals cannot be read.
pub fn rest(lab: &Lab) -> Result<Vec<Row>> {
    let kib = lab.server.pid().map_or(0, rss_kib);
    #[expect(clippy::cast_precision_loss, reason = "KiB of a benchmark")]
    Ok(vec![row(
        "server_rest",
        kib as f64 / 1024.0,
        "RSS of the server alone, Postgres apart",
        None,
    )?])
}
