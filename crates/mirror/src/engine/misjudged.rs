//! Decisions as others got them wrong, for bugs that are planted; in a product there are none.
use slipway_core::path::RelPath;
use slipway_sync::reconcile::Decision;

use super::state::State;
use crate::planted::{self, Bug};

impl State {
    /// Does the wrong thing about a path if a bug of this kind is planted; tells whether it did.
    pub(super) fn misjudges(&mut self, path: &RelPath, decision: &Decision) -> bool {
        match decision {
            Decision::Conflict
                if planted::is(Bug::LocalWins) && !self.trees.base.contains_key(path) =>
            {
                self.overrule(path);
            }
            Decision::Restore if planted::is(Bug::DeletionWins) => self.overrule(path),
            Decision::Apply
                if planted::is(Bug::KnownIsConflict)
                    && self.trees.local.contains_key(path)
                    && self.trees.remote.contains_key(path) =>
            {
                self.make_copy(path).ok();
            }
            _ => return false,
        }
        true
    }

    /// What is here wins, whatever the hub has.
    fn overrule(&mut self, path: &RelPath) {
        let remote = self.trees.remote.get(path).cloned();
        self.agree(path, remote);
        self.offer(path);
    }
}
