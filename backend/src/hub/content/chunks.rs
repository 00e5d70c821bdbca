//! Chunks of large contents. Each is kept once in a workspace, under what it comes to at its place: the versions of a file
//! that differ in a few places share all others, and none is read or written again for another.
//!
//! A chunk is stored before anything names it. It is named, and what nothing names any more is deleted, under the
//! workspace's lock; only the sweep has none, and takes what is old.
use slipway_core::hash::{ChunkHash, ContentHash};
use slipway_core::id::WorkspaceId;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;

use super::packed::Packer;
use crate::hub::row::uuid;
use crate::hub::types::HubError;

/// A chunk of a content.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    pub(super) hash: ChunkHash,
    pub(super) size: i32,
}

/// Stores a chunk that so many come before.
pub(super) async fn store(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    before: usize,
    bytes: &[u8],
    now: OffsetDateTime,
) -> Result<Chunk, HubError> {
    let hash = ChunkHash::of(bytes, before);
    let (codec, body) = Packer::default().pack(bytes);
    sqlx::query!(
        "insert into chunks (workspace_id, hash, codec, content, created_at) values ($1, $2, $3, $4, $5)
        on conflict (workspace_id, hash) do update set created_at = excluded.created_at",
        uuid(workspace),
        &hash.as_bytes()[..],
        codec,
        body,
        now,
    )
    .execute(db)
    .await?;
    let size = i32::try_from(bytes.len()).unwrap_or(i32::MAX);
    Ok(Chunk { hash, size })
}

/// A content has these chunks, in order.
pub(super) async fn name(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    content: ContentHash,
    chunks: &[Chunk],
    now: OffsetDateTime,
) -> Result<(), HubError> {
    let sizes: Vec<_> = chunks.iter().map(|chunk| chunk.size).collect();
    let named = sqlx::query!(
        "with held as (update chunks set created_at = $3 where workspace_id = $1 and hash = any($4::bytea[]) returning hash)
        insert into blob_chunks (workspace_id, hash, seq, size, chunk)
        select $1, $2, place - 1, size, chunk from unnest($4::bytea[], $5::integer[]) with ordinality as new (chunk, size, place)
            join held on held.hash = chunk",
        uuid(workspace),
        &content.as_bytes()[..],
        now,
        &hashes(chunks),
        &sizes,
    )
    .execute(db)
    .await?;
    if named.rows_affected() == chunks.len() as u64 {
        return Ok(());
    }
    // One went with the last content that named it.
    Err(HubError::Gone)
}

/// The chunks of a content; `None` for one that has its bytes for itself.
pub(super) async fn of(
    db: &PgPool,
    workspace: WorkspaceId,
    content: ContentHash,
) -> Result<Vec<Option<Chunk>>, HubError> {
    let rows = sqlx::query!(
        "select chunk, size from blob_chunks where workspace_id = $1 and hash = $2 order by seq",
        uuid(workspace),
        &content.as_bytes()[..],
    )
    .fetch_all(db)
    .await?;
    let chunk = |hash: Vec<u8>, size| {
        let hash = hash.try_into().map(ChunkHash::from_bytes).ok()?;
        Some(Chunk { hash, size })
    };
    let chunks = rows.into_iter();
    Ok(chunks.map(|row| chunk(row.chunk?, row.size)).collect())
}

/// Deletes contents; tells how many.
pub(in crate::hub) async fn delete_contents(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    contents: &[Vec<u8>],
) -> Result<u64, HubError> {
    let freed = sqlx::query_scalar!(
        "delete from blob_chunks where workspace_id = $1 and hash = any($2) returning chunk",
        uuid(workspace),
        contents,
    )
    .fetch_all(&mut *db)
    .await?;
    let done = sqlx::query!(
        "delete from blobs where workspace_id = $1 and hash = any($2)",
        uuid(workspace),
        contents,
    )
    .execute(&mut *db)
    .await?;
    let freed: Vec<_> = freed.into_iter().flatten().collect();
    delete_unnamed(db, workspace, &freed).await?;
    Ok(done.rows_affected())
}

/// Deletes those of these chunks that nothing names.
pub(super) async fn discard(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    chunks: &[Chunk],
) -> Result<(), HubError> {
    delete_unnamed(db, workspace, &hashes(chunks)).await
}

async fn delete_unnamed(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    hashes: &[Vec<u8>],
) -> Result<(), HubError> {
    if hashes.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "delete from chunks where workspace_id = $1 and hash = any($2)
            and not exists (select from blob_chunks where blob_chunks.workspace_id = $1 and blob_chunks.chunk = chunks.hash)",
        uuid(workspace),
        hashes,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Deletes chunks that nothing names and that are a day old; tells how many.
pub(super) async fn sweep(db: &mut PgConnection, before: OffsetDateTime) -> Result<u64, HubError> {
    let done = sqlx::query!(
        "delete from chunks where (workspace_id, hash) in (
            select workspace_id, hash from chunks as old where created_at < $1
                and not exists (select from blob_chunks where blob_chunks.workspace_id = old.workspace_id and blob_chunks.chunk = old.hash)
            limit 1000 for update skip locked)",
        before,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

fn hashes(chunks: &[Chunk]) -> Vec<Vec<u8>> {
    let hashes = chunks.iter().map(|chunk| chunk.hash.as_bytes().to_vec());
    hashes.collect()
}
