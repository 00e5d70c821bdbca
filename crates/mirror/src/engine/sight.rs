//! What of the disk is to be looked at, and when; and what cannot be seen.
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use slipway_core::path::RelPath;
use tokio::time::Instant;

use super::pace::{Held, Young};
use crate::disk::Fingerprint;

/// Changes gather this long: an editor's save is several events.
const QUIET: Duration = Duration::from_millis(12);
/// Many of them gather for as long as more come, up to this: a look at each few of a checkout's files slows it more than it
/// gains.
const FLOOD: Duration = Duration::from_millis(100);
const MANY: usize = 32;
/// What belongs to a change that was heard is heard within this, though the watcher rests between.
const FOLLOWS: Duration = Duration::from_millis(9);
/// A look at everything, for what no event told.
const AUDIT: Duration = Duration::from_secs(600);
/// The same while some folders are not watched; longer where a look takes long, so that it stays a small part of a core.
const AUDIT_PARTIAL: Duration = Duration::from_secs(2);
const AUDIT_PARTIAL_MAX: Duration = Duration::from_secs(30);
const AUDIT_SHARE: u32 = 50;

/// A file's state when it was hashed.
#[derive(Clone, Copy)]
pub(super) struct Print {
    pub(super) print: Fingerprint,
    /// A later write would show in the stamps.
    pub(super) settled: bool,
}

/// What is known of the disk beside its tree.
pub(super) struct Sight {
    pub(super) prints: HashMap<RelPath, Print>,
    /// Paths that something happened to.
    pub(super) dirty: BTreeSet<RelPath>,
    /// All paths are to be looked at.
    pub(super) everything: bool,
    /// Files and folders that a look found, that no tree knows anything of, and that wait for the next one.
    pub(super) later: BTreeSet<RelPath>,
    /// New files that a look may still read; outside of one, as many as there are.
    room: usize,
    /// When that is done, both.
    at: Option<Instant>,
    /// And how long it may be put off for the sake of more.
    gathers_until: Instant,
    audit_at: Instant,
    /// Folders whose content cannot be seen: nothing below them is decided.
    pub(super) unknown: BTreeSet<RelPath>,
    pub(super) root_unknown: bool,
    pub(super) held: Held,
    pub(super) young: Young,
    /// Something was moved to a copy that no look has found yet.
    pub(super) moved_aside: bool,
}

impl Default for Sight {
    fn default() -> Self {
        Self {
            prints: HashMap::new(),
            dirty: BTreeSet::new(),
            everything: true,
            later: BTreeSet::new(),
            room: usize::MAX,
            at: None,
            gathers_until: Instant::now(),
            audit_at: Instant::now() + AUDIT,
            unknown: BTreeSet::new(),
            root_unknown: false,
            held: Held::default(),
            young: Young::default(),
            moved_aside: false,
        }
    }
}

impl Sight {
    /// When something is to be looked at.
    pub(super) fn next(&self) -> Option<Instant> {
        let all = [
            self.at,
            self.held.next(),
            self.young.next(),
            Some(self.audit_at),
        ];
        all.into_iter().flatten().min()
    }

    /// Whether it is time for a look, also at paths that wait for their own time, and at more.
    pub(super) fn take_due(&mut self, now: Instant, more: Vec<RelPath>) -> bool {
        let mut again = more;
        again.extend(self.held.due(now));
        again.extend(self.young.due(now));
        let is_due = self.at.is_some_and(|at| at <= now) || !again.is_empty();
        self.dirty.extend(again);
        is_due
    }

    /// Whether it is time to look at everything.
    pub(super) fn is_audit_due(&self, now: Instant) -> bool {
        self.audit_at <= now
    }

    /// A look at everything or at what is dirty has begun.
    pub(super) fn begin(&mut self) {
        self.at = None;
        self.moved_aside = false;
    }

    /// This look reads so many new files.
    pub(super) const fn makes_room_for(&mut self, new: usize) {
        self.room = new;
    }

    /// Whether what is new may be read in this look.
    pub(super) const fn has_room(&self) -> bool {
        self.room > 0
    }

    /// A new file is read.
    pub(super) const fn reads(&mut self) {
        self.room = self.room.saturating_sub(1);
    }

    /// Whether the last look left something to the next.
    pub(super) fn goes_on(&self) -> bool {
        !self.later.is_empty()
    }

    /// A look has ended. What it left to the next is looked at as soon as others had their turn.
    pub(super) fn end(&mut self) {
        self.room = usize::MAX;
        self.held.looked();
        if self.goes_on() {
            self.at = Some(Instant::now());
        }
    }

    /// Looks after a quiet moment.
    pub(super) fn look_soon(&mut self) {
        if self.at.is_none() {
            let now = Instant::now();
            self.at = Some(now + QUIET);
            self.gathers_until = now + FLOOD;
        }
    }

    /// More happened: the moment lasts until what follows on it is heard, and of many changes as long as they come.
    pub(super) fn heard(&mut self) {
        self.look_soon();
        let follows = match self.dirty.len() >= MANY {
            true => QUIET,
            false => FOLLOWS,
        };
        let gathered = self.gathers_until.min(Instant::now() + follows);
        self.at = self.at.max(Some(gathered));
    }

    /// Looks at a path after a quiet moment.
    pub(super) fn look_again(&mut self, path: &RelPath) {
        self.dirty.insert(path.clone());
        self.look_soon();
    }

    /// Whether what stands at a path cannot be seen.
    pub(super) fn is_unseen(&self, path: &RelPath) -> bool {
        let is_it = |folder: &RelPath| path == folder || path.is_below(folder);
        self.root_unknown || self.unknown.iter().any(is_it)
    }

    /// Sets the time of the next look at everything, after one that took so long; sooner where not all is watched.
    pub(super) fn audit_after(&mut self, is_partial: bool, took: Duration) {
        let pause = if is_partial {
            (took * AUDIT_SHARE).clamp(AUDIT_PARTIAL, AUDIT_PARTIAL_MAX)
        } else {
            AUDIT
        };
        self.audit_at = Instant::now() + pause;
    }

    /// The root is looked for again before long.
    pub(super) fn audit_soon(&mut self) {
        self.audit_at = Instant::now() + AUDIT_PARTIAL;
    }

    /// Folders that cannot be watched may have come up between two looks at everything.
    pub(super) fn audit_if_partial(&mut self, is_partial: bool) {
        if is_partial {
            self.audit_at = self.audit_at.min(Instant::now() + AUDIT_PARTIAL_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_look_waits_for_what_follows_on_a_change_but_not_for_ever() {
        let (mut sight, begin) = (Sight::default(), Instant::now());
        sight.heard();
        assert_eq!(sight.at, Some(begin + QUIET));
        tokio::time::advance(QUIET - Duration::from_millis(1)).await;
        sight.heard();
        assert_eq!(sight.at, Some(Instant::now() + FOLLOWS));
        while Instant::now() < begin + FLOOD * 2 {
            tokio::time::advance(Duration::from_millis(5)).await;
            sight.heard();
        }
        assert_eq!(sight.at, Some(begin + FLOOD));
    }
}
