//! Spellings on volumes that fold names. Each side may spell a name otherwise: where both made it, the hub's spelling holds;
//! where one of them renamed it, that is a rename like another.
use std::collections::BTreeSet;

use slipway_core::path::RelPath;

use super::state::State;
use crate::local::By;

impl State {
    /// Looks at one path, and below it if it is a folder. The folder above it is known.
    pub(super) fn scan_path(&mut self, path: &RelPath, by: By, moved: &mut BTreeSet<RelPath>) {
        if let Ok(Some(kept)) = self.disk.respelled(path) {
            self.gone(path, by, moved);
            self.scan_named(&kept, by, moved);
        } else {
            self.scan_named(path, by, moved);
        }
    }

    /// The volume may have kept another spelling of what the hub has, here or in a folder above: it takes the hub's, so
    /// that what is there is compared with it.
    pub(super) fn respell(&mut self, path: &RelPath) {
        let above: Vec<_> = path.ancestors().collect();
        for path in above.iter().rev().chain([path]) {
            if self.trees.local.contains_key(path) || !self.trees.remote.contains_key(path) {
                continue;
            }
            let Ok(Some(kept)) = self.disk.respelled(path) else {
                continue;
            };
            // What the hub has by the other spelling, or will, is another name there.
            let is_ours = !self.trees.remote.contains_key(&kept)
                && !self.proposals.may_have_told(&kept)
                && !self.is_outsider(&kept);
            if is_ours && self.disk.rename(&kept, path).is_ok() {
                self.proposals.take_away([&kept]);
                let moved = self.taken_away(&kept);
                self.has_moved(&moved);
                self.sight.look_again(path);
            }
        }
    }
}
