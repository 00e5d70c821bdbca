//! Contents that broke off on their way in. What came of each is a content of its own until it is swept, so that it need
//! not come again.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;

/// Contents that are remembered, of all workspaces; of others everything comes again.
const BEGUN_MAX: usize = 1_000;

/// What came of a content before it broke off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Of the whole.
    pub hash: ContentHash,
    /// Of what came.
    pub begin: ContentHash,
    /// Bytes that came.
    pub size: u64,
}

/// All of them, the oldest first.
#[derive(Clone, Default)]
pub(super) struct AllBegun(Arc<Mutex<VecDeque<(WorkspaceId, Begun)>>>);

impl AllBegun {
    pub(super) fn put(&self, workspace: WorkspaceId, begun: Begun) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(of, other)| (*of, other.hash) != (workspace, begun.hash));
        all.push_back((workspace, begun));
        if all.len() > BEGUN_MAX {
            all.pop_front();
        }
    }

    /// Takes out what came of a content.
    pub(super) fn take(&self, workspace: WorkspaceId, hash: ContentHash) -> Option<Begun> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |(of, begun): &(WorkspaceId, Begun)| (*of, begun.hash) == (workspace, hash);
        let place = all.iter().position(is_it)?;
        all.remove(place).map(|(_, begun)| begun)
    }
}
