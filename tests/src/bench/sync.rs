//! Two folders that are kept equal: ours, a person's folder and a session's disk, and those of the tools that people use
//! for it, in turn. All of it happens on one machine, so that what is told is the tools' own cost.
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::lab::Lab;
use super::peer::Peers;
use super::{Beside, Samples};
use ground::Ground;
use tool::slipway::Desk;
use tool::{Kind, Tool};

pub mod big;
pub mod checkout;
pub mod first;
pub mod ground;
pub mod material;
pub mod offline;
pub mod rest;
pub mod save;
pub mod tool;
pub mod tree;

/// Where the tools work, and what they work with.
pub struct Field<'a> {
    lab: &'a Lab,
    peers: &'a Peers,
    desk: Desk,
    /// Of this field alone.
    folder: PathBuf,
    _ground: Ground,
}

impl<'a> Field<'a> {
    /// A folder beside the server's, and a desk that is signed in.
    ///
    /// # Errors
    /// When the program cannot sign in.
    pub async fn open(lab: &'a Lab, peers: &'a Peers, program: &Path) -> Result<Self> {
        let folder = lab.folder.path().join("field");
        std::fs::create_dir_all(&folder)?;
        Ok(Self {
            _ground: Ground::below(&folder)?,
            lab,
            peers,
            desk: Desk::sign_in(program, &folder.join("desk"), &lab.server.base).await?,
            folder,
        })
    }

    /// Tools that keep copies of a tree equal from now on; those that are here.
    async fn keeping(&self, kinds: &[Kind], material: &Path) -> Result<Vec<Tool<'_>>> {
        let want = tree::Tree::of(material)?;
        let mut tools = Vec::new();
        for kind in kinds {
            let Some(mut tool) = Tool::open(self, *kind).await else {
                continue;
            };
            tool.fill(material).await?;
            let begin = super::wall();
            tool.begin().await?;
            tool.until_equal(&want, begin).await?;
            tools.push(tool);
        }
        Ok(tools)
    }
}

/// What one tool had, round by round.
#[derive(Debug)]
struct Score {
    kind: Kind,
    /// Seconds; absent in a round in which it did not come to an end.
    seconds: Vec<Option<f64>>,
    /// Seconds of a processor.
    cpu: Vec<Option<f64>>,
}

impl Score {
    const fn new(kind: Kind) -> Self {
        Self {
            kind,
            seconds: Vec::new(),
            cpu: Vec::new(),
        }
    }

    /// What a round came to, or that it did not.
    fn take(&mut self, round: Option<(f64, f64)>) {
        self.seconds.push(round.map(|(seconds, _)| seconds));
        self.cpu.push(round.map(|(_, cpu)| cpu));
    }
}

/// Whose turn it is: one after another, and in the next round the other way round, so that neighbours stay neighbours and
/// nobody always comes first.
fn turns(many: usize, round: usize) -> impl Iterator<Item = usize> {
    (0..many).map(move |turn| match round % 2 {
        0 => turn,
        _ => many - 1 - turn,
    })
}

fn samples(values: &[Option<f64>]) -> Samples {
    let mut samples = Samples::default();
    for value in values.iter().flatten() {
        samples.push(*value);
    }
    samples
}

/// Ours through another's, of the rounds in which both came to an end.
fn ratios(ours: &[Option<f64>], theirs: &[Option<f64>]) -> Samples {
    let mut ratios = Samples::default();
    for (mine, its) in ours.iter().zip(theirs) {
        if let (Some(mine), Some(its)) = (mine, its) {
            ratios.push(mine / its);
        }
    }
    ratios
}

/// The medians of everybody but us.
fn beside(scores: &[Score], what: fn(&Score) -> &[Option<f64>]) -> Beside {
    scores
        .iter()
        .filter(|score| score.kind != Kind::Slipway)
        .map(|score| (score.kind.name().to_owned(), samples(what(score)).median()))
        .filter(|(_, median)| median.is_finite())
        .collect()
}
