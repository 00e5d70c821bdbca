//! A workspace as the beginning of another.
use slipway_core::id::{Id as _, UserId, WorkspaceId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::row::uuid;

/// Copies tree and contents of one workspace to another as its first revision. One statement sees one state of the
/// source, which others may go on writing meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn copy(
    db: &mut PgConnection,
    from: WorkspaceId,
    to: WorkspaceId,
    user: UserId,
    now: OffsetDateTime,
) -> sqlx::Result<()> {
    sqlx::query!(
        "with tree as (select * from entries where workspace_id = $1),
        contents as (
            insert into blobs (workspace_id, hash, size, codec, content, created_at)
            select $2, hash, size, codec, content, $4 from blobs where workspace_id = $1 and hash in (select hash from tree)
        ), pieces as (
            insert into blob_chunks (workspace_id, hash, seq, codec, size, content, chunk)
            select $2, hash, seq, codec, size, content, chunk from blob_chunks where workspace_id = $1 and hash in (select hash from tree)
            returning chunk
        ), named as (
            insert into chunks (workspace_id, hash, codec, content, created_at)
            select $2, hash, codec, content, $4 from chunks where workspace_id = $1 and hash in (select chunk from pieces)
        ), files as (
            insert into entries (workspace_id, path, fold_key, kind, hash, size, executable, link_target, rev)
            select $2, path, fold_key, kind, hash, size, executable, link_target, 1 from tree
        ), journal as (
            insert into changes (workspace_id, rev, seq, path, kind, hash, size, executable, link_target, origin, user_id, at)
            select $2, 1, row_number() over (order by path), path, kind, hash, size, executable, link_target, 'template', $3, $4 from tree
        )
        update workspaces set head_rev = 1, entry_count = old.entry_count, bytes_used = old.bytes_used
        from workspaces as old where workspaces.id = $2 and old.id = $1",
        uuid(from),
        uuid(to),
        user.uuid(),
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
