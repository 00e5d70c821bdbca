//! SQL of the hub that changes: lock, touch, apply. Set-based, so that ten thousand files take as many statements as one.
use std::collections::HashMap;

use slipway_api::file::Kind;
use slipway_core::id::{Id as _, WorkspaceId};
use slipway_core::path::RelPath;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::evaluate::{Effect, Evaluated};
use super::row::{NodeColumns, nodes, number, origin_text, uuid};
use super::types::{Author, NodeRow};

/// A workspace under its row lock.
pub(super) struct Locked {
    pub(super) head: u64,
    pub(super) entries: u64,
    pub(super) bytes: u64,
    pub(super) inactive: bool,
}

/// What a batch can touch.
pub(super) struct Touched {
    pub(super) paths: Vec<String>,
    pub(super) folds: Vec<String>,
    pub(super) folders: Vec<String>,
}

/// Locks a workspace: until the transaction's end nobody else changes it.
pub(super) async fn lock(
    db: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Option<Locked>, sqlx::Error> {
    let row = sqlx::query!(
        "select head_rev, entry_count, bytes_used, (archived_at is not null or deleted_at is not null) as \"inactive!\" from workspaces where id = $1 for update",
        uuid(workspace),
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Locked {
        head: row.head_rev.unsigned_abs(),
        entries: row.entry_count.unsigned_abs(),
        bytes: row.bytes_used.unsigned_abs(),
        inactive: row.inactive,
    }))
}

/// The rows that a batch can touch: by path, by spelling, and below folders.
pub(super) async fn touched(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    touched: &Touched,
) -> Result<Vec<NodeRow>, sqlx::Error> {
    let rows = sqlx::query_as!(
        NodeColumns,
        r#"select entry.path as "path!", kind as "kind!", hash, size as "size!", executable as "executable!", link_target, rev as "rev!"
        from unnest($2::text[]) as asked cross join lateral
            (select * from entries where workspace_id = (select $1::uuid) and entries.path = asked collate "C" offset 0) as entry
        union
        select entry.path, kind, hash, size, executable, link_target, rev from unnest($3::text[]) as asked cross join lateral
            (select * from entries where workspace_id = (select $1::uuid) and fold_key = asked collate "C" offset 0) as entry
        union
        select entry.path, kind, hash, size, executable, link_target, rev from unnest($4::text[]) as folder cross join lateral
            (select * from entries where workspace_id = (select $1::uuid) and entries.path > folder || '/' collate "C" and entries.path < folder || '0' collate "C" offset 0) as entry"#,
        uuid(workspace),
        &touched.paths,
        &touched.folds,
        &touched.folders,
    )
    .fetch_all(db)
    .await?;
    nodes(rows)
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
    // The tree takes each path's last state, in the order of the batch: indexes take paths best as they follow on each
    // other. The journal takes every step.
    let last: HashMap<&RelPath, usize> =
        effects.iter().map(|effect| &effect.path).zip(0..).collect();
    let (mut put, mut gone) = (Columns::default(), Vec::new());
    for (number, effect) in effects.iter().enumerate() {
        if last[&effect.path] != number {
            continue;
        }
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

/// Bytes of contents that the effects took out of the tree, each counted as if nothing else named it.
fn superseded(effects: &[Effect]) -> u64 {
    let content = |row: &Option<NodeRow>| {
        row.as_ref()
            .filter(|row| row.kind == Kind::File)
            .and_then(|row| Some((row.hash?, row.size)))
    };
    effects
        .iter()
        .filter_map(|effect| {
            let before = content(&effect.before)?;
            (content(&effect.after) != Some(before)).then_some(before.1)
        })
        .sum()
}

/// Moves the workspace's head; answers with an estimate of its history's bytes, never too low.
pub(super) async fn advance(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    revision: u64,
    evaluated: &Evaluated,
    now: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let history = sqlx::query_scalar!(
        "update workspaces set head_rev = $2, entry_count = $3, bytes_used = $4, changed_at = $5, history_bytes = history_bytes + $6
        where id = $1 returning history_bytes",
        uuid(workspace),
        revision.cast_signed(),
        evaluated.entries.cast_signed(),
        evaluated.bytes.cast_signed(),
        now,
        superseded(&evaluated.effects).cast_signed(),
    )
    .fetch_one(db)
    .await?;
    Ok(history.unsigned_abs())
}
