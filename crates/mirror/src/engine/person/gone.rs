//! What a person deletes: it goes out of sight at once, and can be had again for a while.
use slipway_core::path::RelPath;
use slipway_sync::node::Node;

use super::Work;
use super::back::Back;
use crate::disk::Expected;
use crate::engine::scan::below;
use crate::engine::state::State;
use crate::local::{Expect, LocalError};

/// What a person deleted and can have again.
pub(in crate::engine) struct Gone {
    path: RelPath,
    node: Node,
    /// Its private name.
    name: String,
    /// Of all files in it.
    bytes: u64,
}

impl State {
    pub(super) fn delete(
        &mut self,
        path: &RelPath,
        expect: Expect,
        work: &mut Work,
    ) -> Result<bool, LocalError> {
        let Some(current) = self.standing(path, false)? else {
            return Ok(false);
        };
        self.check(path, expect)?;
        if current.is_folder() {
            self.delete_folder(path, work)?;
        } else {
            self.delete_one(path, work)?;
        }
        Ok(true)
    }

    /// Deletes what is as it was seen, a folder only when it is empty; fine when nothing stands there.
    pub(in crate::engine) fn delete_one(
        &mut self,
        path: &RelPath,
        work: &mut Work,
    ) -> Result<(), LocalError> {
        let (Some(expected), Some(node)) =
            (self.expected(path), self.trees.local.get(path).cloned())
        else {
            return Ok(());
        };
        let removed = self.disk.remove(path, &expected);
        removed.map_err(|error| self.refused(path, &error))?;
        if let Some(displaced) = self.just_displaced(path) {
            let bytes = bytes(&node);
            self.note_gone(path, node, displaced.name, bytes, work);
        } else {
            work.back.extend(match expected {
                Expected::Symlink(target) => Some(Back::Link(path.clone(), target)),
                Expected::Folder => Some(Back::Folder(path.clone())),
                Expected::File(_) | Expected::Unknown => None,
            });
        }
        self.person_lacks(path, work);
        Ok(())
    }

    /// Takes a folder away as a whole, with what in it does not sync.
    fn delete_folder(&mut self, path: &RelPath, work: &mut Work) -> Result<(), LocalError> {
        let aside = self.disk.set_aside(path);
        let aside = aside.map_err(|error| self.refused(path, &error))?;
        let files = below(&self.trees.local, path).filter_map(|path| self.trees.local.get(path));
        let bytes = files.map(bytes).sum();
        self.note_gone(path, Node::Folder, aside, bytes, work);
        self.person_lacks(path, work);
        Ok(())
    }

    fn note_gone(&self, path: &RelPath, node: Node, name: String, bytes: u64, work: &mut Work) {
        work.back.push(Back::Gone(path.clone(), name.clone()));
        let path = path.clone();
        work.gone.push(Gone {
            path,
            node,
            name,
            bytes,
        });
    }

    pub(super) fn keep_deleted(&mut self, gone: Vec<Gone>) {
        if gone.is_empty() {
            return;
        }
        let burst = self
            .undo
            .then(|| self.bursts.begin_deleted(self.ledger.now()));
        for Gone {
            path,
            node,
            name,
            bytes,
        } in gone
        {
            let kept = burst.and_then(|id| {
                let kept = self.disk.private().keep_for(&name, id).ok()?;
                let is_kept = self.bursts.deleted(id, &path, node, kept.clone(), bytes);
                if !is_kept {
                    self.disk.private().discard(&kept);
                }
                Some(())
            });
            if kept.is_none() {
                self.disk.private().discard(&name);
            }
        }
    }
}

const fn bytes(node: &Node) -> u64 {
    match node {
        Node::File { size, .. } => *size,
        Node::Folder | Node::Symlink { .. } => 0,
    }
}
