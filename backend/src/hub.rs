//! The hub: a workspace's truth. Journal, current tree and contents in Postgres; every change is a commit.
//! `evaluate` decides what a batch does, `commit` makes it durable, `content` holds bytes, `heads` tells who watches.
//! The parts build on each other in this order: `types`, `row`, `store`, `content`, `evaluate`, `apply`, `answer`,
//! `history`, `commit`; `copy`, `begun` and `recent` stand alone.
use bytes::Bytes;
use slipway_api::file::OriginKind;
use slipway_core::hash::ContentHash;
use slipway_core::id::{Id as _, ReplicaId, UserId, WorkspaceId};
use sqlx::PgPool;
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::Error;
use crate::event::Events;

mod answer;
mod apply;
mod begun;
mod commit;
pub mod content;
mod copy;
mod evaluate;
mod heads;
pub mod history;
mod recent;
mod row;
pub mod store;
mod types;

pub use begun::Begun;
pub use copy::copy;
pub use types::{
    Author, Commit, Content, Expect, Head, HubError, JournalRow, NewNode, NodeRow, Proposal,
    ProposalOutcome, Version, Whole, WorkspaceRow,
};

/// The hub of this server. Cheap to clone.
#[derive(Clone)]
pub struct Hub {
    db: PgPool,
    clock: Clock,
    heads: heads::Heads,
    begun: begun::AllBegun,
    recent: recent::Recent,
}

impl Hub {
    /// A hub on a database.
    #[must_use]
    pub fn new(db: PgPool, clock: Clock) -> Self {
        Self {
            db,
            clock,
            heads: heads::Heads::default(),
            begun: begun::AllBegun::default(),
            recent: recent::Recent::default(),
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
        let contents = commit::inline(&proposals);
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
        let commit::Done { commit, rows } = done;
        let applied = commit::applied(&contents, &commit.outcomes);
        self.recent.put(workspace, rows, applied);
        self.moved(workspace, commit.revision);
        Ok(commit)
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
        let done =
            commit::commit(db, &self.clock, workspace, author, batch, proposals, atomic).await?;
        Ok(done.commit)
    }

    /// Keeps everyone else from changing the workspace until the end of the caller's transaction; its newest revision.
    ///
    /// # Errors
    /// When there is none, or no database.
    pub async fn lock(
        db: &mut sqlx::PgConnection,
        workspace: WorkspaceId,
    ) -> Result<u64, HubError> {
        let locked = apply::lock(db, workspace).await?;
        Ok(locked.ok_or(HubError::Unknown)?.head)
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

    /// When a revision was made; `None`: there is none of this number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn made(
        &self,
        workspace: WorkspaceId,
        revision: u64,
    ) -> Result<Option<OffsetDateTime>, HubError> {
        Ok(store::made(&self.db, workspace, revision).await?)
    }

    /// A replica has heard of revisions of this epoch that the database does not hold: it was set back to a backup.
    /// With another epoch no copy takes what is missing here for deleted; each offers again what it has.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn set_back(&self, workspace: WorkspaceId, head: Head) -> Result<Head, HubError> {
        tracing::warn!(%workspace, revision = head.revision, "The database was set back; the copies of this workspace are compared with it");
        store::renew_epoch(&self.db, workspace, head.epoch).await?;
        self.head(workspace).await
    }

    /// The journal after a revision, in order; whole revisions, about `limit` rows. Fewer are all that there are.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn changes_after(
        &self,
        workspace: WorkspaceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<JournalRow>, HubError> {
        let mut rows = self.recent.changes_after(workspace, after, limit);
        let head = match rows.is_empty() {
            true => None,
            false => store::head_beyond(&self.db, workspace, &rows).await?,
        };
        if head.is_none() {
            // A database that was set back has other revisions of these numbers, or none.
            rows.clear();
        }
        let known = rows.last().map_or(after, |row| row.revision);
        if head.is_none_or(|head| head > known) && rows.len() < limit {
            let room = limit - rows.len();
            rows.extend(store::changes_after(&self.db, workspace, known, room).await?);
        }
        Ok(rows)
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
        let mut rest = hashes.to_vec();
        let mut known = self.recent.take_known(workspace, &mut rest);
        if !rest.is_empty() {
            known.extend(content::read::contents(&self.db, workspace, &rest).await?);
        }
        Ok(known)
    }

    /// Those of these contents that the workspace does not hold, each once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn lacking(
        &self,
        workspace: WorkspaceId,
        hashes: &[ContentHash],
    ) -> Result<Vec<ContentHash>, HubError> {
        let mut known = content::held(&self.db, workspace, hashes).await?;
        let fresh = hashes.iter().filter(|hash| known.insert(**hash));
        Ok(fresh.copied().collect())
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
    pub fn writer(&self, workspace: WorkspaceId) -> content::write::ContentWriter {
        content::write::ContentWriter::new(self.db.clone(), self.clock.clone(), workspace)
    }

    /// A content broke off: what came of it is held, to be gone on from.
    ///
    /// # Errors
    /// When there is no room for it, or no database.
    pub async fn broke_off(
        &self,
        workspace: WorkspaceId,
        hash: ContentHash,
        writer: content::write::ContentWriter,
    ) -> Result<(), HubError> {
        let (begin, size) = writer.finish().await?;
        let begun = Begun { hash, begin, size };
        self.begun.put(workspace, begun);
        Ok(())
    }

    /// What came of a content that broke off, if it is still held; told once.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn begun(
        &self,
        workspace: WorkspaceId,
        hash: ContentHash,
    ) -> Result<Option<Begun>, HubError> {
        let Some(begun) = self.begun.take(workspace, hash) else {
            return Ok(None);
        };
        let held = self.open(workspace, begun.begin).await?;
        Ok(held.map(|_| begun))
    }

    /// A content to be put together inside a transaction of the caller.
    #[must_use]
    pub fn assembly(workspace: WorkspaceId) -> content::write::Assembly {
        content::write::Assembly::new(workspace)
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
