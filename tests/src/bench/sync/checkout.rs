//! A checkout between two branches: 2,000 of 5,000 files change at once.
use anyhow::Result;

use super::super::{Row, figure, tell, wall};
use super::material::{Branches, branches, git};
use super::tool::{Kind, Tool};
use super::tree::Tree;
use super::{Field, Score, beside, samples, turns};

/// Everybody in turn, all of them alive; whoever was first is last in the next round. rsync makes one pass.
///
/// # Errors
/// When ours does not come to an end.
pub async fn checkout(field: &Field<'_>, rounds: usize) -> Result<Vec<Row>> {
    let branches = branches(&field.folder).await?;
    let one = Tree::of(&branches.files)?;
    git(&branches.git, &branches.files, &["checkout", "-q", "two"]).await?;
    let two = Tree::of(&branches.files)?;
    git(&branches.git, &branches.files, &["checkout", "-q", "one"]).await?;
    let kinds = [
        Kind::Slipway,
        Kind::Rsync,
        Kind::Lsyncd,
        Kind::Unison,
        Kind::Mutagen,
        Kind::Syncthing,
    ];
    let mut all = Vec::new();
    for tool in field.keeping(&kinds, &branches.files).await? {
        own(&tool, &branches).await?;
        let score = Score::new(tool.kind);
        all.push((tool, score));
    }
    for round in 0..rounds * 2 {
        let (branch, want) = [("two", &two), ("one", &one)][round % 2];
        for turn in turns(all.len(), round) {
            let (tool, score) = &mut all[turn];
            score.take(match turn_of(tool, branch, want).await {
                Err(error) if tool.kind != Kind::Slipway => {
                    tell(&format!("{}: {error:#}", tool.kind.name()));
                    None
                }
                came => Some(came?),
            });
        }
    }
    let (tools, scores): (Vec<_>, Vec<_>) = all.into_iter().unzip();
    for tool in tools {
        tool.close().await?;
    }
    rows(&scores)
}

/// A repository of the tool's own, which knows the files as they lie in its folder.
async fn own(tool: &Tool<'_>, branches: &Branches) -> Result<()> {
    let copied = tokio::process::Command::new("cp")
        .arg("-a")
        .arg(&branches.git)
        .arg(tool.innards())
        .status()
        .await?;
    anyhow::ensure!(copied.success(), "cp -a of the repository failed");
    git(
        &tool.innards(),
        &tool.near,
        &["update-index", "-q", "--refresh"],
    )
    .await
}

async fn turn_of(tool: &Tool<'_>, branch: &str, want: &Tree) -> Result<(f64, f64)> {
    let (spent, begin) = (tool.spent(), wall());
    git(
        &tool.innards(),
        &tool.near,
        &["checkout", "-q", "-f", branch],
    )
    .await?;
    let alone = begin.elapsed().unwrap_or_default().as_secs_f64();
    tool.pass().await?;
    let seconds = tool.until_equal(want, begin).await?;
    let cpu = tool.spent().saturating_sub(spent).as_secs_f64();
    tell(&format!(
        "{}: {seconds:.2} s, of which git {alone:.2}; {cpu:.2} s of a processor",
        tool.kind.name()
    ));
    Ok((seconds, cpu))
}

fn rows(scores: &[Score]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for ours in scores.iter().filter(|score| score.kind == Kind::Slipway) {
        let seconds = samples(&ours.seconds);
        rows.extend(figure(
            "sync_checkout",
            seconds.median(),
            format!(
                "2,000 of 5,000 files, from the start of git until both folders are equal; {:.2} s of a processor; {} times, {} s",
                samples(&ours.cpu).median(),
                seconds.len(),
                seconds.range()
            ),
            &beside(scores, |score| &score.seconds),
        )?);
    }
    Ok(rows)
}
