//! The three trees, how they change, and what follows for those who keep count of what is not in step.
use std::collections::{BTreeMap, BTreeSet};

use slipway_core::path::RelPath;
use slipway_sync::ignore::RULES_FILE;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::scan::below;
use super::state::State;
use crate::local::By;

/// Paths where a side has something else than the base, with the bytes that it has there.
#[derive(Debug, Default)]
pub(super) struct Apart {
    sizes: BTreeMap<RelPath, u64>,
    bytes: u64,
}

impl Apart {
    fn compare(&mut self, path: &RelPath, base: Option<&Node>, side: Option<&Node>) {
        let before = if base == side {
            self.sizes.remove(path)
        } else {
            self.sizes.insert(path.clone(), size(side))
        };
        self.bytes -= before.unwrap_or(0);
        self.bytes += self.sizes.get(path).copied().unwrap_or(0);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn contains(&self, path: &RelPath) -> bool {
        self.sizes.contains_key(path)
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = (&RelPath, u64)> {
        self.sizes.iter().map(|(path, size)| (path, *size))
    }
}

/// Bytes of a file.
const fn size(node: Option<&Node>) -> u64 {
    match node {
        Some(Node::File { size, .. }) => *size,
        _ => 0,
    }
}

/// What hub and disk last agreed on, and what each of them has since.
#[derive(Debug, Default)]
pub(super) struct Trees {
    /// What hub and disk last agreed on.
    pub(super) base: BTreeMap<RelPath, Node>,
    /// The disk as last seen.
    pub(super) local: BTreeMap<RelPath, Node>,
    /// The hub as last heard.
    pub(super) remote: BTreeMap<RelPath, Node>,
    /// Where the hub has something else than the base.
    pub(super) apart: Apart,
    /// Where the disk has something else than the base.
    pub(super) unsent: Apart,
    /// Where disk and hub came to the same file, each by itself, while the hub was not told of all that the disk has.
    adopted: BTreeSet<RelPath>,
}

impl Trees {
    /// Before disk and hub were looked at.
    pub(super) fn new(agreed: BTreeMap<RelPath, Node>) -> Self {
        Self {
            remote: agreed.clone(),
            base: agreed,
            ..Self::default()
        }
    }

    /// Notes whether the disk has something else than the base at a path.
    pub(super) fn compare_disk(&mut self, path: &RelPath) {
        let (base, local) = (self.base.get(path), self.local.get(path));
        self.unsent.compare(path, base, local);
    }

    /// Notes whether the hub has something else than the base at a path.
    pub(super) fn compare(&mut self, path: &RelPath) {
        let (base, remote) = (self.base.get(path), self.remote.get(path));
        self.apart.compare(path, base, remote);
    }

    /// Whether any of them has a folder at a path.
    pub(super) fn has_folder(&self, path: &RelPath) -> bool {
        let trees = [&self.base, &self.local, &self.remote];
        trees
            .iter()
            .any(|tree| tree.get(path).is_some_and(Node::is_folder))
    }

    /// Whether any of them has something at a path.
    pub(super) fn know(&self, path: &RelPath) -> bool {
        let trees = [&self.base, &self.local, &self.remote];
        trees.iter().any(|tree| tree.contains_key(path))
    }

    /// Whether any of them has something in a folder.
    pub(super) fn know_below(&self, folder: &RelPath) -> bool {
        let trees = [&self.base, &self.local, &self.remote];
        trees
            .iter()
            .any(|tree| below(tree, folder).next().is_some())
    }

    /// Nothing is known of the hub's tree.
    pub(super) fn forget_hub(&mut self) {
        for path in std::mem::take(&mut self.remote).into_keys() {
            self.compare(&path);
        }
    }
}

impl State {
    /// Something else than before stands on the disk at a path, or nothing. What came from the hub can be taken back.
    pub(super) fn disk_has(&mut self, path: &RelPath, node: Option<Node>, by: By) {
        if by != By::Hub || !self.undo {
            return self.disk_becomes(path, node.as_ref(), by);
        }
        let before = self.trees.local.get(path).cloned();
        self.disk_becomes(path, node.as_ref(), by);
        if before != node {
            self.bursts.arrived(path, before, node, self.ledger.now());
        }
    }

    /// The same, for what nobody would take back.
    pub(super) fn disk_becomes(&mut self, path: &RelPath, node: Option<&Node>, by: By) {
        let before = match node {
            Some(node) => self.trees.local.insert(path.clone(), node.clone()),
            None => self.trees.local.remove(path),
        };
        if before.as_ref() == node {
            return;
        }
        if path.as_str() == RULES_FILE {
            self.rules.changed(by);
        }
        self.ledger.note(path, by, None);
        let (from, to) = (
            before.as_ref().and_then(Node::hash),
            node.and_then(Node::hash),
        );
        let (contests, now) = (&mut self.troubles.contests, Instant::now());
        match (by, from, to) {
            (By::Hub, Some(from), Some(to)) => contests.given(path, from, to, now),
            _ => contests.changed(path, from, to, now),
        }
        self.trees.compare_disk(path);
        self.mind_the_copy(path);
    }

    /// Hub and disk came to the same at a path, each by itself.
    pub(super) fn adopt(&mut self, path: &RelPath, node: Option<Node>) {
        let is_news = self.trees.base.get(path) != node.as_ref();
        let is_file = node.as_ref().and_then(Node::hash).is_some();
        self.agree(path, node);
        if self.trees.unsent.is_empty() {
            self.trees.adopted.clear();
        } else if is_news && is_file {
            self.trees.adopted.insert(path.clone());
        }
    }

    /// Whether a file that disk and hub came to each by itself moved there from where the hub still has it, as far as the hub
    /// was told: who changes it now knows nothing of the move, and that nothing of the change, so that it would be nowhere.
    pub(super) fn take_if_moved_here(&mut self, path: &RelPath) -> bool {
        let trees = &mut self.trees;
        let is_adopted = trees.adopted.remove(path);
        let hash = trees.local.get(path).and_then(Node::hash);
        let is_it = |path| trees.base.get(path).and_then(Node::hash) == hash;
        is_adopted
            && hash.is_some()
            && is_it(path)
            && trees.unsent.paths().any(|(other, _)| is_it(other))
    }

    /// Hub and disk have the same at a path.
    pub(super) fn agree(&mut self, path: &RelPath, node: Option<Node>) {
        match node {
            Some(node) => drop(self.trees.base.insert(path.clone(), node)),
            None => drop(self.trees.base.remove(path)),
        }
        self.trees.compare(path);
        self.trees.compare_disk(path);
        self.keep.changed(path);
    }
}
