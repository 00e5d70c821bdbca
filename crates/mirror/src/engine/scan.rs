//! Sees the disk: which paths are dirty, what stands there now, and what that means. What is absent from a folder that
//! was read to its end is gone; what cannot be seen keeps its last state, and nothing is decided about it.
use std::collections::{BTreeSet, HashSet};

use slipway_core::hash::ContentHash;
use slipway_core::limits::{FILE_BYTES_MAX, INLINE_CONTENT_BYTES_MAX};
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::rules::rules_file;
use super::sight::Print;
use super::state::State;
use crate::clock;
use crate::disk::{Fingerprint, Seen};
use crate::local::By;
use crate::planted::{self, Bug};

impl State {
    /// Looks at what is dirty, or at everything, and settles it.
    pub(super) fn look(&mut self) {
        self.sight.begin();
        if self.disk.is_gone() {
            self.root_is_gone();
            self.looked_for_flushes();
            return;
        }
        let mut moved = BTreeSet::new();
        self.look_at_rules(&mut moved);
        self.sight.makes_room_for(self.new_at_once());
        if std::mem::take(&mut self.sight.everything) {
            self.look_at_everything(&mut moved);
        } else {
            self.look_at_dirty(&mut moved);
            self.sight.audit_if_partial(self.watch.is_partial());
        }
        self.look_at_later(&mut moved);
        // They may have changed meanwhile, for something that was seen after that.
        self.look_at_rules(&mut moved);
        self.sight.end();
        self.settle_all(moved);
        self.looked_for_flushes();
    }

    fn look_at_dirty(&mut self, moved: &mut BTreeSet<RelPath>) {
        let dirty = std::mem::take(&mut self.sight.dirty);
        let all: HashSet<&str> = dirty.iter().map(RelPath::as_str).collect();
        // The look at a folder finds what lies below it.
        let is_found = |path: &&RelPath| {
            let whole = path.as_str();
            let mut above = whole.match_indices('/').map(|(at, _)| &whole[..at]);
            above.any(|folder| all.contains(folder))
        };
        for path in dirty.iter().filter(|path| !is_found(path)) {
            self.scan_path(&self.first_unknown(path.clone()), By::Disk, moved);
        }
    }

    fn look_at_everything(&mut self, moved: &mut BTreeSet<RelPath>) {
        let begin = Instant::now();
        self.sight.dirty.clear();
        self.sight.later.clear();
        self.sight.unknown.clear();
        self.watch.add(self.disk.path());
        self.scan_folder(None, By::Disk, moved);
        let all = self
            .trees
            .base
            .keys()
            .chain(self.trees.remote.keys())
            .chain(self.trees.local.keys())
            // What did not get to the disk of a hub that is another one by now.
            .chain(self.troubles.unapplied());
        moved.extend(all.cloned());
        for path in moved.iter() {
            self.trees.compare_disk(path);
        }
        self.sight
            .audit_after(self.watch.is_partial(), begin.elapsed());
        self.told.looked_at = Some(clock::now());
    }

    /// Settles many paths: what goes first, leaves before folders, then the rest from the root down.
    pub(super) fn settle_all(&mut self, mut paths: BTreeSet<RelPath>) {
        self.suspect_seen();
        // What is left out depends on the file that says it.
        if let Some(rules) = rules_file().and_then(|path| paths.take(&path)) {
            self.settle(&rules);
        }
        self.heed_rules();
        let (gone, kept): (Vec<_>, Vec<_>) = paths
            .into_iter()
            .partition(|path| !self.trees.remote.contains_key(path));
        for path in gone.iter().rev().chain(kept.iter()) {
            self.settle(path);
        }
    }

    /// Scans a folder with all below it; the root for `None`.
    fn scan_folder(&mut self, folder: Option<&RelPath>, by: By, moved: &mut BTreeSet<RelPath>) {
        let names = match self.disk.root().list(folder) {
            Ok(names) => names,
            Err(_) if planted::is(Bug::FailedListing) => Vec::new(),
            Err(error) => {
                tracing::debug!(%error, "A folder cannot be read; its files keep their last state");
                match folder {
                    Some(folder) => self.unseen(folder),
                    None => self.sight.root_unknown = true,
                }
                return;
            }
        };
        match folder {
            Some(folder) => self.in_sight_again(folder, moved),
            None => self.sight.root_unknown = false,
        }
        self.odd_among(folder, &names);
        let here: Vec<_> = names
            .iter()
            .filter_map(|name| self.path_here(folder, name))
            .collect();
        let standing: HashSet<&str> = here.iter().map(RelPath::as_str).collect();
        let gone: Vec<_> = self
            .inside(folder)
            .filter(|known| !standing.contains(right_in(folder, known)))
            .cloned()
            .collect();
        for path in gone {
            self.gone(&path, by, moved);
        }
        for path in here {
            self.scan_named(&path, by, moved);
        }
    }

    /// The highest folder above a path that no event told of, whose look finds the path as well; else the path.
    pub(super) fn first_unknown(&self, path: RelPath) -> RelPath {
        let is_unknown =
            |folder: &RelPath| !self.trees.local.get(folder).is_some_and(Node::is_folder);
        path.ancestors().filter(is_unknown).last().unwrap_or(path)
    }

    /// Looks at one path that is spelled so, and below it.
    pub(super) fn scan_named(&mut self, path: &RelPath, by: By, moved: &mut BTreeSet<RelPath>) {
        let Ok(found) = self.disk.root().look(path) else {
            self.unseen(path);
            return;
        };
        let is_ignored = self.rules.ignores(path, found == Some(Seen::Folder));
        // What is gone is released when that is believed.
        if is_ignored || !matches!(found, Some(Seen::File(_)) | None) {
            self.sight.held.release(path);
        }
        if is_ignored {
            // What counted at this name is gone all the same if it was of another kind.
            let known = self.trees.local.get(path);
            if known.is_some_and(|node| !self.rules.ignores(path, node.is_folder())) {
                self.gone(path, by, moved);
            }
            return;
        }
        self.in_sight_again(path, moved);
        let node = match found {
            None | Some(Seen::Other) => {
                self.gone(path, by, moved);
                return;
            }
            Some(Seen::Symlink(target)) => Some(Node::Symlink { target }),
            Some(Seen::Folder) => Some(Node::Folder),
            Some(Seen::File(print)) => self.file(path, print),
        };
        // Being written, or as it was, or left to the next look: what it was stands.
        let Some(node) = node else {
            return self.stands_as_agreed(path, by);
        };
        let is_folder = node.is_folder();
        if self.trees.local.get(path) != Some(&node) {
            if self.trees.local.get(path).is_some_and(Node::is_folder) {
                self.gone(path, by, moved);
            }
            self.disk_has(path, Some(node), by);
            moved.insert(path.clone());
        }
        if is_folder {
            self.sight.prints.remove(path);
            if !self.trees.know_below(path) && self.put_off_if_full(path) {
                return;
            }
            // Watch first, then look inside: what comes between is seen by one of the two.
            let whole = self.disk.path().join(path.as_str());
            self.watch.add(&whole);
            self.scan_folder(Some(path), by, moved);
        }
    }

    /// A file that is being written when it is looked at for the first time is taken for what was agreed on, not for gone.
    fn stands_as_agreed(&mut self, path: &RelPath, by: By) {
        if self.trees.local.contains_key(path) || !self.sight.held.contains(path) {
            return;
        }
        let agreed = self.trees.base.get(path);
        if let Some(node @ Node::File { .. }) = agreed.cloned() {
            self.disk_has(path, Some(node), by);
        }
    }

    fn unseen(&mut self, path: &RelPath) {
        self.sight.held.release(path);
        self.unreadable(path);
        self.sight.unknown.insert(path.clone());
    }

    /// A path can be seen: what was not decided about it, and about what lies below it, is to be.
    fn in_sight_again(&mut self, path: &RelPath, moved: &mut BTreeSet<RelPath>) {
        if self.sight.unknown.remove(path) {
            for tree in [&self.trees.base, &self.trees.local, &self.trees.remote] {
                moved.extend(below(tree, path).cloned());
            }
            moved.insert(path.clone());
        }
    }

    pub(super) fn inside<'a>(
        &'a self,
        folder: Option<&'a RelPath>,
    ) -> Box<dyn Iterator<Item = &'a RelPath> + 'a> {
        match folder {
            Some(folder) => Box::new(below(&self.trees.local, folder)),
            None => Box::new(self.trees.local.keys()),
        }
    }

    /// A path is no longer there, with all below it.
    pub(super) fn gone(&mut self, path: &RelPath, by: By, moved: &mut BTreeSet<RelPath>) {
        let all: Vec<_> = below(&self.trees.local, path)
            .cloned()
            .chain([path.clone()])
            .collect();
        for path in all {
            if self.is_back_in_a_moment(&path, by) {
                continue;
            }
            self.sight.held.release(&path);
            self.disk_has(&path, None, by);
            self.sight.prints.remove(&path);
            moved.insert(path);
        }
    }

    /// A change of this side took a path away, or found it gone, which is nobody's deletion whatever becomes of what is to
    /// come there. What a folder held went before it, and is settled after the next look. Tells all that went.
    pub(super) fn taken_away(&mut self, path: &RelPath) -> BTreeSet<RelPath> {
        let mut moved = BTreeSet::new();
        self.gone(path, By::Hub, &mut moved);
        self.agree(path, None);
        let below = moved.iter().filter(|moved| moved.is_below(path));
        self.sight.dirty.extend(below.cloned());
        if moved.len() > 1 {
            self.sight.look_soon();
        }
        moved
    }

    /// Reads a file; `None` when it is as it was, being written, or left to the next look.
    fn file(&mut self, path: &RelPath, print: Fingerprint) -> Option<Node> {
        let now = Instant::now();
        if matches!(self.trees.local.get(path), Some(Node::File { .. }))
            && let Some(known) = self.sight.prints.get(path)
            && is_same(&known.print, &print)
        {
            // What waits for a flush is read, also if only a write within one stamp could have changed it.
            let is_time =
                self.sight.young.is_grown(path) && print.is_settled(self.disk.root().now_ns());
            let later = !known.settled && !self.reports.is_flushing() && !is_time;
            if later {
                self.sight.young.add(path, now);
            }
            if later || known.settled {
                self.sight.held.release(path);
                return None;
            }
        }
        if print.size() > FILE_BYTES_MAX {
            return Some(self.not_read(path, print, true));
        }
        // Who waits for all that is there does not wait for a time.
        let is_asked_for = self.hub.in_step && self.reports.wait_for_a_look();
        if self.sight.held.is_early(path, now) && !is_asked_for {
            return None;
        }
        if !self.trees.know(path) {
            if self.put_off_if_full(path) {
                return None;
            }
            self.sight.reads();
        }
        let begin = self.disk.root().now_ns();
        let (hash, print) = match self.read(path, print) {
            Ok(Some(hashed)) => hashed,
            Ok(None) => {
                self.sight.held.hold(path, now);
                return None;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                // It went between look and read.
                self.sight.held.release(path);
                self.sight.look_again(path);
                return None;
            }
            Err(_) => {
                // It may be the system that had a bad moment: the next look tries again.
                self.unreadable(path);
                return Some(self.not_read(path, print, false));
            }
        };
        // Truncate and write: the empty moment between them is no version.
        let was = self
            .trees
            .local
            .get(path)
            .or_else(|| self.trees.base.get(path));
        let was_full = matches!(was, Some(Node::File { size, .. }) if *size > 0);
        if print.size() == 0 && was_full && self.sight.held.may_hold(path, now) {
            self.sight.held.hold(path, now);
            return None;
        }
        self.sight.held.release(path);
        let settled = print.is_settled(begin) || planted::is(Bug::TrustedRead);
        self.sight
            .prints
            .insert(path.clone(), Print { print, settled });
        Some(Node::File {
            hash,
            size: print.size(),
            executable: print.executable(),
        })
    }

    /// Reads a file for its hash, and keeps a small content that the hub is to be told of.
    fn read(
        &mut self,
        path: &RelPath,
        print: Fingerprint,
    ) -> std::io::Result<Option<(ContentHash, Fingerprint)>> {
        let root = self.disk.root();
        if !self.hub.in_step || print.size() > INLINE_CONTENT_BYTES_MAX {
            return root.hash(path);
        }
        let Some((content, print)) = self.contents.fresh.read(root, path)? else {
            return Ok(None);
        };
        let hash = ContentHash::of(&content);
        if self.trees.base.get(path).and_then(Node::hash) != Some(hash) {
            self.contents.fresh.put(hash, content);
        }
        Ok(Some((hash, print)))
    }

    /// A file whose content is not known: it is there, and differs from all others.
    fn not_read(&mut self, path: &RelPath, print: Fingerprint, settled: bool) -> Node {
        self.sight.held.release(path);
        self.sight
            .prints
            .insert(path.clone(), Print { print, settled });
        Node::File {
            hash: print.stand_in(),
            size: print.size(),
            executable: print.executable(),
        }
    }
}

/// Whether a file was not written to since.
fn is_same(known: &Fingerprint, found: &Fingerprint) -> bool {
    known == found
        || planted::is(Bug::TrustedTimes) && known.is_untouched(found)
        || planted::is(Bug::TrustedSize) && known.size() == found.size()
}

/// What stands right in a folder and is the path or above it.
fn right_in<'a>(folder: Option<&RelPath>, path: &'a RelPath) -> &'a str {
    let whole = path.as_str();
    let begin = folder.map_or(0, |folder| folder.as_str().len() + 1);
    let end = whole[begin..]
        .find('/')
        .map_or(whole.len(), |at| begin + at);
    &whole[..end]
}

/// Paths of a tree below a folder.
pub(super) fn below<'a>(
    tree: &'a std::collections::BTreeMap<RelPath, Node>,
    folder: &'a RelPath,
) -> impl Iterator<Item = &'a RelPath> {
    tree.range(folder.clone()..)
        .map(|(path, _)| path)
        .take_while(|path| path.as_str().starts_with(folder.as_str()))
        .filter(|path| path.is_below(folder))
}
