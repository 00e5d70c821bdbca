//! One file saved by another program, until the other folder has it: in place, or by a rename, as editors do. Both ways.
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::super::workload::{Seeded, text};
use super::super::{Beside, Row, Samples, figure, now, tell};
use super::tool::{Kind, Tool};
use super::tree::Tree;
use super::{Field, material};

/// One that has not come by then counts as this.
const LATE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_micros(500);
/// Others save once while we save so many times: some of them take ten seconds.
const SELDOM: usize = 5;
const BYTES: usize = 2048;

/// Saves there and back, half a second to a second and a half apart, each of another file of 10,000.
///
/// # Errors
/// When ours does not run.
pub async fn save(field: &Field<'_>, saves: usize) -> Result<Vec<Row>> {
    let small = material::small(&field.folder)?;
    let tree = Tree::of(&small)?;
    let files = tree.files();
    let tools = field.keeping(&Kind::LIVE, &small).await?;
    let mut rows = Vec::new();
    for (way, name) in [(Way::There, "save"), (Way::Back, "back")] {
        let mut came: Vec<_> = tools.iter().map(|_| Samples::default()).collect();
        let mut pace = Seeded::new(7);
        for number in 0..saves {
            for (tool, samples) in tools.iter().zip(&mut came) {
                let is_turn = tool.kind == Kind::Slipway || number % SELDOM == 0;
                if !is_turn || (way == Way::Back && !tool.kind.is_two_way()) {
                    continue;
                }
                let pause = Duration::from_millis(500 + pace.below(1_000));
                tokio::time::sleep(pause).await; // waits: a pace of the workload
                let file = files[usize::try_from(pace.below(files.len() as u64))?];
                let by_rename = pace.below(2) == 0;
                let seed = ((way as u64) << 32) | number as u64;
                let save = Save::new(tool, way, file, seed, by_rename);
                let took = tokio::task::spawn_blocking(move || save.until_there()).await??;
                samples.push(took.as_secs_f64() * 1e3);
            }
        }
        for (tool, samples) in tools.iter().zip(&came) {
            tell(&format!(
                "{}: {name} {} ms",
                tool.kind.name(),
                samples.range()
            ));
        }
        rows.extend(figures(name, &tools, &came)?);
    }
    for tool in tools {
        tool.close().await?;
    }
    Ok(rows)
}

fn figures(name: &str, tools: &[Tool<'_>], came: &[Samples]) -> Result<Vec<Row>> {
    let all = || tools.iter().zip(came);
    let ours = all().find(|(tool, _)| tool.kind == Kind::Slipway);
    let (_, ours) = ours.context("invariant: ours is not skipped")?;
    let mut rows = Vec::new();
    for (part, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let beside: Beside = all()
            .filter(|(tool, samples)| tool.kind != Kind::Slipway && !samples.is_empty())
            .map(|(tool, samples)| (tool.kind.name().to_owned(), samples.quantile(quantile)))
            .collect();
        rows.extend(figure(
            &format!("sync_{name}_{part}"),
            ours.quantile(quantile),
            format!(
                "{} saves of 2 KB, no two of one file, in place and by a rename; others a fifth of them; {} ms",
                ours.len(),
                ours.range()
            ),
            &beside,
        )?);
    }
    Ok(rows)
}

/// Where a save comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// From the person's folder.
    There,
    /// From the other one.
    Back,
}

struct Save {
    from: PathBuf,
    to: PathBuf,
    content: Vec<u8>,
    by_rename: bool,
}

impl Save {
    fn new(tool: &Tool<'_>, way: Way, file: &Path, seed: u64, by_rename: bool) -> Self {
        let (from, to) = match way {
            Way::There => (&tool.near, &tool.far),
            Way::Back => (&tool.far, &tool.near),
        };
        Self {
            from: from.join(file),
            to: to.join(file),
            content: text(seed, BYTES).to_vec(),
            by_rename,
        }
    }

    /// Saves, and waits until the other side has it.
    fn until_there(&self) -> Result<Duration> {
        // As `sed -i` calls it: no tool leaves that out.
        let aside = self.from.with_file_name("sedA7xQ2k");
        if self.by_rename {
            let owner = std::fs::metadata(&self.from)?;
            std::fs::write(&aside, &self.content)?;
            // A program of the session is who the file is.
            std::os::unix::fs::chown(&aside, Some(owner.uid()), Some(owner.gid()))?;
        }
        let begin = now();
        if self.by_rename {
            std::fs::rename(&aside, &self.from)?;
        } else {
            std::fs::write(&self.from, &self.content)?;
        }
        while begin.elapsed() < LATE {
            if std::fs::read(&self.to).is_ok_and(|found| found == self.content) {
                return Ok(begin.elapsed());
            }
            std::thread::sleep(LOOK); // waits: a pace of the look
        }
        Ok(LATE)
    }
}
