//! Contents on their way out: small ones whole, large ones piece by piece from any offset.
use std::collections::HashMap;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BLOB_INLINE_BYTES_MAX, CHUNK_BYTES_MAX};
use sqlx::PgPool;
use uuid::Uuid;

use super::unpack;
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
    let rows = sqlx::query!(r#"select hash, size, codec, content as "content!" from blobs where workspace_id = $1 and hash = any($2) and content is not null"#, uuid(workspace), &wanted)
        .fetch_all(db)
        .await?;
    rows.into_iter()
        .map(|row| {
            let hash = ContentHash::try_from(row.hash.as_slice())
                .map_err(|_| HubError::Damaged("hash of a content".to_owned()))?;
            Ok((
                hash,
                unpack(
                    row.codec,
                    row.content,
                    usize::try_from(row.size).unwrap_or(0),
                )?,
            ))
        })
        .collect()
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
            .map(|content| unpack(row.codec, content, usize::try_from(size).unwrap_or(0)))
            .transpose()?;
        Ok(Some(Self {
            db,
            workspace: uuid(workspace),
            hash: *hash.as_bytes(),
            size,
            small,
            next: 0,
            skip: 0,
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

    /// The next piece of at most a mebibyte; `None` at the end.
    ///
    /// # Errors
    /// When the database does not answer or a piece is damaged.
    pub async fn next(&mut self) -> Result<Option<Bytes>, HubError> {
        if self.small.is_some() || self.size <= BLOB_INLINE_BYTES_MAX {
            return Ok(self.small.take().filter(|bytes| !bytes.is_empty()));
        }
        let row = sqlx::query!("select codec, size, content from blob_chunks where workspace_id = $1 and hash = $2 and seq = $3", self.workspace, &self.hash[..], self.next)
            .fetch_optional(&self.db)
            .await?;
        self.next += 1;
        let Some(row) = row else { return Ok(None) };
        let size = usize::try_from(row.size).unwrap_or(0);
        let piece = unpack(row.codec, row.content, size)?;
        let skip = std::mem::take(&mut self.skip).min(piece.len());
        Ok(Some(piece.slice(skip..)))
    }
}
