//! Of very much that is new a look reads a part, and leaves the rest to the next one: meanwhile the hub hears of what was
//! read. Only what no tree knows of is left, as if it had come a moment later, so that nothing is taken for gone.
use std::collections::BTreeSet;

use slipway_core::path::RelPath;
use slipway_sync::ignore::RULES_FILE;

use super::state::State;
use crate::local::By;

impl State {
    /// New files that the next look reads: all of them where nobody is told meanwhile, or somebody waits for all.
    pub(super) fn new_at_once(&self) -> usize {
        match self.hub.in_step && !self.reports.is_flushing() {
            true => self.new_at_once,
            false => usize::MAX,
        }
    }

    /// Looks at what was left to this look, as far as it has room.
    pub(super) fn look_at_later(&mut self, moved: &mut BTreeSet<RelPath>) {
        while self.sight.has_room()
            && let Some(path) = self.sight.later.pop_first()
        {
            self.scan_path(&self.first_unknown(path), By::Disk, moved);
        }
    }

    /// Leaves something of which no tree knows to the next look, if this one has read enough. What is left out depends on
    /// the rules, which are never late.
    pub(super) fn put_off_if_full(&mut self, path: &RelPath) -> bool {
        let is_put_off = !self.sight.has_room() && path.as_str() != RULES_FILE;
        if is_put_off {
            self.sight.later.insert(path.clone());
        }
        is_put_off
    }
}
