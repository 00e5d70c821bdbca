//! Contents on their way out: small ones whole, large ones piece by piece from any offset.
use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BLOB_INLINE_BYTES_MAX, CHUNK_BYTES_MAX};
use sqlx::PgPool;
use uuid::Uuid;

use super::packed::Unpacker;
use crate::hub::row::uuid;
use crate::hub::types::HubError;

/// Whole contents of at most a mebibyte.
///
/// # Errors
/// When the database does not answer or a content is damaged.
pub async fn contents(
    db: &PgPool,
    workspace: WorkspaceId,
    hashes: &[ContentHash],
) -> Result<HashMap<ContentHash, Bytes>, HubError> {
    let wanted: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect();
    let rows = sqlx::query!(
        r#"select blob.hash, blob.size, blob.codec, blob.content as "content!" from unnest($2::bytea[]) as asked (hash) cross join lateral
            (select hash, size, codec, content from blobs where workspace_id = (select $1::uuid) and blobs.hash = asked.hash and content is not null offset 0) as blob"#,
        uuid(workspace),
        &wanted,
    )
    .fetch_all(db)
    .await?;
    let mut unpacker = Unpacker::default();
    rows.into_iter()
        .map(|row| {
            let hash = ContentHash::try_from(row.hash.as_slice())
                .map_err(|_| HubError::Damaged("hash of a content".to_owned()))?;
            Ok((
                hash,
                unpacker.unpack(
                    row.codec,
                    row.content,
                    usize::try_from(row.size).unwrap_or(0),
                )?,
            ))
        })
        .collect()
}

/// A piece of a content.
#[derive(Debug)]
pub enum Piece {
    /// Bytes, a mebibyte at most.
    Bytes(Bytes),
    /// So many bytes, a mebibyte at most, that another content has at the same place.
    Same(u64),
}

/// Reads a content piece by piece.
pub struct ContentReader {
    db: PgPool,
    workspace: Uuid,
    hash: [u8; 32],
    size: u64,
    small: Option<Bytes>,
    next: i32,
    /// Bytes of the next piece that were skipped.
    skip: usize,
    /// Chunks that another content has as well.
    same: HashSet<i32>,
}

impl ContentReader {
    pub(in crate::hub) async fn open(
        db: PgPool,
        workspace: WorkspaceId,
        hash: ContentHash,
    ) -> Result<Option<Self>, HubError> {
        let row = sqlx::query!(
            "select size, codec, content from blobs where workspace_id = $1 and hash = $2",
            uuid(workspace),
            &hash.as_bytes()[..]
        )
        .fetch_optional(&db)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let size = row.size.unsigned_abs();
        let small = row
            .content
            .map(|content| {
                let size = usize::try_from(size).unwrap_or(0);
                Unpacker::default().unpack(row.codec, content, size)
            })
            .transpose()?;
        Ok(Some(Self {
            db,
            workspace: uuid(workspace),
            hash: *hash.as_bytes(),
            size,
            small,
            next: 0,
            skip: 0,
            same: HashSet::new(),
        }))
    }

    /// Goes on at an offset instead of at the beginning.
    #[must_use]
    pub fn from_offset(mut self, offset: u64) -> Self {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        if let Some(small) = &mut self.small {
            *small = small.slice(offset.min(small.len())..);
        } else {
            // All chunks but the last have one size.
            self.next = i32::try_from(offset / CHUNK_BYTES_MAX).unwrap_or(i32::MAX);
            self.skip = offset % CHUNK_BYTES_MAX;
        }
        self
    }

    /// All bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Looks which chunks another content has at the same place; [`Self::piece`] leaves them out.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn leave_out(&mut self, other: ContentHash) -> Result<(), HubError> {
        let same = sqlx::query_scalar!(
            "select one.seq from blob_chunks as one join blob_chunks as two using (workspace_id, seq, chunk)
            where one.workspace_id = $1 and one.hash = $2 and two.hash = $3",
            self.workspace,
            &self.hash[..],
            &other.as_bytes()[..],
        )
        .fetch_all(&self.db)
        .await?;
        self.same = same.into_iter().collect();
        Ok(())
    }

    /// The next piece, or its size if it is left out; `None` at the end.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn piece(&mut self) -> Result<Option<Piece>, HubError> {
        if !self.same.contains(&self.next) {
            return Ok(self.next().await?.map(Piece::Bytes));
        }
        let begin = u64::from(self.next.unsigned_abs()) * CHUNK_BYTES_MAX as u64;
        self.next += 1;
        let size = (self.size - begin).min(CHUNK_BYTES_MAX as u64);
        let skip = std::mem::take(&mut self.skip) as u64;
        Ok(Some(Piece::Same(size.saturating_sub(skip))))
    }

    /// The next piece of at most a mebibyte; `None` at the end.
    ///
    /// # Errors
    /// When the database does not answer, a piece is damaged, or it is gone.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HubError> {
        if self.small.is_some() || self.size <= BLOB_INLINE_BYTES_MAX {
            return Ok(self.small.take().filter(|bytes| !bytes.is_empty()));
        }
        if u64::from(self.next.unsigned_abs()) * CHUNK_BYTES_MAX as u64 >= self.size {
            return Ok(None);
        }
        let row = sqlx::query!(
            r#"select coalesce(chunks.codec, blob_chunks.codec) as "codec!", size, coalesce(chunks.content, blob_chunks.content) as content
            from blob_chunks left join chunks on chunks.workspace_id = $1 and chunks.hash = blob_chunks.chunk
            where blob_chunks.workspace_id = $1 and blob_chunks.hash = $2 and seq = $3"#,
            self.workspace,
            &self.hash[..],
            self.next
        )
        .fetch_optional(&self.db)
        .await?;
        self.next += 1;
        // As an old version's may while it is read.
        let row = row.ok_or(HubError::Gone)?;
        let Some(content) = row.content else {
            return Err(HubError::Damaged("a chunk of a content".to_owned()));
        };
        let size = usize::try_from(row.size).unwrap_or(0);
        let piece = Unpacker::default().unpack(row.codec, content, size)?;
        let skip = std::mem::take(&mut self.skip).min(piece.len());
        Ok(Some(piece.slice(skip..)))
    }
}
