//! The words of taking back what came from elsewhere.
use std::time::SystemTime;

use slipway_core::code::Code;
use slipway_core::path::RelPath;

/// Changes of the hub that came to the disk without a calm moment between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// Names it.
    pub id: u64,
    /// When it began.
    pub at: SystemTime,
    /// Paths that it changed.
    pub count: usize,
    /// The first of them.
    pub paths: Vec<RelPath>,
}

/// What was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Paths that are as they were.
    pub many: usize,
    /// Paths that are not.
    pub left: Vec<NotUndone>,
}

/// A path that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotUndone {
    /// Which.
    pub path: RelPath,
    /// Why; `stale`: it changed since, or a folder that came holds something else by now.
    pub code: Code,
}
