//! Time and chance, the one place that asks the system for them.
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::time::{SystemTime, UNIX_EPOCH};

/// The time of day.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the crate's clock: what a file was stamped with is compared to it"
)]
pub(crate) fn now() -> SystemTime {
    simulated::now().unwrap_or_else(SystemTime::now)
}

/// The time of day in simulated worlds: by the world's own time, so that a world is the same whenever it is played.
#[cfg(any(test, feature = "simulation"))]
pub(crate) mod simulated {
    use std::cell::Cell;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use tokio::time::Instant;

    /// When worlds begin: at some day.
    const BEGIN: Duration = Duration::from_secs(1_800_000_000);

    std::thread_local! {
        static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
    }

    /// A world begins on this thread; one that is over has no time.
    pub(crate) fn begin(at: Option<Instant>) {
        BEGUN.set(at);
    }

    pub(super) fn now() -> Option<SystemTime> {
        Some(UNIX_EPOCH + BEGIN + BEGUN.get()?.elapsed())
    }
}

#[cfg(not(any(test, feature = "simulation")))]
mod simulated {
    /// There is none in a product.
    pub(super) const fn now() -> Option<std::time::SystemTime> {
        None
    }
}

/// Nanoseconds since 1970, as file systems stamp them.
#[must_use]
pub(crate) fn unix_ns() -> i128 {
    now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos().cast_signed())
}

/// A number from 0 to 1, good enough to spread what would come at the same time.
#[must_use]
pub(crate) fn chance() -> f64 {
    // The seed of a hash map is the standard library's only chance.
    f64::from((RandomState::new().hash_one(()) >> 32) as u32) / f64::from(u32::MAX)
}
