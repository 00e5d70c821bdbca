//! Decisions as others got them wrong, for bugs that are planted; in a product there are none.
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use slipway_sync::reconcile::Decision;

use super::sight::Print;
use super::state::State;
use crate::disk::{Expected, Seen, Was};
use crate::local::By;
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
            Decision::ProposeAnew if self.moves_unseen(path) => drop(self.taken_away(path)),
            Decision::Apply if planted::is(Bug::SpellingGoes) => {
                self.takes_spellings_for_one(path);
                return false;
            }
            _ => return false,
        }
        true
    }

    /// Renames what stands here at a path, from which it moved at the hub, over what is there; tells whether it did.
    pub(super) fn moves_unseen(&mut self, path: &RelPath) -> bool {
        let base = self.trees.base.get(path);
        let Some(was) = base.filter(|was| was.hash().is_some() && planted::is(Bug::MovedUnseen))
        else {
            return false;
        };
        let is_it = |(to, node): &(&RelPath, &Node)| {
            *node == was && self.trees.base.get(*to) != Some(*node)
        };
        let moved = self.trees.remote.iter().find(is_it);
        let Some((to, node)) = moved.map(|(to, node)| (to.clone(), node.clone())) else {
            return false;
        };
        if let Ok(aside) = self.disk.set_aside(&to) {
            self.disk.private().discard(&aside);
        }
        if self.disk.rename(path, &to).is_err() {
            return false;
        }
        if let Ok(Some(Seen::File(print))) = self.disk.root().look(&to) {
            let settled = true;
            self.sight
                .prints
                .insert(to.clone(), Print { print, settled });
        }
        self.disk_has(&to, Some(node.clone()), By::Hub);
        self.agree(&to, Some(node));
        true
    }

    /// What is known of the file that another spelling of a name finds.
    pub(super) fn by_another_spelling(&self, path: &RelPath) -> Option<Was> {
        if !planted::is(Bug::OverSpelling) {
            return None;
        }
        match self.expected(&self.disk.respelled(path).ok()??)? {
            Expected::File(was) => Some(was),
            _ => None,
        }
    }

    /// What goes by one spelling is known by the other that the hub has by now.
    fn takes_spellings_for_one(&mut self, path: &RelPath) {
        let local = self.trees.local.get(path);
        let is_it = |(other, node): &(&RelPath, &Node)| {
            *other != path && other.fold_key() == path.fold_key() && Some(*node) == local
        };
        let alike = self.trees.remote.iter().find(is_it);
        let Some((other, node)) = alike.map(|(other, node)| (other.clone(), node.clone())) else {
            return;
        };
        if self.disk.respelled(&other).is_ok_and(|kept| kept.is_some()) {
            self.disk_has(&other, Some(node.clone()), By::Hub);
            self.agree(&other, Some(node));
        }
    }

    /// What is here wins, whatever the hub has.
    fn overrule(&mut self, path: &RelPath) {
        let remote = self.trees.remote.get(path).cloned();
        self.agree(path, remote);
        self.offer(path);
    }
}
