//! Bytes: small contents in one row, large ones in chunks that they share, written and read piece by piece. Hashes are
//! always our own.
use std::collections::{HashMap, HashSet};

use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BLOB_INLINE_BYTES_MAX, CHUNK_BYTES_MAX, STORED_BYTES_MAX};
use sqlx::{Connection as _, PgConnection, PgPool};
use time::{Duration, OffsetDateTime};

use self::packed::{Packed, Packer};
use super::row::uuid;
use super::types::{HubError, Whole};

pub(super) mod chunks;
mod packed;
pub mod read;
pub mod write;

/// Contents of one statement: large enough to be few, small enough not to double the memory of an import.
const STATEMENT_BYTES: usize = 4 << 20;
/// Small contents that may arrive until everything that a workspace holds is added up again, which takes a millisecond for
/// every few hundred contents.
const ARRIVED_BYTES: u64 = 64 << 20;
/// From this age on the sweep takes what nothing names.
const SWEPT: Duration = Duration::DAY;
/// From this age on a content is made new by a commit that names it. A row that is made new is written anew with its
/// content, which costs as much as the content did, and the place of the old one until the database has cleaned up.
const RENEWED: Duration = Duration::hours(12);

/// Sizes of those contents that the workspace holds, which are then used now.
///
/// A content that is named by a commit is not old afterwards, here and by every insert: the sweep, which sees nothing of a
/// commit that is under way, takes only what is, and a row that changed under it is looked at again.
pub(super) async fn hold(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    hashes: &[ContentHash],
    now: OffsetDateTime,
) -> Result<HashMap<ContentHash, u64>, HubError> {
    if hashes.is_empty() {
        return Ok(HashMap::new());
    }
    let asked: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect();
    let rows = sqlx::query!(
        "select blob.hash, blob.size, blob.created_at from unnest($2::bytea[]) as asked (hash) cross join lateral
            (select hash, size, created_at from blobs where workspace_id = (select $1::uuid) and blobs.hash = asked.hash offset 0) as blob",
        uuid(workspace),
        &asked,
    )
    .fetch_all(&mut *db)
    .await?;
    let (mut held, mut old) = (HashMap::new(), Vec::new());
    for row in rows {
        if row.created_at < now - RENEWED {
            old.push(row.hash);
        } else {
            held.insert(stored_hash(&row.hash)?, row.size.unsigned_abs());
        }
    }
    if old.is_empty() {
        return Ok(held);
    }
    let renewed = sqlx::query!(
        "update blobs set created_at = $3 where workspace_id = $1 and hash = any($2) returning hash, size",
        uuid(workspace),
        &old,
        now,
    );
    for row in renewed.fetch_all(db).await? {
        held.insert(stored_hash(&row.hash)?, row.size.unsigned_abs());
    }
    Ok(held)
}

/// Those of these contents that the workspace holds.
pub(super) async fn held(
    db: &PgPool,
    workspace: WorkspaceId,
    hashes: &[ContentHash],
) -> Result<HashSet<ContentHash>, HubError> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect();
    let held = sqlx::query_scalar!(
        "select blob.hash from unnest($2::bytea[]) as asked (hash) cross join lateral
            (select hash from blobs where workspace_id = (select $1::uuid) and blobs.hash = asked.hash offset 0) as blob",
        uuid(workspace),
        &hashes,
    )
    .fetch_all(db)
    .await?;
    held.iter().map(|hash| stored_hash(hash)).collect()
}

fn stored_hash(bytes: &[u8]) -> Result<ContentHash, HubError> {
    ContentHash::try_from(bytes).map_err(|_| HubError::Damaged("hash of a content".to_owned()))
}

/// Contents that are in memory, each once, ready to be stored: small ones are packed.
#[derive(Default)]
pub(super) struct Ready {
    small: Vec<Packed>,
    large: Vec<Whole>,
}

impl Ready {
    /// Work for a while, if they are many.
    pub(super) fn new(contents: Vec<Whole>) -> Self {
        let (mut known, mut packer, mut ready) =
            (HashSet::new(), Packer::default(), Self::default());
        for content in contents {
            if !known.insert(content.hash()) {
                continue;
            }
            if content.size() <= BLOB_INLINE_BYTES_MAX {
                ready.small.push(Packed::new(&content, &mut packer));
            } else {
                ready.large.push(content);
            }
        }
        ready
    }

    /// Keeps those of these hashes.
    pub(super) fn only(mut self, hashes: &HashSet<ContentHash>) -> Self {
        self.small.retain(|packed| hashes.contains(&packed.hash));
        self.large.retain(|whole| hashes.contains(&whole.hash()));
        self
    }
}

/// Stores contents that are named in the same transaction; large ones in chunks. Those that are held already cost little.
///
/// # Errors
/// When the database does not answer.
pub(super) async fn insert(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    contents: Ready,
    now: OffsetDateTime,
) -> Result<(), HubError> {
    let mut rest = contents.small;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fit = rest.iter().take_while(|packed| {
            bytes += packed.body.len();
            bytes <= STATEMENT_BYTES
        });
        let later = rest.split_off(fit.count().max(1));
        insert_small(db, workspace, rest, now, now - RENEWED).await?;
        rest = later;
    }
    for content in contents.large {
        if insert_head(db, workspace, content.hash(), content.size(), now).await? {
            let mut stored = Vec::new();
            for (before, bytes) in content.bytes().chunks(CHUNK_BYTES_MAX).enumerate() {
                stored.push(chunks::store(db, workspace, before, bytes, now).await?);
            }
            chunks::name(db, workspace, content.hash(), &stored, now).await?;
        }
    }
    Ok(())
}

/// Stores contents of one row each; those that are held and older than `old` are made new.
async fn insert_small(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    contents: Vec<Packed>,
    now: OffsetDateTime,
    old: OffsetDateTime,
) -> Result<(), HubError> {
    let hashes: Vec<_> = contents
        .iter()
        .map(|packed| packed.hash.as_bytes().to_vec())
        .collect();
    let sizes: Vec<_> = contents.iter().map(|packed| packed.size).collect();
    let codecs: Vec<_> = contents.iter().map(|packed| packed.codec).collect();
    let bodies: Vec<_> = contents.into_iter().map(|packed| packed.body).collect();
    sqlx::query!(
        "insert into blobs (workspace_id, hash, size, codec, content, created_at)
        select $1, hash, size, codec, content, $2 from unnest($3::bytea[], $4::bigint[], $5::smallint[], $6::bytea[]) as new (hash, size, codec, content)
        on conflict (workspace_id, hash) do update set created_at = excluded.created_at where blobs.created_at < $7",
        uuid(workspace),
        now,
        &hashes,
        &sizes,
        &codecs,
        &bodies,
        old,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Counts a small content or a chunk that arrives beside a commit, unless the workspace holds more than it may.
async fn arrive(db: &mut PgConnection, workspace: WorkspaceId, size: u64) -> Result<(), HubError> {
    let arrived = sqlx::query_scalar!(
        "update workspaces set arrived_bytes = arrived_bytes + $2 where id = $1 returning arrived_bytes",
        uuid(workspace),
        size.cast_signed()
    )
    .fetch_optional(&mut *db)
    .await?;
    if arrived.ok_or(HubError::Unknown)?.cast_unsigned() > ARRIVED_BYTES {
        check_room(db, workspace).await?;
        sqlx::query!(
            "update workspaces set arrived_bytes = 0 where id = $1",
            uuid(workspace)
        )
        .execute(db)
        .await?;
    }
    Ok(())
}

/// Locks the workspace's row: until the transaction's end nobody else names contents or deletes them.
async fn lock(db: &mut PgConnection, workspace: WorkspaceId) -> Result<(), HubError> {
    let locked = sqlx::query_scalar!(
        "select id from workspaces where id = $1 for no key update",
        uuid(workspace)
    )
    .fetch_optional(db)
    .await?;
    locked.map(drop).ok_or(HubError::Unknown)
}

/// Refuses more when a workspace holds more than it may: its tree, its history, and what nothing names yet, whether all of
/// it has come or not.
async fn check_room(db: &mut PgConnection, workspace: WorkspaceId) -> Result<(), HubError> {
    let held = sqlx::query_scalar!(
        r#"select (coalesce((select sum(size) from blobs where workspace_id = $1), 0)
            + coalesce((select sum(octet_length(content)) from chunks where workspace_id = $1
                and not exists (select from blob_chunks where blob_chunks.workspace_id = $1 and blob_chunks.chunk = chunks.hash)), 0))::bigint as "held!""#,
        uuid(workspace)
    )
    .fetch_one(db)
    .await?;
    if held.cast_unsigned() > STORED_BYTES_MAX {
        return Err(HubError::NoRoom);
    }
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
    // A row that nobody has ever updated or locked is the one that this statement made.
    let made = sqlx::query_scalar!(
        r#"insert into blobs (workspace_id, hash, size, created_at) values ($1, $2, $3, $4)
        on conflict (workspace_id, hash) do update set created_at = excluded.created_at returning (xmax = 0) as "made!""#,
        uuid(workspace),
        &hash.as_bytes()[..],
        size.cast_signed(),
        now
    )
    .fetch_one(db)
    .await?;
    Ok(made)
}

/// Deletes contents that neither tree nor journal names, and chunks that no content names, when they are a day old: uploads
/// that were cut off.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(db: &mut PgConnection, now: OffsetDateTime) -> Result<u64, HubError> {
    let before = now - SWEPT;
    let mut db = db.begin().await?;
    // Nothing is asked for by its key: all of it is read through.
    sqlx::query!("select set_config('enable_seqscan', 'on', true)")
        .fetch_one(&mut *db)
        .await?;
    let done = sqlx::query!(
        "delete from blobs where (workspace_id, hash) in (
            select workspace_id, hash from blobs as old where created_at < $1
                and not exists (select from changes where changes.workspace_id = old.workspace_id and changes.hash = old.hash)
                and not exists (select from entries where entries.workspace_id = old.workspace_id and entries.hash = old.hash)
            limit 1000 for update skip locked)",
        before,
    )
    .execute(&mut *db)
    .await?;
    let done = done.rows_affected() + chunks::sweep(&mut db, before).await?;
    db.commit().await?;
    Ok(done)
}
