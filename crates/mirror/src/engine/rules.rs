//! The workspace's own rules. Those that somebody wrote here count at once. Those that came from the hub leave out more at
//! once, and let in nothing that was left out here before: whoever writes at the hub would have it sent there. For that
//! somebody has to write the file here. A file that cannot be followed changes nothing, whoever wrote it: what it said
//! before counts on, and that is told.
use std::collections::BTreeSet;
use std::io::Read as _;

use serde::{Deserialize, Serialize};
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::ignore::{RULES_BYTES_MAX, RULES_FILE, Rules};
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::Brake;
use super::state::State;
use crate::local::By;
use crate::notice::Notice;

/// Rules that count together. Of more that come nothing is followed before somebody writes the file here.
const TOGETHER_MAX: usize = 8;
/// The key of their record.
pub(super) const RECORD: &str = "rules";

/// Rules that count: what any of them leaves out stays out.
#[derive(Debug)]
pub(super) struct InForce {
    all: Vec<Rules>,
    /// What the file says.
    file: String,
    /// There was something before, so that what comes may let in what was left out.
    settled: bool,
}

/// As they are remembered.
#[derive(Default, Serialize, Deserialize)]
struct Stored {
    all: Vec<String>,
    file: String,
}

impl InForce {
    pub(super) fn read(stored: Option<&[u8]>) -> Self {
        let stored = stored.and_then(|bytes| serde_json::from_slice::<Stored>(bytes).ok());
        let settled = stored.is_some();
        let Stored { all, file } = stored.unwrap_or_default();
        let mut all: Vec<Rules> = all.iter().flat_map(|text| Rules::new(text)).collect();
        if all.is_empty() {
            all.push(Rules::default());
        }
        Self { all, file, settled }
    }

    fn stored(&self) -> Option<Vec<u8>> {
        let stored = Stored {
            all: self
                .all
                .iter()
                .map(|rules| rules.text().to_owned())
                .collect(),
            file: self.file.clone(),
        };
        serde_json::to_vec(&stored).ok()
    }

    /// Whether a path, or a folder above it, stays out.
    pub(super) fn ignores(&self, path: &RelPath, is_folder: bool) -> bool {
        self.all.iter().any(|rules| rules.ignores(path, is_folder))
    }

    /// Somebody here wrote these.
    fn chosen(&mut self, new: Rules) {
        self.all = vec![new];
    }

    /// These came from the hub.
    fn came(&mut self, new: Rules) {
        self.all.retain(|rules| !new.leaves_out_all_of(rules));
        let says_more = !self.all.iter().any(|rules| rules.leaves_out_all_of(&new));
        if says_more && self.all.len() < TOGETHER_MAX {
            self.all.push(new);
        }
    }

    /// Whether more stays out than the file says.
    fn hold_back(&self) -> bool {
        !matches!(&self.all[..], [rules] if rules.text() == self.file)
    }
}

impl State {
    /// Looks at the rules before all that they leave out, if something may have happened to them; `by` may have written them.
    pub(super) fn look_at_rules(&mut self, by: By, moved: &mut BTreeSet<RelPath>) {
        let Some(path) = rules_file() else { return };
        if self.sight.everything || self.sight.dirty.contains(&path) {
            self.scan_path(&path, By::Disk, moved);
            self.read_rules(by);
        }
    }

    /// Whether these are the rules, and gone no longer than until another file is in their place, as an editor saves: all
    /// that they leave out would go out in that moment.
    pub(super) fn is_back_in_a_moment(&mut self, path: &RelPath, by: By) -> bool {
        let now = Instant::now();
        let holds = by == By::Disk
            && path.as_str() == RULES_FILE
            && matches!(self.trees.local.get(path), Some(Node::File { .. }))
            && self.sight.held.may_hold(path, now);
        if holds {
            self.sight.held.hold(path, now);
        }
        holds
    }

    /// Reads the workspace's own rules, of the version that was seen: an empty moment between two is none. With other rules
    /// other paths count, so everything is looked at again; with a file that cannot be read or followed the rules stay as
    /// they are.
    fn read_rules(&mut self, by: By) {
        let Some(path) = rules_file() else { return };
        let seen = self.trees.local.get(&path).cloned();
        if seen.is_none() && self.sight.held.contains(&path) {
            return;
        }
        let mut bytes = Vec::new();
        // One more than there may be, so that a longer file is seen to be that.
        let read = match self.disk.root().read(&path) {
            Ok(file) => file
                .take(RULES_BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes),
            Err(error) => Err(error),
        };
        match read {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return,
            _ => {}
        }
        let hash = (bytes.len() <= RULES_BYTES_MAX).then(|| ContentHash::of(&bytes));
        if let (Some(Node::File { hash: seen, .. }), Some(hash)) = (seen, hash)
            && seen != hash
        {
            return;
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if self.rules.file == text {
            return;
        }
        let new = Rules::new(&text);
        self.rules.file = text;
        match new {
            Err(error) => self.notice(Notice::RulesRefused(error)),
            Ok(new) => {
                self.sight.everything = true;
                if by == By::Hub && self.brake == Brake::Ask && self.rules.settled {
                    self.rules.came(new);
                    if self.rules.hold_back() {
                        self.notice(Notice::RulesHeld);
                    }
                } else {
                    self.rules.chosen(new);
                    self.rules.settled |= by != By::Hub;
                }
            }
        }
        self.remember_rules();
    }

    /// The hub's state of a path is on the disk.
    pub(super) fn mind_rules(&mut self, path: &RelPath) {
        if path.as_str() == RULES_FILE {
            self.read_rules(By::Hub);
            if self.sight.everything {
                self.sight.look_soon();
            }
        }
    }

    /// All that the hub has is here: what it says from here on may let in what was left out.
    pub(super) fn settle_rules(&mut self) {
        if !std::mem::replace(&mut self.rules.settled, true) {
            self.remember_rules();
        }
    }

    fn remember_rules(&mut self) {
        if self.rules.settled {
            self.keep.record(RECORD.to_owned(), self.rules.stored());
        }
    }
}

pub(super) fn rules_file() -> Option<RelPath> {
    RelPath::parse(RULES_FILE).ok()
}
