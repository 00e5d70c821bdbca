//! The one place that asks the system for the time of day, as file systems stamp it.
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the crate's clock: what a file was stamped with is compared to it"
)]
pub(crate) fn unix_ns() -> i128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos().cast_signed())
}
