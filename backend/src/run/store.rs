//! Runs in Postgres. A finished run never changes again; what a driver writes names the lease it holds.
use slipway_api::run::{Run, RunState, RunTarget};
use slipway_api::session::Exit;
use slipway_core::id::{Id, RunId, SessionId, UserId, WorkspaceId};
use slipway_core::path::RelPath;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Context;

/// A run to be stored.
pub struct NewRun {
    /// Id.
    pub id: RunId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The session that shall execute it.
    pub session: SessionId,
    /// Who asked.
    pub user: UserId,
    /// What was asked for.
    pub target: RunTarget,
    /// The command line.
    pub command: String,
    /// The revision that must be on the disk.
    pub revision: u64,
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
}

struct Row {
    id: Uuid,
    workspace_id: Uuid,
    session_id: Option<Uuid>,
    target: Json<RunTarget>,
    command: String,
    revision: i64,
    state: String,
    exit_code: Option<i32>,
    exit_signal: Option<i32>,
    reason: Option<String>,
    created_at: OffsetDateTime,
    started_at: Option<OffsetDateTime>,
    duration_ms: Option<i64>,
    peak_memory_bytes: Option<i64>,
    output_bytes: i64,
    output_truncated: bool,
}

/// The state of a column; the table's check allows no other text.
#[must_use]
pub fn parse_state(text: &str) -> RunState {
    match text {
        "queued" => RunState::Queued,
        "waiting" => RunState::Waiting,
        "running" => RunState::Running,
        "flushing" => RunState::Flushing,
        "done" => RunState::Done,
        _ => RunState::Failed,
    }
}

impl From<Row> for Run {
    fn from(row: Row) -> Self {
        let positive = |n: i64| u64::try_from(n).unwrap_or(0);
        let ended = row.exit_code.is_some() || row.exit_signal.is_some();
        let state = parse_state(&row.state);
        Self {
            id: RunId::from_uuid(row.id),
            workspace: WorkspaceId::from_uuid(row.workspace_id),
            session: row.session_id.map(SessionId::from_uuid),
            target: row.target.0,
            command: row.command,
            revision: positive(row.revision),
            state,
            exit: ended.then(|| Exit {
                code: row.exit_code,
                signal: row.exit_signal,
                reason: row.reason.clone(),
            }),
            created_at: row.created_at,
            started_at: row.started_at,
            duration_ms: row.duration_ms.map(positive),
            peak_memory_bytes: row.peak_memory_bytes.map(positive),
            output_bytes: positive(row.output_bytes),
            output_truncated: row.output_truncated,
            reason: row.reason,
        }
    }
}

/// Stores a run that waits for its session.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    db: &mut PgConnection,
    run: &NewRun,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "insert into runs
            (id, workspace_id, session_id, user_id, target, command, revision, cols, rows, state, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10)",
        run.id.uuid(),
        run.workspace.uuid(),
        run.session.uuid(),
        run.user.uuid(),
        Json(&run.target) as _,
        run.command,
        i64::try_from(run.revision).unwrap_or(i64::MAX),
        i32::try_from(run.cols).unwrap_or(i32::MAX),
        i32::try_from(run.rows).unwrap_or(i32::MAX),
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many runs of a workspace are not over.
///
/// # Errors
/// When the database refuses.
pub async fn open_count(db: &mut PgConnection, workspace: WorkspaceId) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from runs
           where workspace_id = $1 and state in ('queued', 'waiting', 'running', 'flushing')"#,
        workspace.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A run by its id.
///
/// # Errors
/// When the database refuses.
pub async fn find(db: &PgPool, id: RunId) -> Result<Option<Run>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, workspace_id, session_id, target as "target: Json<RunTarget>", command, revision,
             state, exit_code, exit_signal, reason, created_at, started_at, duration_ms,
             peak_memory_bytes, output_bytes, output_truncated
           from runs
           where id = $1"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Run::from))
}

/// Runs of a workspace, newest first, older than `before`.
///
/// # Errors
/// When the database refuses.
pub async fn list(
    db: &PgPool,
    workspace: WorkspaceId,
    before: Option<RunId>,
    limit: i64,
) -> Result<Vec<Run>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, workspace_id, session_id, target as "target: Json<RunTarget>", command, revision,
             state, exit_code, exit_signal, reason, created_at, started_at, duration_ms,
             peak_memory_bytes, output_bytes, output_truncated
           from runs
           where workspace_id = $1 and ($2::uuid is null or id < $2)
           order by id desc
           limit $3"#,
        workspace.uuid(),
        before.map(|id| id.uuid()),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Run::from).collect())
}

/// The stored output of a run, compressed; `None` when none is stored.
///
/// # Errors
/// When the database refuses.
pub async fn output(db: &PgPool, id: RunId) -> Result<Option<Vec<u8>>, sqlx::Error> {
    let output = sqlx::query_scalar!("select output from runs where id = $1", id.uuid())
        .fetch_optional(db)
        .await?;
    Ok(output.flatten())
}

/// Stores the wish to stop a run. A run that has not begun is over at once; its state after the wish.
///
/// # Errors
/// When the database refuses.
pub async fn wish_stop(db: &mut PgConnection, id: RunId) -> Result<Option<RunState>, sqlx::Error> {
    let state = sqlx::query_scalar!(
        "update runs
         set stop_requested = true,
             state = case when state = 'queued' then 'failed' else state end,
             reason = case when state = 'queued' then 'Stopped before it began.' else reason end
         where id = $1 and state in ('queued', 'waiting', 'running', 'flushing')
         returning state",
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(state.as_deref().map(parse_state))
}

/// A run that waits for the session.
pub struct Queued {
    /// Id.
    pub id: RunId,
    /// The command line.
    pub command: String,
    /// The revision that must be on the disk.
    pub revision: u64,
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
}

/// Runs that wait for this session, oldest first.
///
/// # Errors
/// When the database refuses.
pub async fn queued(context: &Context) -> Result<Vec<Queued>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, command, revision, cols, rows from runs
         where session_id = $1 and state = 'queued'
         order by id",
        context.session.uuid()
    )
    .fetch_all(&context.db)
    .await?;
    let side = |n: i32| u32::try_from(n).unwrap_or(80);
    Ok(rows
        .into_iter()
        .map(|row| Queued {
            id: RunId::from_uuid(row.id),
            command: row.command,
            revision: u64::try_from(row.revision).unwrap_or(0),
            cols: side(row.cols),
            rows: side(row.rows),
        })
        .collect())
}

/// Runs of this session that were begun and are not over, and whether someone wished their end.
///
/// # Errors
/// When the database refuses.
pub async fn begun(context: &Context) -> Result<Vec<(RunId, bool)>, sqlx::Error> {
    let rows = sqlx::query!(
        "select id, stop_requested from runs
         where session_id = $1 and state in ('waiting', 'running', 'flushing')
         order by id",
        context.session.uuid()
    )
    .fetch_all(&context.db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (RunId::from_uuid(row.id), row.stop_requested))
        .collect())
}

/// A run of this session went on. False when it is over already, unknown, or the lease is lost.
///
/// # Errors
/// When the database refuses.
pub async fn go_on(
    context: &Context,
    id: RunId,
    state: &str,
    started_at: Option<OffsetDateTime>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update runs set state = $2, started_at = coalesce(started_at, $3)
         from sessions
         where runs.id = $1 and runs.session_id = $4
           and sessions.id = $4 and sessions.fence = $5
           and runs.state in ('queued', 'waiting', 'running', 'flushing')
           and runs.state <> $2",
        id.uuid(),
        state,
        started_at,
        context.session.uuid(),
        context.fence,
    )
    .execute(&context.db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// How a run ended.
#[derive(Default)]
pub struct Ended {
    /// Its program ran.
    pub done: bool,
    /// Exit code.
    pub code: Option<i32>,
    /// Signal.
    pub signal: Option<i32>,
    /// Why, for people.
    pub reason: Option<String>,
    /// When its program started.
    pub started_at: Option<OffsetDateTime>,
    /// How long it ran.
    pub duration_ms: Option<i64>,
    /// Most memory it used.
    pub peak_memory_bytes: Option<i64>,
    /// Compressed output.
    pub output: Option<Vec<u8>>,
    /// Bytes of output.
    pub output_bytes: i64,
    /// Whether only its end is kept.
    pub output_truncated: bool,
}

/// A run of this session is over. False when it was over already, is unknown, or the lease is lost.
///
/// # Errors
/// When the database refuses.
pub async fn end(context: &Context, id: RunId, ended: &Ended) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "update runs set state = $4, exit_code = $5, exit_signal = $6, reason = $7,
             started_at = coalesce($8, started_at), duration_ms = coalesce($9, duration_ms),
             peak_memory_bytes = coalesce($10, peak_memory_bytes),
             output = $11, output_bytes = $12, output_truncated = $13
         from sessions
         where runs.id = $1 and runs.session_id = $2
           and sessions.id = $2 and sessions.fence = $3
           and runs.state in ('queued', 'waiting', 'running', 'flushing')",
        id.uuid(),
        context.session.uuid(),
        context.fence,
        if ended.done { "done" } else { "failed" },
        ended.code,
        ended.signal,
        ended.reason.as_deref(),
        ended.started_at,
        ended.duration_ms,
        ended.peak_memory_bytes,
        ended.output.as_deref(),
        ended.output_bytes,
        ended.output_truncated,
    )
    .execute(&context.db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Fails runs of this session that are not in `known`; `waiting_too` fails those that wait for it as well.
///
/// # Errors
/// When the database refuses.
pub async fn fail_others(
    context: &Context,
    known: &[Uuid],
    waiting_too: bool,
    reason: &str,
) -> Result<Vec<RunId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "update runs set state = 'failed', reason = $4
         from sessions
         where runs.session_id = $1 and sessions.id = $1 and sessions.fence = $2
           and (runs.state in ('waiting', 'running', 'flushing') or ($5 and runs.state = 'queued'))
           and runs.id <> all($3)
         returning runs.id",
        context.session.uuid(),
        context.fence,
        known,
        reason,
        waiting_too,
    )
    .fetch_all(&context.db)
    .await?;
    Ok(ids.into_iter().map(RunId::from_uuid).collect())
}

/// What stands at a path now: its content's hash and whether it may be executed, for a file.
pub struct FileEntry {
    /// 1 file, 2 folder, 3 link, as the hub stores it.
    pub kind: i16,
    /// Content.
    pub hash: Option<Vec<u8>>,
    /// May be executed.
    pub executable: bool,
    /// Bytes.
    pub size: i64,
}

/// Looks a path up in the current tree.
///
/// # Errors
/// When the database refuses.
pub async fn entry(
    db: &PgPool,
    workspace: WorkspaceId,
    path: &RelPath,
) -> Result<Option<FileEntry>, sqlx::Error> {
    sqlx::query_as!(
        FileEntry,
        "select kind, hash, executable, size from entries where workspace_id = $1 and path = $2",
        workspace.uuid(),
        path.as_str()
    )
    .fetch_optional(db)
    .await
}
