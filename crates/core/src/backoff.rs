//! How long to wait before another try: later and later, and by chance, so that not all come back in the same moment.
use std::time::Duration;

/// The pauses of one thing that is tried again and again.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    tries: u32,
}

impl Backoff {
    /// From this pause on, twice as long each time, up to that one.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            first,
            longest,
            tries: 0,
        }
    }

    /// The pause before the next try; `chance` is from 0 to 1 and takes up to a half of it away.
    #[must_use]
    pub fn after(&mut self, chance: f64) -> Duration {
        let whole = self.first.saturating_mul(1 << self.tries.min(16));
        self.tries = self.tries.saturating_add(1);
        whole
            .min(self.longest)
            .mul_f64(1.0 - chance.clamp(0.0, 1.0) / 2.0)
    }

    /// It worked, or somebody asked: the next failure is the first again.
    pub const fn worked(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_later_and_later_up_to_a_bound_and_apart_by_chance() {
        let second = Duration::from_secs(1);
        let mut backoff = Backoff::new(second, 15 * second);
        let waits: Vec<Duration> = (0..8).map(|_| backoff.after(0.0)).collect();
        assert_eq!(
            waits[..5],
            [second, 2 * second, 4 * second, 8 * second, 15 * second]
        );
        assert_eq!(waits[7], 15 * second);
        backoff.worked();
        assert_eq!(backoff.after(1.0), second / 2);
    }
}
