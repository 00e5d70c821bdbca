//! Open conflicts: the copies that stand in the folder, and what is remembered of how each was made. A copy that is
//! deleted or renamed ends its conflict, whoever did it and on whichever replica; so does a person here who keeps it as a
//! file of its own.
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::conflict::original;
use slipway_sync::node::Node;

use super::state::State;
use crate::clock;
use crate::conflict::Conflict;

/// Begins the key of a record.
pub(super) const RECORD: &str = "conflict/";

/// What is remembered of a copy that this replica made.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Made {
    path: RelPath,
    base: Option<ContentHash>,
    at_ms: u64,
}

/// What is remembered of a copy.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Known {
    /// This replica made it.
    Made(Made),
    /// A person keeps it as a file of its own.
    Kept,
}

/// All copies.
#[derive(Debug, Default)]
pub(super) struct Copies {
    standing: BTreeSet<RelPath>,
    known: BTreeMap<RelPath, Known>,
}

impl Copies {
    /// What was stored.
    pub(super) fn read(stored: Vec<(String, Vec<u8>)>) -> Self {
        let known = stored.into_iter().filter_map(|(key, bytes)| {
            let copy = RelPath::parse(key.strip_prefix(RECORD)?).ok()?;
            Some((copy, serde_json::from_slice(&bytes).ok()?))
        });
        Self {
            known: known.collect(),
            ..Self::default()
        }
    }

    pub(super) fn len(&self) -> usize {
        self.standing.len()
    }
}

fn key(copy: &RelPath) -> String {
    format!("{RECORD}{copy}")
}

impl State {
    /// Something stands at a path, or nothing any more.
    pub(super) fn mind_the_copy(&mut self, path: &RelPath) {
        let stands = self.trees.local.contains_key(path);
        let is_copy = match self.copies.known.get(path) {
            Some(Known::Made(_)) => true,
            Some(Known::Kept) => false,
            None => original(path.name()).is_some(),
        };
        if stands && is_copy {
            self.copies.standing.insert(path.clone());
        } else if !stands {
            self.copies.standing.remove(path);
            self.forget_copy(path);
        }
    }

    /// A copy is a file of its own from now on; false if it was none that is open.
    pub(super) fn keep_copy(&mut self, copy: &RelPath) -> bool {
        let was_open = self.copies.standing.remove(copy);
        if was_open {
            self.remember_copy(copy, Known::Kept);
        }
        was_open
    }

    fn remember_copy(&mut self, copy: &RelPath, known: Known) {
        if let Ok(bytes) = serde_json::to_vec(&known) {
            self.keep.record(key(copy), Some(bytes));
        }
        self.copies.known.insert(copy.clone(), known);
    }

    fn forget_copy(&mut self, copy: &RelPath) {
        if self.copies.known.remove(copy).is_some() {
            self.keep.record(key(copy), None);
        }
    }

    /// After the first look: what is remembered of copies that went while nobody looked is forgotten.
    pub(super) fn forget_gone_copies(&mut self) {
        if self.sight.root_unknown || !self.sight.unknown.is_empty() {
            return;
        }
        let known = self.copies.known.keys();
        let gone: Vec<_> = known
            .filter(|copy| !self.trees.local.contains_key(*copy))
            .cloned()
            .collect();
        for copy in gone {
            self.forget_copy(&copy);
        }
    }

    /// A copy is made of what stood at a path.
    pub(super) fn copy_made(&mut self, path: &RelPath, copy: &RelPath) {
        let at_ms = u64::try_from(clock::unix_ns() / 1_000_000).unwrap_or(0);
        let made = Made {
            path: path.clone(),
            base: self.trees.base.get(path).and_then(Node::hash),
            at_ms,
        };
        self.remember_copy(copy, Known::Made(made));
        // Else the next look finds it.
        if self.trees.local.contains_key(copy) {
            self.copies.standing.insert(copy.clone());
        }
    }

    /// Conflicts that are open.
    pub(super) fn conflicts(&self) -> Vec<Conflict> {
        let conflict = |copy: &RelPath| {
            let made = match self.copies.known.get(copy) {
                Some(Known::Made(made)) => Some(made),
                Some(Known::Kept) | None => None,
            };
            let path = match made {
                Some(made) => made.path.clone(),
                None => {
                    let name = original(copy.name())?;
                    let parent = copy.parent();
                    parent
                        .map_or_else(|| RelPath::parse(&name), |parent| parent.join(&name))
                        .ok()?
                }
            };
            Some(Conflict {
                base: made.and_then(|made| made.base),
                mine: self.trees.local.get(copy)?.clone(),
                theirs: self.trees.local.get(&path).cloned(),
                at: made.map(|made| UNIX_EPOCH + Duration::from_millis(made.at_ms)),
                here: made.is_some(),
                copy: copy.clone(),
                path,
            })
        };
        self.copies.standing.iter().filter_map(conflict).collect()
    }
}
