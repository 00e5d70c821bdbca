//! What a person does to the disk through the engine: checked against what stands there at that instant, done by the
//! same verified steps as a change of the hub, and proposed at once.
use std::collections::BTreeSet;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::limits::FILE_BYTES_MAX;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;

use super::state::State;
use crate::disk::{DiskError, Expected, Was};
use crate::files;
use crate::local::{
    By, Expect, LocalAct, LocalCommit, LocalEntry, LocalError, LocalOperation, LocalOutcome, Source,
};
use back::Back;
use gone::Gone;

mod back;
mod gone;
mod place;

/// Operations under way: how each is taken back, what they deleted, and what is to be compared again after all of them.
#[derive(Default)]
pub(super) struct Work {
    back: Vec<Back>,
    gone: Vec<Gone>,
    pub(super) touched: BTreeSet<RelPath>,
}

impl Work {
    /// Goes on with what came after it.
    pub(super) fn add(&mut self, mut next: Self) {
        self.back.append(&mut next.back);
        self.gone.append(&mut next.gone);
        self.touched.append(&mut next.touched);
    }
}

impl State {
    /// Does operations in order. With `atomic`, one that does not pass undoes all.
    pub(super) fn commit(&mut self, operations: &[LocalOperation], atomic: bool) -> LocalCommit {
        let mut work = Work::default();
        let mut outcomes: Vec<_> = operations
            .iter()
            .map(|operation| self.one(operation, &mut work))
            .collect();
        let passed = |outcome: &LocalOutcome| {
            matches!(outcome, LocalOutcome::Applied | LocalOutcome::Converged)
        };
        if atomic && !outcomes.iter().all(passed) {
            self.take_back(&mut work);
            for outcome in outcomes.iter_mut().filter(|outcome| passed(outcome)) {
                *outcome = LocalOutcome::Rejected(LocalError::NothingDone);
            }
        }
        self.finish(work);
        LocalCommit {
            count: self.turn(),
            outcomes,
        }
    }

    /// Keeps what was deleted for a while, and tells the hub of all.
    pub(super) fn finish(&mut self, work: Work) {
        self.keep_deleted(work.gone);
        for path in &work.touched {
            // What a person does waits for nothing.
            self.proposals.pace.forget(path);
            self.keep.wrote(path);
        }
        self.settle_all(work.touched);
    }

    pub(super) fn one(&mut self, operation: &LocalOperation, work: &mut Work) -> LocalOutcome {
        let LocalOperation { path, expect, act } = operation;
        let done = match act {
            LocalAct::Write {
                content,
                executable,
            } => self.write(path, *expect, content, *executable, work),
            LocalAct::Folder => self.make_folder(path, *expect, work),
            LocalAct::Link { target } => self.make_link(path, *expect, target, work),
            LocalAct::Delete => self.delete(path, *expect, work),
            LocalAct::MoveFrom(from) => self.relocate(from, path, *expect, work),
        };
        match done {
            Ok(true) => LocalOutcome::Applied,
            Ok(false) => LocalOutcome::Converged,
            Err(error) => error.into(),
        }
    }

    /// What stands at a path at this instant. It may be about to become a folder.
    pub(super) fn standing(
        &mut self,
        path: &RelPath,
        as_folder: bool,
    ) -> Result<Option<Node>, LocalError> {
        if self.disk.is_gone() {
            return Err(LocalError::RootGone);
        }
        let mut moved = BTreeSet::new();
        let first = self.first_unknown(path.clone());
        self.scan_path(&first, By::Disk, &mut moved);
        self.settle_all(moved);
        let node = self.trees.local.get(path).cloned();
        let is_folder = as_folder || node.as_ref().is_some_and(Node::is_folder);
        if self.rules.ignores(path, is_folder) {
            return Err(LocalError::Ignored(path.clone()));
        }
        Ok(node)
    }

    /// An entry as it is shown.
    pub(super) fn entry(&self, path: &RelPath) -> Option<LocalEntry> {
        Some(LocalEntry {
            path: path.clone(),
            node: self.trees.local.get(path)?.clone(),
            count: self.ledger.of(path),
        })
    }

    fn check(&self, path: &RelPath, expect: Expect) -> Result<(), LocalError> {
        let current = self.entry(path);
        let holds = match (expect, &current) {
            (Expect::Any, _) | (Expect::Absent, None) => true,
            (Expect::Folder, Some(entry)) => entry.node.is_folder(),
            (Expect::Content(hash), Some(entry)) => entry.hash() == Some(hash),
            (Expect::Absent, Some(_)) | (Expect::Folder | Expect::Content(_), None) => false,
        };
        holds
            .then_some(())
            .ok_or_else(|| LocalError::Stale(current.map(Box::new)))
    }

    fn write(
        &mut self,
        path: &RelPath,
        expect: Expect,
        source: &Source,
        executable: Option<bool>,
        work: &mut Work,
    ) -> Result<bool, LocalError> {
        let current = self.standing(path, false)?;
        let was = matches!(&current, Some(Node::File { executable, .. }) if *executable);
        let executable = executable.unwrap_or(was);
        let (hash, bytes) = self.bytes_of(source)?;
        let size = bytes.len() as u64;
        let node = Node::File {
            hash,
            size,
            executable,
        };
        if current.as_ref() == Some(&node) {
            return Ok(false);
        }
        self.check(path, expect)?;
        if size > FILE_BYTES_MAX {
            return Err(LocalError::TooLarge);
        }
        match &current {
            Some(Node::Folder) => return Err(LocalError::Exists(path.clone())),
            Some(Node::Symlink { .. }) => self.delete_one(path, work)?,
            Some(Node::File { .. }) => {}
            None => self.make_way(path, None, work)?,
        }
        let over = match self.expected(path) {
            Some(Expected::File(was)) => Some(was),
            _ => None,
        };
        self.keep_base_text(path);
        let scratch = self.disk.private().write(&bytes);
        let scratch = scratch.map_err(|error| LocalError::from(&error))?;
        let put = self.disk.put(&scratch, path, executable, over);
        let print = put.map_err(|error| {
            self.disk.private().discard(&scratch);
            self.refused(path, &error)
        })?;
        let ours = Was {
            print,
            unsettled: Some(hash),
        };
        work.back.push(match (over, self.just_displaced(path)) {
            (Some(old), Some(displaced)) => {
                let name = displaced.name.clone();
                self.keep_displaced_one(displaced);
                Back::Over(path.clone(), ours, name, old.print.executable())
            }
            _ => Back::Made(path.clone(), Expected::File(ours)),
        });
        self.note_print(path, print);
        self.person_has(path, Some(node), work);
        Ok(true)
    }

    fn bytes_of(&self, source: &Source) -> Result<(ContentHash, Bytes), LocalError> {
        match source {
            Source::Inline(bytes) => Ok((ContentHash::of(bytes), bytes.clone())),
            Source::Held(hash) => {
                let has = |node: &Node| node.hash() == Some(*hash);
                let mut holders = self.trees.local.iter().filter(|(_, node)| has(node));
                holders
                    .find_map(|(path, _)| files::read(self.disk.root(), path).ok())
                    .filter(|content| content.hash == *hash)
                    .map(|content| (*hash, content.bytes))
                    .ok_or(LocalError::ContentMissing)
            }
        }
    }

    fn make_folder(
        &mut self,
        path: &RelPath,
        expect: Expect,
        work: &mut Work,
    ) -> Result<bool, LocalError> {
        match self.standing(path, true)? {
            Some(Node::Folder) => return Ok(false),
            Some(_) => {
                self.check(path, expect)?;
                return Err(LocalError::Exists(path.clone()));
            }
            None => self.check(path, expect)?,
        }
        self.make_way(path, None, work)?;
        self.add_folder(path, work)?;
        Ok(true)
    }

    fn add_folder(&mut self, path: &RelPath, work: &mut Work) -> Result<(), LocalError> {
        let made = self.disk.make_folder(path);
        made.map_err(|error| self.refused(path, &error))?;
        let made = Back::Made(path.clone(), Expected::Folder);
        work.back.push(made);
        self.watch_made(path);
        self.person_has(path, Some(Node::Folder), work);
        Ok(())
    }

    fn make_link(
        &mut self,
        path: &RelPath,
        expect: Expect,
        target: &str,
        work: &mut Work,
    ) -> Result<bool, LocalError> {
        if path.is_led_out_by(target) {
            return Err(LocalError::LinkEscapes);
        }
        let current = self.standing(path, false)?;
        let node = Node::Symlink {
            target: target.to_owned(),
        };
        if current.as_ref() == Some(&node) {
            return Ok(false);
        }
        self.check(path, expect)?;
        match current {
            Some(Node::Folder) => return Err(LocalError::Exists(path.clone())),
            Some(_) => self.delete_one(path, work)?,
            None => self.make_way(path, None, work)?,
        }
        let made = self.disk.make_link(path, target);
        made.map_err(|error| self.refused(path, &error))?;
        let made = Expected::Symlink(target.to_owned());
        work.back.push(Back::Made(path.clone(), made));
        self.person_has(path, Some(node), work);
        Ok(true)
    }

    /// A path and all below it went by a person's hand: nobody has to be asked again.
    pub(super) fn person_lacks(&mut self, path: &RelPath, work: &mut Work) {
        let mut gone = BTreeSet::new();
        self.gone(path, By::Person, &mut gone);
        self.deletions.confirm(gone.iter());
        work.touched.append(&mut gone);
    }

    pub(super) fn person_has(&mut self, path: &RelPath, node: Option<Node>, work: &mut Work) {
        self.disk_has(path, node, By::Person);
        work.touched.insert(path.clone());
    }

    /// Why the disk did not do it.
    pub(super) fn refused(&mut self, path: &RelPath, error: &DiskError) -> LocalError {
        if self.disk.is_gone() {
            return LocalError::RootGone;
        }
        match error {
            DiskError::Io(error) => LocalError::from(error),
            DiskError::NotEmpty => LocalError::NotEmpty,
            DiskError::Unexpected => {
                let before = self.entry(path);
                match self.standing(path, false) {
                    // It is written at this moment: it is not known what it will be.
                    Ok(_) if before.is_some() && self.entry(path) == before => LocalError::Busy,
                    Ok(_) => LocalError::Stale(self.entry(path).map(Box::new)),
                    Err(error) => error,
                }
            }
        }
    }
}
