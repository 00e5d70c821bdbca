//! Sessions in Postgres. A row lease with a fence says which server acts; every write of a driver checks both,
//! and zero rows mean that the lease is lost: the driver stops at once, it never tries again.
use slipway_api::session::{Reason, SessionState, Stage};
use slipway_core::code::Code;
use slipway_core::id::{Id, RunId, SessionId, UserId, WorkspaceId};
use sqlx::types::Json;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::rules::Life;
use super::runtime::Place;
use crate::run::progress;

/// How long a lease holds without renewal, in seconds. The database's clock decides, so servers need not agree.
pub const LEASE_S: f64 = 5.0;
/// Channel on which servers tell each other that a session's row moved; the payload is its id.
pub const CHANNEL: &str = "slipway_sessions";

/// A session as its row and its driver know it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Id.
    pub id: SessionId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Whose it is.
    pub owner: UserId,
    /// State, deadlines, reason.
    pub life: Life,
    /// Whether it shall stop.
    pub stop_wished: bool,
    /// Start steps.
    pub stages: Vec<Stage>,
    /// Where it runs.
    pub place: Option<Place>,
    /// When it became ready.
    pub ready_at: Option<OffsetDateTime>,
    /// When it ended.
    pub ended_at: Option<OffsetDateTime>,
    /// Number of the lease.
    pub fence: i64,
}

/// Why a write of a driver did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another server acts for this session now.
    #[error("keep the session's lease")]
    LostLease,
    /// The database refused or does not answer.
    #[error("write to the database")]
    Database(#[from] sqlx::Error),
}

struct Row {
    id: Uuid,
    workspace_id: Uuid,
    owner_id: Uuid,
    state: String,
    desired: String,
    stages: Json<Vec<Stage>>,
    reason_code: Option<String>,
    reason_text: Option<String>,
    place: Option<serde_json::Value>,
    attempt: i32,
    keep_until_done: bool,
    created_at: OffsetDateTime,
    ready_at: Option<OffsetDateTime>,
    ended_at: Option<OffsetDateTime>,
    deadline_at: Option<OffsetDateTime>,
    last_activity_at: OffsetDateTime,
    idle_stop_at: Option<OffsetDateTime>,
    fence: i64,
}

/// The state as its column holds it.
#[must_use]
pub const fn state_text(state: SessionState) -> &'static str {
    match state {
        SessionState::Requested => "requested",
        SessionState::Provisioning => "provisioning",
        SessionState::Ready => "ready",
        SessionState::Idle => "idle",
        SessionState::Stopping => "stopping",
        SessionState::Stopped => "stopped",
        SessionState::Failed => "failed",
    }
}

/// The state of a column; the table's check allows no other text.
#[must_use]
pub fn parse_state(text: &str) -> SessionState {
    match text {
        "requested" => SessionState::Requested,
        "provisioning" => SessionState::Provisioning,
        "ready" => SessionState::Ready,
        "idle" => SessionState::Idle,
        "stopping" => SessionState::Stopping,
        "stopped" => SessionState::Stopped,
        _ => SessionState::Failed,
    }
}

impl From<Row> for Record {
    fn from(row: Row) -> Self {
        let reason = row.reason_text.map(|text| Reason {
            code: row
                .reason_code
                .as_deref()
                .and_then(Code::parse)
                .unwrap_or(Code::Internal),
            text,
        });
        Self {
            id: SessionId::from_uuid(row.id),
            workspace: WorkspaceId::from_uuid(row.workspace_id),
            owner: UserId::from_uuid(row.owner_id),
            life: Life {
                state: parse_state(&row.state),
                attempt: u32::try_from(row.attempt).unwrap_or(0),
                created_at: row.created_at,
                deadline_at: row.deadline_at,
                last_activity_at: row.last_activity_at,
                idle_stop_at: row.idle_stop_at,
                keep_until_done: row.keep_until_done,
                crashes: Vec::new(),
                reason,
            },
            stop_wished: row.desired == "stop",
            stages: row.stages.0,
            place: row.place.map(Place),
            ready_at: row.ready_at,
            ended_at: row.ended_at,
            fence: row.fence,
        }
    }
}

/// Stores a new session with a lease for `server`; `None` when the workspace has a live one.
///
/// # Errors
/// When the database refuses.
pub async fn insert(
    db: &mut PgConnection,
    record: &Record,
    server: Uuid,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "insert into sessions
            (id, workspace_id, owner_id, state, stages, created_at, deadline_at, last_activity_at,
             lease_owner, lease_until, fence)
         values ($1, $2, $3, 'requested', $4, $5, $6, $5,
             $7, clock_timestamp() + make_interval(secs => $8), $9)
         on conflict (workspace_id) where state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')
         do nothing",
        record.id.uuid(),
        record.workspace.uuid(),
        record.owner.uuid(),
        Json(&record.stages) as _,
        record.life.created_at,
        record.life.deadline_at,
        server,
        LEASE_S,
        record.fence,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Lets one request at a time count and add the sessions of an account; held to the end of the transaction. A lock of
/// its own: on the account's row it would wait for whatever else is written about the account.
///
/// # Errors
/// When the database refuses.
pub async fn lock_owner(db: &mut PgConnection, owner: UserId) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "select pg_advisory_xact_lock(hashtextextended($1, 0))",
        format!("sessions of {owner}")
    )
    .execute(db)
    .await?;
    Ok(())
}

/// How many live sessions an account has.
///
/// # Errors
/// When the database refuses.
pub async fn live_count(db: &mut PgConnection, owner: UserId) -> Result<u64, sqlx::Error> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from sessions
           where owner_id = $1
             and state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')"#,
        owner.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// A session by its id.
///
/// # Errors
/// When the database refuses.
pub async fn find(db: impl PgExecutor<'_>, id: SessionId) -> Result<Option<Record>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"select id, workspace_id, owner_id, state, desired, stages as "stages: Json<Vec<Stage>>",
             reason_code, reason_text, place, attempt, keep_until_done, created_at, ready_at, ended_at,
             deadline_at, last_activity_at, idle_stop_at, fence
           from sessions
           where id = $1"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Record::from))
}

/// The newest sessions of a workspace, newest first; the live one, if any, is the first.
///
/// # Errors
/// When the database refuses.
pub async fn newest(
    db: &PgPool,
    workspace: WorkspaceId,
    limit: i64,
) -> Result<Vec<Record>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"select id, workspace_id, owner_id, state, desired, stages as "stages: Json<Vec<Stage>>",
             reason_code, reason_text, place, attempt, keep_until_done, created_at, ready_at, ended_at,
             deadline_at, last_activity_at, idle_stop_at, fence
           from sessions
           where workspace_id = $1
           order by created_at desc, id desc
           limit $2"#,
        workspace.uuid(),
        limit
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(Record::from).collect())
}

/// Median start time of the workspace's last sessions in milliseconds.
///
/// # Errors
/// When the database refuses.
pub async fn usual_start_ms(
    db: &PgPool,
    workspace: WorkspaceId,
) -> Result<Option<u64>, sqlx::Error> {
    let median = sqlx::query_scalar!(
        r#"select percentile_cont(0.5) within group (order by ms) as "median: f64" from (
             select extract(epoch from ready_at - created_at)::float8 * 1000 as ms from sessions
             where workspace_id = $1 and ready_at is not null
             order by created_at desc
             limit 20
           ) as recent"#,
        workspace.uuid()
    )
    .fetch_one(db)
    .await?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a start, never negative"
    )]
    Ok(median.map(|ms| ms.max(0.0) as u64))
}

/// Wishes that the workspace's live session stops; its id, if there is one.
///
/// # Errors
/// When the database refuses.
pub async fn wish_stop(
    db: &mut PgConnection,
    workspace: WorkspaceId,
) -> Result<Option<SessionId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "update sessions set desired = 'stop'
         where workspace_id = $1
           and state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')
         returning id",
        workspace.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(SessionId::from_uuid))
}

/// Keeps the workspace's live session: counts as activity now.
///
/// # Errors
/// When the database refuses.
pub async fn keep(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    until_done: bool,
    now: OffsetDateTime,
) -> Result<Option<SessionId>, sqlx::Error> {
    let id = sqlx::query_scalar!(
        "update sessions set keep_until_done = $2, last_activity_at = greatest(last_activity_at, $3)
         where workspace_id = $1
           and state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')
         returning id",
        workspace.uuid(),
        until_done,
        now
    )
    .fetch_optional(db)
    .await?;
    Ok(id.map(SessionId::from_uuid))
}

/// Tells the other servers that a session's row moved, when the transaction commits.
///
/// # Errors
/// When the database refuses.
pub async fn notify(db: &mut PgConnection, id: SessionId) -> Result<(), sqlx::Error> {
    sqlx::query!("select pg_notify($1, $2)", CHANNEL, id.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Writes what the driver knows, if its lease still holds. Wishes are not touched: people write them. A session that is
/// over takes its open runs along; these are answered.
///
/// # Errors
/// When the lease is lost or the database refuses.
pub async fn save(db: &PgPool, record: &Record, server: Uuid) -> Result<Vec<RunId>, StoreError> {
    let life = &record.life;
    let ended = !super::rules::is_live(life.state);
    let mut db = db.begin().await?;
    let done = sqlx::query!(
        "update sessions set state = $4, stages = $5, reason_code = $6, reason_text = $7, place = $8,
             attempt = $9, ready_at = $10, ended_at = $11, deadline_at = $12, idle_stop_at = $13,
             last_activity_at = greatest(last_activity_at, $14),
             lease_owner = case when $15 then null else lease_owner end,
             lease_until = case when $15 then null else lease_until end
         where id = $1 and fence = $2 and lease_owner = $3",
        record.id.uuid(),
        record.fence,
        server,
        state_text(life.state),
        Json(&record.stages) as _,
        life.reason.as_ref().map(|reason| reason.code.as_str()),
        life.reason.as_ref().map(|reason| reason.text.as_str()),
        record.place.as_ref().map(|place| &place.0),
        i32::try_from(life.attempt).unwrap_or(i32::MAX),
        record.ready_at,
        record.ended_at,
        life.deadline_at,
        life.idle_stop_at,
        life.last_activity_at,
        ended,
    )
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::LostLease);
    }
    let failed = if ended {
        progress::fail_all(&mut db, record.id, life.why()).await?
    } else {
        Vec::new()
    };
    notify(&mut db, record.id).await?;
    db.commit().await?;
    Ok(failed)
}
