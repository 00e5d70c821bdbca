//! Sees the disk: which paths are dirty, what stands there now, and what that means.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use slipway_core::path::RelPath;
use slipway_sync::ignore::{RULES_FILE, Rules};
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::{HOLD_MAX, QUIET, State};
use crate::disk::Seen;

impl State {
    /// Notes paths that something happened to.
    pub(super) fn mark(&mut self, paths: &[PathBuf]) {
        for path in paths {
            let Ok(relative) = path.strip_prefix(self.disk.root()) else {
                continue;
            };
            // The root itself, and names that cannot be synced, are nobody's path.
            if let Some(Ok(path)) = relative.to_str().map(RelPath::parse) {
                self.dirty.insert(path);
            }
        }
    }

    /// Looks at what is dirty, or at everything, and settles it.
    pub(super) fn look(&mut self) {
        self.look_at = None;
        let mut moved = BTreeSet::new();
        if std::mem::take(&mut self.everything) {
            self.dirty.clear();
            self.read_rules();
            let root = self.disk.root().to_owned();
            self.watch.add(&root);
            let mut seen = BTreeSet::new();
            if self.scan_folder(None, &mut seen, &mut moved) {
                moved.extend(
                    self.local
                        .keys()
                        .filter(|path| !seen.contains(*path))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
                self.local.retain(|path, _| seen.contains(path));
                self.prints.retain(|path, _| seen.contains(path));
            }
            let all = self
                .base
                .keys()
                .chain(self.remote.keys())
                .chain(self.local.keys());
            moved.extend(all.cloned());
        } else {
            for path in std::mem::take(&mut self.dirty) {
                if path.as_str() == RULES_FILE {
                    self.read_rules();
                }
                self.scan_path(&path, &mut BTreeSet::new(), &mut moved);
            }
        }
        self.settle_all(moved);
    }

    /// Settles many paths: what goes first, leaves before folders, then the rest from the root down.
    pub(super) fn settle_all(&mut self, paths: BTreeSet<RelPath>) {
        let (gone, kept): (Vec<_>, Vec<_>) = paths
            .into_iter()
            .partition(|path| !self.remote.contains_key(path));
        for path in gone.iter().rev().chain(kept.iter()) {
            self.settle(path);
        }
    }

    fn read_rules(&mut self) {
        let text = std::fs::read_to_string(self.disk.root().join(RULES_FILE)).unwrap_or_default();
        self.rules = Rules::new(&text);
    }

    /// Scans a folder with all below it; false when any of it could not be read, so that nothing counts as deleted.
    fn scan_folder(
        &mut self,
        folder: Option<&RelPath>,
        seen: &mut BTreeSet<RelPath>,
        moved: &mut BTreeSet<RelPath>,
    ) -> bool {
        let names = match self.disk.list(folder) {
            Ok(names) => names,
            Err(error) => {
                tracing::debug!(%error, "A folder cannot be read; its files keep their last state");
                return false;
            }
        };
        let mut complete = true;
        for name in names {
            let Some(name) = name.to_str() else { continue };
            let whole = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
            // Names that some systems cannot hold stay on this disk only.
            let Ok(path) = RelPath::parse(&whole) else {
                continue;
            };
            complete &= self.scan_path(&path, seen, moved);
        }
        complete
    }

    /// Looks at one path, and below it if it is a folder.
    fn scan_path(
        &mut self,
        path: &RelPath,
        seen: &mut BTreeSet<RelPath>,
        moved: &mut BTreeSet<RelPath>,
    ) -> bool {
        let Ok(found) = self.disk.look(path) else {
            return false;
        };
        if self.rules.ignores(path, found == Some(Seen::Folder)) {
            return true;
        }
        let node = match found {
            None | Some(Seen::Other) => {
                self.gone(path, moved);
                return true;
            }
            Some(Seen::Symlink(target)) => Some(Node::Symlink { target }),
            Some(Seen::Folder) => Some(Node::Folder),
            Some(Seen::File(print)) => {
                if self.prints.get(path) == Some(&print)
                    && matches!(self.local.get(path), Some(Node::File { .. }))
                {
                    seen.insert(path.clone());
                    return true;
                }
                self.file(path)
            }
        };
        let Some(node) = node else {
            // Being written: what it was stands until it rests.
            seen.insert(path.clone());
            return true;
        };
        let is_folder = node.is_folder();
        seen.insert(path.clone());
        if self.local.get(path) != Some(&node) {
            if self.local.get(path).is_some_and(Node::is_folder) && !is_folder {
                self.gone(path, moved);
            }
            self.local.insert(path.clone(), node);
            moved.insert(path.clone());
        }
        if !is_folder {
            return true;
        }
        // Watch first, then look inside: what comes between is seen by one of the two.
        let whole = self.disk.root().join(path.as_str());
        self.watch.add(&whole);
        let mut inside = BTreeSet::new();
        let complete = self.scan_folder(Some(path), &mut inside, moved);
        if complete {
            let lost: Vec<_> = self
                .below(path)
                .filter(|old| !inside.contains(*old))
                .cloned()
                .collect();
            for old in lost {
                self.gone(&old, moved);
            }
        }
        seen.extend(inside);
        complete
    }

    fn below<'a>(&'a self, folder: &'a RelPath) -> impl Iterator<Item = &'a RelPath> {
        self.local
            .range(folder.clone()..)
            .map(|(path, _)| path)
            .take_while(|path| path.as_str().starts_with(folder.as_str()))
            .filter(|path| path.is_below(folder))
    }

    fn gone(&mut self, path: &RelPath, moved: &mut BTreeSet<RelPath>) {
        let all: Vec<_> = self.below(path).cloned().chain([path.clone()]).collect();
        for path in all {
            if self
                .local
                .remove(&path)
                .is_some_and(|node| node.is_folder())
            {
                let whole = self.disk.root().join(path.as_str());
                self.watch.remove(Path::new(&whole));
            }
            self.prints.remove(&path);
            moved.insert(path);
        }
    }

    /// Reads a file; `None` while it is being written.
    fn file(&mut self, path: &RelPath) -> Option<Node> {
        let hashed = self.disk.hash(path).ok().flatten();
        let Some((hash, print)) = hashed else {
            return self.hold(path);
        };
        // Truncate and write: the empty moment between them is no version.
        let was_full = matches!(self.local.get(path), Some(Node::File { size, .. }) if *size > 0);
        if print.size() == 0
            && was_full
            && self
                .held
                .get(path)
                .is_none_or(|since| since.elapsed() < HOLD_MAX)
        {
            return self.hold(path);
        }
        self.held.remove(path);
        self.prints.insert(path.clone(), print);
        Some(Node::File {
            hash,
            size: print.size(),
            executable: print.executable(),
        })
    }

    fn hold(&mut self, path: &RelPath) -> Option<Node> {
        self.held.entry(path.clone()).or_insert_with(Instant::now);
        self.dirty.insert(path.clone());
        self.look_at = Some(Instant::now() + QUIET);
        None
    }
}
