//! Files: durable writes, a save until it is in the sandbox, and the server at rest.
use std::io::Write as _;
use std::path::Path;

use anyhow::{Result, ensure};
use bytes::Bytes;
use slipway_client::socket::Socket;
use slipway_core::hash::ContentHash;

use super::lab::Lab;
use super::process::rss_kib;
use super::{Row, Samples, count, figure, now};

/// Who write at once.
const WRITERS: usize = 8;
/// Turns that we and the disk alone take.
const ROUNDS: usize = 4;

/// 2 KB through REST by eight clients at once, each durable before it is answered; in turn with eight that do nothing
/// but append as much to a file and wait for the disk.
///
/// # Errors
/// As the API.
pub async fn write(lab: &Lab, writes: usize) -> Result<Vec<Row>> {
    let mut workspaces = Vec::new();
    for _ in 0..WRITERS {
        workspaces.push(lab.workspace().await?.id);
    }
    let (mut all, mut disk) = (Samples::default(), Samples::default());
    for round in 0..ROUNDS {
        let mut tasks = tokio::task::JoinSet::new();
        for (writer, workspace) in workspaces.iter().copied().enumerate() {
            let client = lab.client.clone();
            tasks.spawn(async move {
                let mut samples = Samples::default();
                for number in 0..writes / ROUNDS {
                    let path = format!("f{round}-{number}.txt");
                    let content = Bytes::from(format!("{writer}-{number:06}\n").repeat(200));
                    let begin = now();
                    client.write_file(workspace, &path, None, content).await?;
                    samples.since(begin);
                }
                anyhow::Ok(samples)
            });
        }
        while let Some(samples) = tasks.join_next().await {
            all.extend(&samples??);
        }
        for writer in 0..WRITERS {
            let file = lab.folder.path().join(format!("appended-{writer}"));
            tasks.spawn_blocking(move || append(&file, writes / ROUNDS));
        }
        while let Some(samples) = tasks.join_next().await {
            disk.extend(&samples??);
        }
    }
    let detail = format!(
        "p50 {:.1} ms against {:.1} ms, {} writes by {WRITERS} clients",
        all.median(),
        disk.median(),
        all.len()
    );
    let beside = [("append and fdatasync".to_owned(), disk.quantile(0.99))];
    figure("write_p99", all.quantile(0.99), detail, &beside)
}

fn append(file: &Path, writes: usize) -> Result<Samples> {
    let mut samples = Samples::default();
    let mut file = std::fs::File::create(file)?;
    for _ in 0..writes {
        let begin = now();
        file.write_all(&[b'x'; 2048])?;
        file.sync_data()?;
        samples.since(begin);
    }
    Ok(samples)
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
    let mut rows = figure("save_p50", samples.median(), detail.clone(), &[])?;
    rows.extend(figure("save_p99", samples.quantile(0.99), detail, &[])?);
    Ok(rows)
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

/// Resident memory of the server with nothing to do.
///
/// # Errors
/// When the goals cannot be read.
pub fn rest(lab: &Lab) -> Result<Vec<Row>> {
    let kib = lab.server.pid().map_or(0, rss_kib);
    figure(
        "server_rest",
        count(kib) / 1024.0,
        "RSS of the server alone, Postgres apart",
        &[],
    )
}
