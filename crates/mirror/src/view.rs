//! How a folder stands with its hub, for a person to look at.
use std::time::SystemTime;

use slipway_core::code::Code;
use slipway_core::path::RelPath;

/// How a folder stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Paths that the hub does not have as the disk has them.
    pub waiting_up: usize,
    /// Paths that the disk does not have as the hub has them.
    pub waiting_down: usize,
    /// Bytes of those that wait to be sent, at most: what the hub holds already is not sent.
    pub bytes_up: u64,
    /// Bytes that are still to come.
    pub bytes_down: u64,
    /// Paths that cannot be kept in step now, and odd names.
    pub blocked: usize,
    /// Open conflicts.
    pub conflicts: usize,
    /// Some of all these paths.
    pub paths: Vec<PathView>,
    /// Some of the names that no hub takes, as paths that can be read.
    pub odd: Vec<String>,
    /// Deletions that wait for a person's word.
    pub held: Option<HeldDeletions>,
    /// Some folders are not watched, so that changes in them are found late.
    pub partly_watched: bool,
    /// The folder is gone or cannot be read.
    pub unreadable_root: bool,
    /// The hub is connected and its tree is known.
    pub connected: bool,
    /// The last look at everything.
    pub looked_at: Option<SystemTime>,
    /// The last time that nothing waited while the hub was connected.
    pub in_step_at: Option<SystemTime>,
}

/// A path that is not in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathView {
    /// Which.
    pub path: RelPath,
    /// How it stands.
    pub state: PathState,
    /// Bytes of the content that is to go or come.
    pub size: u64,
    /// How much of it went or came.
    pub done: u64,
}

/// How a path that is not in step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathState {
    /// It waits to be sent.
    Waiting,
    /// It is being sent.
    Sending,
    /// Its content is not here yet.
    Missing,
    /// Its content is arriving.
    Receiving,
    /// It cannot be kept in step now.
    Blocked(Code),
}

/// Deletions that wait for a person's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldDeletions {
    /// How many.
    pub many: usize,
    /// Of so many entries.
    pub of: usize,
    /// The first of them.
    pub first: Vec<RelPath>,
}
