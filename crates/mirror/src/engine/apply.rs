//! Brings the hub's state of a path to the disk. What is on the disk is checked at the instant it is touched.
use std::collections::BTreeSet;

use slipway_core::code::Code;
use slipway_core::path::RelPath;
use slipway_sync::ignore::is_disposable;
use slipway_sync::node::Node;

use super::scan::below;
use super::sight::Print;
use super::state::State;
use crate::disk::{DiskError, Expected, Fingerprint, Seen, Was};
use crate::local::By;
use crate::notice::Notice;
use crate::planted::{self, Bug};

/// How far a change of the hub came.
pub(super) enum Done {
    /// The disk shows it.
    Shown,
    /// Its content is on the way.
    Waits,
    /// The folder stays for the sake of what in it does not sync.
    Kept,
}

impl State {
    /// Brings the hub's state of a path to the disk.
    pub(super) fn apply(&mut self, path: &RelPath) {
        let node = self.trees.remote.get(path).cloned();
        let done = match &node {
            Some(node) if self.is_contested(path, node) => {
                return self.apply_later(path, Some(Code::FileContested));
            }
            // Told before: its content is not asked for again until there is a place for it.
            Some(_) if self.troubles.has_no_place(path) && self.is_taken(path) => {
                return self.apply_later(path, Some(Code::PathTaken));
            }
            None => self.apply_removal(path),
            Some(node) => self
                .make_parents(path)
                .and_then(|()| self.apply_node(path, node)),
        };
        match done {
            Ok(Done::Shown) => self.shown(path, node),
            Ok(Done::Waits | Done::Kept) => {}
            Err(_) if planted::is(Bug::FailedIsDone) => self.shown(path, node),
            Err(error) => {
                if matches!(error, DiskError::Unexpected) {
                    self.respell(path);
                }
                self.not_applied(path, &error);
            }
        }
    }

    fn apply_node(&mut self, path: &RelPath, node: &Node) -> Result<Done, DiskError> {
        match node {
            Node::Folder => {
                if !self.clear_way(path, true)? {
                    return Ok(Done::Shown);
                }
                self.disk.make_folder(path)?;
                self.watch_made(path);
            }
            // The hub would not take it either: this one is not what it should be.
            Node::Symlink { target } if path.is_led_out_by(target) => {
                self.apply_later(path, Some(Code::LinkEscapes));
                return Ok(Done::Waits);
            }
            Node::Symlink { target } => {
                self.clear_way(path, false)?;
                self.disk.make_link(path, target)?;
            }
            Node::File {
                hash, executable, ..
            } => return self.place(path, *hash, *executable),
        }
        Ok(Done::Shown)
    }

    /// The disk shows the hub's state of a path.
    fn shown(&mut self, path: &RelPath, node: Option<Node>) {
        self.troubles.over(path);
        self.contents.unwant(path);
        let is_removal = node.is_none();
        match &node {
            Some(node) => self.disk_has(path, Some(node.clone()), By::Hub),
            None => drop(self.taken_away(path)),
        }
        self.agree(path, node);
        if planted::is(Bug::Echo) {
            self.proposals.waiting.insert(path.clone());
        }
        // A folder may have stayed for the sake of this alone.
        if is_removal
            && let Some(parent) = path.parent()
            && self.trees.local.contains_key(&parent)
            && !self.trees.remote.contains_key(&parent)
        {
            self.settle(&parent);
        }
    }

    /// Folders above a path that the hub has and the disk lacks: what changed in them brings them back.
    fn make_parents(&mut self, path: &RelPath) -> Result<(), DiskError> {
        let is_folder = |node: Option<&Node>| node.is_some_and(Node::is_folder);
        // Above one that stands, all do.
        let lacks = |folder: &RelPath| !is_folder(self.trees.local.get(folder));
        let above: Vec<_> = path.ancestors().take_while(lacks).collect();
        for folder in above.into_iter().rev() {
            if is_folder(self.trees.remote.get(&folder)) {
                if self.trees.local.contains_key(&folder) {
                    // A file took the folder's name here while something came into the folder there.
                    let copy = self.move_to_copy(&folder)?;
                    let path = folder.clone();
                    self.notice(Notice::Copied { path, copy });
                }
                self.disk.make_folder(&folder)?;
                self.watch_made(&folder);
                self.proposals.waiting.remove(&folder);
                self.disk_has(&folder, Some(Node::Folder), By::Hub);
                self.agree(&folder, Some(Node::Folder));
            }
        }
        Ok(())
    }

    /// Watches a folder that was made here. What came into it before that is found by a look.
    pub(super) fn watch_made(&mut self, path: &RelPath) {
        let whole = self.disk.path().join(path.as_str());
        self.watch.add(&whole);
        let names = self.disk.root().list(Some(path));
        if !names.is_ok_and(|names| names.is_empty()) {
            self.sight.look_again(path);
        }
    }

    fn apply_removal(&mut self, path: &RelPath) -> Result<Done, DiskError> {
        let Some(expected) = self.expected(path) else {
            return Ok(Done::Shown);
        };
        if self.moves_unseen(path) {
            return Ok(Done::Shown);
        }
        match self.remove(path, &expected) {
            // What lies inside does not sync, or is new: it stays, and the folder with it, unknown to the hub.
            Err(DiskError::NotEmpty) => Ok(Done::Kept),
            done => done.map(|()| Done::Shown),
        }
    }

    /// Removes what the disk is known to have at a path; a folder with what tools make again.
    fn remove(&mut self, path: &RelPath, expected: &Expected) -> Result<(), DiskError> {
        let done = match self.disk.remove(path, expected) {
            Err(DiskError::NotEmpty) => {
                self.clear_disposable(path)?;
                self.disk.remove(path, expected)
            }
            done => done,
        };
        if done? {
            self.proposals.take_away([path]);
        }
        self.sight.prints.remove(path);
        Ok(())
    }

    fn clear_disposable(&mut self, folder: &RelPath) -> Result<(), DiskError> {
        let names = self.disk.root().list(Some(folder))?;
        let inside: Option<Vec<_>> = names
            .iter()
            .map(|name| folder.join(name.to_str()?).ok())
            .collect();
        let Some(inside) = inside else { return Ok(()) };
        // All or nothing: a folder that stays keeps its caches.
        for path in &inside {
            if !self.is_disposable(path)? {
                return Ok(());
            }
        }
        for path in inside {
            let aside = self.disk.set_aside(&path)?;
            self.disk.private().discard(&aside);
        }
        Ok(())
    }

    /// Whether tools make again what stands at a path. What a rule lets in is somebody's whatever it is called, and may
    /// not have been seen yet.
    fn is_disposable(&self, path: &RelPath) -> Result<bool, DiskError> {
        if !is_disposable(path.name()) && !planted::is(Bug::StaysOutGoes) {
            return Ok(false);
        }
        let is_folder = self.disk.root().look(path)? == Some(Seen::Folder);
        let local = &self.trees.local;
        let is_known = local.contains_key(path) || below(local, path).next().is_some();
        Ok(self.rules.ignores(path, is_folder) && !is_known)
    }

    /// Puts a content at a path, in place of what the disk is known to have there.
    pub(super) fn place(
        &mut self,
        path: &RelPath,
        hash: slipway_core::hash::ContentHash,
        executable: bool,
    ) -> Result<Done, DiskError> {
        let over = match self.expected(path) {
            Some(Expected::File(was)) => Some(was),
            _ => self.by_another_spelling(path),
        };
        if let Some(Was { print, .. }) = over
            && self.trees.local.get(path).and_then(Node::hash) == Some(hash)
        {
            let print = self.disk.set_executable(path, executable, print)?;
            self.note_print(path, print);
            return Ok(Done::Shown);
        }
        let Some(scratch) = self.content(path, hash)? else {
            return Ok(Done::Waits);
        };
        if over.is_none()
            && let Err(error) = self.clear_way(path, false)
        {
            self.put_back(path, hash, scratch);
            return Err(error);
        }
        match self.disk.put(&scratch, path, executable, over) {
            Ok(print) => {
                self.note_print(path, print);
                Ok(Done::Shown)
            }
            Err(error) => {
                self.put_back(path, hash, scratch);
                Err(error)
            }
        }
    }

    pub(super) fn note_print(&mut self, path: &RelPath, print: Fingerprint) {
        let settled = false;
        self.sight
            .prints
            .insert(path.clone(), Print { print, settled });
    }

    /// What the disk had at a path when it was last looked at.
    pub(super) fn expected(&self, path: &RelPath) -> Option<Expected> {
        Some(match self.trees.local.get(path)? {
            Node::Folder => Expected::Folder,
            Node::Symlink { target } => Expected::Symlink(target.clone()),
            Node::File { hash, .. } => match self.sight.prints.get(path) {
                None => Expected::Unknown,
                Some(Print { print, settled }) => Expected::File(Was {
                    print: *print,
                    unsettled: (!settled).then_some(*hash),
                }),
            },
        })
    }

    /// Removes an agreed entry of another kind; false if a folder is wanted and there.
    fn clear_way(&mut self, path: &RelPath, keep_folder: bool) -> Result<bool, DiskError> {
        let Some(expected) = self.expected(path) else {
            return Ok(true);
        };
        if expected == Expected::Folder && keep_folder {
            return Ok(false);
        }
        match self.remove(path, &expected) {
            Err(DiskError::NotEmpty) if planted::is(Bug::FullFolder) => {
                let aside = self.disk.set_aside(path)?;
                self.disk.private().discard(&aside);
            }
            Err(DiskError::NotEmpty) => {
                // It holds what is nowhere else: it moves aside with all of it, and the hub's state takes the name.
                self.move_to_copy(path)?;
            }
            done => {
                done?;
                self.taken_away(path);
            }
        }
        Ok(true)
    }

    /// Whether everything that the hub has below a folder is in a set.
    pub(super) fn hub_has_below_only(&self, folder: &RelPath, set: &BTreeSet<RelPath>) -> bool {
        below(&self.trees.remote, folder).all(|path| set.contains(path))
    }
}
