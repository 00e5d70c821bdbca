//! The hub: a workspace's truth. Journal, current tree and contents in Postgres; every change is a commit.
//! `evaluate` decides what a batch does, `commit` makes it durable, `content` holds bytes, `heads` tells who watches.
use bytes::Bytes;
use slipway_api::file::{Kind, OriginKind};
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::{Id as _, ReplicaId, UserId, WorkspaceId};
use slipway_core::path::RelPath;
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::clock::Clock;
use crate::error::Error;
use crate::event::Events;

mod apply;
pub mod commit;
pub mod content;
mod evaluate;
mod heads;
pub mod store;

pub use commit::HubError;

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
    /// A file or link with this content.
    Content(ContentHash),
}

/// The bytes of a proposed file.
#[derive(Clone, Debug)]
pub enum Content {
    /// Along with the proposal.
    Inline(Bytes),
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

/// Answer to a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Commit {
    /// Newest revision after it.
    pub revision: u64,
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
#[derive(Clone, Debug)]
pub struct JournalRow {
    /// Revision.
    pub revision: u64,
    /// Order inside the revision.
    pub seq: u32,
    /// Where.
    pub path: RelPath,
    /// What stands there since; `None`: deleted.
    pub node: Option<NodeRow>,
    /// Where it came from, for a move.
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

/// The hub of this server. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    db: PgPool,
    clock: Clock,
    heads: heads::Heads,
}

impl Hub {
    /// A hub on a database.
    #[must_use]
    pub fn new(db: PgPool, clock: Clock) -> Self {
        Self {
            db,
            clock,
            heads: heads::Heads::default(),
        }
    }

    /// Makes a batch of operations durable, or tells for each why not. A repeated batch gets the first answer.
    ///
    /// # Errors
    /// Unknown or inactive workspace, too many operations, no database.
    pub async fn commit(
        &self,
        workspace: WorkspaceId,
        author: &Author,
        batch: &str,
        proposals: Vec<Proposal>,
        atomic: bool,
    ) -> Result<Commit, HubError> {
        let mut db = self.db.begin().await?;
        let done = commit::commit(
            &mut db,
            &self.clock,
            workspace,
            author,
            batch,
            proposals,
            atomic,
        )
        .await?;
        db.commit().await?;
        self.moved(workspace, done.revision);
        Ok(done)
    }

    /// As [`Hub::commit`] inside a transaction of the caller, who calls [`Hub::moved`] after its end.
    ///
    /// # Errors
    /// As [`Hub::commit`].
    pub async fn commit_in(
        &self,
        db: &mut sqlx::PgConnection,
        workspace: WorkspaceId,
        author: &Author,
        batch: &str,
        proposals: Vec<Proposal>,
        atomic: bool,
    ) -> Result<Commit, HubError> {
        commit::commit(db, &self.clock, workspace, author, batch, proposals, atomic).await
    }

    /// Tells those who watch that a commit is durable.
    pub fn moved(&self, workspace: WorkspaceId, revision: u64) {
        self.heads.moved(workspace, revision);
    }

    /// The newest revision, moving. It starts at 0 until the first look.
    #[must_use]
    pub fn watch(&self, workspace: WorkspaceId) -> watch::Receiver<u64> {
        self.heads.watch(workspace)
    }

    /// Carries heads between servers until the stop: tells others of our commits, and hears of theirs.
    pub async fn listen(self, events: Events, stop: CancellationToken) {
        self.heads.clone().listen(self.db, events, stop).await;
    }

    /// Where a workspace stands.
    ///
    /// # Errors
    /// When there is none, or no database.
    pub async fn head(&self, workspace: WorkspaceId) -> Result<Head, HubError> {
        store::head(&self.db, workspace)
            .await?
            .ok_or(HubError::Unknown)
    }

    /// The journal after a revision, in order; whole revisions, about `limit` rows.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn changes_after(
        &self,
        workspace: WorkspaceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<JournalRow>, HubError> {
        Ok(store::changes_after(&self.db, workspace, after, limit).await?)
    }

    /// The current tree with its revision, sorted by path.
    ///
    /// # Errors
    /// When there is no such workspace, or no database.
    pub async fn listing(&self, workspace: WorkspaceId) -> Result<(u64, Vec<NodeRow>), HubError> {
        store::listing(&self.db, workspace)
            .await?
            .ok_or(HubError::Unknown)
    }

    /// Whole contents, for those of at most a mebibyte that are held.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn contents(
        &self,
        workspace: WorkspaceId,
        hashes: &[ContentHash],
    ) -> Result<std::collections::HashMap<ContentHash, Bytes>, HubError> {
        content::read::contents(&self.db, workspace, hashes).await
    }

    /// A content to be read piece by piece; `None` when the workspace does not hold it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn open(
        &self,
        workspace: WorkspaceId,
        hash: ContentHash,
    ) -> Result<Option<content::read::ContentReader>, HubError> {
        content::read::ContentReader::open(self.db.clone(), workspace, hash).await
    }

    /// A content to be written piece by piece.
    #[must_use]
    pub fn writer(&self, workspace: WorkspaceId) -> content::ContentWriter {
        content::ContentWriter::new(self.db.clone(), self.clock.clone(), workspace)
    }

    /// A content to be put together inside a transaction of the caller.
    #[must_use]
    pub fn assembly(workspace: WorkspaceId) -> content::Assembly {
        content::Assembly::new(workspace)
    }

    /// A workspace of this user, in the trash or not.
    ///
    /// # Errors
    /// The same answer for one that does not exist and for another's.
    pub async fn access(
        &self,
        workspace: WorkspaceId,
        user: UserId,
    ) -> Result<WorkspaceRow, Error> {
        store::workspace(&self.db, workspace)
            .await?
            .filter(|row| row.owner == user)
            .ok_or_else(|| Error::not_found("workspace"))
    }

    /// The replica that stands for everything an account does by REST.
    #[must_use]
    pub fn editor(user: UserId) -> Author {
        Author {
            kind: OriginKind::Editor,
            user: Some(user),
            replica: ReplicaId::from_uuid(user.uuid()),
        }
    }
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
            HubError::TooLarge => Self::new(
                Code::FileTooLarge,
                "A file holds at most 100 MiB. Keep larger data outside of the workspace.",
            ),
            HubError::Batch => Self::new(
                Code::IdempotencyMismatch,
                "The name of the batch is empty or longer than 200 characters.",
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
