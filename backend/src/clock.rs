//! Time and chance, the only place that asks the system for them; tests hand in a clock that they move.
use std::sync::{Arc, Mutex};

use slipway_core::id::Id;
use time::{Duration, OffsetDateTime};

/// Where the time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A clock that stands still until a test moves it.
    Manual(Arc<Mutex<OffsetDateTime>>),
}

impl Clock {
    /// Now, cut to microseconds, which is what Postgres keeps.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the system's clock"
    )]
    pub fn now(&self) -> OffsetDateTime {
        let now = match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Manual(now) => *now
                .lock()
                .expect("invariant: no holder of the manual clock panics"),
        };
        let micros = now.microsecond();
        now.replace_microsecond(micros).unwrap_or(now)
    }

    /// Moves a manual clock; the system's does not move.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(now) = self {
            *now.lock()
                .expect("invariant: no holder of the manual clock panics") += by;
        }
    }

    /// A new id of this moment.
    #[must_use]
    pub fn fresh<T: Id>(&self) -> T {
        let ms = self.now().unix_timestamp_nanos() / 1_000_000;
        T::from_parts(u64::try_from(ms).unwrap_or(0), random())
    }
}

/// Random bytes from the system, for ids and secrets.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for chance"
)]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes
}
