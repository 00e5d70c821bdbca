//! When the watcher rests: woken for each file of a flood it takes as long as what it hears of.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long at a time; the system gathers meanwhile. Shorter than changes gather in any case.
const REST: Duration = Duration::from_millis(8);
/// What gathered follows each other within this; an event that comes later was waited for.
const AT_ONCE: Duration = Duration::from_micros(20);
/// After a calm of this length few events may be waited for: a save is no flood.
const CALM: Duration = Duration::from_millis(50);
const FEW: u32 = 16;

/// Where the watcher's thread rests, and whoever needs it wakes it.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// How many wait for it.
    waiting: Mutex<u32>,
    over: Condvar,
}

impl Rest {
    fn lock(&self) -> MutexGuard<'_, u32> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Rests for a while, unless or until somebody waits.
    pub(super) fn rest(&self) {
        let nobody = |waiting: &mut u32| *waiting == 0;
        drop(self.over.wait_timeout_while(self.lock(), REST, nobody));
    }

    /// Asks something of the watcher, which does not rest meanwhile.
    pub(super) fn awake<T>(&self, ask: impl FnOnce() -> T) -> T {
        *self.lock() += 1;
        self.over.notify_all();
        let answer = ask();
        *self.lock() -= 1;
        answer
    }
}

/// How much happens, as the watcher's thread counts it.
#[derive(Debug)]
pub(super) struct Pace {
    /// Since when it waits for the next event.
    waits: Instant,
    /// Events since the last calm.
    many: u32,
}

impl Pace {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            waits: now,
            many: 0,
        }
    }

    /// An event comes: whether it is one of a flood and was waited for. What has gathered is heard without a rest, or it
    /// would be more and more.
    pub(super) fn is_time_to_rest(&mut self, now: Instant) -> bool {
        let waited = now.duration_since(self.waits);
        if waited > CALM {
            self.many = 0;
        }
        self.many = self.many.saturating_add(1);
        self.many > FEW && waited > AT_ONCE
    }

    /// It waits for the next one.
    pub(super) const fn waits(&mut self, now: Instant) {
        self.waits = now;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Events that come with such pauses: after which of them it rests.
    fn rests(pace: &mut Pace, pauses: &[Duration]) -> Vec<usize> {
        let begin = pace.waits;
        let mut now = begin;
        let mut rests = Vec::new();
        for (place, pause) in pauses.iter().enumerate() {
            now += *pause;
            if pace.is_time_to_rest(now) {
                rests.push(place);
            }
            pace.waits(now);
        }
        rests
    }

    #[test]
    fn it_rests_in_a_flood_and_not_within_a_save() {
        let mut pace = Pace::new(Instant::now());
        let (calm, late) = (CALM * 2, AT_ONCE * 2);
        let save = [&[calm][..], &[late; FEW as usize - 1]].concat();
        assert!(rests(&mut pace, &save.repeat(100)).is_empty());
        let flood = [&[calm][..], &[late; FEW as usize + 1]].concat();
        assert_eq!(rests(&mut pace, &flood), [FEW as usize, FEW as usize + 1]);
    }

    #[test]
    fn what_has_gathered_is_heard_without_a_rest() {
        let mut pace = Pace::new(Instant::now());
        let gathered = [&[CALM * 2][..], &[AT_ONCE; 10_000], &[AT_ONCE * 2]].concat();
        assert_eq!(rests(&mut pace, &gathered), [10_001]);
    }

    #[test]
    fn who_waits_for_it_does_not_wait_for_its_rest() {
        let rest = Arc::new(Rest::default());
        let (tell, told) = std::sync::mpsc::channel();
        let watcher = Arc::clone(&rest);
        rest.awake(|| {
            let thread = std::thread::spawn(move || {
                // While somebody waits a rest is none, however often.
                (0..100_000).for_each(|_| watcher.rest());
                tell.send(()).ok();
            });
            told.recv().unwrap();
            thread.join().unwrap();
        });
    }
}
