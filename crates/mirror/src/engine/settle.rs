//! The one decision that everything else follows from: three trees at one path.
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use slipway_sync::reconcile::{Decision, reconcile};

use super::state::State;
use crate::notice::Notice;

impl State {
    /// Whether nothing is decided about a path: the rules leave it out, or what stands there cannot be seen.
    pub(super) fn is_out_of_sight(&self, path: &RelPath) -> bool {
        let is_folder = [&self.base, &self.local, &self.remote]
            .iter()
            .any(|tree| tree.get(path).is_some_and(Node::is_folder));
        self.rules.ignores(path, is_folder)
            || self.root_unknown
            || self
                .unknown
                .iter()
                .any(|folder| path == folder || path.is_below(folder))
    }

    /// Compares the three trees at a path and does what follows on this side.
    pub(super) fn settle(&mut self, path: &RelPath) {
        if !self.in_step && self.listing.is_none() {
            return;
        }
        self.to_propose.remove(path);
        self.contents.unwant(path);
        self.troubles.unapplied.remove(path);
        if self.is_out_of_sight(path) {
            return;
        }
        if self.local.contains_key(path) {
            self.deletions.over(path);
        }
        let (base, local, remote) = (
            self.base.get(path),
            self.local.get(path),
            self.remote.get(path),
        );
        let decision = reconcile(base, local, remote);
        let tells = !matches!(
            decision,
            Decision::Nothing | Decision::Adopt | Decision::Apply
        );
        if tells && self.is_torn(path) || self.misjudges(path, &decision) {
            return;
        }
        match decision {
            Decision::Nothing => self.troubles.over(path),
            Decision::Adopt => {
                let agreed = self.local.get(path).cloned();
                self.agree(path, agreed);
                self.troubles.over(path);
            }
            Decision::Propose | Decision::ProposeAnew => self.offer(path),
            Decision::Apply => self.apply(path),
            Decision::Restore => {
                self.apply(path);
                if self.local.contains_key(path) {
                    self.notice(Notice::Restored(path.clone()));
                }
            }
            Decision::Conflict => self.conflict(path),
        }
    }
}
