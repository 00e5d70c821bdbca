//! Files that go at one path, or make way there for another content, and come at another: both in one batch, so that the hub
//! has them at every instant. It may refuse where they come, so that they are durable here before it gives up what it has.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::state::State;
use crate::planted::{self, Bug};

/// Files that are moved.
#[derive(Default)]
pub(super) struct Moves {
    /// By the path at which the hub gives one up, where it comes.
    pub(super) to: BTreeMap<RelPath, RelPath>,
    /// The other way round, as far as no equal file is at either end: nobody knows which of those it was.
    from: BTreeMap<RelPath, RelPath>,
    /// What they hold, which the hub has.
    pub(super) contents: HashSet<ContentHash>,
    /// Paths at which it gives up nothing yet, since that may not come yet.
    pub(super) held: BTreeSet<RelPath>,
}

impl Moves {
    /// Where a file was that comes at a path, as a word for its history.
    pub(super) fn from(&self, path: &RelPath) -> Option<&RelPath> {
        let from = self.from.get(path);
        from.filter(|from| self.to.contains_key(*from))
    }
}

/// Where a content is to come.
#[derive(Default)]
struct Place<'a> {
    /// `None` where that may not be yet.
    path: Option<&'a RelPath>,
    /// At how many paths it is.
    many: usize,
}

impl State {
    /// Notes whether the hub is to give up what it has at a path that changed here.
    pub(super) fn gives_up(&mut self, path: &RelPath) {
        if self.goes(path) {
            self.proposals.leaving.insert(path.clone());
        } else if self.is_replaced(path) {
            self.proposals.replaced.insert(path.clone());
        }
    }

    /// Whether what the hub has at a path is to go there, for good or for something of another kind.
    pub(super) fn goes(&self, path: &RelPath) -> bool {
        let (local, remote) = (self.trees.local.get(path), self.trees.remote.get(path));
        let is_folder = |node: Option<&Node>| node.is_some_and(Node::is_folder);
        remote.is_some() && (local.is_none() || is_folder(local) != is_folder(remote))
    }

    /// Whether the hub has a file at a path that makes way for another content.
    fn is_replaced(&self, path: &RelPath) -> bool {
        let (local, remote) = (self.trees.local.get(path), self.trees.remote.get(path));
        let hash = remote.and_then(Node::hash);
        hash.is_some() && local.is_some_and(|local| local.hash() != hash)
    }

    /// Files that come elsewhere among those that go or are replaced. What may not come yet does not go yet, either.
    pub(super) fn moves(&mut self, going: &mut BTreeSet<RelPath>, now: Instant) -> Moves {
        let mut replaced = std::mem::take(&mut self.proposals.replaced);
        replaced.retain(|path| self.proposals.waiting.contains(path) && self.is_replaced(path));
        let given_up = going.iter().chain(&replaced);
        let moves = self.moves_of(given_up.filter(|path| self.is_due(path, now)), now);
        self.proposals.replaced = replaced;
        going.retain(|path| !moves.held.contains(path));
        moves
    }

    fn moves_of<'a>(&self, given_up: impl Iterator<Item = &'a RelPath>, now: Instant) -> Moves {
        let hash = |path: &'a RelPath| Some((path, self.trees.remote.get(path)?.hash()?));
        let given_up: Vec<_> = given_up.filter_map(hash).collect();
        let contents = given_up.iter().map(|(_, hash)| *hash).collect();
        let places = self.places(&contents, now);
        let mut moves = Moves::default();
        for &(path, hash) in &given_up {
            let Some(place) = places.get(&hash) else {
                continue;
            };
            let Some(to) = place.path else {
                moves.held.insert(path.clone());
                continue;
            };
            moves.to.insert(path.clone(), to.clone());
            if !moves.contents.insert(hash) {
                moves.from.remove(to);
            } else if place.many == 1 {
                moves.from.insert(to.clone(), path.clone());
            }
        }
        // Where one comes, another may have to stay for now.
        let is_held = |moves: &Moves| {
            let mut to = moves.to.iter();
            let held = to.find(|(_, place)| moves.held.contains(*place));
            held.map(|(path, _)| path.clone())
        };
        while let Some(path) = is_held(&moves) {
            moves.to.remove(&path);
            moves.held.insert(path);
        }
        if planted::is(Bug::FalseOrigin) {
            self.mispair(given_up.iter().map(|(path, _)| *path), &mut moves);
        }
        if !self.are_durable(&moves) {
            moves.held.extend(std::mem::take(&mut moves.to).into_keys());
            moves.contents.clear();
        }
        moves
    }

    /// Takes whatever comes for what goes.
    fn mispair<'a>(&self, given_up: impl Iterator<Item = &'a RelPath>, moves: &mut Moves) {
        let waiting = self.proposals.waiting.iter();
        let comes = waiting.filter(|path| !self.trees.remote.contains_key(*path));
        for (from, to) in given_up.zip(comes) {
            moves.to.insert(from.clone(), to.clone());
            moves.from.insert(to.clone(), from.clone());
        }
    }

    /// Where contents are to come.
    fn places(
        &self,
        contents: &HashSet<ContentHash>,
        now: Instant,
    ) -> HashMap<ContentHash, Place<'_>> {
        let mut places = HashMap::new();
        if contents.is_empty() {
            return places;
        }
        let waiting = self.proposals.waiting.iter().map(|path| (path, true));
        let unjoined = self.contents.waiting().chain(self.troubles.holding_up());
        for (path, waits) in waiting.chain(unjoined.map(|path| (path, false))) {
            let hash = self.trees.local.get(path).and_then(Node::hash);
            if let Some(hash) = hash.filter(|hash| contents.contains(hash))
                && (waits || self.is_unjoined(path))
            {
                let may_come = |path: &&RelPath| waits && self.is_due(path, now);
                let place: &mut Place<'_> = places.entry(hash).or_default();
                place.many += 1;
                place.path = place.path.or_else(|| Some(path).filter(may_come));
            }
        }
        places
    }

    /// Sees to it that what moved just after it came outlives a loss of power.
    fn are_durable(&self, moves: &Moves) -> bool {
        let fresh = moves.to.iter();
        let fresh = fresh.filter(|(path, _)| !self.keep.has_stored(path));
        let places: BTreeSet<_> = fresh.map(|(_, place)| place).collect();
        places.is_empty() || self.disk.root().make_durable(places.into_iter()).is_ok()
    }
}
