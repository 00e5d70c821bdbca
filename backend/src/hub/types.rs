//! The hub's words: who proposes what, how it ended, what stands where. Everything else of the hub builds on them.
use bytes::Bytes;
use slipway_api::file::{Kind, OriginKind};
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::{ReplicaId, UserId, WorkspaceId};
use slipway_core::limits::BATCH_NAME_CHARS_MAX;
use slipway_core::path::RelPath;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::error::Error;

/// Who proposes.
#[derive(Clone, Debug)]
pub struct Author {
    /// By which way it came.
    pub kind: OriginKind,
    /// The person, if known.
    pub user: Option<UserId>,
    /// The replica; with the batch's name it makes a retry answer the same.
    pub replica: ReplicaId,
}

/// What a proposer believes stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing.
    Absent,
    /// A folder.
    Folder,
    /// A folder with nothing in it: what deletes one may not know what came into it meanwhile.
    EmptyFolder,
    /// A file or link with this content.
    Content(ContentHash),
}

/// All bytes of a content with their hash, which is always our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    bytes: Bytes,
    hash: ContentHash,
}

impl Whole {
    /// The bytes.
    #[must_use]
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }
    /// What they come to.
    #[must_use]
    pub const fn hash(&self) -> ContentHash {
        self.hash
    }
    /// How many they are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.bytes.len() as u64
    }
}

impl<T: Into<Bytes>> From<T> for Whole {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        let hash = ContentHash::of(&bytes);
        Self { bytes, hash }
    }
}

/// The bytes of a proposed file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Along with the proposal.
    Inline(Whole),
    /// Held by the workspace already.
    Held(ContentHash),
}

/// What shall stand at a path.
#[derive(Clone, Debug)]
pub enum NewNode {
    /// A file.
    File {
        /// Its bytes.
        content: Content,
        /// Whether it may be executed.
        executable: bool,
        /// Where it stood before, as the proposer says. What is not true of that is left out of the journal.
        from: Option<RelPath>,
    },
    /// A folder.
    Folder,
    /// A link that stays inside the workspace.
    Symlink {
        /// Where it leads.
        target: String,
    },
    /// Nothing; a folder goes with all below it.
    Absent,
    /// What stands at this path, with all below it.
    MoveFrom(RelPath),
}

/// One operation of a batch.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// Where.
    pub path: RelPath,
    /// What must stand there (for a move: at its source). `None`: anything.
    pub expect: Option<Expect>,
    /// What shall stand there.
    pub change: NewNode,
}

/// How one operation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum ProposalOutcome {
    /// Done.
    Applied,
    /// Exactly this stood there already.
    Converged,
    /// Something else stands there.
    Stale(Option<NodeRow>),
    /// Not allowed; a sentence says why.
    Rejected(Code, String),
    /// The workspace does not hold the content named by hash.
    NeedsContent,
}

impl ProposalOutcome {
    /// How an operation of an atomic batch ends that would have passed, had another one done so.
    #[must_use]
    pub fn nothing_done() -> Self {
        Self::Rejected(
            Code::Stale,
            "Nothing was done: another operation of this commit did not pass.".to_owned(),
        )
    }
}

/// Answer to a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Newest revision after it.
    pub revision: u64,
    /// When the revision was made, if this batch made it.
    pub made: Option<OffsetDateTime>,
    /// One for each operation.
    pub outcomes: Vec<ProposalOutcome>,
}

/// One entry of the current tree.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeRow {
    /// Where.
    pub path: RelPath,
    /// What.
    pub kind: Kind,
    /// Of the content or of the link's target; absent for folders.
    pub hash: Option<ContentHash>,
    /// Bytes.
    pub size: u64,
    /// Whether it may be executed.
    pub executable: bool,
    /// Where a link leads.
    pub target: Option<String>,
    /// Revision of its last change.
    pub revision: u64,
}

/// One change of the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct JournalRow {
    /// Revision.
    pub revision: u64,
    /// Order inside the revision.
    pub seq: u32,
    /// Where.
    pub path: RelPath,
    /// What stands there since; `None`: deleted.
    pub node: Option<NodeRow>,
    /// Where it came from, if it was moved.
    pub from: Option<RelPath>,
    /// Content before.
    pub previous: Option<ContentHash>,
    /// By which way it came.
    pub origin: OriginKind,
    /// The person, if known.
    pub user: Option<UserId>,
    /// When.
    pub at: OffsetDateTime,
}

/// One version of a path.
#[derive(Clone, Debug)]
pub struct Version {
    /// The change that made it.
    pub change: JournalRow,
    /// Whether its content is still held.
    pub kept: bool,
}

/// Where a workspace stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// Changes when the journal is no continuation of what replicas know.
    pub epoch: Uuid,
    /// Newest revision.
    pub revision: u64,
    /// Files and folders.
    pub entries: u64,
    /// Size of all files.
    pub bytes: u64,
}

/// A workspace's own row.
#[derive(Clone, Debug)]
pub struct WorkspaceRow {
    /// Id.
    pub id: WorkspaceId,
    /// Owner.
    pub owner: UserId,
    /// Name.
    pub name: String,
    /// Newest revision.
    pub head: u64,
    /// Set when archived.
    pub archived_at: Option<OffsetDateTime>,
    /// Set when in the trash.
    pub deleted_at: Option<OffsetDateTime>,
}

/// Why the hub could not answer.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// There is no such workspace.
    #[error("find the workspace")]
    Unknown,
    /// It is archived or in the trash.
    #[error("write to a workspace that is archived or in the trash")]
    Inactive,
    /// More operations than a commit takes.
    #[error("commit more than {0} operations at once")]
    TooMany(usize),
    /// Its paths stand below too many different folders.
    #[error("commit paths below that many folders at once")]
    TooDeep,
    /// A content is larger than a file may be.
    #[error("store a content larger than a file may be")]
    TooLarge,
    /// Too much is held for the workspace already, named or not.
    #[error("store more for the workspace than is kept of one")]
    NoRoom,
    /// A content, or a part of it, is not held any more.
    #[error("read a content: it is gone")]
    Gone,
    /// The batch has no usable name.
    #[error("read the name of the batch")]
    BatchName,
    /// Another batch had this name before.
    #[error("repeat a batch with other operations")]
    BatchReused,
    /// Stored data does not make sense.
    #[error("read stored data: {0}")]
    Damaged(String),
    /// The database.
    #[error("ask the database")]
    Db(#[from] sqlx::Error),
}

impl From<HubError> for Error {
    fn from(error: HubError) -> Self {
        match error {
            HubError::Unknown => Self::not_found("workspace"),
            HubError::Inactive => Self::new(
                Code::WorkspaceInactive,
                "The workspace is archived or in the trash. Bring it back first.",
            ),
            HubError::TooMany(most) => Self::new(
                Code::InvalidRequest,
                format!("A commit takes at most {most} operations. Split it."),
            ),
            HubError::TooDeep => Self::new(
                Code::InvalidRequest,
                "The paths of this commit stand below too many different folders. Split it.",
            ),
            HubError::TooLarge => Self::new(
                Code::FileTooLarge,
                "A file holds at most 100 MiB. Keep larger data outside of the workspace.",
            ),
            HubError::NoRoom => Self::new(
                Code::WorkspaceFull,
                "Too much was sent to this workspace that did not become part of it. It is forgotten within a day.",
            ),
            HubError::BatchName => {
                let message =
                    format!("Name the batch with 1 to {BATCH_NAME_CHARS_MAX} characters.");
                Self::of_field("batch", Code::InvalidRequest, message)
            }
            HubError::BatchReused => Self::new(
                Code::IdempotencyMismatch,
                "A batch of this name had other operations. Use a new name for new operations.",
            ),
            HubError::Gone => Self::new(
                Code::ContentMissing,
                "A part of the file is not held any more. Send the file again.",
            ),
            HubError::Damaged(what) => {
                tracing::error!(what, "The hub found damaged data");
                Self::new(
                    Code::Internal,
                    "Stored data could not be read. Report the request id.",
                )
            }
            HubError::Db(error) => error.into(),
        }
    }
}
