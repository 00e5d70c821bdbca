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
use crate::planted::{self, Bug};

/// Rules that count together. Of more that come nothing is followed before somebody writes the file here.
const TOGETHER_MAX: usize = 8;
/// The key of their record.
pub(super) const RECORD: &str = "rules";

/// Rules that count: what any of them leaves out stays out.
#[derive(Debug)]
pub(super) struct InForce {
    all: Vec<Rules>,
    /// What the file said when it was read; `None` when it never was, or what counted then cannot be followed any more.
    file: Option<String>,
    /// There was something before, so that what comes may let in what was left out.
    settled: bool,
    /// It is to be read, and who may have written it.
    unread: Option<By>,
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
        let all: Result<Vec<Rules>, _> = all.iter().map(|text| Rules::new(text)).collect();
        let (all, file) = match all {
            Ok(all) if all.is_empty() => (vec![Rules::default()], None),
            Ok(all) => (all, Some(file)),
            Err(_) => (vec![Rules::nothing_goes()], None),
        };
        Self {
            all,
            file,
            settled,
            unread: None,
        }
    }

    /// The file may say something else. What may be the hub's is taken for that until it was read.
    pub(super) fn changed(&mut self, by: By) {
        if self.unread != Some(By::Hub) || by == By::Person {
            self.unread = Some(by);
        }
    }

    fn stored(&self) -> Option<Vec<u8>> {
        let stored = Stored {
            all: self
                .all
                .iter()
                .map(|rules| rules.text().to_owned())
                .collect(),
            file: self.file.clone().unwrap_or_default(),
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
        !matches!(&self.all[..], [rules] if Some(rules.text()) == self.file.as_deref())
    }
}

impl State {
    /// Looks at the rules, which come before all that they leave out.
    pub(super) fn look_at_rules(&mut self, moved: &mut BTreeSet<RelPath>) {
        if let Some(path) = rules_file() {
            self.scan_path(&path, By::Disk, moved);
        }
        self.heed_rules();
    }

    /// Whether these are the rules, and gone no longer than until another file is in their place, as an editor saves: all
    /// that they leave out would go out in that moment.
    pub(super) fn is_back_in_a_moment(&mut self, path: &RelPath, by: By) -> bool {
        let now = Instant::now();
        let holds = by == By::Disk
            && path.as_str() == RULES_FILE
            && matches!(self.trees.local.get(path), Some(Node::File { .. }))
            && matches!(self.disk.root().look(path), Ok(None))
            && self.sight.held.may_hold(path, now);
        if holds {
            self.sight.held.hold(path, now);
        }
        holds
    }

    /// Follows the rules that the disk is known to have, if they are others. Then other paths count, so everything is looked
    /// at again; a file that cannot be read or followed changes nothing.
    pub(super) fn heed_rules(&mut self) {
        let Some(by) = self.rules.unread else { return };
        let Some(text) = self.rules_seen() else {
            return;
        };
        self.rules.unread = None;
        let new = Rules::new(&text);
        let before = self.rules.file.replace(text);
        let has_none = before.is_none() && !self.rules.settled;
        if before == self.rules.file || has_none && self.rules.file.as_deref() == Some("") {
            return;
        }
        match new {
            // What it is to leave out is not known, and nothing was followed before it.
            Err(error) if has_none && by != By::Hub => {
                self.rules.chosen(Rules::nothing_goes());
                self.rules.settled = true;
                self.notice(Notice::RulesUnknown(error));
            }
            Err(error) => self.notice(Notice::RulesRefused(error)),
            Ok(new) => {
                self.sight.everything = true;
                self.sight.look_soon();
                let is_bound = self.brake == Brake::Ask && !planted::is(Bug::RulesOfOthers);
                if by == By::Hub && is_bound && self.rules.settled {
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

    /// The text of the rules' file, of the version that was seen: no empty moment between two, and nothing that came since.
    fn rules_seen(&self) -> Option<String> {
        let path = rules_file()?;
        let mut bytes = Vec::new();
        let read = self.disk.root().read(&path).and_then(|file| {
            // One more than there may be, so that a longer file is seen to be that.
            file.take(RULES_BYTES_MAX as u64 + 1)
                .read_to_end(&mut bytes)
        });
        let is_seen = match (self.trees.local.get(&path), read) {
            (Some(Node::File { hash, .. }), Ok(length)) => {
                length > RULES_BYTES_MAX || *hash == ContentHash::of(&bytes)
            }
            (None, Err(error)) => error.kind() == std::io::ErrorKind::NotFound,
            _ => false,
        };
        is_seen.then(|| String::from_utf8_lossy(&bytes).into_owned())
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
