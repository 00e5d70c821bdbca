//! Contents on their way in, piece by piece: memory does not grow with their size.
use std::collections::HashMap;

use bytes::BytesMut;
use slipway_core::hash::{ChunkHash, ContentHash};
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{CHUNK_BYTES_MAX, FILE_BYTES_MAX};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::chunks::{self, Chunk};
use super::read::ContentReader;
use super::{Ready, arrive, check_room, insert_head, insert_small, lock};
use crate::clock::Clock;
use crate::hub::types::HubError;

/// A content that is put together piece by piece. Its chunks are stored as they come, and named when all are there. Where
/// they are written, pool or transaction, the caller decides.
pub struct Assembly {
    workspace: WorkspaceId,
    /// What follows on the chunks.
    buffer: BytesMut,
    size: u64,
    chunks: Vec<Chunk>,
}

impl Assembly {
    pub(in crate::hub) fn new(workspace: WorkspaceId) -> Self {
        Self {
            workspace,
            buffer: BytesMut::new(),
            size: 0,
            chunks: Vec::new(),
        }
    }

    /// Takes the next piece; true when there are chunks to write.
    fn take(&mut self, piece: &[u8]) -> Result<bool, HubError> {
        self.grow(piece.len() as u64)?;
        self.buffer.extend_from_slice(piece);
        Ok(self.buffer.len() > CHUNK_BYTES_MAX)
    }

    fn grow(&mut self, bytes: u64) -> Result<(), HubError> {
        self.size += bytes;
        match self.size > FILE_BYTES_MAX {
            true => Err(HubError::TooLarge),
            false => Ok(()),
        }
    }

    /// Writes chunks that something follows on.
    async fn write_full(
        &mut self,
        db: &mut PgConnection,
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        while self.buffer.len() > CHUNK_BYTES_MAX {
            self.write(db, CHUNK_BYTES_MAX, now).await?;
        }
        Ok(())
    }

    async fn write(
        &mut self,
        db: &mut PgConnection,
        bytes: usize,
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        arrive(db, self.workspace, bytes as u64).await?;
        let bytes = self.buffer.split_to(bytes);
        let chunk = chunks::store(db, self.workspace, self.chunks.len(), &bytes, now).await?;
        self.chunks.push(chunk);
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

    /// The hash of what was taken.
    fn hash(&self) -> ContentHash {
        let mut all: Vec<_> = self.chunks.iter().map(|chunk| chunk.hash).collect();
        if !self.buffer.is_empty() {
            all.push(ChunkHash::of(&self.buffer, all.len()));
        }
        ChunkHash::whole(&all).unwrap_or_else(|| ContentHash::of(&self.buffer))
    }

    /// The hash and size of what was written, now held by the workspace. Wants a transaction with the workspace's lock.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn finish(
        mut self,
        db: &mut PgConnection,
        now: OffsetDateTime,
    ) -> Result<(ContentHash, u64), HubError> {
        let hash = self.hash();
        if self.chunks.is_empty() {
            let content = self.buffer.split().freeze();
            let Ready { small, .. } = Ready::new(vec![content.into()]);
            // It may be named only later: what the history holds of it is on its way into the tree again.
            insert_small(db, self.workspace, small, now, now).await?;
            return Ok((hash, self.size));
        }
        if !self.buffer.is_empty() {
            self.write(db, self.buffer.len(), now).await?;
        }
        if insert_head(db, self.workspace, hash, self.size, now).await? {
            chunks::name(db, self.workspace, hash, &self.chunks, now).await?;
        }
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

/// Bytes that another content has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Which one.
    pub from: ContentHash,
    /// Where in it.
    pub offset: u64,
    /// How many.
    pub size: u64,
}

impl Range {
    fn goes_on_with(&self, next: &Self) -> bool {
        (self.from, self.offset.saturating_add(self.size)) == (next.from, next.offset)
    }

    /// How much of it comes next in a content that has so many bytes before it, and whether that is a whole chunk at its
    /// place. `None`: what follows on it may make it one.
    fn next(&self, place: u64, is_end: bool) -> Option<(u64, bool)> {
        let chunk = CHUNK_BYTES_MAX as u64;
        let room = chunk - place % chunk;
        let is_at_its_place = room == chunk && self.offset == place;
        match self.size < room {
            true if is_at_its_place && !is_end => None,
            true => Some((self.size, false)),
            false => Some((room, is_at_its_place)),
        }
    }
}

/// Writes a content piece by piece, each chunk at once: memory does not grow with its size.
pub struct ContentWriter {
    db: PgPool,
    clock: Clock,
    assembly: Assembly,
    /// What comes next, and may be a whole chunk when more has come.
    range: Option<Range>,
    /// The chunks of contents that ranges name.
    known: HashMap<ContentHash, Vec<Option<Chunk>>>,
}

impl ContentWriter {
    pub(in crate::hub) fn new(db: PgPool, clock: Clock, workspace: WorkspaceId) -> Self {
        Self {
            db,
            clock,
            assembly: Assembly::new(workspace),
            range: None,
            known: HashMap::new(),
        }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When a file may not be that large, what was named before is not held any more, or no database.
    pub async fn push(&mut self, piece: &[u8]) -> Result<(), HubError> {
        self.write_range(true).await?;
        self.write(piece).await
    }

    /// Takes the next piece, which is a range of a content that the workspace holds. Chunks of it are named, not copied.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub async fn push_range(&mut self, range: Range) -> Result<(), HubError> {
        match &mut self.range {
            Some(before) if before.goes_on_with(&range) => before.size += range.size,
            _ => {
                self.write_range(true).await?;
                self.range = Some(range);
            }
        }
        self.write_range(false).await
    }

    async fn write(&mut self, piece: &[u8]) -> Result<(), HubError> {
        match self.assembly.take(piece) {
            Ok(false) => Ok(()),
            Ok(true) => {
                let mut db = self.db.begin().await?;
                unhurried(&mut db).await?;
                self.assembly.write_full(&mut db, self.clock.now()).await?;
                Ok(db.commit().await?)
            }
            Err(error) => {
                self.forget().await?;
                Err(error)
            }
        }
    }

    /// Writes what is known of a range; what may still become a whole chunk only at its end.
    async fn write_range(&mut self, is_end: bool) -> Result<(), HubError> {
        while let Some(mut range) = self.range.take().filter(|range| range.size > 0) {
            let Some((size, is_chunk)) = range.next(self.assembly.size, is_end) else {
                self.range = Some(range);
                return Ok(());
            };
            let chunk = match is_chunk {
                true => self.chunk(range).await?,
                false => None,
            };
            match chunk {
                Some(chunk) => self.share(chunk).await?,
                None => self.copy(Range { size, ..range }).await?,
            }
            range.offset = range.offset.saturating_add(size);
            range.size -= size;
            self.range = Some(range);
        }
        Ok(())
    }

    /// The chunk that begins where a range does.
    async fn chunk(&mut self, range: Range) -> Result<Option<Chunk>, HubError> {
        let workspace = self.assembly.workspace;
        if !self.known.contains_key(&range.from) {
            let chunks = chunks::of(&self.db, workspace, range.from).await?;
            self.known.insert(range.from, chunks);
        }
        let number = usize::try_from(range.offset).unwrap_or(usize::MAX) / CHUNK_BYTES_MAX;
        let all = self.known.get(&range.from);
        let chunk = all.and_then(|all| *all.get(number)?);
        Ok(chunk.filter(|chunk| usize::try_from(chunk.size) == Ok(CHUNK_BYTES_MAX)))
    }

    /// Goes on with a full chunk that is stored.
    async fn share(&mut self, chunk: Chunk) -> Result<(), HubError> {
        let bytes = self.assembly.buffer.len();
        self.assembly.grow(CHUNK_BYTES_MAX as u64)?;
        if bytes > 0 {
            // The chunk before it, which something follows on now.
            let mut db = self.db.begin().await?;
            unhurried(&mut db).await?;
            let now = self.clock.now();
            self.assembly.write(&mut db, bytes, now).await?;
            db.commit().await?;
        } else if self.assembly.chunks.is_empty() {
            let mut db = self.db.acquire().await?;
            check_room(&mut db, self.assembly.workspace).await?;
        }
        self.assembly.chunks.push(chunk);
        Ok(())
    }

    async fn copy(&mut self, range: Range) -> Result<(), HubError> {
        let workspace = self.assembly.workspace;
        let reader = ContentReader::open(self.db.clone(), workspace, range.from).await?;
        let mut reader = reader.ok_or(HubError::Gone)?.from_offset(range.offset);
        let mut left = usize::try_from(range.size).unwrap_or(usize::MAX);
        while left > 0 {
            let piece = reader.next().await?.ok_or(HubError::Gone)?;
            let piece = piece.slice(..piece.len().min(left));
            left -= piece.len();
            self.write(&piece).await?;
        }
        Ok(())
    }

    /// Takes back what was written.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn discard(self) -> Result<(), HubError> {
        self.forget().await
    }

    async fn forget(&self) -> Result<(), HubError> {
        let (workspace, chunks) = (self.assembly.workspace, &self.assembly.chunks);
        if chunks.is_empty() {
            return Ok(());
        }
        let mut db = self.db.begin().await?;
        lock(&mut db, workspace).await?;
        chunks::discard(&mut db, workspace, chunks).await?;
        Ok(db.commit().await?)
    }

    /// Keeps what was written if it is what was promised; tells whether it is.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub async fn finish_as(mut self, promised: ContentHash) -> Result<bool, HubError> {
        let whole = self.write_range(true).await;
        if whole.is_ok() && self.assembly.hash() == promised {
            self.finish().await?;
            return Ok(true);
        }
        self.discard().await?;
        whole.map(|()| false)
    }

    /// The hash and size of what was written, now held by the workspace.
    ///
    /// # Errors
    /// When there is no room for it, what was named is not held any more, or no database.
    pub async fn finish(mut self) -> Result<(ContentHash, u64), HubError> {
        self.write_range(true).await?;
        let (workspace, size) = (self.assembly.workspace, self.assembly.size);
        let mut db = self.db.begin().await?;
        // A large one was looked at when its first chunk was written. The row is locked before any content, as commits do.
        match self.assembly.chunks.is_empty() {
            true => arrive(&mut db, workspace, size).await?,
            false => lock(&mut db, workspace).await?,
        }
        let done = self.assembly.finish(&mut db, self.clock.now()).await?;
        db.commit().await?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHUNK: u64 = CHUNK_BYTES_MAX as u64;

    fn range(offset: u64, size: u64) -> Range {
        let from = ContentHash::of(b"old");
        Range { from, offset, size }
    }

    #[test]
    fn a_whole_chunk_at_its_place_is_named_and_all_else_is_copied_up_to_the_next_place() {
        let next = |place, offset, size, is_end| range(offset, size).next(place, is_end);
        assert_eq!(next(CHUNK, CHUNK, 3 * CHUNK, false), Some((CHUNK, true)));
        // What follows may make it whole.
        assert_eq!(next(CHUNK, CHUNK, CHUNK - 1, false), None);
        assert_eq!(
            next(CHUNK, CHUNK, CHUNK - 1, true),
            Some((CHUNK - 1, false))
        );
        // In the middle of a chunk, and at another place.
        assert_eq!(next(7, 7, 3 * CHUNK, false), Some((CHUNK - 7, false)));
        assert_eq!(next(7, 7, 9, false), Some((9, false)));
        assert_eq!(next(CHUNK, 0, 3 * CHUNK, false), Some((CHUNK, false)));
        assert_eq!(next(CHUNK, 0, 9, false), Some((9, false)));
    }

    #[test]
    fn ranges_of_one_content_go_on_where_the_last_one_ended() {
        assert!(range(5, 7).goes_on_with(&range(12, 1)));
        assert!(!range(5, 7).goes_on_with(&range(13, 1)));
        let other = Range {
            from: ContentHash::of(b"other"),
            ..range(12, 1)
        };
        assert!(!range(5, 7).goes_on_with(&other));
    }
}
