//! Files: durable writes, a save until it is in the sandbox, and the server at rest.
use std::path::Path;

use anyhow::{Result, ensure};
use bytes::Bytes;
use slipway_client::socket::Socket;
use slipway_core::hash::ContentHash;

use super::lab::Lab;
use super::process::rss_kib;
use super::{Row, Samples, count, figure, now};

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
    let detail = format!(
        "p50 {:.1} ms, {} writes by 8 clients",
        all.median(),
        all.len()
    );
    figure("write_p99", all.quantile(0.99), detail, &[])
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
