//! The one decision that everything else follows from: three trees at one path.
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use slipway_sync::reconcile::{Decision, reconcile};

use super::scan::below;
use super::state::State;
use crate::disk::Seen;
use crate::notice::Notice;

impl State {
    /// Whether nothing is decided about a path: the rules leave it out, or what stands there cannot be seen.
    pub(super) fn is_out_of_sight(&self, path: &RelPath) -> bool {
        self.is_left_out(path) || self.sight.is_unseen(path)
    }

    fn is_left_out(&self, path: &RelPath) -> bool {
        self.rules.ignores(path, self.trees.has_folder(path))
    }

    /// Whether what stands on the disk at a path, or above it, is nothing that syncs: the rules leave it out, or it is neither
    /// a file nor a folder nor a link. It is never touched, so that nothing else can stand there.
    pub(super) fn is_taken(&self, path: &RelPath) -> bool {
        let mut whole = path.ancestors().chain([path.clone()]);
        !self.trees.local.contains_key(path) && whole.any(|part| self.is_outsider(&part))
    }

    /// The same of the path alone, by the spelling in which the volume keeps it.
    pub(super) fn is_outsider(&self, path: &RelPath) -> bool {
        let kept = self.disk.respelled(path).ok().flatten();
        let kept = kept.as_ref().unwrap_or(path);
        match self.disk.root().look(kept) {
            Ok(Some(Seen::Other)) => true,
            Ok(Some(found)) => self.rules.ignores(kept, found == Seen::Folder),
            Ok(None) | Err(_) => false,
        }
    }

    /// Whether the hub lists something in place of a folder, and its listing did not end yet, which tells that what lay in the
    /// folder is gone.
    fn is_half_listed(&self, path: &RelPath) -> bool {
        let is_folder = self.trees.remote.get(path).is_none_or(Node::is_folder);
        !is_folder && below(&self.trees.remote, path).next().is_some()
    }

    /// Compares the three trees at a path and does what follows on this side.
    pub(super) fn settle(&mut self, path: &RelPath) {
        if !self.hub.in_step && (self.hub.listing.is_none() || self.is_half_listed(path)) {
            return;
        }
        self.proposals.waiting.remove(path);
        self.contents.unwant(path);
        self.troubles.tries(path);
        if self.is_left_out(path) {
            return self.troubles.over(path);
        }
        if self.sight.is_unseen(path) {
            return;
        }
        if self.trees.local.contains_key(path) {
            self.deletions.over(path);
        }
        let (base, local, remote) = (
            self.trees.base.get(path),
            self.trees.local.get(path),
            self.trees.remote.get(path),
        );
        let decision = reconcile(base, local, remote);
        let tells = !matches!(
            decision,
            Decision::Nothing | Decision::Adopt | Decision::Apply
        );
        if tells && self.mend_if_torn(path) || self.misjudges(path, &decision) {
            return;
        }
        match decision {
            Decision::Nothing => self.troubles.over(path),
            Decision::Adopt => {
                let agreed = self.trees.local.get(path).cloned();
                self.adopt(path, agreed);
                self.troubles.over(path);
            }
            Decision::Propose | Decision::ProposeAnew => self.offer(path),
            Decision::Apply => self.apply(path),
            Decision::Restore => {
                self.apply(path);
                if self.trees.local.contains_key(path) {
                    self.notice(Notice::Restored(path.clone()));
                }
            }
            Decision::Conflict => self.conflict(path),
        }
    }
}
