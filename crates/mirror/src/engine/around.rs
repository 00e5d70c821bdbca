//! What an engine meets outside of itself: the system, or a simulation of it.
use std::sync::Arc;

use slipway_sync::brake::TRACKED_MIN;

use super::beside::Beside;
use crate::volume::Volume;
use crate::volume::real::RealVolume;
use crate::watch::Watch;

/// It takes some ten milliseconds to read them.
const NEW_AT_ONCE: usize = 500;

/// Files, hints of changes, and where waiting is done.
pub(crate) struct Surroundings {
    pub(crate) volume: Arc<dyn Volume>,
    pub(crate) watch: Watch,
    pub(crate) beside: Beside,
    /// New files that a look reads before others have their turn, and the hub hears of them.
    pub(crate) new_at_once: usize,
    /// Entries of which most going is a mass deletion.
    pub(crate) tracked_min: usize,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self {
            volume: Arc::new(RealVolume),
            watch: Watch::new(),
            beside: Beside::Threads,
            new_at_once: NEW_AT_ONCE,
            tracked_min: TRACKED_MIN,
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
