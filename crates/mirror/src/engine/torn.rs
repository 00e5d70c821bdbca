//! After a loss of power: a file of which a part alone got to the disk is nobody's edit. What the base does not tell of may be
//! one; it is compared with what the hub has, and with what it was, before the hub is told of it.
use std::collections::BTreeMap;
use std::io::Read as _;

use slipway_core::hash::ContentHash;
use slipway_core::limits::MERGED_BYTES_MAX;
use slipway_core::path::RelPath;
use slipway_sync::conflict::original;
use slipway_sync::node::Node;
use slipway_sync::torn::is_torn;

use super::heard::Catch;
use super::sight::Print;
use super::state::State;
use crate::disk::{DiskError, Expected, Fingerprint};
use crate::local::By;
use crate::planted::{self, Bug};

/// Begins the key of a record: of one suspect, by its path.
pub(super) const RECORD: &str = "torn/";

fn key(path: Option<&RelPath>) -> String {
    format!("{RECORD}{}", path.map_or("", RelPath::as_str))
}

/// Nothing where any content is suspect.
fn bytes(content: Option<ContentHash>) -> Vec<u8> {
    content.map_or_else(Vec::new, |hash| hash.as_bytes().to_vec())
}

/// Files that may be in parts. Until a hub was there to judge them by, they outlive the engine that found them.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Each as it was found.
    found: BTreeMap<RelPath, Fingerprint>,
    /// What was not seen since: the content that is suspect there, or whatever is found there and below; the root for `None`.
    unseen: BTreeMap<Option<RelPath>, Option<ContentHash>>,
}

impl State {
    /// Files that are not as agreed on are suspect if the computer `has_lost_power`, which is when it was started anew
    /// without a stop of the engine before; else those which an engine before left so. Each is when it is seen.
    pub(super) fn suspect_files(&mut self, has_lost_power: bool, left: Vec<(String, Vec<u8>)>) {
        if planted::is(Bug::TornIsEdit) {
            return;
        }
        if has_lost_power {
            for (key, _) in left {
                self.keep.record(key, None);
            }
            return self.note_unseen(None, None);
        }
        for (key, content) in left {
            let path = key.strip_prefix(RECORD).filter(|path| !path.is_empty());
            let Ok(path) = path.map(RelPath::parse).transpose() else {
                continue;
            };
            let content = ContentHash::try_from(content.as_slice()).ok();
            self.suspects.unseen.insert(path, content);
        }
    }

    fn note_unseen(&mut self, path: Option<RelPath>, content: Option<ContentHash>) {
        self.keep.record(key(path.as_ref()), Some(bytes(content)));
        self.suspects.unseen.insert(path, content);
    }

    /// What came to sight now may be suspect.
    pub(super) fn suspect_seen(&mut self) {
        let is_seen = |path: &Option<RelPath>| match path {
            Some(path) => !self.sight.is_unseen(path),
            None => !self.sight.root_unknown,
        };
        let seen = self.suspects.unseen.keys();
        let seen: Vec<_> = seen.filter(|path| is_seen(path)).cloned().collect();
        for path in seen {
            let content = self.suspects.unseen.remove(&path).flatten();
            self.keep.record(key(path.as_ref()), None);
            self.suspect(path.as_ref(), content);
        }
    }

    fn suspect(&mut self, path: Option<&RelPath>, content: Option<ContentHash>) {
        let found = self.inside(path).chain(path).filter_map(|path| {
            let hash = self.trees.local.get(path)?.hash()?;
            let is_agreed_on = self.trees.base.get(path) == self.trees.local.get(path);
            let print = self.sight.prints.get(path)?.print;
            let is_it = !is_agreed_on && content.is_none_or(|content| content == hash);
            is_it.then(|| (path.clone(), hash, print))
        });
        for (path, hash, print) in found.collect::<Vec<_>>() {
            // One that could not be read is suspect whatever it turns out to hold.
            let content = Some(hash).filter(|hash| print.stand_in() != *hash);
            self.keep.record(key(Some(&path)), Some(bytes(content)));
            self.suspects.found.insert(path, print);
        }
        let is_in = |other: &&RelPath| path.is_none_or(|path| other.is_below(path));
        let unknown = self.sight.unknown.iter().filter(is_in);
        for path in unknown.cloned().collect::<Vec<_>>() {
            self.note_unseen(Some(path), content);
        }
    }

    fn clear_suspect(&mut self, path: &RelPath) {
        if self.suspects.found.remove(path).is_some() {
            self.keep.record(key(Some(path)), None);
        }
    }

    /// Mends a path if a loss of power left it in parts. Tells whether it is left alone for now: it waits for the contents
    /// that it is compared with, or was mended.
    pub(super) fn mend_if_torn(&mut self, path: &RelPath) -> bool {
        let Some(print) = self.suspects.found.get(path) else {
            return false;
        };
        // Written since: by somebody who knew what they wrote. Who allows or forbids it knows nothing of what it holds.
        let is_file = matches!(self.trees.local.get(path), Some(Node::File { .. }));
        let is_as_found = |known: &Print| known.print.stand_in() == print.stand_in();
        if !is_file || !self.sight.prints.get(path).is_some_and(is_as_found) {
            self.clear_suspect(path);
            return false;
        }
        if self.hub.catch != Catch::Up {
            // What it was may be what the hub took last, and is still to be heard of.
            return true;
        }
        match self.mend(path) {
            Ok(is_left_alone) => is_left_alone,
            Err(error) => {
                self.not_applied(path, &error);
                true
            }
        }
    }

    /// Suspects that cannot be judged yet, though the hub is to be told of them if they are whole.
    pub(super) fn unjudged(&self) -> impl Iterator<Item = &RelPath> {
        let suspects = self.suspects.found.keys();
        suspects.filter(|path| self.is_unjudged(path))
    }

    pub(super) fn is_unjudged(&self, path: &RelPath) -> bool {
        self.hub.catch != Catch::Up
            && self.suspects.found.contains_key(path)
            && self.trees.local.get(path) != self.trees.base.get(path)
    }

    /// Everything was heard that the hub took before the loss: now suspects can be judged.
    pub(super) fn judge_suspects(&mut self) {
        self.settle_all(self.suspects.found.keys().cloned().collect());
    }

    fn mend(&mut self, path: &RelPath) -> Result<bool, DiskError> {
        let known = [self.trees.remote.get(path), self.trees.base.get(path)];
        let known = known.into_iter().flatten().chain(self.copies_of(path));
        let known: Vec<Node> = known.cloned().collect();
        let mut found = None;
        for node in known {
            let Node::File {
                hash,
                size,
                executable,
            } = node
            else {
                continue;
            };
            if size > MERGED_BYTES_MAX || self.contents.is_missing(hash) {
                continue;
            }
            let Some(whole) = self.bytes(path, hash) else {
                return Ok(true);
            };
            let found = match &mut found {
                Some(found) => found,
                none => none.insert(self.read_whole(path)?),
            };
            if !is_torn(found, &whole) {
                continue;
            }
            let Some(Expected::File(was)) = self.expected(path) else {
                return Err(DiskError::Unexpected);
            };
            let scratch = self.disk.private().write(&whole)?;
            let placed = self.disk.put(&scratch, path, executable, Some(was));
            let print = placed.inspect_err(|_| self.disk.private().discard(&scratch))?;
            tracing::warn!(%path, "A loss of power left a part of a file, which is whole again");
            self.note_print(path, print);
            // What was left is nothing to come back to.
            self.disk_becomes(path, Some(&node), By::Hub);
            self.clear_suspect(path);
            self.settle(path);
            return Ok(true);
        }
        self.clear_suspect(path);
        self.contents.unwant(path);
        Ok(false)
    }

    /// Conflict copies of a path that the hub has: the loss may have taken the rename to one.
    fn copies_of(&self, path: &RelPath) -> impl Iterator<Item = &Node> {
        let (name, folder) = (path.name(), path.parent());
        let remote = self.trees.remote.iter();
        remote
            .filter(move |(copy, _)| {
                copy.parent() == folder && original(copy.name()).as_deref() == Some(name)
            })
            .map(|(_, node)| node)
    }

    fn read_whole(&self, path: &RelPath) -> Result<Vec<u8>, DiskError> {
        let mut bytes = Vec::new();
        let file = self.disk.root().read(path)?;
        file.take(MERGED_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
