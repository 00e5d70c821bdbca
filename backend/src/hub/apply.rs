//! SQL of the hub that changes: lock, touch, apply. Set-based, so that ten thousand files take as many statements as one.
use std::collections::HashMap;

use slipway_api::file::Kind;
use slipway_core::hash::ContentHash;
use slipway_core::id::{Id as _, ReplicaId, WorkspaceId};
use slipway_core::path::RelPath;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::commit::{node_row, stale_paths, uuid};
use super::evaluate::Effect;
use super::store::origin_text;
use super::{Author, NodeRow};

/// A workspace under its row lock.
pub(super) struct Locked {
    pub(super) head: u64,
    pub(super) entries: u64,
    pub(super) bytes: u64,
    pub(super) inactive: bool,
    /// The answer that this batch got before.
    pub(super) answer: Option<Answer>,
}

/// A stored answer, with what stands now at the paths that it called stale.
pub(super) struct Answer {
    pub(super) value: serde_json::Value,
    pub(super) current: Vec<NodeRow>,
}

/// What a batch can touch.
pub(super) struct Touched {
    pub(super) paths: Vec<String>,
    pub(super) folds: Vec<String>,
    pub(super) folders: Vec<String>,
}

const fn number(kind: Kind) -> i16 {
    match kind {
        Kind::File => 1,
        Kind::Folder => 2,
        Kind::Symlink => 3,
    }
}

pub(super) async fn lock(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    replica: ReplicaId,
    batch: &str,
) -> Result<Option<Locked>, sqlx::Error> {
    let Some(row) = sqlx::query!(
        "select head_rev, entry_count, bytes_used, (archived_at is not null or deleted_at is not null) as \"inactive!\" from workspaces where id = $1 for update",
        uuid(workspace),
    )
    .fetch_optional(&mut *db)
    .await?
    else {
        return Ok(None);
    };
    let value = sqlx::query_scalar!(
        "select answer from batches where workspace_id = $1 and replica_id = $2 and batch = $3",
        uuid(workspace),
        replica.uuid(),
        batch
    )
    .fetch_optional(&mut *db)
    .await?;
    let answer = match value {
        Some(value) => {
            let paths = Touched {
                paths: stale_paths(&value),
                folds: Vec::new(),
                folders: Vec::new(),
            };
            let current = touched(db, workspace, &paths).await?;
            Some(Answer { value, current })
        }
        None => None,
    };
    Ok(Some(Locked {
        head: row.head_rev.unsigned_abs(),
        entries: row.entry_count.unsigned_abs(),
        bytes: row.bytes_used.unsigned_abs(),
        inactive: row.inactive,
        answer,
    }))
}

/// The rows that a batch can touch: by path, by spelling, and below folders.
pub(super) async fn touched(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    touched: &Touched,
) -> Result<Vec<NodeRow>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"select path, kind, hash, size, executable, link_target, rev from entries where workspace_id = $1 and path = any($2)
        union
        select path, kind, hash, size, executable, link_target, rev from entries where workspace_id = $1 and fold_key = any($3)
        union
        select entries.path, kind, hash, size, executable, link_target, rev from unnest($4::text[]) as folder
            join entries on workspace_id = $1 and entries.path > folder || '/' collate "C" and entries.path < folder || '0' collate "C""#,
        uuid(workspace),
        &touched.paths,
        &touched.folds,
        &touched.folders,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| {
            let (Some(path), Some(kind), Some(size), Some(executable), Some(rev)) =
                (row.path, row.kind, row.size, row.executable, row.rev)
            else {
                return Err(sqlx::Error::Decode("an entry without its columns".into()));
            };
            node_row(
                &path,
                kind,
                row.hash,
                size,
                executable,
                row.link_target,
                rev,
            )
        })
        .collect()
}

pub(super) async fn held(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    hashes: &[ContentHash],
) -> Result<HashMap<ContentHash, u64>, sqlx::Error> {
    let hashes: Vec<Vec<u8>> = hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect();
    // The lock keeps the sweep away until the commit refers to them.
    let rows = sqlx::query!(
        "select hash, size from blobs where workspace_id = $1 and hash = any($2) for key share",
        uuid(workspace),
        &hashes
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            Some((
                ContentHash::try_from(row.hash.as_slice()).ok()?,
                row.size.unsigned_abs(),
            ))
        })
        .collect())
}

/// Rows of the tree and of the journal, column by column, as UNNEST takes them.
#[derive(Default)]
struct Columns {
    path: Vec<String>,
    fold: Vec<String>,
    kind: Vec<Option<i16>>,
    hash: Vec<Option<Vec<u8>>>,
    size: Vec<i64>,
    executable: Vec<bool>,
    target: Vec<Option<String>>,
    from: Vec<Option<String>>,
    previous: Vec<Option<Vec<u8>>>,
    previous_kind: Vec<Option<i16>>,
}

impl Columns {
    fn push(&mut self, effect: &Effect) {
        let bytes = |row: &Option<NodeRow>| {
            row.as_ref()
                .and_then(|row| row.hash)
                .map(|hash| hash.as_bytes().to_vec())
        };
        let after = effect.after.as_ref();
        self.path.push(effect.path.to_string());
        self.fold.push(effect.path.fold_key());
        self.kind.push(after.map(|row| number(row.kind)));
        self.hash.push(bytes(&effect.after));
        self.size
            .push(after.map_or(0, |row| row.size.cast_signed()));
        self.executable
            .push(after.is_some_and(|row| row.executable));
        self.target.push(after.and_then(|row| row.target.clone()));
        self.from.push(effect.from.as_ref().map(RelPath::to_string));
        self.previous.push(bytes(&effect.before));
        self.previous_kind
            .push(effect.before.as_ref().map(|row| number(row.kind)));
    }
}

/// Writes the effects to tree and journal.
pub(super) async fn apply(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    revision: u64,
    effects: &[Effect],
    author: &Author,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    let mut all = Columns::default();
    effects.iter().for_each(|effect| all.push(effect));
    // The tree takes each path's last state, the journal takes every step.
    let mut last: HashMap<&RelPath, &Effect> = HashMap::new();
    last.extend(effects.iter().map(|effect| (&effect.path, effect)));
    let (mut put, mut gone) = (Columns::default(), Vec::new());
    for effect in last.into_values() {
        if effect.after.is_some() {
            put.push(effect);
        } else {
            gone.push(effect.path.to_string());
        }
    }
    if !gone.is_empty() {
        sqlx::query!(
            "delete from entries where workspace_id = $1 and path = any($2)",
            uuid(workspace),
            &gone
        )
        .execute(&mut *db)
        .await?;
    }
    sqlx::query!(
        "insert into entries (workspace_id, path, fold_key, kind, hash, size, executable, link_target, rev)
        select $1, path, fold, kind, hash, size, executable, target, $2 from unnest($3::text[], $4::text[], $5::smallint[], $6::bytea[], $7::bigint[], $8::boolean[], $9::text[])
            as new (path, fold, kind, hash, size, executable, target)
        on conflict (workspace_id, path) do update set kind = excluded.kind, hash = excluded.hash, size = excluded.size,
            executable = excluded.executable, link_target = excluded.link_target, rev = excluded.rev",
        uuid(workspace),
        revision.cast_signed(),
        &put.path,
        &put.fold,
        &put.kind as &[Option<i16>],
        &put.hash as &[Option<Vec<u8>>],
        &put.size,
        &put.executable,
        &put.target as &[Option<String>],
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "insert into changes (workspace_id, rev, seq, path, kind, hash, size, executable, link_target, from_path, prev_hash, prev_kind, origin, user_id, at)
        select $1, $2, seq, path, kind, hash, size, executable, target, from_path, prev_hash, prev_kind, $3, $4, $5
        from unnest($6::text[], $7::smallint[], $8::bytea[], $9::bigint[], $10::boolean[], $11::text[], $12::text[], $13::bytea[], $14::smallint[])
            with ordinality as new (path, kind, hash, size, executable, target, from_path, prev_hash, prev_kind, seq)",
        uuid(workspace),
        revision.cast_signed(),
        origin_text(author.kind),
        author.user.map(|user| user.uuid()),
        now,
        &all.path,
        &all.kind as &[Option<i16>],
        &all.hash as &[Option<Vec<u8>>],
        &all.size,
        &all.executable,
        &all.target as &[Option<String>],
        &all.from as &[Option<String>],
        &all.previous as &[Option<Vec<u8>>],
        &all.previous_kind as &[Option<i16>],
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn advance(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    revision: u64,
    entries: u64,
    bytes: u64,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update workspaces set head_rev = $2, entry_count = $3, bytes_used = $4, changed_at = $5 where id = $1",
        uuid(workspace),
        revision.cast_signed(),
        entries.cast_signed(),
        bytes.cast_signed(),
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn remember(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    replica: ReplicaId,
    batch: &str,
    answer: &serde_json::Value,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!("insert into batches (workspace_id, replica_id, batch, answer, at) values ($1, $2, $3, $4, $5)", uuid(workspace), replica.uuid(), batch, answer, now)
        .execute(db)
        .await?;
    Ok(())
}
