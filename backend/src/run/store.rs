//! Runs in Postgres, as people ask for them. A finished run never changes again.
use slipway_api::run::{Run, RunState, RunTarget};
use slipway_api::session::Exit;
use slipway_core::id::{Id, RunId, SessionId, UserId, WorkspaceId};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::progress;
use crate::session;
use crate::session::rules::is_live;

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

/// Stores a run that waits for its session. Is the session over since it was looked at, the run is over with it, as if
/// it had come a moment before. The caller has locked the session.
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
    .execute(&mut *db)
    .await?;
    let session = session::store::find(&mut *db, run.session).await?;
    if let Some(life) = session.map(|session| session.life)
        && !is_live(life.state)
    {
        progress::fail_all(db, run.session, life.why()).await?;
    }
    Ok(())
}

/// Lets one request at a time count and add runs of a session; held to the end of the transaction.
///
/// # Errors
/// When the database refuses.
pub async fn lock_session(db: &mut PgConnection, session: SessionId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select id from sessions where id = $1 for no key update",
        session.uuid()
    )
    .fetch_optional(db)
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
pub async fn find(db: impl PgExecutor<'_>, id: RunId) -> Result<Option<Run>, sqlx::Error> {
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
