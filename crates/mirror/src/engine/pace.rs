//! How often a path may be looked at or proposed, when it changes all the time. The last state always comes through.
use std::collections::HashMap;
use std::time::Duration;

use slipway_core::path::RelPath;
use tokio::time::Instant;

/// A file that is being written is looked at again this soon.
const AGAIN: Duration = Duration::from_millis(12);
/// And this often while that lasts only a moment; a flush waits as long.
const MOMENT: Duration = Duration::from_millis(120);
/// Longest pause of any kind.
const LONGEST: Duration = Duration::from_secs(10);
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

/// Files that are being written.
#[derive(Debug, Default)]
pub(super) struct Held(HashMap<RelPath, (Instant, Pause)>);

impl Held {
    /// A file was seen in the middle of a write; tells when to look again.
    pub(super) fn hold(&mut self, path: &RelPath, now: Instant) -> Instant {
        let known = self.0.get(path).copied();
        let since = known.map_or(now, |(since, _)| since);
        let before = known
            .map(|(_, pause)| pause)
            .filter(|_| now - since >= MOMENT);
        let pause = Pause::after(before, AGAIN, now);
        self.0.insert(path.clone(), (since, pause));
        pause.at
    }

    pub(super) fn release(&mut self, path: &RelPath) {
        self.0.remove(path);
    }

    /// Whether a look would come too early.
    pub(super) fn is_early(&self, path: &RelPath, now: Instant) -> bool {
        self.0
            .get(path)
            .is_some_and(|(since, pause)| now - *since >= MOMENT && pause.at > now)
    }

    /// Held only for a moment so far, so that waiting for it makes sense.
    pub(super) fn is_fresh(&self, path: &RelPath, now: Instant) -> bool {
        self.0
            .get(path)
            .is_some_and(|(since, _)| now - *since < MOMENT)
    }

    /// Whether it may be held as what it was: a moment long at most.
    pub(super) fn may_hold(&self, path: &RelPath, now: Instant) -> bool {
        !self.0.contains_key(path) || self.is_fresh(path, now)
    }

    pub(super) fn fresh(&self, now: Instant) -> impl Iterator<Item = &RelPath> {
        self.0.keys().filter(move |path| self.is_fresh(path, now))
    }

    pub(super) fn due(&self, now: Instant) -> Vec<RelPath> {
        let due = self.0.iter().filter(|(_, (_, pause))| pause.at <= now);
        due.map(|(path, _)| path.clone()).collect()
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().map(|(_, pause)| pause.at).min()
    }
}

/// When each path was proposed.
#[derive(Debug, Default)]
pub(super) struct Pace {
    proposed: HashMap<RelPath, (Instant, usize)>,
    /// When there are so many, those that are calm are forgotten.
    many: usize,
}

impl Pace {
    /// The earliest time of a path's next proposal.
    pub(super) fn earliest(&self, path: &RelPath) -> Option<Instant> {
        self.proposed
            .get(path)
            .map(|(last, level)| *last + PAUSES[*level])
    }

    /// A path is calm: its next proposal waits for nothing.
    pub(super) fn forget(&mut self, path: &RelPath) {
        self.proposed.remove(path);
    }

    /// A path is proposed.
    pub(super) fn proposed(&mut self, path: &RelPath, now: Instant) {
        if self.proposed.len() >= self.many {
            self.proposed
                .retain(|_, (last, level)| now < *last + PAUSES[*level] + CALM);
            // So that looking at all of them costs each little.
            self.many = (2 * self.proposed.len()).max(REMEMBERED);
        }
        let level = match self.proposed.get(path) {
            Some((last, level)) if now < *last + PAUSES[*level] + CALM => {
                (level + 1).min(PAUSES.len() - 1)
            }
            _ => 0,
        };
        self.proposed.insert(path.clone(), (now, level));
    }

    /// The hub had it otherwise, or not enough of it: the next proposal waits at least a little.
    pub(super) fn in_vain(&mut self, path: &RelPath, now: Instant) {
        let entry = self.proposed.entry(path.clone()).or_insert((now, 0));
        *entry = (now, entry.1.max(1));
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
        assert!(!held.is_fresh(&path, now));
    }
}
