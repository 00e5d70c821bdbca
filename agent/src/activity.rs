//! When something last happened in the session: input, output, CPU of a foreground job. Never an open connection.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Monotonic;

/// The moment of the last activity.
#[derive(Clone, Debug)]
pub struct Activity {
    clock: Monotonic,
    last_ms: Arc<AtomicU64>,
}

impl Activity {
    /// The start counts as activity.
    #[must_use]
    pub fn new(clock: Monotonic) -> Self {
        let last_ms = Arc::new(AtomicU64::new(clock.now_ms()));
        Self { clock, last_ms }
    }

    /// Something happened now.
    pub fn touch(&self) {
        self.last_ms.store(self.clock.now_ms(), Ordering::Relaxed);
    }

    /// Milliseconds since something happened.
    #[must_use]
    pub fn quiet_ms(&self) -> u64 {
        let last = self.last_ms.load(Ordering::Relaxed);
        self.clock.now_ms().saturating_sub(last)
    }
}
