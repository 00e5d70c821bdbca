//! Contents on their way in, piece by piece: memory does not grow with their size.
use bytes::BytesMut;
use slipway_core::hash::{ContentHash, ContentHasher};
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{CHUNK_BYTES_MAX, FILE_BYTES_MAX};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::{arrive, check_room, delete, insert, insert_chunk, insert_head};
use crate::clock::{Clock, random};
use crate::hub::row::uuid;
use crate::hub::types::HubError;

/// A content that is put together piece by piece. Chunks stand under a key of chance until the hash of the whole is
/// known. Where they are written, pool or transaction, the caller decides.
pub struct Assembly {
    workspace: WorkspaceId,
    key: [u8; 32],
    hasher: ContentHasher,
    buffer: BytesMut,
    size: u64,
    chunks: usize,
}

impl Assembly {
    pub(in crate::hub) fn new(workspace: WorkspaceId) -> Self {
        Self {
            workspace,
            key: random(),
            hasher: ContentHasher::default(),
            buffer: BytesMut::new(),
            size: 0,
            chunks: 0,
        }
    }

    /// Takes the next piece; true when there are chunks to write.
    fn take(&mut self, piece: &[u8]) -> Result<bool, HubError> {
        self.size += piece.len() as u64;
        if self.size > FILE_BYTES_MAX {
            return Err(HubError::TooLarge);
        }
        self.hasher.update(piece);
        self.buffer.extend_from_slice(piece);
        Ok(self.buffer.len() > CHUNK_BYTES_MAX)
    }

    async fn write_full(
        &mut self,
        db: &mut PgConnection,
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        while self.buffer.len() > CHUNK_BYTES_MAX {
            let chunk = self.buffer.split_to(CHUNK_BYTES_MAX);
            self.write(db, &chunk, now).await?;
        }
        Ok(())
    }

    async fn write(
        &mut self,
        db: &mut PgConnection,
        chunk: &[u8],
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        if self.chunks == 0 {
            check_room(db, self.workspace).await?;
            // Not the content's hash: nobody can name it, and the sweep takes it if we are cut off.
            let key = ContentHash::from_bytes(self.key);
            insert_head(db, self.workspace, key, 0, now).await?;
        }
        insert_chunk(db, self.workspace, &self.key, self.chunks, chunk).await?;
        self.chunks += 1;
        Ok(())
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When a file may not be that large, or no database.
    pub async fn push(
        &mut self,
        db: &mut PgConnection,
        piece: &[u8],
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        if self.take(piece)? {
            self.write_full(db, now).await?;
        }
        Ok(())
    }

    /// The hash and size of what was written, now held by the workspace. Wants a transaction.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn finish(
        mut self,
        db: &mut PgConnection,
        now: OffsetDateTime,
    ) -> Result<(ContentHash, u64), HubError> {
        let rest = self.buffer.split().freeze();
        if self.chunks == 0 {
            insert(db, self.workspace, &[rest], now).await?;
            return Ok((self.hasher.finish(), self.size));
        }
        self.write(db, &rest, now).await?;
        let hash = self.hasher.finish();
        if insert_head(db, self.workspace, hash, self.size, now).await? {
            let named = sqlx::query!(
                "update blob_chunks set hash = $3 where workspace_id = $1 and hash = $2",
                uuid(self.workspace),
                &self.key[..],
                &hash.as_bytes()[..]
            )
            .execute(&mut *db)
            .await?;
            if named.rows_affected() != self.chunks as u64 {
                return Err(HubError::Damaged("the chunks of a content".to_owned()));
            }
        }
        delete(db, self.workspace, &self.key).await?;
        Ok((hash, self.size))
    }
}

/// What this transaction writes need not be on the disk when it ends. A later one that waits for the disk brings all before
/// it along: a content's last, which also counts what a database that crashed meanwhile has lost.
async fn unhurried(db: &mut PgConnection) -> Result<(), HubError> {
    sqlx::query!("select set_config('synchronous_commit', 'off', true)")
        .fetch_one(db)
        .await?;
    Ok(())
}

/// Writes a content piece by piece, each chunk at once: memory does not grow with its size.
pub struct ContentWriter {
    db: PgPool,
    clock: Clock,
    assembly: Assembly,
}

impl ContentWriter {
    pub(in crate::hub) fn new(db: PgPool, clock: Clock, workspace: WorkspaceId) -> Self {
        Self {
            db,
            clock,
            assembly: Assembly::new(workspace),
        }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When a file may not be that large, or no database.
    pub async fn push(&mut self, piece: &[u8]) -> Result<(), HubError> {
        match self.assembly.take(piece) {
            Ok(false) => Ok(()),
            Ok(true) => {
                let mut db = self.db.begin().await?;
                unhurried(&mut db).await?;
                self.assembly.write_full(&mut db, self.clock.now()).await?;
                Ok(db.commit().await?)
            }
            Err(error) => {
                let mut db = self.db.acquire().await?;
                delete(&mut db, self.assembly.workspace, &self.assembly.key).await?;
                Err(error)
            }
        }
    }

    /// Takes back what was written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn discard(self) -> Result<(), HubError> {
        let mut db = self.db.acquire().await?;
        delete(&mut db, self.assembly.workspace, &self.assembly.key).await
    }

    /// Keeps what was written if it is what was promised; tells whether it is.
    ///
    /// # Errors
    /// When there is no room for it, or no database.
    pub async fn finish_as(self, promised: ContentHash) -> Result<bool, HubError> {
        if self.assembly.hasher.clone().finish() == promised {
            self.finish().await?;
            return Ok(true);
        }
        self.discard().await?;
        Ok(false)
    }

    /// The hash and size of what was written, now held by the workspace.
    ///
    /// # Errors
    /// When there is no room for it, or no database.
    pub async fn finish(self) -> Result<(ContentHash, u64), HubError> {
        let mut db = self.db.begin().await?;
        // A large one was looked at when its first chunk was written. The row is locked before any content, as commits do.
        if self.assembly.chunks == 0 {
            arrive(&mut db, self.assembly.workspace, self.assembly.size).await?;
        }
        let done = self.assembly.finish(&mut db, self.clock.now()).await?;
        db.commit().await?;
        Ok(done)
    }
}
