//! Trying again: later and later, never all clients at once, and only what may pass by itself.
use std::time::Duration;

use crate::clock;
use crate::error::ClientError;

/// Before the second try.
const FIRST: Duration = Duration::from_millis(500);
/// Between tries at most; a person who plugs the cable in again waits no longer.
const LONGEST: Duration = Duration::from_secs(15);

/// How long to wait before the next try.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// The time until the next try; `chance` is from 0 to 1, so that clients of one server come back one after another.
    #[must_use]
    pub fn after(&mut self, chance: f64) -> Duration {
        let whole = FIRST.saturating_mul(1 << self.tries.min(16)).min(LONGEST);
        self.tries = self.tries.saturating_add(1);
        whole.mul_f64(f64::midpoint(1.0, chance.clamp(0.0, 1.0)))
    }

    /// It worked: the next failure is the first again.
    pub fn worked(&mut self) {
        self.tries = 0;
    }
}

/// Attempts something until it works or fails for a reason that does not pass; `lost` hears of each other failure.
///
/// # Errors
/// What does not pass by itself.
pub async fn persist<T>(
    lost: impl FnMut(&ClientError),
    attempt: impl AsyncFnMut() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let mut backoff = Backoff::default();
    let wait = async || tokio::time::sleep(backoff.after(clock::chance())).await;
    persist_with(wait, lost, attempt).await
}

async fn persist_with<T>(
    mut wait: impl AsyncFnMut(),
    mut lost: impl FnMut(&ClientError),
    mut attempt: impl AsyncFnMut() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    loop {
        match attempt().await {
            Err(error) if error.is_passing() => lost(&error),
            done => return done,
        }
        wait().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_come_later_and_later_up_to_a_bound_and_apart_by_chance() {
        let mut backoff = Backoff::default();
        let waits: Vec<Duration> = (0..8).map(|_| backoff.after(1.0)).collect();
        assert_eq!(waits[..3], [FIRST, 2 * FIRST, 4 * FIRST]);
        assert_eq!(waits[7], LONGEST);
        backoff.worked();
        assert_eq!(backoff.after(0.0), FIRST / 2);
    }

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_does_not_is_told() {
        let (mut tried, mut heard) = (0, 0);
        let result: Result<(), _> = persist_with(
            async || {},
            |_| heard += 1,
            async || {
                tried += 1;
                Err(match tried {
                    1 | 2 => ClientError::Protocol("the connection is closed".to_owned()),
                    _ => ClientError::Closed {
                        code: "sign_in_expired".to_owned(),
                        message: String::new(),
                    },
                })
            },
        )
        .await;
        assert!(matches!(result, Err(ClientError::Closed { .. })));
        assert_eq!((tried, heard), (3, 2));
    }
}
