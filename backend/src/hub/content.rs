//! Bytes: small contents in one row, large ones in chunks, written and read piece by piece. Hashes are always our own.
use std::collections::HashSet;

use bytes::{Bytes, BytesMut};
use slipway_core::hash::{ContentHash, ContentHasher};
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BLOB_INLINE_BYTES_MAX, CHUNK_BYTES_MAX, FILE_BYTES_MAX};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::commit::{HubError, uuid};
use crate::clock::{Clock, random};

pub mod read;

/// Contents of one statement: large enough to be few, small enough not to double the memory of an import.
const STATEMENT_BYTES: usize = 4 << 20;
/// Below it compressing costs more than it saves.
const COMPRESS_FROM: usize = 512;
const RAW: i16 = 0;
const ZSTD: i16 = 1;

/// A content as it is stored.
fn pack(content: &[u8]) -> (i16, Vec<u8>) {
    if content.len() >= COMPRESS_FROM {
        // A probe tells packed data apart from text, before the whole is tried.
        let probe = &content[..content.len().min(4096)];
        let shrinks =
            zstd::bulk::compress(probe, 1).is_ok_and(|packed| packed.len() < probe.len() * 9 / 10);
        if shrinks && let Ok(packed) = zstd::bulk::compress(content, 1) {
            return (ZSTD, packed);
        }
    }
    (RAW, content.to_vec())
}

fn unpack(codec: i16, content: Vec<u8>, size: usize) -> Result<Bytes, HubError> {
    match codec {
        RAW => Ok(content.into()),
        ZSTD => zstd::bulk::decompress(&content, size)
            .map(Bytes::from)
            .map_err(|error| HubError::Damaged(error.to_string())),
        other => Err(HubError::Damaged(format!("codec {other}"))),
    }
}

/// Stores contents that are in memory; large ones in chunks. Those that are held already cost nothing.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    contents: &[Bytes],
    now: OffsetDateTime,
) -> Result<(), HubError> {
    let mut known = HashSet::new();
    let fresh: Vec<_> = contents
        .iter()
        .map(|content| (ContentHash::of(content), content))
        .filter(|(hash, _)| known.insert(*hash))
        .collect();
    let (small, large): (Vec<_>, Vec<_>) = fresh
        .into_iter()
        .partition(|(_, content)| content.len() as u64 <= BLOB_INLINE_BYTES_MAX);
    let mut rest = small.as_slice();
    while !rest.is_empty() {
        let mut bytes = 0;
        let many = rest
            .iter()
            .take_while(|(_, content)| {
                bytes += content.len();
                bytes <= STATEMENT_BYTES
            })
            .count()
            .max(1);
        let (now_these, later) = rest.split_at(many);
        insert_small(db, workspace, now_these, now).await?;
        rest = later;
    }
    for (hash, content) in large {
        if insert_head(db, workspace, hash, content.len() as u64, now).await? {
            for (seq, piece) in content.chunks(CHUNK_BYTES_MAX).enumerate() {
                insert_chunk(db, workspace, hash.as_bytes(), seq, piece).await?;
            }
        }
    }
    Ok(())
}

async fn insert_small(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    contents: &[(ContentHash, &Bytes)],
    now: OffsetDateTime,
) -> Result<(), HubError> {
    let packed: Vec<_> = contents
        .iter()
        .map(|(hash, content)| {
            (
                hash.as_bytes().to_vec(),
                i64::try_from(content.len()).unwrap_or(0),
                pack(content),
            )
        })
        .collect();
    let hashes: Vec<_> = packed.iter().map(|(hash, ..)| hash.clone()).collect();
    let sizes: Vec<_> = packed.iter().map(|(_, size, _)| *size).collect();
    let codecs: Vec<_> = packed.iter().map(|(.., (codec, _))| *codec).collect();
    let bodies: Vec<_> = packed.into_iter().map(|(.., (_, body))| body).collect();
    sqlx::query!(
        "insert into blobs (workspace_id, hash, size, codec, content, created_at)
        select $1, hash, size, codec, content, $2 from unnest($3::bytea[], $4::bigint[], $5::smallint[], $6::bytea[]) as new (hash, size, codec, content)
        on conflict do nothing",
        uuid(workspace),
        now,
        &hashes,
        &sizes,
        &codecs,
        &bodies,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The row of a chunked content; false when it is held already.
async fn insert_head(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    hash: ContentHash,
    size: u64,
    now: OffsetDateTime,
) -> Result<bool, HubError> {
    let done = sqlx::query!("insert into blobs (workspace_id, hash, size, created_at) values ($1, $2, $3, $4) on conflict do nothing", uuid(workspace), &hash.as_bytes()[..], size.cast_signed(), now)
        .execute(db)
        .await?;
    Ok(done.rows_affected() == 1)
}

async fn insert_chunk(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    key: &[u8; 32],
    seq: usize,
    piece: &[u8],
) -> Result<(), HubError> {
    let (codec, body) = pack(piece);
    sqlx::query!(
        "insert into blob_chunks (workspace_id, hash, seq, codec, size, content) values ($1, $2, $3, $4, $5, $6)",
        uuid(workspace),
        &key[..],
        i32::try_from(seq).unwrap_or(i32::MAX),
        codec,
        i32::try_from(piece.len()).unwrap_or(i32::MAX),
        body,
    )
    .execute(db)
    .await?;
    Ok(())
}

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
    pub(super) fn new(workspace: WorkspaceId) -> Self {
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
            sqlx::query!(
                "update blob_chunks set hash = $3 where workspace_id = $1 and hash = $2",
                uuid(self.workspace),
                &self.key[..],
                &hash.as_bytes()[..]
            )
            .execute(&mut *db)
            .await?;
        }
        delete(db, self.workspace, &self.key).await?;
        Ok((hash, self.size))
    }
}

/// Writes a content piece by piece, each chunk at once: memory does not grow with its size.
pub struct ContentWriter {
    db: PgPool,
    clock: Clock,
    assembly: Assembly,
}

impl ContentWriter {
    pub(super) fn new(db: PgPool, clock: Clock, workspace: WorkspaceId) -> Self {
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
                let mut db = self.db.acquire().await?;
                self.assembly.write_full(&mut db, self.clock.now()).await
            }
            Err(error) => {
                let mut db = self.db.acquire().await?;
                delete(&mut db, self.assembly.workspace, &self.assembly.key).await?;
                Err(error)
            }
        }
    }

    /// The hash and size of what was written, now held by the workspace.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn finish(self) -> Result<(ContentHash, u64), HubError> {
        let mut db = self.db.begin().await?;
        let done = self.assembly.finish(&mut db, self.clock.now()).await?;
        db.commit().await?;
        Ok(done)
    }
}

async fn delete(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    key: &[u8; 32],
) -> Result<(), HubError> {
    sqlx::query!(
        "delete from blobs where workspace_id = $1 and hash = $2",
        uuid(workspace),
        &key[..]
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes contents that neither tree nor journal names and that are a day old: uploads that were cut off.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(db: &PgPool, now: OffsetDateTime) -> Result<u64, HubError> {
    let done = sqlx::query!(
        "delete from blobs where (workspace_id, hash) in (
            select workspace_id, hash from blobs as old where created_at < $1
                and not exists (select from changes where changes.workspace_id = old.workspace_id and changes.hash = old.hash)
                and not exists (select from entries where entries.workspace_id = old.workspace_id and entries.hash = old.hash)
            limit 1000 for update skip locked)",
        now - time::Duration::DAY,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}
