//! Time and chance, the only place that asks the system for them.
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
