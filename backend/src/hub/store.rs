//! SQL of the hub that looks: heads, the tree now and then, the journal.
use slipway_core::id::{Id as _, UserId, WorkspaceId};
use slipway_core::limits::HISTORY_RENAMES_MAX;
use slipway_core::path::RelPath;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::row::{ChangeColumns, NodeColumns, nodes, uuid};
use super::types::{Head, JournalRow, NodeRow, Version, WorkspaceRow};

pub(super) async fn head(db: &PgPool, workspace: WorkspaceId) -> Result<Option<Head>, sqlx::Error> {
    let row = sqlx::query!(
        "select epoch, head_rev, entry_count, bytes_used from workspaces where id = $1",
        uuid(workspace)
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Head {
        epoch: row.epoch,
        revision: row.head_rev.unsigned_abs(),
        entries: row.entry_count.unsigned_abs(),
        bytes: row.bytes_used.unsigned_abs(),
    }))
}

/// Gives a workspace another epoch; nothing happens when it has one already.
pub(super) async fn renew_epoch(
    db: &PgPool,
    workspace: WorkspaceId,
    old: Uuid,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update workspaces set epoch = gen_random_uuid() where id = $1 and epoch = $2",
        uuid(workspace),
        old,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn workspace(
    db: &PgPool,
    workspace: WorkspaceId,
) -> Result<Option<WorkspaceRow>, sqlx::Error> {
    let row = sqlx::query!("select id, owner_id, name, head_rev, archived_at, deleted_at from workspaces where id = $1", uuid(workspace)).fetch_optional(db).await?;
    Ok(row.map(|row| WorkspaceRow {
        id: WorkspaceId::from_uuid(row.id),
        owner: UserId::from_uuid(row.owner_id),
        name: row.name,
        head: row.head_rev.unsigned_abs(),
        archived_at: row.archived_at,
        deleted_at: row.deleted_at,
    }))
}

pub(super) async fn changes_after(
    db: &PgPool,
    workspace: WorkspaceId,
    after: u64,
    limit: usize,
) -> Result<Vec<JournalRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        ChangeColumns,
        r#"with page as (select rev from changes where workspace_id = $1 and rev > $2 order by rev, seq limit $3)
        select rev, seq, path, kind, hash, size, executable, link_target, from_path, prev_hash, origin, user_id, at, true as "kept!" from changes
        where workspace_id = $1 and rev > $2 and rev <= (select max(rev) from page) order by rev, seq"#,
        uuid(workspace),
        i64::try_from(after).unwrap_or(i64::MAX),
        i64::try_from(limit).unwrap_or(i64::MAX),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok(Version::try_from(row)?.change))
        .collect()
}

/// The newest revision, if the journal has all revisions of these rows, made at these times.
pub(super) async fn head_beyond(
    db: &PgPool,
    workspace: WorkspaceId,
    rows: &[JournalRow],
) -> Result<Option<u64>, sqlx::Error> {
    let mut told: Vec<_> = rows.iter().map(|row| (row.revision, row.at)).collect();
    told.dedup();
    let (revisions, times): (Vec<i64>, Vec<OffsetDateTime>) = told
        .into_iter()
        .map(|(revision, at)| (revision.cast_signed(), at))
        .unzip();
    let head = sqlx::query_scalar!(
        r#"select head_rev from workspaces where id = $1 and not exists (
            select from unnest($2::bigint[], $3::timestamptz[]) as told (rev, at)
            left join lateral (select changes.at from changes where workspace_id = $1 and changes.rev = told.rev order by seq limit 1) as kept on true
            where kept.at is distinct from told.at)"#,
        uuid(workspace),
        &revisions,
        &times,
    )
    .fetch_optional(db)
    .await?;
    Ok(head.map(i64::unsigned_abs))
}

/// Versions of one path, the newest first, one for each revision: what stood there at its end. Among them are those of the
/// names that what stands there had before, each until it was renamed; so that one revision may have several, of which
/// there are never more than names.
///
/// # Errors
/// When the database does not answer.
pub async fn history(
    db: &PgPool,
    workspace: WorkspaceId,
    of: &RelPath,
    before: u64,
    limit: i64,
) -> Result<Vec<Version>, sqlx::Error> {
    let rows = sqlx::query_as!(
        ChangeColumns,
        r#"with recursive names (path, before, turn) as (
            select $2::text collate "C", 9223372036854775807, 0
            union all
            select renamed.from_path, renamed.rev, turn + 1 from names cross join lateral (
                select from_path, rev from changes
                where workspace_id = $1 and changes.path = names.path and rev < before and from_path is not null
                order by rev desc, seq desc limit 1
            ) as renamed where turn < $5
        ), each_name as (
            select path as name, max(before) as before, min(turn) as turn from names group by path
        )
        select rev as "rev!", seq as "seq!", path as "path!", kind as "kind?", hash as "hash?", size as "size!",
            executable as "executable!", link_target as "link_target?", from_path as "from_path?", prev_hash as "prev_hash?",
            origin as "origin!", user_id as "user_id?", at as "at!",
            (kind is distinct from 1 or exists (select from blobs where blobs.workspace_id = $1 and blobs.hash = version.hash)) as "kept!"
        from each_name cross join lateral (
            select distinct on (rev) * from changes
            where workspace_id = $1 and changes.path = name and rev < least(before, $3) order by rev desc, seq desc limit $4
        ) as version order by rev desc, turn limit $4"#,
        uuid(workspace),
        of.as_str(),
        before.min(i64::MAX.unsigned_abs()).cast_signed(),
        limit,
        i32::try_from(HISTORY_RENAMES_MAX).unwrap_or(i32::MAX),
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Version::try_from).collect()
}

/// What stood at a path at a revision.
///
/// # Errors
/// When the database does not answer.
pub async fn entry_at(
    db: &PgPool,
    workspace: WorkspaceId,
    at: &RelPath,
    revision: u64,
) -> Result<Option<NodeRow>, sqlx::Error> {
    let row = sqlx::query_as!(
        NodeColumns,
        r#"select path, kind as "kind!", hash, size, executable, link_target, rev from (
            select path, kind, hash, size, executable, link_target, rev from changes
            where workspace_id = $1 and path = $2 and rev <= $3 order by rev desc, seq desc limit 1
        ) as latest where kind is not null"#,
        uuid(workspace),
        at.as_str(),
        revision.cast_signed(),
    )
    .fetch_optional(db)
    .await?;
    row.map(NodeRow::try_from).transpose()
}

/// The tree as it was at a revision, sorted by path.
///
/// # Errors
/// When the database does not answer.
pub async fn tree_at(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    revision: u64,
) -> Result<Vec<NodeRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        NodeColumns,
        r#"select path, kind as "kind!", hash, size, executable, link_target, rev from (
            select distinct on (path) path, kind, hash, size, executable, link_target, rev from changes
            where workspace_id = $1 and rev <= $2 order by path, rev desc, seq desc
        ) as latest where kind is not null order by path"#,
        uuid(workspace),
        revision.cast_signed(),
    )
    .fetch_all(db)
    .await?;
    nodes(rows)
}

/// When a revision was made.
pub(super) async fn made(
    db: &PgPool,
    workspace: WorkspaceId,
    revision: u64,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar!(
        "select at from changes where workspace_id = $1 and rev = $2 order by seq limit 1",
        uuid(workspace),
        i64::try_from(revision).unwrap_or(i64::MAX),
    )
    .fetch_optional(db)
    .await
}

/// The current tree, sorted by path.
///
/// # Errors
/// When the database does not answer.
pub async fn tree(
    db: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Vec<NodeRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        NodeColumns,
        "select path, kind, hash, size, executable, link_target, rev from entries where workspace_id = $1 order by path",
        uuid(workspace)
    )
    .fetch_all(db)
    .await?;
    nodes(rows)
}

pub(super) async fn listing(
    db: &PgPool,
    workspace: WorkspaceId,
) -> Result<Option<(u64, Vec<NodeRow>)>, sqlx::Error> {
    // One snapshot for both statements: the revision belongs to the rows.
    let mut db = db
        .begin_with("begin isolation level repeatable read read only")
        .await?;
    let Some(head) = sqlx::query_scalar!(
        "select head_rev from workspaces where id = $1",
        uuid(workspace)
    )
    .fetch_optional(&mut *db)
    .await?
    else {
        return Ok(None);
    };
    let rows = tree(&mut db, workspace).await?;
    db.commit().await?;
    Ok(Some((head.unsigned_abs(), rows)))
}

/// Entries of the current tree at these paths.
///
/// # Errors
/// When the database does not answer.
pub async fn entries(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    paths: &[String],
) -> Result<Vec<NodeRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        NodeColumns,
        r#"select entry.path as "path!", kind as "kind!", hash, size as "size!", executable as "executable!", link_target, rev as "rev!"
        from (select distinct path from unnest($2::text[]) as path) as asked cross join lateral
            (select * from entries where workspace_id = (select $1::uuid) and entries.path = asked.path collate "C" offset 0) as entry"#,
        uuid(workspace),
        paths,
    )
    .fetch_all(db)
    .await?;
    nodes(rows)
}

/// One entry of the current tree.
///
/// # Errors
/// When the database does not answer.
pub async fn entry(
    db: impl PgExecutor<'_>,
    workspace: WorkspaceId,
    at: &RelPath,
) -> Result<Option<NodeRow>, sqlx::Error> {
    Ok(entries(db, workspace, &[at.to_string()]).await?.pop())
}
