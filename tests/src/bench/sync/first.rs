//! The first sync: a folder that is full from the beginning, of small source files and of installed packages.
use std::path::Path;

use anyhow::Result;

use super::super::{Row, figure, tell, wall};
use super::tool::{Kind, Tool};
use super::tree::Tree;
use super::{Field, Score, beside, material, ratios, samples, turns};

/// Everybody in turn, a new pair of folders each time.
///
/// # Errors
/// When ours does not come to an end.
pub async fn first(field: &Field<'_>, modules: &Path, rounds: usize) -> Result<Vec<Row>> {
    let small = material::small(&field.folder)?;
    let mut rows = rows_of(field, "small", &small, rounds).await?;
    if let Some(modules) = material::modules(modules).await? {
        rows.extend(rows_of(field, "modules", &modules, rounds).await?);
    }
    Ok(rows)
}

async fn rows_of(
    field: &Field<'_>,
    name: &str,
    material: &Path,
    rounds: usize,
) -> Result<Vec<Row>> {
    let want = Tree::of(material)?;
    let mut scores = Kind::ALL.map(Score::new);
    for round in 0..rounds {
        for turn in turns(scores.len(), round) {
            let score = &mut scores[turn];
            score.take(match turn_of(field, score.kind, material, &want).await {
                Err(error) if score.kind != Kind::Slipway => {
                    tell(&format!("{}: {error:#}", score.kind.name()));
                    None
                }
                came => came?,
            });
        }
    }
    rows(name, want.files().len(), &scores)
}

/// Seconds until both folders are equal, and seconds of a processor; `None` when the tool is not here.
async fn turn_of(
    field: &Field<'_>,
    kind: Kind,
    material: &Path,
    want: &Tree,
) -> Result<Option<(f64, f64)>> {
    let Some(mut tool) = Tool::open(field, kind).await else {
        return Ok(None);
    };
    tool.fill(material).await?;
    let (spent, begin) = (tool.spent(), wall());
    tool.begin().await?;
    let seconds = tool.until_equal(want, begin).await?;
    let cpu = tool.spent().saturating_sub(spent).as_secs_f64();
    tell(&format!(
        "{}: {seconds:.2} s, {cpu:.2} s of a processor",
        kind.name()
    ));
    tool.close().await?;
    Ok(Some((seconds, cpu)))
}

fn rows(name: &str, files: usize, scores: &[Score]) -> Result<Vec<Row>> {
    let of = |kind: Kind| scores.iter().find(|score| score.kind == kind);
    let Some(ours) = of(Kind::Slipway) else {
        return Ok(Vec::new());
    };
    let (seconds, cpu) = (samples(&ours.seconds), samples(&ours.cpu));
    let rounds = ours.seconds.len();
    let mut rows = figure(
        &format!("sync_{name}"),
        seconds.median(),
        format!(
            "{files} files, until both folders are equal, durable at the hub; {rounds} rounds, {} s",
            seconds.range()
        ),
        &beside(scores, |score| &score.seconds),
    )?;
    if let Some(mutagen) = of(Kind::Mutagen) {
        let ratios = ratios(&ours.seconds, &mutagen.seconds);
        if !ratios.is_empty() {
            rows.extend(figure(
                &format!("sync_{name}_to_mutagen"),
                ratios.median(),
                format!("{rounds} rounds, ratios {}", ratios.range()),
                &[("mutagen".to_owned(), samples(&mutagen.seconds).median())],
            )?);
        }
    }
    if let Some(rsync) = of(Kind::Rsync) {
        let ratios = ratios(&ours.cpu, &rsync.cpu);
        if !ratios.is_empty() {
            rows.extend(figure(
                &format!("sync_{name}_cpu_to_rsync"),
                ratios.median(),
                format!(
                    "{:.2} s of a processor in all our processes, the database's too; ratios {}",
                    cpu.median(),
                    ratios.range()
                ),
                &beside(scores, |score| &score.cpu),
            )?);
        }
    }
    Ok(rows)
}
