//! What stands at a path, as sync compares it.
use serde::{Deserialize, Serialize};
use slipway_core::hash::ContentHash;

/// What stands at a path. Times, owners and modes beyond the exec bit are not synced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Node {
    /// A file.
    File {
        /// Of its content.
        hash: ContentHash,
        /// Bytes.
        size: u64,
        /// Whether it may be executed.
        executable: bool,
    },
    /// A folder.
    Folder,
    /// A symbolic link.
    Symlink {
        /// Where it leads.
        target: String,
    },
}

impl Node {
    /// The content's hash, for a file.
    #[must_use]
    pub const fn hash(&self) -> Option<ContentHash> {
        match self {
            Self::File { hash, .. } => Some(*hash),
            Self::Folder | Self::Symlink { .. } => None,
        }
    }

    /// Whether it is a folder.
    #[must_use]
    pub const fn is_folder(&self) -> bool {
        matches!(self, Self::Folder)
    }
}
