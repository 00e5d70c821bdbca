//! The words of a person's own work on a folder: what stands in it, what changed, what shall be done, and why not.
use std::io;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;

/// One entry of a folder, as last seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalEntry {
    /// Where.
    pub path: RelPath,
    /// What.
    pub node: Node,
    /// The count of its last change.
    pub count: u64,
}

impl LocalEntry {
    /// Of the content, or of a link's target.
    #[must_use]
    pub fn hash(&self) -> Option<ContentHash> {
        match &self.node {
            Node::File { hash, .. } => Some(*hash),
            Node::Symlink { target } => Some(ContentHash::of(target.as_bytes())),
            Node::Folder => None,
        }
    }

    /// Bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        match &self.node {
            Node::File { size, .. } => *size,
            Node::Symlink { target } => target.len() as u64,
            Node::Folder => 0,
        }
    }
}

/// Everything in a folder that syncs, sorted by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalTree {
    /// The count: it grows with every batch of changes that is seen, also over restarts.
    pub count: u64,
    /// Entries.
    pub entries: Vec<LocalEntry>,
}

/// Who changed something on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum By {
    /// A person, through the engine.
    Person,
    /// Any program.
    Disk,
    /// The hub.
    Hub,
}

/// The newest change of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalChange {
    /// When, by the count.
    pub count: u64,
    /// Where.
    pub path: RelPath,
    /// What stands there since; `None`: nothing.
    pub entry: Option<LocalEntry>,
    /// Where it came from, for a move by the engine.
    pub from: Option<RelPath>,
    /// Who.
    pub by: By,
    /// When, by the clock.
    pub at: SystemTime,
}

/// What changed after a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalChanges {
    /// The count now.
    pub count: u64,
    /// In the order of their counts, one for each path.
    pub changes: Vec<LocalChange>,
}

/// A file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// All of it.
    pub bytes: Bytes,
    /// Its hash.
    pub hash: ContentHash,
    /// Whether it may be executed.
    pub executable: bool,
}

/// What must stand at a path before an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Anything, also nothing.
    Any,
    /// Nothing.
    Absent,
    /// A folder.
    Folder,
    /// A file or link with this content.
    Content(ContentHash),
}

/// Where the bytes of a file to be written come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Here they are.
    Inline(Bytes),
    /// Some file of the folder has them.
    Held(ContentHash),
}

/// What shall be done at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalAct {
    /// A file is written; folders above it are made.
    Write {
        /// Its bytes.
        content: Source,
        /// Whether it may be executed; `None`: as before.
        executable: Option<bool>,
    },
    /// A folder is made, with those above it.
    Folder,
    /// A link is made.
    Link {
        /// Where it leads.
        target: String,
    },
    /// It goes, a folder with all in it.
    Delete,
    /// What stands at this path comes here, a folder with all in it.
    MoveFrom(RelPath),
}

/// One operation of a person's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalOperation {
    /// Where.
    pub path: RelPath,
    /// What must stand there; for a move: at its source.
    pub expect: Expect,
    /// What shall be done.
    pub act: LocalAct,
}

/// How one operation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalOutcome {
    /// Done.
    Applied,
    /// Exactly this stood there already.
    Converged,
    /// Something else stands there.
    Stale(Option<LocalEntry>),
    /// Not done.
    Rejected(LocalError),
}

/// Answer to a batch of operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalCommit {
    /// The count after it.
    pub count: u64,
    /// One for each operation.
    pub outcomes: Vec<LocalOutcome>,
}

/// A file was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalWritten {
    /// The count after it.
    pub count: u64,
    /// What stands there now.
    pub entry: LocalEntry,
}

/// Why something was not done; the message is a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocalError {
    /// Something else stands there.
    #[error("It changed since you read it. Nothing was overwritten; compare and decide.")]
    Stale(Option<Box<LocalEntry>>),
    /// Nothing stands there.
    #[error("Nothing of this name stands in the folder.")]
    NotFound,
    /// A folder or link stands where a file was asked for.
    #[error("It is no file.")]
    NotFile,
    /// Something above it is no folder.
    #[error("\"{0}\" is not a folder, so nothing can stand below it.")]
    NotFolder(RelPath),
    /// Something stands there already.
    #[error("Something stands at \"{0}\" already. Choose another name.")]
    Exists(RelPath),
    /// Another name is the same to many computers.
    #[error(
        "The name differs from \"{0}\" only in letter case or accents, which many computers take for one name."
    )]
    CaseClash(RelPath),
    /// The rules leave it out.
    #[error(
        "The rules of this workspace leave \"{0}\" out. Choose another name, or change .slipwayignore."
    )]
    Ignored(RelPath),
    /// A folder that is to go holds something.
    #[error("The folder holds something else by now.")]
    NotEmpty,
    /// A folder would stand in itself.
    #[error("A folder cannot be moved into itself.")]
    IntoItself,
    /// A link would lead out.
    #[error("The link would lead out of the workspace.")]
    LinkEscapes,
    /// Larger than a file may be.
    #[error("A file holds at most 100 MiB. Keep larger data outside of the workspace.")]
    TooLarge,
    /// More entries than a workspace may have.
    #[error("The folder holds more files than a workspace may have. Delete some first.")]
    TooManyEntries,
    /// No file of the folder has this content.
    #[error("No file of the folder has this content any more.")]
    ContentMissing,
    /// Of a batch that is done whole or not at all.
    #[error("Nothing was done: another operation of this commit did not pass.")]
    NothingDone,
    /// The disk has no room.
    #[error("The disk is full. Nothing was changed; free some space and try again.")]
    DiskFull,
    /// The system does not allow it.
    #[error("This computer does not allow it. Look at who owns the folder and may write to it.")]
    Forbidden,
    /// This disk holds no such name.
    #[error("The name is too long for this disk. Choose a shorter one.")]
    NameTooLong,
    /// A program is writing it.
    #[error("A program is writing this file. Try again when it is done.")]
    Busy,
    /// The folder is not there any more.
    #[error("The folder is gone, or another one is in its place. What was in the editor is kept.")]
    RootGone,
    /// The disk.
    #[error("The disk refused: {0}.")]
    Io(io::ErrorKind),
    /// The engine has ended.
    #[error("The folder is not open any more.")]
    Ended,
}

impl LocalError {
    /// The code that clients act on.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Stale(_) | Self::NotEmpty | Self::NothingDone => Code::Stale,
            Self::NotFound | Self::NotFile => Code::NotFound,
            Self::NotFolder(_) => Code::PathNotFolder,
            Self::Exists(_) => Code::PathExists,
            Self::CaseClash(_) => Code::PathCaseClash,
            Self::Ignored(_) => Code::PathIgnored,
            Self::IntoItself | Self::NameTooLong => Code::PathInvalid,
            Self::LinkEscapes => Code::LinkEscapes,
            Self::TooLarge => Code::FileTooLarge,
            Self::TooManyEntries => Code::TooManyEntries,
            Self::ContentMissing => Code::ContentMissing,
            Self::DiskFull => Code::DiskFull,
            Self::Forbidden => Code::DiskForbidden,
            Self::Busy => Code::FileBusy,
            Self::RootGone => Code::FolderGone,
            Self::Io(_) => Code::WriteFailed,
            Self::Ended => Code::GoingAway,
        }
    }

    /// An outcome as what a single question answers.
    pub(crate) fn of(outcome: LocalOutcome) -> Result<(), Self> {
        match outcome {
            LocalOutcome::Applied | LocalOutcome::Converged => Ok(()),
            LocalOutcome::Stale(current) => Err(Self::Stale(current.map(Box::new))),
            LocalOutcome::Rejected(error) => Err(error),
        }
    }
}

impl From<LocalError> for LocalOutcome {
    fn from(error: LocalError) -> Self {
        match error {
            LocalError::Stale(current) => Self::Stale(current.map(|entry| *entry)),
            error => Self::Rejected(error),
        }
    }
}

impl From<&io::Error> for LocalError {
    fn from(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => Self::Forbidden,
            io::ErrorKind::InvalidFilename => Self::NameTooLong,
            io::ErrorKind::NotFound => Self::NotFound,
            kind => Self::Io(kind),
        }
    }
}
