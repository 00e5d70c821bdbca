//! Files that go at one path and come at another: both in one batch, so that the hub has them at every instant. It may refuse
//! where they come, so that they are durable here before it gives up what it has.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::state::State;

/// Files that are moved.
#[derive(Default)]
pub(super) struct Moves {
    /// By the path at which one goes, where it comes.
    pub(super) to: BTreeMap<RelPath, RelPath>,
    /// What they hold, which the hub has.
    pub(super) contents: HashSet<ContentHash>,
}

impl State {
    /// Files that come elsewhere among those that go. What may not come yet does not go yet, either.
    pub(super) fn moves(&self, going: &mut BTreeSet<RelPath>, now: Instant) -> Moves {
        let held = |path: &RelPath| self.trees.remote.get(path).and_then(Node::hash);
        let contents: HashSet<_> = going.iter().filter_map(held).collect();
        let mut places: HashMap<ContentHash, &RelPath> = HashMap::new();
        let mut moves = Moves::default();
        if contents.is_empty() {
            return moves;
        }
        for path in &self.proposals.waiting {
            let hash = self.trees.local.get(path).and_then(Node::hash);
            if let Some(hash) = hash.filter(|hash| contents.contains(hash)) {
                let place = places.entry(hash).or_insert(path);
                if !self.is_due(place, now) {
                    *place = path;
                }
            }
        }
        going.retain(|path| {
            let Some((hash, place)) = held(path).and_then(|hash| places.get_key_value(&hash))
            else {
                return true;
            };
            let goes = self.is_due(place, now);
            if goes {
                moves.to.insert(path.clone(), (*place).clone());
                moves.contents.insert(*hash);
            }
            goes
        });
        if !self.are_durable(&moves) {
            going.retain(|path| !moves.to.contains_key(path));
            return Moves::default();
        }
        moves
    }

    /// Sees to it that what moved just after it came outlives a loss of power.
    fn are_durable(&self, moves: &Moves) -> bool {
        let fresh = moves.to.iter();
        let fresh = fresh.filter(|(path, _)| !self.keep.has_stored(path));
        let places: BTreeSet<_> = fresh.map(|(_, place)| place).collect();
        places.is_empty() || self.disk.root().make_durable(places.into_iter()).is_ok()
    }
}
