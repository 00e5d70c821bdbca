//! Both sides changed a path. What can be joined is joined and proposed on top of the hub's state; else the hub keeps
//! the name and what the disk has moves to a copy, which is proposed as new. Either way nothing is lost.
use std::io::Read as _;

use slipway_core::hash::ContentHash;
use slipway_core::limits::MERGED_BYTES_MAX;
use slipway_core::path::RelPath;
use slipway_sync::conflict::{copy_path, original};
use slipway_sync::merge::merge;
use slipway_sync::node::Node;

use super::apply::Done;
use super::state::State;
use crate::disk::{DiskError, Expected, Was};
use crate::local::By;
use crate::notice::Notice;
use crate::planted::{self, Bug};

/// Names of copies that are tried.
pub(super) const TURNS_MAX: usize = 100;

/// A file's node in parts.
#[derive(Clone, Copy)]
struct File {
    hash: ContentHash,
    size: u64,
    executable: bool,
}

fn file(node: Option<&Node>) -> Option<File> {
    match node? {
        Node::File {
            hash,
            size,
            executable,
        } => Some(File {
            hash: *hash,
            size: *size,
            executable: *executable,
        }),
        Node::Folder | Node::Symlink { .. } => None,
    }
}

/// How a merge ended.
enum Merged {
    /// The disk has the joined state.
    Done,
    /// Contents are on their way.
    Waits,
    /// A person must look.
    Impossible,
}

impl State {
    /// Both sides changed a path.
    pub(super) fn conflict(&mut self, path: &RelPath) {
        let done = self.merge(path).and_then(|merged| match merged {
            Merged::Done => {
                // The joined state is a local edit on top of the hub's.
                let remote = self.trees.remote.get(path).cloned();
                self.adopt(path, remote);
                self.settle(path);
                Ok(())
            }
            Merged::Waits => Ok(()),
            Merged::Impossible => self.make_copy(path),
        });
        if let Err(error) = done {
            self.not_applied(path, &error);
        }
    }

    fn merge(&mut self, path: &RelPath) -> Result<Merged, DiskError> {
        let (Some(local), Some(remote)) = (
            file(self.trees.local.get(path)),
            file(self.trees.remote.get(path)),
        ) else {
            return Ok(Merged::Impossible);
        };
        let base = file(self.trees.base.get(path));
        // Each side may have changed the content, the exec bit, or both; what is not known to be an edit is none.
        let executable = match base {
            Some(base) if base.executable != local.executable => local.executable,
            _ => remote.executable,
        };
        let keeps_local =
            local.hash == remote.hash || base.is_some_and(|base| base.hash == remote.hash);
        if keeps_local {
            return self.merge_bit(path, local, executable);
        }
        let Some(base) = base else {
            return Ok(Merged::Impossible);
        };
        if base.hash == local.hash {
            return self.merge_in(path, remote, executable);
        }
        if [base, local, remote]
            .iter()
            .any(|side| side.size > MERGED_BYTES_MAX)
            || self.contents.is_missing(base.hash)
            || self.contents.is_missing(remote.hash)
        {
            return Ok(Merged::Impossible);
        }
        self.merge_text(path, [base, local, remote], executable)
    }

    /// The disk's content, with the exec bit of both.
    fn merge_bit(
        &mut self,
        path: &RelPath,
        local: File,
        executable: bool,
    ) -> Result<Merged, DiskError> {
        if local.executable != executable {
            let Some(Expected::File(Was { print, .. })) = self.expected(path) else {
                return Err(DiskError::Unexpected);
            };
            let print = self.disk.set_executable(path, executable, print)?;
            self.note_print(path, print);
            self.note_file(
                path,
                File {
                    executable,
                    ..local
                },
            );
        }
        Ok(Merged::Done)
    }

    /// The hub's content, with the exec bit of both.
    fn merge_in(
        &mut self,
        path: &RelPath,
        remote: File,
        executable: bool,
    ) -> Result<Merged, DiskError> {
        match self.place(path, remote.hash, executable)? {
            Done::Shown => {
                self.note_file(
                    path,
                    File {
                        executable,
                        ..remote
                    },
                );
                Ok(Merged::Done)
            }
            Done::Waits | Done::Kept => Ok(Merged::Waits),
        }
    }

    fn merge_text(
        &mut self,
        path: &RelPath,
        [base, local, remote]: [File; 3],
        executable: bool,
    ) -> Result<Merged, DiskError> {
        let (old, theirs) = (self.bytes(path, base.hash), self.bytes(path, remote.hash));
        let (Some(old), Some(theirs)) = (old, theirs) else {
            return Ok(Merged::Waits);
        };
        self.keep_text(base.hash, &old);
        let Some(Expected::File(was)) = self.expected(path) else {
            return Err(DiskError::Unexpected);
        };
        let mut ours = Vec::new();
        let on_disk = self.disk.root().read(path)?;
        on_disk.take(MERGED_BYTES_MAX + 1).read_to_end(&mut ours)?;
        if ContentHash::of(&ours) != local.hash {
            return Err(DiskError::Unexpected);
        }
        let Some(joined) = merge(path.as_str(), &old, &ours, &theirs) else {
            return Ok(Merged::Impossible);
        };
        let scratch = self.disk.private().write(&joined)?;
        let placed = self.disk.put(&scratch, path, executable, Some(was));
        let print = placed.inspect_err(|_| self.disk.private().discard(&scratch))?;
        self.note_print(path, print);
        let joined = File {
            hash: ContentHash::of(&joined),
            size: joined.len() as u64,
            executable,
        };
        self.note_file(path, joined);
        self.notice(Notice::Merged(path.clone()));
        Ok(Merged::Done)
    }

    fn note_file(&mut self, path: &RelPath, file: File) {
        let node = Node::File {
            hash: file.hash,
            size: file.size,
            executable: file.executable,
        };
        self.disk_has(path, Some(node), By::Hub);
    }

    /// What the disk has moves to a copy; the hub's state takes the name.
    pub(super) fn make_copy(&mut self, path: &RelPath) -> Result<(), DiskError> {
        // The name is empty for an instant only: a content that is not here yet is waited for first.
        if let Some(remote) = file(self.trees.remote.get(path)) {
            let Some(scratch) = self.content(path, remote.hash)? else {
                return Ok(());
            };
            self.put_back(path, remote.hash, scratch);
        }
        if planted::is(Bug::CopyOfCopy) && original(path.name()).is_some() {
            let aside = self.disk.set_aside(path)?;
            self.disk.private().discard(&aside);
            self.taken_away(path);
            self.apply(path);
            return Ok(());
        }
        let (copy, is_there) = self.copy_place(path)?;
        // Where the copy is there, nothing has to make way: the hub's state is swapped in, and the copy outlives what it
        // takes the place of.
        let is_swapped = is_there && file(self.trees.remote.get(path)).is_some();
        if is_swapped {
            self.keep.wrote(&copy);
            self.copy_made(path, &copy);
        } else {
            self.move_to_copy(path)?;
        }
        self.apply(path);
        let path = path.clone();
        self.notice(Notice::Copied { path, copy });
        Ok(())
    }

    /// Renames what the disk has at a path to its copy's name; tells the name.
    pub(super) fn move_to_copy(&mut self, path: &RelPath) -> Result<RelPath, DiskError> {
        let (copy, is_there) = self.copy_place(path)?;
        if !is_there {
            self.disk.rename(path, &copy)?;
        } else if let Some(expected) = self.expected(path) {
            self.keep.wrote(&copy);
            self.disk.remove(path, &expected)?;
        }
        self.copy_made(path, &copy);
        let moved = self.taken_away(path);
        for path in &moved {
            self.agree(path, None);
        }
        self.proposals.take_away(&moved);
        self.has_moved(&moved);
        self.sight.look_again(&copy);
        Ok(copy)
    }

    /// The name of the copy of what the disk has at a path, and whether a crash or another replica made this very copy
    /// before.
    fn copy_place(&mut self, path: &RelPath) -> Result<(RelPath, bool), DiskError> {
        let local = self
            .trees
            .local
            .get(path)
            .ok_or(DiskError::Unexpected)?
            .clone();
        let hash = match &local {
            Node::File { hash, .. } => *hash,
            Node::Symlink { target } => ContentHash::of(target.as_bytes()),
            Node::Folder => ContentHash::of(path.as_str().as_bytes()),
        };
        let hash = match planted::is(Bug::CopyOverCopy) {
            false => hash,
            true => ContentHash::of(b""),
        };
        for turn in 0..TURNS_MAX {
            let copy = copy_path(path, &self.name, &hash, turn);
            if copy == *path {
                break;
            }
            if planted::is(Bug::CopyOverCopy)
                && let Ok(aside) = self.disk.set_aside(&copy)
            {
                self.disk.private().discard(&aside);
            }
            let is_free = self.disk.root().look(&copy)?.is_none();
            if is_free || self.is_same_copy(&copy, &local, hash) {
                return Ok((copy, !is_free));
            }
        }
        Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists).into())
    }

    fn is_same_copy(&self, copy: &RelPath, local: &Node, hash: ContentHash) -> bool {
        let hashed = || self.disk.root().hash(copy).ok().flatten();
        matches!(local, Node::File { .. }) && hashed().is_some_and(|(found, _)| found == hash)
    }
}
