//! A conflict that is open: two versions of one file, of which one has the name and the other a copy beside it.
use std::time::SystemTime;

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;

/// An open conflict. It is over when the copy is deleted, renamed, or kept as a file of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Has the hub's version.
    pub path: RelPath,
    /// Has the other one.
    pub copy: RelPath,
    /// What both began with, where that is known.
    pub base: Option<ContentHash>,
    /// What the copy is.
    pub mine: Node,
    /// What has the name now, if anything.
    pub theirs: Option<Node>,
    /// When the copy was made, where that is known.
    pub at: Option<SystemTime>,
    /// Whether this replica made the copy; another knows no more of it than its name tells.
    pub here: bool,
}
