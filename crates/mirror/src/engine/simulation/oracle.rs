//! What a world knows of every version that was ever written: who had seen what it replaced, and whether it is still owed. And
//! the story of the world, for people.
use std::collections::{BTreeMap, BTreeSet};

use slipway_core::hash::ContentHash;

use super::actors::Late;
use super::calls::Before;
use super::ignored::Ignored;
use super::tape::Tape;

/// The last line of every text: one that lacks it was torn.
const END: &str = "the end";
/// Lines of a text, so that edits of different lines can be joined.
const LINES: usize = 6;

/// What a program did to a path of a replica.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Touched {
    pub(super) wrote: bool,
    pub(super) removed: bool,
}

/// What a torn file was.
#[derive(Clone, Debug)]
pub(super) struct Torn {
    pub(super) was: ContentHash,
    pub(super) place: String,
    /// Nothing is left but zeros, as may be left of any file.
    pub(super) is_blank: bool,
}

/// Everything that actors share.
pub(super) struct Oracle {
    pub(super) tape: Tape,
    versions: u32,
    /// Versions that nobody who saw them replaced.
    pub(super) owed: BTreeSet<String>,
    /// Versions that were on some disk for good, by replica.
    durable: Vec<BTreeSet<String>>,
    /// Versions that the hub was given.
    pub(super) at_hub: BTreeSet<String>,
    /// What a loss of power left of files, by replica: no edit of anybody.
    pub(super) torn: Vec<BTreeMap<ContentHash, Vec<Torn>>>,
    /// What programs did to paths, by replica; the key is the path relative to its root.
    pub(super) touched: Vec<BTreeMap<String, Touched>>,
    /// Calls of an engine until something happens between two of them, by replica.
    pub(super) armed: Vec<Option<usize>>,
    /// The call before which something happens, whatever harm there is.
    pub(super) before: Option<Before>,
    /// Which kinds of harm there are in this world.
    pub(super) harm: Harm,
    /// Files that an engine took from their names since the last step, by replica.
    pub(super) away: Vec<BTreeSet<String>>,
    /// One of them was to be replaced, and a crash between the two would have left neither.
    pub(super) gap: Option<String>,
    /// The only one who writes, if there is one.
    pub(super) solo: Option<usize>,
    /// What programs do here: anything, or a few things all the time.
    pub(super) kinds: Vec<usize>,
    /// Where an engine does something right now.
    pub(super) focus: Option<String>,
    /// Where they do it.
    pub(super) paths: Vec<&'static str>,
    /// Whether names are alike that some volumes take for one.
    pub(super) alike: bool,
    /// Programs that have files open.
    pub(super) late: Vec<Late>,
    /// How often one wrote to a file when something else had its name: a version beside that.
    pub(super) strays: usize,
    /// Where programs renamed or shut something since the last flush: it waits for what it found.
    pub(super) hidden: Vec<bool>,
    /// A program wrote between two calls of an engine.
    pub(super) any_hostile: bool,
    /// A program may have found no file where one made way for another.
    pub(super) missed: bool,
    /// A call of an engine failed.
    pub(super) troubled: bool,
    /// This replica's computer lost its power just now.
    pub(super) lost_power: Option<usize>,
    /// An engine ended before it could store what it knew.
    pub(super) any_crash: bool,
    /// The hub was set back.
    pub(super) restored: bool,
    /// A folder was made anew.
    pub(super) made_anew: bool,
    /// An event was lost, told again or told before others.
    pub(super) misheard: bool,
    /// A frame was told twice.
    pub(super) told_twice: bool,
    /// The hub came to a batch when the next connection had begun.
    pub(super) belated: bool,
    /// Batches of replicas that the hub took something of.
    pub(super) proposals: usize,
    /// Workspaces have rules of their own, which a person changes at the hub.
    pub(super) has_rules: bool,
    /// Replicas on which those that were written there count, whatever comes from the hub.
    pub(super) guarded: Vec<bool>,
    /// What never syncs and was made by tools, by replica.
    pub(super) ignored: Vec<Ignored>,
    /// Contents that the hub was given.
    pub(super) contents: BTreeSet<ContentHash>,
    story: Vec<String>,
    tells: bool,
}

/// Kinds of harm that a world has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Harm {
    pub(super) crashes: bool,
    pub(super) power: bool,
    pub(super) errors: bool,
    pub(super) hostile: bool,
    /// Events are lost, told again or told before others.
    pub(super) events: bool,
    pub(super) restores: bool,
}

impl Oracle {
    pub(super) fn new(tape: Tape, replicas: usize, tells: bool) -> Self {
        Self {
            tape,
            versions: 0,
            owed: BTreeSet::new(),
            durable: vec![BTreeSet::new(); replicas],
            at_hub: BTreeSet::new(),
            torn: vec![BTreeMap::new(); replicas],
            touched: vec![BTreeMap::new(); replicas],
            armed: vec![None; replicas],
            before: None,
            harm: Harm::default(),
            away: vec![BTreeSet::new(); replicas],
            gap: None,
            solo: None,
            kinds: Vec::new(),
            focus: None,
            paths: Vec::new(),
            alike: false,
            late: Vec::new(),
            strays: 0,
            hidden: vec![false; replicas],
            any_hostile: false,
            missed: false,
            troubled: false,
            lost_power: None,
            any_crash: false,
            restored: false,
            made_anew: false,
            misheard: false,
            told_twice: false,
            belated: false,
            proposals: 0,
            has_rules: false,
            guarded: vec![false; replicas],
            ignored: vec![Ignored::default(); replicas],
            contents: BTreeSet::new(),
            story: Vec::new(),
            tells,
        }
    }

    /// The harm that came about here, by the invariants that are about it.
    pub(super) fn came_about(&self) -> Vec<&'static str> {
        let all = [
            ("I6", self.restored || self.made_anew),
            ("I9", self.misheard),
            ("I13", self.alike),
            ("I16", self.told_twice || self.belated),
        ];
        let came_about = all.into_iter().filter(|(_, came_about)| *came_about);
        came_about.map(|(name, _)| name).collect()
    }

    /// Tells something of the story.
    pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
        if self.tells {
            self.story.push(line());
        }
    }

    pub(super) fn story(&mut self) -> Vec<String> {
        std::mem::take(&mut self.story)
    }

    /// A new version of a text, of one that was seen or from nothing. What it replaces is owed no more.
    pub(super) fn version(&mut self, seen: Option<&[u8]>) -> String {
        self.versions += 1;
        let seen = seen.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let mut lines: Vec<String> = match &seen {
            Some(text) if text.ends_with(&format!("{END}\n")) => text
                .lines()
                .filter(|line| *line != END)
                .map(str::to_owned)
                .collect(),
            _ => (0..LINES)
                .map(|number| format!("line {number:08}"))
                .collect(),
        };
        // As long as any other line, so that most edits keep the size.
        let version = format!("version {:05}", self.versions);
        let at = self.tape.below(lines.len() + 1);
        match lines.get_mut(at) {
            Some(line) => *line = version.clone(),
            None => lines.push(version.clone()),
        }
        let text = lines.join("\n") + "\n" + END + "\n";
        if let Some(seen) = seen {
            let kept: BTreeSet<&str> = text.lines().collect();
            self.owed
                .retain(|owed| kept.contains(owed.as_str()) || !has(&seen, owed));
        }
        self.owed.insert(version);
        text
    }

    /// Somebody who saw a text deleted or replaced it.
    pub(super) fn forget(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        for line in text.lines() {
            self.owed.remove(line);
        }
    }

    /// Versions of a text that are owed.
    pub(super) fn owed_in(&self, bytes: &[u8]) -> Vec<String> {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.lines().filter(|line| self.owed.contains(*line));
        lines.map(str::to_owned).collect()
    }

    pub(super) fn is_durable(&mut self, replica: usize, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let versions = text.lines().filter(|line| line.starts_with("version "));
        self.durable[replica].extend(versions.map(str::to_owned));
    }

    /// A program wrote over a text: until that is on the disk, neither the old nor the new need be there.
    pub(super) fn is_overwritten(&mut self, replica: usize, bytes: &[u8]) {
        for version in versions(bytes) {
            self.durable[replica].remove(&version);
        }
    }

    /// A computer lost its power: of the versions that it alone had, those that were not on its disk are nobody's fault.
    pub(super) fn excuse(&mut self, replica: usize, elsewhere: &BTreeSet<String>) {
        let (durable, at_hub) = (&self.durable[replica], &self.at_hub);
        self.owed.retain(|owed| {
            durable.contains(owed) || at_hub.contains(owed) || elsewhere.contains(owed)
        });
    }

    pub(super) fn hub_has(&mut self, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let versions = text.lines().filter(|line| line.starts_with("version "));
        self.at_hub.extend(versions.map(str::to_owned));
        self.contents.insert(ContentHash::of(bytes));
    }

    /// From now on something may happen between two calls of an engine.
    pub(super) fn arm(&mut self, replica: usize) {
        self.armed[replica] = if self.tape.one_in(3) {
            Some(self.tape.below(40))
        } else {
            None
        };
    }

    pub(super) fn touch(&mut self, replica: usize, path: &str, removed: bool) {
        let touched = self.touched[replica].entry(path.to_owned()).or_default();
        if removed {
            touched.removed = true;
        } else {
            touched.wrote = true;
        }
    }

    /// Whether a program of this replica ever took away what stood at a path, or a folder above it.
    pub(super) fn was_removed(&self, replica: usize, path: &str) -> bool {
        let touched = &self.touched[replica];
        let is_above = |folder: &str| {
            path.strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        touched
            .iter()
            .any(|(folder, touched)| touched.removed && is_above(folder))
    }
}

fn has(text: &str, version: &str) -> bool {
    text.lines().any(|line| line == version)
}

/// Versions in a text.
pub(super) fn versions(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let versions = text.lines().filter(|line| line.starts_with("version "));
    versions.map(str::to_owned).collect()
}

/// Whether a text is whole.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    bytes.ends_with(format!("{END}\n").as_bytes()) && !bytes.contains(&0)
}
