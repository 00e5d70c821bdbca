//! Files: durable writes, a save until it is in the sandbox, and the server at rest.
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use slipway_client::socket::Socket;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;

use super::lab::Lab;
use super::process::pss_kib;
use super::workload::text;
use super::{Row, Samples, count, figure, now};

/// Who write at once.
const WRITERS: usize = 8;
/// Bytes of a write.
const BYTES: usize = 2048;
/// How long a server is left alone that is to be at rest.
const REST: Duration = Duration::from_secs(10);
/// Turns that we and the disk alone take.
const ROUNDS: usize = 4;

/// 2 KB through REST by eight clients at once, each durable before it is answered: each in a workspace of its own, then
/// all in one; in turn with eight that do nothing but append as much to a file and wait for the disk.
///
/// # Errors
/// As the API; when the database does not wait for the disk.
pub async fn write(lab: &Lab, writes: usize) -> Result<Vec<Row>> {
    let mut workspaces = Vec::new();
    for _ in 0..WRITERS {
        workspaces.push(lab.workspace().await?.id);
    }
    let one = [lab.workspace().await?.id];
    let each = writes / ROUNDS;
    let (mut apart, mut together, mut disk) =
        (Samples::default(), Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        apart.extend(&write_all(lab, &workspaces, each).await?);
        together.extend(&write_all(lab, &one, each).await?);
        let mut tasks = tokio::task::JoinSet::new();
        for writer in 0..WRITERS {
            let file = lab.folder.path().join(format!("appended-{writer}"));
            tasks.spawn_blocking(move || append(&file, each));
        }
        while let Some(samples) = tasks.join_next().await {
            disk.extend(&samples??);
        }
    }
    let detail = |samples: &Samples, where_to: &str| {
        format!(
            "p50 {:.1} ms against {:.1} ms, {} writes of 2 KB, no two alike, by {WRITERS} clients {where_to}",
            samples.median(),
            disk.median(),
            samples.len()
        )
    };
    let beside = [("append and fdatasync".to_owned(), disk.quantile(0.99))];
    let mut rows = figure(
        "write_p99",
        apart.quantile(0.99),
        detail(&apart, "in workspaces of their own"),
        &beside,
    )?;
    rows.extend(figure(
        "write_one_p99",
        together.quantile(0.99),
        detail(&together, "in one workspace"),
        &beside,
    )?);
    Ok(rows)
}

/// Eight clients at once, in these workspaces by turns.
async fn write_all(lab: &Lab, workspaces: &[WorkspaceId], writes: usize) -> Result<Samples> {
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (client, workspace) = (lab.client.clone(), workspaces[writer % workspaces.len()]);
        let round = lab.fresh();
        tasks.spawn(async move {
            let mut samples = Samples::default();
            for number in 0..writes {
                let path = format!("f{round}-{number}.txt");
                let content = text(u64::from(round) << 32 | number as u64, BYTES);
                let begin = now();
                client.write_file(workspace, &path, None, content).await?;
                samples.since(begin);
            }
            anyhow::Ok(samples)
        });
    }
    let mut all = Samples::default();
    while let Some(samples) = tasks.join_next().await {
        all.extend(&samples??);
    }
    Ok(all)
}

fn append(file: &Path, writes: usize) -> Result<Samples> {
    let mut samples = Samples::default();
    let mut file = std::fs::File::create(file)?;
    for _ in 0..writes {
        let begin = now();
        file.write_all(&[b'x'; BYTES])?;
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
        let pace = Duration::from_millis(17 + (number as u64 * 7) % 29);
        tokio::time::sleep(pace).await; // waits: a pace of the workload
        let content = text(number as u64, BYTES);
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
    let deadline = tokio::time::Instant::now() + Duration::from_secs(10);
    loop {
        if std::fs::read(file).is_ok_and(|found| found == content) {
            return Ok(());
        }
        ensure!(
            tokio::time::Instant::now() < deadline,
            "the save did not arrive within 10 s"
        );
        tokio::time::sleep(Duration::from_micros(200)).await; // waits: a pace of the workload
    }
}

/// Memory of the server with nothing to do: fresh, and after work.
///
/// # Errors
/// When it cannot be read, or as the API.
pub async fn rest(lab: &Lab) -> Result<Vec<Row>> {
    let server = || lab.server.pid().context("the server has ended");
    let fresh = pss_kib([server()?])?;
    let socket = Socket::connect(&lab.client).await?;
    let (workspace, _) = lab.session(&socket).await?;
    write_all(lab, &[workspace.id], 100).await?;
    lab.client.stop_session(workspace.id).await?;
    lab.client
        .wait_for_session(&socket, workspace.id, |_| false)
        .await?;
    drop(socket);
    tokio::time::sleep(REST).await; // waits: what is measured is a server at rest
    let worked = pss_kib([server()?])?;
    let mut rows = figure(
        "server_rest",
        count(fresh) / 1024.0,
        "PSS of the server alone after its start, Postgres apart",
        &[],
    )?;
    rows.extend(figure(
        "server_worked",
        count(worked) / 1024.0,
        "the same ten seconds after a session and 800 writes",
        &[],
    )?);
    Ok(rows)
}
