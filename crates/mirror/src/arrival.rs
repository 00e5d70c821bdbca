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
    /// Paths that are not, and why.
    pub left: Vec<(RelPath, Left)>,
}

/// Why a path was left as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It changed since.
    Changed,
    /// A folder that came holds something else by now.
    Full,
    /// What stood there is not kept any more.
    Forgotten,
    /// The disk refused.
    Refused(Code),
}

impl std::fmt::Display for Left {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Changed => "It changed since.",
            Self::Full => "The folder holds something else by now.",
            Self::Forgotten => "What stood there is not kept any more.",
            Self::Refused(_) => "The disk refused.",
        })
    }
}
