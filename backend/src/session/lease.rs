//! Row leases of sessions: taken when free, renewed while this server runs, released when it stops.
use slipway_core::id::{Id, SessionId, WorkspaceId};
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

use super::store::{LEASE_S, StoreError};

/// Most sessions taken in one go, so that a restart with many does not start them all in one instant.
const TAKEN_AT_ONCE_MAX: i64 = 64;

/// Frees every lease: right only for a server that knows to be the only one on its database.
///
/// # Errors
/// When the database refuses.
pub async fn clear_all(db: &PgPool) -> Result<u64, sqlx::Error> {
    let done = sqlx::query!(
        "update sessions set lease_owner = null, lease_until = null where lease_owner is not null"
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected())
}

/// Takes live sessions that nobody holds, apart from those in `held`.
///
/// # Errors
/// When the database refuses.
pub async fn take(db: &PgPool, server: Uuid, held: &[Uuid]) -> Result<Vec<SessionId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "with free as (
             select id from sessions
             where state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')
               and (lease_until is null or lease_until < clock_timestamp())
               and id <> all($3)
             order by created_at
             limit $4
             for update skip locked
         )
         update sessions
         set lease_owner = $1, lease_until = clock_timestamp() + make_interval(secs => $2),
             fence = fence + 1
         from free
         where sessions.id = free.id
         returning sessions.id",
        server,
        LEASE_S,
        held,
        TAKEN_AT_ONCE_MAX,
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Renews the leases of the sessions that this server drives, stores when each was last active, and returns those it
/// still holds. One whose driver has left, since the database was away for long, runs out and is taken anew.
///
/// # Errors
/// When the database refuses.
pub async fn renew(
    db: &PgPool,
    server: Uuid,
    driven: &[(SessionId, OffsetDateTime)],
) -> Result<Vec<SessionId>, sqlx::Error> {
    let (ids, at): (Vec<Uuid>, Vec<OffsetDateTime>) =
        driven.iter().map(|(id, at)| (id.uuid(), *at)).unzip();
    let ids = sqlx::query_scalar!(
        "update sessions
         set lease_until = clock_timestamp() + make_interval(secs => $2),
             last_activity_at = greatest(last_activity_at,
                 (select active.at from unnest($3::uuid[], $4::timestamptz[]) as active (id, at)
                  where active.id = sessions.id))
         where lease_owner = $1 and id = any($3)
           and state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')
         returning id",
        server,
        LEASE_S,
        &ids,
        &at,
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Gives all leases back, so that the next server need not wait for them to run out.
///
/// # Errors
/// When the database refuses.
pub async fn release(db: &PgPool, server: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "update sessions set lease_owner = null, lease_until = null where lease_owner = $1",
        server
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Wishes the end of sessions whose workspace was archived or put in the trash, or whose owner was disabled.
///
/// # Errors
/// When the database refuses.
pub async fn wish_stop_of_inactive(db: &PgPool) -> Result<Vec<SessionId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "update sessions set desired = 'stop'
         from workspaces join users on users.id = workspaces.owner_id
         where workspaces.id = sessions.workspace_id
           and sessions.desired = 'run'
           and sessions.state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')
           and (workspaces.deleted_at is not null or workspaces.archived_at is not null
                or users.disabled_at is not null)
         returning sessions.id"
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Those of `ids` that have a live row; the others' places belong to nobody.
///
/// # Errors
/// When the database refuses.
pub async fn live_of(db: &PgPool, ids: &[Uuid]) -> Result<Vec<SessionId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "select id from sessions
         where id = any($1) and state in ('requested', 'provisioning', 'ready', 'idle', 'stopping')",
        ids
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(SessionId::from_uuid).collect())
}

/// Those of `ids` that are workspaces; the others' volumes belong to nobody.
///
/// # Errors
/// When the database refuses.
pub async fn workspaces_of(db: &PgPool, ids: &[Uuid]) -> Result<Vec<WorkspaceId>, sqlx::Error> {
    let ids = sqlx::query_scalar!("select id from workspaces where id = any($1)", ids)
        .fetch_all(db)
        .await?;
    Ok(ids.into_iter().map(WorkspaceId::from_uuid).collect())
}

/// What a person wished since a driver last looked.
#[derive(Clone, Copy, Debug)]
pub struct Wishes {
    /// It shall stop.
    pub stop: bool,
    /// No idle stop while programs run.
    pub keep_until_done: bool,
    /// Last activity, a wish to keep it included.
    pub last_activity_at: OffsetDateTime,
}

/// Reads the wishes for a session that this server holds.
///
/// # Errors
/// When the lease is lost or the database refuses.
pub async fn wishes(db: &PgPool, id: SessionId, fence: i64) -> Result<Wishes, StoreError> {
    let row = sqlx::query!(
        "select desired, keep_until_done, last_activity_at from sessions where id = $1 and fence = $2",
        id.uuid(),
        fence
    )
    .fetch_optional(db)
    .await?
    .ok_or(StoreError::LostLease)?;
    Ok(Wishes {
        stop: row.desired == "stop",
        keep_until_done: row.keep_until_done,
        last_activity_at: row.last_activity_at,
    })
}
