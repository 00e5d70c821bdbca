//! How often a path may be looked at or proposed, when it changes all the time. The last state always comes through.
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use slipway_core::path::RelPath;
use tokio::time::Instant;

/// A file that is being written is looked at again this soon.
const AGAIN: Duration = Duration::from_millis(12);
/// And this often while that lasts only a moment; a flush waits as long.
const MOMENT: Duration = Duration::from_millis(120);
/// Longest pause of any kind.
const LONGEST: Duration = Duration::from_secs(10);
/// A file whose stamps are too young to tell of a write is read once more after this: when many are written at a time,
/// after all of them.
const GROWN: Duration = Duration::from_millis(500);
/// From one proposal of a path to the next, while one follows on the other.
const PAUSES: [Duration; 4] = [
    Duration::ZERO,
    Duration::from_millis(250),
    Duration::from_secs(2),
    LONGEST,
];
/// A change that comes later than this after the pause does not follow on the one before.
const CALM: Duration = Duration::from_secs(1);
/// Paths that are remembered without a look whether they are calm by now.
const REMEMBERED: usize = 4_096;

/// A time that comes later and later while a try fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    pub(super) at: Instant,
    length: Duration,
}

impl Pause {
    /// The next try after one that failed.
    pub(super) fn after(before: Option<Self>, shortest: Duration, now: Instant) -> Self {
        let length = before.map_or(shortest, |before| (before.length * 2).min(LONGEST));
        Self {
            at: now + length,
            length,
        }
    }
}

/// A file that is being written.
#[derive(Clone, Copy, Debug)]
struct Hold {
    /// When that was seen first, and last.
    since: Instant,
    seen: Instant,
    /// Until the next look.
    pause: Pause,
    /// That look is under way.
    is_due: bool,
}

impl Hold {
    fn is_over(&self, now: Instant) -> bool {
        now - self.since >= MOMENT
    }
}

/// Files that are being written.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<RelPath, Hold>);

impl Held {
    /// A file was seen in the middle of a write; tells when to look again.
    pub(super) fn hold(&mut self, path: &RelPath, now: Instant) -> Instant {
        let known = self.0.get(path);
        let since = known.map_or(now, |hold| hold.since);
        let before = known
            .filter(|hold| hold.is_over(now))
            .map(|hold| hold.pause);
        let pause = Pause::after(before, AGAIN, now);
        let hold = Hold {
            since,
            seen: now,
            pause,
            is_due: false,
        };
        self.0.insert(path.clone(), hold);
        pause.at
    }

    pub(super) fn release(&mut self, path: &RelPath) {
        self.0.remove(path);
    }

    /// Whether one was seen in the middle of a write.
    pub(super) fn contains(&self, path: &RelPath) -> bool {
        self.0.contains_key(path)
    }

    /// Whether a look would come too early.
    pub(super) fn is_early(&self, path: &RelPath, now: Instant) -> bool {
        let hold = self.0.get(path);
        hold.is_some_and(|hold| hold.is_over(now) && hold.pause.at > now)
    }

    /// Held only for a moment when it was looked at last, so that waiting for it makes sense. By that look, not by the
    /// clock: the one that finds what it became may be late.
    pub(super) fn is_fresh(&self, path: &RelPath) -> bool {
        let hold = self.0.get(path);
        hold.is_some_and(|hold| !hold.is_over(hold.seen))
    }

    /// Whether it may be held as what it was: a moment long at most.
    pub(super) fn may_hold(&self, path: &RelPath, now: Instant) -> bool {
        self.0.get(path).is_none_or(|hold| !hold.is_over(now))
    }

    pub(super) fn fresh(&self) -> impl Iterator<Item = &RelPath> {
        self.0.keys().filter(|path| self.is_fresh(path))
    }

    /// Those to look at now. What that look does not find in the middle of a write again is held no longer.
    pub(super) fn due(&mut self, now: Instant) -> Vec<RelPath> {
        let due = self.0.iter_mut().filter(|(_, hold)| hold.pause.at <= now);
        due.map(|(path, hold)| {
            hold.is_due = true;
            path.clone()
        })
        .collect()
    }

    /// The look is over.
    pub(super) fn looked(&mut self) {
        self.0.retain(|_, hold| !hold.is_due);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|hold| hold.pause.at).min()
    }
}

/// Files that are read anew at a time: whoever waits for the loop waits for no more than these.
const READ_AT_ONCE: usize = 200;

/// Files that stand as they were when they were read or written, by stamps that were too young to tell: each is read anew
/// when a later write would show.
#[derive(Debug, Default)]
pub(super) struct Young {
    paths: BTreeSet<RelPath>,
    at: Option<Instant>,
    /// Those of the look that goes on.
    grown: BTreeSet<RelPath>,
}

impl Young {
    pub(super) fn add(&mut self, path: &RelPath, now: Instant) {
        self.paths.insert(path.clone());
        self.at.get_or_insert(now + GROWN);
    }

    /// When to look at them.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.at
    }

    /// Those to look at now; the rest waits for what else there is to do.
    pub(super) fn due(&mut self, now: Instant) -> BTreeSet<RelPath> {
        if self.at.take_if(|at| *at <= now).is_none() {
            return BTreeSet::new();
        }
        let later = self.paths.iter().nth(READ_AT_ONCE).cloned();
        let later = later.map(|later| self.paths.split_off(&later));
        self.grown = std::mem::replace(&mut self.paths, later.unwrap_or_default());
        self.at = (!self.paths.is_empty()).then_some(now);
        self.grown.clone()
    }

    /// Whether it is the time of a file, once.
    pub(super) fn is_grown(&mut self, path: &RelPath) -> bool {
        self.grown.remove(path)
    }
}

/// A path's last proposal.
#[derive(Clone, Copy, Debug)]
struct Proposal {
    at: Instant,
    level: usize,
    /// It waited for its content, which has come: the next one is the same once more.
    goes_on: bool,
}

impl Proposal {
    const fn new(at: Instant, level: usize) -> Self {
        let goes_on = false;
        Self { at, level, goes_on }
    }

    fn earliest(&self) -> Instant {
        self.at + PAUSES[self.level]
    }
}

/// When each path was proposed.
#[derive(Debug, Default)]
pub(super) struct Pace {
    proposed: HashMap<RelPath, Proposal>,
    /// When there are so many, those that are calm are forgotten.
    many: usize,
}

impl Pace {
    /// The earliest time of a path's next proposal.
    pub(super) fn earliest(&self, path: &RelPath) -> Option<Instant> {
        let last = self.proposed.get(path).filter(|last| !last.goes_on)?;
        Some(last.earliest())
    }

    /// A path is calm: its next proposal waits for nothing.
    pub(super) fn forget(&mut self, path: &RelPath) {
        self.proposed.remove(path);
    }

    /// The content that a path's last proposal waited for has come.
    pub(super) fn goes_on(&mut self, path: &RelPath) {
        if let Some(last) = self.proposed.get_mut(path) {
            last.goes_on = true;
        }
    }

    /// A path is proposed.
    pub(super) fn proposed(&mut self, path: &RelPath, now: Instant) {
        let follows = |last: &Proposal| now < last.earliest() + CALM;
        if self.proposed.len() >= self.many {
            self.proposed.retain(|_, last| follows(last));
            // So that looking at all of them costs each little.
            self.many = (2 * self.proposed.len()).max(REMEMBERED);
        }
        let level = match self.proposed.get(path) {
            Some(last) if last.goes_on => last.level,
            Some(last) if follows(last) => (last.level + 1).min(PAUSES.len() - 1),
            _ => 0,
        };
        self.proposed
            .insert(path.clone(), Proposal::new(now, level));
    }

    /// The hub had it otherwise, or not enough of it: the next proposal waits at least a little.
    pub(super) fn in_vain(&mut self, path: &RelPath, now: Instant) {
        let level = self.proposed.get(path).map_or(0, |last| last.level);
        self.proposed
            .insert(path.clone(), Proposal::new(now, level.max(1)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_all_the_time_is_proposed_less_and_less_and_what_is_calm_at_once() {
        let path = RelPath::parse("log.txt").unwrap();
        let (mut pace, mut now) = (Pace::default(), Instant::now());
        let begin = now;
        let mut times = Vec::new();
        while now - begin < Duration::from_secs(30) {
            if pace.earliest(&path).is_none_or(|at| at <= now) {
                pace.proposed(&path, now);
                times.push(now - begin);
            }
            now += Duration::from_millis(50);
        }
        assert!((5..9).contains(&times.len()), "{times:?}");
        now += Duration::from_secs(20);
        pace.proposed(&path, now);
        assert!(pace.earliest(&path).is_some_and(|at| at <= now));
    }

    #[test]
    fn young_files_are_looked_at_together_and_once() {
        let path = |name: &str| RelPath::parse(name).unwrap();
        let (mut young, now) = (Young::default(), Instant::now());
        young.add(&path("a"), now);
        young.add(&path("b"), now + GROWN / 2);
        assert!(young.due(now + GROWN / 2).is_empty());
        assert_eq!(young.next(), Some(now + GROWN));
        assert_eq!(young.due(now + GROWN).len(), 2);
        assert!(young.is_grown(&path("b")) && !young.is_grown(&path("b")));
        assert!(young.next().is_none() && young.due(now + 2 * GROWN).is_empty());
        for number in 0..=READ_AT_ONCE {
            young.add(&path(&format!("n{number}")), now);
        }
        let now = now + GROWN;
        assert_eq!(young.due(now).len(), READ_AT_ONCE);
        assert_eq!(young.next(), Some(now));
        assert_eq!(young.due(now).len(), 1);
    }

    #[test]
    fn a_proposal_that_waited_for_its_content_counts_once() {
        let path = RelPath::parse("big.bin").unwrap();
        let (mut pace, now) = (Pace::default(), Instant::now());
        for many in 0..2 {
            // A change, and the same once more when its content has come.
            let begin = now + many * Duration::from_millis(300);
            pace.proposed(&path, begin);
            pace.goes_on(&path);
            let later = begin + Duration::from_millis(100);
            assert!(pace.earliest(&path).is_none_or(|at| at <= later));
            pace.proposed(&path, later);
        }
        let last = now + Duration::from_millis(400);
        assert_eq!(pace.earliest(&path), Some(last + PAUSES[1]));
    }

    #[test]
    fn a_file_that_is_written_for_long_is_looked_at_less_and_holds_nobody_up() {
        let path = RelPath::parse("big.bin").unwrap();
        let (mut held, mut now) = (Held::default(), Instant::now());
        let begin = now;
        let mut looks = 0;
        while now - begin < Duration::from_secs(60) {
            if !held.is_early(&path, now) {
                held.hold(&path, now);
                looks += 1;
            }
            now += AGAIN;
        }
        assert!(looks < 40, "{looks}");
        assert!(!held.is_fresh(&path));
    }

    #[test]
    fn who_waits_for_a_file_waits_for_the_look_that_finds_what_it_became() {
        let path = RelPath::parse("a.txt").unwrap();
        let (mut held, now) = (Held::default(), Instant::now());
        held.hold(&path, now);
        let late = now + MOMENT * 3;
        assert!(held.is_fresh(&path) && held.due(late) == [path.clone()]);
        assert!(!held.may_hold(&path, late));
        held.hold(&path, late);
        assert!(!held.is_fresh(&path));
    }
}
