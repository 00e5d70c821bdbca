//! What an engine meets outside of itself: the system, or a simulation of it.
use std::sync::Arc;

use super::beside::Beside;
use crate::volume::Volume;
use crate::volume::real::RealVolume;
use crate::watch::Watch;

/// Files, hints of changes, and where waiting is done.
pub(crate) struct Surroundings {
    pub(crate) volume: Arc<dyn Volume>,
    pub(crate) watch: Watch,
    pub(crate) beside: Beside,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            volume: Arc::new(RealVolume),
            watch: Watch::new(),
            beside: Beside::Threads,
        }
    }
}

#[cfg(test)]
impl Surroundings {
    /// The system, but without a watcher: only scans find changes.
    pub(super) fn deaf() -> Self {
        Self {
            watch: Watch::with(None, crate::watch::Ear::default()),
            ..Self::default()
        }
    }
}
