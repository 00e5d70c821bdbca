//! One file of 100 MB, and 4 KiB changed inside it; what is said about it is counted.
use std::io::{Seek as _, SeekFrom, Write as _};

use anyhow::Result;

use super::super::{Beside, Row, Samples, count, figure, tell, wall};
use super::tool::{Kind, Tool};
use super::tree::Tree;
use super::{Field, Score, beside, material, ratios, samples, turns};

const CHANGED_BYTES: usize = 4096;
const CHANGED_AT: u64 = 50_000_000;

/// What a change inside the file came to.
struct Change {
    kind: Kind,
    seconds: Samples,
    /// Mebibytes to the other side.
    sent: Samples,
}

/// Everybody in turn; whoever was first is last in the next round.
///
/// # Errors
/// When ours does not come to an end.
pub async fn big(field: &Field<'_>, rounds: usize) -> Result<Vec<Row>> {
    let mut scores = Kind::ALL.map(Score::new);
    let mut changes = Kind::ALL.map(|kind| Change {
        kind,
        seconds: Samples::default(),
        sent: Samples::default(),
    });
    for round in 0..rounds {
        let material = material::big(&field.folder, round as u64)?;
        let want = Tree::of(&material)?;
        for turn in turns(scores.len(), round) {
            let (kind, change) = (scores[turn].kind, &mut changes[turn]);
            let Some(mut tool) = Tool::open_counted(field, kind).await else {
                scores[turn].take(None);
                continue;
            };
            tool.fill(&material).await?;
            let came = turn_of(&mut tool, &want, round as u64, change).await;
            scores[turn].take(match came {
                Err(error) if kind != Kind::Slipway => {
                    tell(&format!("{}: {error:#}", kind.name()));
                    None
                }
                came => Some(came?),
            });
            tool.close().await?;
        }
        std::fs::remove_dir_all(material)?;
    }
    let mut all = rows(&scores)?;
    all.extend(change_rows(&changes)?);
    Ok(all)
}

/// The whole file, then the change.
async fn turn_of(
    tool: &mut Tool<'_>,
    want: &Tree,
    round: u64,
    change: &mut Change,
) -> Result<(f64, f64)> {
    let (spent, begin) = (tool.spent(), wall());
    tool.begin().await?;
    let seconds = tool.until_equal(want, begin).await?;
    let cpu = tool.spent().saturating_sub(spent).as_secs_f64();
    tell(&format!(
        "{}: {seconds:.2} s, {cpu:.2} s of a processor",
        tool.kind.name()
    ));
    let before = tool.carried();
    let begin = wall();
    let mut file = std::fs::File::options()
        .write(true)
        .open(tool.near.join("big.bin"))?;
    file.seek(SeekFrom::Start(CHANGED_AT))?;
    file.write_all(&material::random(1_000 + round, CHANGED_BYTES))?;
    drop(file);
    tool.pass().await?;
    let changed = Tree::of(&tool.near)?;
    let took = tool.until_equal(&changed, begin).await?;
    change.seconds.push(took);
    if let (Some(before), Some(after)) = (before, tool.carried()) {
        let both = |[there, back]: [u64; 2]| there + back;
        change
            .sent
            .push(count(both(after) - both(before)) / 1024.0 / 1024.0);
    }
    tell(&format!(
        "{}: change {took:.2} s, {} MiB",
        tool.kind.name(),
        change.sent.range()
    ));
    Ok((seconds, cpu))
}

fn rows(scores: &[Score]) -> Result<Vec<Row>> {
    let of = |kind: Kind| scores.iter().find(|score| score.kind == kind);
    let Some(ours) = of(Kind::Slipway) else {
        return Ok(Vec::new());
    };
    let seconds = samples(&ours.seconds);
    let mut rows = figure(
        "sync_big",
        seconds.median(),
        format!(
            "100 MB of chance, {:.2} s of a processor; {} rounds, {} s",
            samples(&ours.cpu).median(),
            ours.seconds.len(),
            seconds.range()
        ),
        &beside(scores, |score| &score.seconds),
    )?;
    if let Some(mutagen) = of(Kind::Mutagen) {
        let ratios = ratios(&ours.seconds, &mutagen.seconds);
        if !ratios.is_empty() {
            rows.extend(figure(
                "sync_big_to_mutagen",
                ratios.median(),
                format!("ours is durable in the database; ratios {}", ratios.range()),
                &[("mutagen".to_owned(), samples(&mutagen.seconds).median())],
            )?);
        }
    }
    Ok(rows)
}

fn change_rows(changes: &[Change]) -> Result<Vec<Row>> {
    let beside = |what: fn(&Change) -> &Samples| -> Beside {
        changes
            .iter()
            // cp tells nobody what changed.
            .filter(|change| !matches!(change.kind, Kind::Slipway | Kind::Cp))
            .filter(|change| !what(change).is_empty())
            .map(|change| (change.kind.name().to_owned(), what(change).median()))
            .collect()
    };
    let mut rows = Vec::new();
    for ours in changes.iter().filter(|change| change.kind == Kind::Slipway) {
        rows.extend(figure(
            "sync_change",
            ours.seconds.median(),
            format!("4 KiB inside the 100 MB; {} s", ours.seconds.range()),
            &beside(|change| &change.seconds),
        )?);
        rows.extend(figure(
            "sync_change_sent",
            ours.sent.median(),
            format!(
                "by and to the person's computer, headers of TCP apart; {} MiB",
                ours.sent.range()
            ),
            &beside(|change| &change.sent),
        )?);
    }
    Ok(rows)
}
