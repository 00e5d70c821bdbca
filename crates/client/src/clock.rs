//! Chance, the only place that asks the system for it.

/// A number from 0 to 1.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for chance"
)]
pub(crate) fn chance() -> f64 {
    rand::random()
}
