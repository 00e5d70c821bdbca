//! Rows of the runs of one session, as its driver moves them on. Every write checks that the driver still holds the lease.
use slipway_core::id::{Id as _, RunId, SessionId};
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::Context;

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

/// What became of a step of a run that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is stored.
    Now,
    /// It was stored before, and told then.
    Before,
    /// The run is over, or there is none: nothing more is to be said of it.
    Over,
    /// Another driver has the session, and the run with it: it is for that one to say. Or the session is gone.
    LeaseLost,
}

/// Why a step was not written. Looked at afterwards, since the statement that did not write saw only what was before it.
async fn not_written(context: &Context, id: RunId) -> Result<Stored, sqlx::Error> {
    let found = sqlx::query!(
        r#"select exists(select from sessions where id = $2 and fence = $3) as "held!",
             exists(select from runs where id = $1 and session_id = $2
               and state in ('queued', 'waiting', 'running', 'flushing')) as "open!""#,
        id.uuid(),
        context.session.uuid(),
        context.fence,
    )
    .fetch_one(&context.db)
    .await?;
    Ok(match (found.held, found.open) {
        (false, _) => Stored::LeaseLost,
        (true, true) => Stored::Before,
        (true, false) => Stored::Over,
    })
}

/// A run of this session went on.
///
/// # Errors
/// When the database refuses.
pub async fn go_on(
    context: &Context,
    id: RunId,
    state: &str,
    started_at: Option<OffsetDateTime>,
) -> Result<Stored, sqlx::Error> {
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
    if done.rows_affected() == 1 {
        return Ok(Stored::Now);
    }
    not_written(context, id).await
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

/// A run of this session is over.
///
/// # Errors
/// When the database refuses.
pub async fn end(context: &Context, id: RunId, ended: &Ended) -> Result<Stored, sqlx::Error> {
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
    if done.rows_affected() == 1 {
        return Ok(Stored::Now);
    }
    not_written(context, id).await
}

/// Fails the begun runs of this session that are not in `known`.
///
/// # Errors
/// When the database refuses.
pub async fn fail_others(
    context: &Context,
    known: &[Uuid],
    reason: &str,
) -> Result<Vec<RunId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "update runs set state = 'failed', reason = $4
         from sessions
         where runs.session_id = $1 and sessions.id = $1 and sessions.fence = $2
           and runs.state in ('waiting', 'running', 'flushing')
           and runs.id <> all($3)
         returning runs.id",
        context.session.uuid(),
        context.fence,
        known,
        reason,
    )
    .fetch_all(&context.db)
    .await?;
    Ok(ids.into_iter().map(RunId::from_uuid).collect())
}

/// Fails whatever ran in a session that ends or waited for it. Done in the transaction that ends the session, so that
/// no run is ever left without one that could start it.
///
/// # Errors
/// When the database refuses.
pub async fn fail_all(
    db: &mut PgConnection,
    session: SessionId,
    reason: &str,
) -> Result<Vec<RunId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "update runs set state = 'failed', reason = $2
         where session_id = $1 and state in ('queued', 'waiting', 'running', 'flushing')
         returning id",
        session.uuid(),
        reason,
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(RunId::from_uuid).collect())
}
