//! Time and chance, the only place that asks the system for them.
use std::time::SystemTime;

use slipway_core::secret::Secret;
use time::OffsetDateTime;
use uuid::Uuid;

/// A new id of this moment.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for time and chance"
)]
pub(crate) fn fresh_uuid() -> Uuid {
    Uuid::now_v7()
}

/// A key that nobody can guess, in hex digits.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for time and chance"
)]
pub(crate) fn fresh_key() -> Secret {
    let mut bytes = [0; 32];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Secret::new(digits)
}

/// A number from 0 to 1, to spread what would come at the same time.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for time and chance"
)]
pub(crate) fn chance() -> f64 {
    rand::random()
}

/// The time of day, as the system's clock has it.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for time and chance"
)]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now() + moved::by()
}

/// The same as a date.
#[must_use]
pub(crate) fn now() -> OffsetDateTime {
    wall().into()
}

/// How far time has passed for the tests of this thread, which do not wait for it.
#[cfg(test)]
pub(crate) mod moved {
    use std::cell::Cell;
    use std::time::Duration;

    std::thread_local! {
        static BY: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    }

    pub(crate) fn passes(span: Duration) {
        BY.set(BY.get() + span);
    }

    pub(super) fn by() -> Duration {
        BY.get()
    }
}

#[cfg(not(test))]
mod moved {
    /// In a product, not at all.
    pub(super) const fn by() -> std::time::Duration {
        std::time::Duration::ZERO
    }
}
