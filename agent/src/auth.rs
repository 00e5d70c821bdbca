//! The bearer key: every call carries it, and every call that does shows that a backend is there.
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use slipway_core::secret::Secret;
use subtle::ConstantTimeEq;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::clock::Monotonic;

/// When a backend was last heard of, for the rule that an orphaned agent ends itself.
#[derive(Clone, Debug)]
pub struct Presence {
    clock: Monotonic,
    last_ms: Arc<AtomicU64>,
    streams: Arc<AtomicUsize>,
}

/// An open stream of a backend.
#[derive(Debug)]
pub struct PresenceGuard(Presence);

impl Presence {
    /// Nobody yet.
    #[must_use]
    pub fn new(clock: Monotonic) -> Self {
        Self {
            clock,
            last_ms: Arc::default(),
            streams: Arc::default(),
        }
    }

    /// Notes a call.
    pub fn touch(&self) {
        self.last_ms.store(self.clock.now_ms(), Ordering::Relaxed);
    }

    /// Notes a stream for as long as the guard lives.
    #[must_use]
    pub fn stream(&self) -> PresenceGuard {
        self.streams.fetch_add(1, Ordering::Relaxed);
        PresenceGuard(self.clone())
    }

    /// Milliseconds since a backend was last heard of; 0 while a stream is open.
    #[must_use]
    pub fn quiet_ms(&self) -> u64 {
        if self.streams.load(Ordering::Relaxed) > 0 {
            return 0;
        }
        let last = self.last_ms.load(Ordering::Relaxed);
        self.clock.now_ms().saturating_sub(last)
    }
}

impl Drop for PresenceGuard {
    fn drop(&mut self) {
        self.0.touch();
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Refuses calls without the key, in the same time whatever is wrong with it.
#[derive(Clone, Debug)]
pub struct Bearer {
    expected: Arc<[u8]>,
    presence: Presence,
}

impl Bearer {
    /// Asks for this key.
    #[must_use]
    pub fn new(key: &Secret, presence: Presence) -> Self {
        // The key is exposed to compare it with what callers send.
        let expected = format!("Bearer {}", key.expose()).into_bytes().into();
        Self { expected, presence }
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let given = request.metadata().get("authorization");
        let given = given.map_or(&[][..], |value| value.as_encoded_bytes());
        if bool::from(given.ct_eq(&self.expected)) {
            self.presence.touch();
            Ok(request)
        } else {
            Err(Status::unauthenticated(
                "the agent's key is missing or wrong",
            ))
        }
    }
}
