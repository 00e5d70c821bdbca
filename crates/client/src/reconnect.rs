//! Trying again: later and later, never all clients at once, and only what may pass by itself.
use std::time::Duration;

use slipway_core::backoff::Backoff;

use crate::clock;
use crate::error::ClientError;

/// Before the second try.
const FIRST: Duration = Duration::from_millis(500);
/// Between tries at most; a person who plugs the cable in again waits no longer.
const LONGEST: Duration = Duration::from_secs(15);

/// The pauses of a client that is tried again.
#[must_use]
pub const fn backoff() -> Backoff {
    Backoff::new(FIRST, LONGEST)
}

/// Attempts something until it works or fails for a reason that does not pass; `lost` hears of each other failure.
///
/// # Errors
/// What does not pass by itself.
pub async fn persist<T>(
    lost: impl FnMut(&ClientError),
    attempt: impl AsyncFnMut() -> Result<T, ClientError>,
) -> Result<T, ClientError> {
    let mut backoff = backoff();
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

    #[tokio::test]
    async fn what_passes_is_tried_again_and_what_does_not_is_told() {
        let (mut tried, mut heard) = (0, 0);
        let result: Result<(), _> = persist_with(
            async || {},
            |_| heard += 1,
            async || {
                tried += 1;
                Err(match tried {
                    1 | 2 => ClientError::Gone,
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
