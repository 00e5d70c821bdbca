//! When the watcher rests: woken for each file of a flood it takes as long as what it hears of.
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long at a time; the system gathers meanwhile. Shorter than changes gather in any case.
const REST: Duration = Duration::from_millis(8);
/// In between it hears this long, which is enough for what gathered.
const AWAKE: Duration = Duration::from_millis(1);
/// After a calm of this length few events may follow each other at once: a save is no flood.
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
    last: Instant,
    /// Events since the last calm.
    many: u32,
    awake_until: Instant,
}

impl Pace {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            last: now,
            many: 0,
            awake_until: now,
        }
    }

    /// After an event: whether it is time to rest.
    pub(super) fn is_tired(&mut self, now: Instant) -> bool {
        if now.duration_since(self.last) > CALM {
            self.many = 0;
        }
        self.last = now;
        self.many = self.many.saturating_add(1);
        self.many > FEW && now >= self.awake_until
    }

    /// A rest is over.
    pub(super) fn rested(&mut self, now: Instant) {
        self.last = now;
        self.awake_until = now + AWAKE;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn it_rests_in_a_flood_and_not_within_a_save() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        let mut saves = (0..100).map(|_| {
            now += CALM + AWAKE;
            (0..FEW).any(|_| pace.is_tired(now))
        });
        assert!(!saves.any(|tired| tired));
        now += CALM + AWAKE;
        let heard = (0..=FEW).take_while(|_| !pace.is_tired(now)).count();
        assert_eq!(heard, FEW as usize);
        pace.rested(now);
        assert!(!pace.is_tired(now), "what gathered is heard");
        assert!(pace.is_tired(now + AWAKE));
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
