//! Mass deletions: told of, and held back where a person is to be asked first.
use std::collections::BTreeSet;
use std::time::Duration;

use slipway_core::path::RelPath;
use slipway_sync::brake::is_mass_deletion;
use tokio::time::Instant;

use super::Brake;
use super::state::State;
use crate::notice::Notice;
use crate::planted::{self, Bug};

/// Deletions that follow each other sooner than this are one: a large tree is seen to go piece by piece.
const CALM: Duration = Duration::from_secs(10);

/// What is known of deletions on this disk.
#[derive(Debug, Default)]
pub(super) struct Deletions {
    /// They wait for a person's word.
    held: BTreeSet<RelPath>,
    /// They have it.
    confirmed: BTreeSet<RelPath>,
    /// How many the hub was told of without a calm moment between them, and when last.
    lately: usize,
    last: Option<Instant>,
    /// This mass deletion was told of.
    told: bool,
}

impl Deletions {
    /// A person deleted these by hand.
    pub(super) fn confirm<'a>(&mut self, paths: impl Iterator<Item = &'a RelPath>) {
        self.confirmed.extend(paths.cloned());
    }

    /// Those that wait for a person's word.
    pub(super) const fn held(&self) -> &BTreeSet<RelPath> {
        &self.held
    }

    /// Something stands at a path again.
    pub(super) fn over(&mut self, path: &RelPath) {
        self.held.remove(path);
        self.confirmed.remove(path);
    }
}

impl State {
    /// Tells of a mass deletion among what is to be proposed, and holds it back where a person is to be asked.
    pub(super) fn mind_the_brake(&mut self, ready: &mut BTreeSet<RelPath>) {
        let (base, local) = (&self.trees.base, &self.trees.local);
        let deletions = &mut self.deletions;
        let is_gone = |path: &RelPath| !local.contains_key(path) && base.contains_key(path);
        deletions.held.retain(is_gone);
        deletions.confirmed.retain(is_gone);
        let fresh = |path: &&RelPath| is_gone(path) && !deletions.confirmed.contains(*path);
        let fresh: Vec<RelPath> = ready.iter().filter(fresh).cloned().collect();
        if fresh.is_empty() {
            return;
        }
        let now = Instant::now();
        if deletions.last.is_none_or(|last| now - last >= CALM) {
            deletions.lately = 0;
        }
        // Of what was told before, nothing waits any more, or nothing went just now: this is another.
        let is_another = match self.brake {
            Brake::Ask => deletions.held.is_empty(),
            Brake::Tell => deletions.lately == 0,
        };
        deletions.told &= !is_another;
        deletions.held.extend(fresh);
        let many = deletions.held.len() + deletions.lately;
        let of = base.len() + deletions.lately;
        let is_mass = is_mass_deletion(many, of, self.tracked_min);
        let held = is_mass && self.brake == Brake::Ask && !planted::is(Bug::Unasked);
        if held {
            ready.retain(|path| !deletions.held.contains(path));
        } else {
            deletions.lately = many;
            deletions.last = Some(now);
            ready.append(&mut deletions.held);
        }
        let was_told = std::mem::replace(&mut deletions.told, is_mass);
        if is_mass && !was_told {
            let held = deletions.held.len();
            self.notice(Notice::Deleted { many, of, held });
        }
    }

    /// A person wants what was held back to stay: it comes again from the hub, as something that was never here.
    pub(super) fn bring_back(&mut self) -> usize {
        let held = std::mem::take(&mut self.deletions.held);
        for path in &held {
            self.agree(path, None);
        }
        let many = held.len();
        self.settle_all(held);
        many
    }

    /// A person wants what was held back to be deleted.
    pub(super) fn confirm(&mut self) {
        let held = std::mem::take(&mut self.deletions.held);
        self.deletions.confirmed.extend(held.iter().cloned());
        self.settle_all(held);
    }
}
