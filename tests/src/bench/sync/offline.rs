//! The way to the server is gone while both sides go on: a thousand edits on each, some of them in the same texts. No
//! other tool is made for it, so there is nobody beside.
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::super::workload::text;
use super::super::{Row, Samples, count, figure, tell, wall};
use super::tool::{Kind, Tool};
use super::tree::Tree;
use super::{Field, material};

/// Edits of one side.
const EDITS: usize = 1_000;
/// Of them, texts that both sides edit, in different lines.
const SHARED: usize = 100;
/// A shorter text has no lines between those that one side edits and those that the other does.
const SHARED_BYTES_MIN: u64 = 500;
/// Who has not come back by then does not come back.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which side edits.
#[derive(Clone, Copy)]
enum Side {
    Near,
    Far,
}

/// Some times on new folders.
///
/// # Errors
/// When the sides do not become equal.
pub async fn offline(field: &Field<'_>, rounds: usize) -> Result<Vec<Row>> {
    let small = material::small(&field.folder)?;
    let (mut seconds, mut conflicts) = (Samples::default(), 0);
    for _ in 0..rounds {
        let tool = Tool::open_counted(field, Kind::Slipway).await;
        let mut tool = tool.context("invariant: ours is not skipped")?;
        tool.fill(&small).await?;
        let begin = wall();
        tool.begin().await?;
        tool.until_equal(&Tree::of(&small)?, begin).await?;
        let (took, copies) = meeting(&tool, &small).await?;
        tell(&format!("slipway: {took:.2} s, {copies} copies"));
        seconds.push(took);
        conflicts += copies;
        tool.close().await?;
    }
    let mut rows = figure(
        "sync_offline",
        seconds.median(),
        format!(
            "from the first connection that is let through again until both folders are equal, {EDITS} edits on each side, \
             {SHARED} of them in the same texts; {rounds} times, {} s",
            seconds.range()
        ),
        &[],
    )?;
    rows.extend(figure(
        "sync_offline_conflicts",
        count(conflicts),
        "conflict copies in all of them",
        &[],
    )?);
    Ok(rows)
}

/// Seconds from the return of the way until both sides are equal, and the conflict copies there are.
async fn meeting(tool: &Tool<'_>, before: &Path) -> Result<(f64, u64)> {
    let wire = tool.wire().context("invariant: it goes through a wire")?;
    let files = files(before)?;
    wire.bar();
    for (side, root) in [(Side::Near, &tool.near), (Side::Far, &tool.far)] {
        edit(side, root, &files)?;
    }
    // What both together should come to.
    let model = tool.near.with_file_name("model");
    let copied = tokio::process::Command::new("cp")
        .arg("-a")
        .arg(before)
        .arg(&model)
        .status()
        .await?;
    ensure!(copied.success(), "cp -a of the model failed");
    edit(Side::Near, &model, &files)?;
    edit(Side::Far, &model, &files)?;
    let connections = wire.connections();
    wire.open();
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while wire.connections() == connections {
        ensure!(
            tokio::time::Instant::now() < deadline,
            "slipway mirror does not come back"
        );
        tokio::time::sleep(Duration::from_millis(1)).await; // waits: a pace of the look
    }
    let begin = wall();
    let want = Tree::of(&model)?;
    let seconds = tool.until_equal(&want, begin).await;
    let copies = copies(&tool.near)?;
    match seconds {
        Ok(seconds) => Ok((seconds, copies)),
        Err(error) => Err(error.context(format!("{copies} conflict copies"))),
    }
}

/// The files, those that both sides edit first.
fn files(root: &Path) -> Result<Vec<PathBuf>> {
    let tree = Tree::of(root)?;
    let is_long = |path: &&Path| {
        let found = std::fs::metadata(root.join(path));
        found.is_ok_and(|found| found.len() >= SHARED_BYTES_MIN)
    };
    let (long, short): (Vec<_>, Vec<_>) = tree.files().into_iter().partition(is_long);
    Ok(long.into_iter().chain(short).map(Path::to_owned).collect())
}

/// The edits of one side: texts that both edit, texts of its own, files that go, and new ones.
fn edit(side: Side, root: &Path, files: &[PathBuf]) -> Result<()> {
    let owner = std::fs::metadata(root)?;
    let (own, name) = match side {
        Side::Near => (SHARED..SHARED + EDITS, "near"),
        Side::Far => (SHARED + EDITS..SHARED + 2 * EDITS, "far"),
    };
    for path in &files[..SHARED] {
        let path = root.join(path);
        let text = std::fs::read_to_string(&path)?;
        let text = match side {
            Side::Near => format!("// {name}\n{text}"),
            Side::Far => format!("{}\n\n// {name}\n", text.trim_end_matches('\n')),
        };
        std::fs::write(path, text)?;
    }
    for (number, path) in files[own].iter().take(EDITS - SHARED).enumerate() {
        let whole = root.join(path);
        match number % 10 {
            0 => std::fs::remove_file(whole)?,
            1 => {
                let fresh = whole.with_extension(format!("{name}.ts"));
                std::fs::write(&fresh, text(number as u64, 1_500))?;
                std::os::unix::fs::chown(fresh, Some(owner.uid()), Some(owner.gid()))?;
            }
            _ => std::fs::write(whole, text(number as u64, 2_500))?,
        }
    }
    Ok(())
}

/// Files whose names say that they are the other version of another.
fn copies(root: &Path) -> Result<u64> {
    let tree = Tree::of(root)?;
    let is_copy = |path: &&&Path| path.to_string_lossy().contains("(conflict ");
    Ok(tree.files().iter().filter(is_copy).count() as u64)
}
