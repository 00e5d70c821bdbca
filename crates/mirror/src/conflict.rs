//! A conflict that is open: two versions of one file, of which one has the name and the other a copy beside it.
use std::time::SystemTime;

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;

/// An open conflict. It is over when the copy is deleted or renamed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Has the hub's version.
    pub path: RelPath,
    /// Has the other one.
    pub copy: RelPath,
    /// What both began with, where that is known.
    pub base: Option<ContentHash>,
    /// Content of the copy; `None` for a folder.
    pub mine: Option<ContentHash>,
    /// Content of what has the name now; `None` when that is no file.
    pub theirs: Option<ContentHash>,
    /// When the copy was made, where that is known.
    pub at: Option<SystemTime>,
    /// Whether this replica made the copy; another knows no more of it than its name tells.
    pub here: bool,
}
