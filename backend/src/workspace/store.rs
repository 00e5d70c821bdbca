//! SQL of workspaces.
use slipway_api::workspace::{SessionBrief, Template, Workspace, WorkspaceFilter, WorkspaceSort};
use slipway_core::id::{Id as _, SessionId, UserId, WorkspaceId};
use slipway_core::limits::TRASH_DAYS;
use sqlx::{PgConnection, PgExecutor, PgPool};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::session::store::parse_state;

/// How long a request waits for another one that makes a workspace of the same name.
const NAME_WAIT: &str = "2s";
const FOR_EVER: &str = "0";
/// Postgres' word for a lock that did not come in time.
const LOCK_NOT_AVAILABLE: &str = "55P03";

/// A template as it stands in the table.
const fn template_text(template: Template) -> &'static str {
    match template {
        Template::Python => "python",
        Template::Node => "node",
        Template::Empty => "empty",
        Template::Import => "import",
    }
}

fn template(text: &str) -> Template {
    match text {
        "python" => Template::Python,
        "node" => Template::Node,
        "import" => Template::Import,
        _ => Template::Empty,
    }
}

/// Stores a new workspace; false when its owner has one of that name, or another request is about to make one. That may
/// be an import, for which nobody waits to its end.
///
/// # Errors
/// So for every function here: when the database does not answer.
pub async fn insert(
    db: &mut PgConnection,
    id: WorkspaceId,
    owner: UserId,
    name: &str,
    from: Template,
    epoch: Uuid,
    now: OffsetDateTime,
) -> sqlx::Result<bool> {
    wait_at_most(db, NAME_WAIT).await?;
    let done = sqlx::query!(
        "insert into workspaces (id, owner_id, name, template, epoch, created_at, changed_at) values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing",
        id.uuid(),
        owner.uuid(),
        name,
        template_text(from),
        epoch,
        now,
    )
    .execute(&mut *db)
    .await;
    match done {
        Ok(done) => {
            wait_at_most(db, FOR_EVER).await?;
            Ok(done.rows_affected() == 1)
        }
        Err(error)
            if error
                .as_database_error()
                .is_some_and(|error| error.code().as_deref() == Some(LOCK_NOT_AVAILABLE)) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Until the transaction's end, or the next such word: how long a statement waits for a lock.
async fn wait_at_most(db: &mut PgConnection, time: &str) -> sqlx::Result<()> {
    sqlx::query!("select set_config('lock_timeout', $1, true)", time)
        .fetch_one(db)
        .await
        .map(drop)
}

/// How many workspaces an account has, the trash included.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &mut PgConnection, owner: UserId) -> sqlx::Result<u64> {
    let count = sqlx::query_scalar!(
        r#"select count(*) as "count!" from workspaces where owner_id = $1"#,
        owner.uuid()
    )
    .fetch_one(db)
    .await?;
    Ok(count.unsigned_abs())
}

/// Counts again under a lock, so that two requests cannot both be the last that fits. The lock is for the end of a
/// transaction, which may have taken minutes until then, and for nobody who only refers to the account.
///
/// # Errors
/// When the database does not answer.
pub async fn count_finally(db: &mut PgConnection, owner: UserId) -> sqlx::Result<u64> {
    sqlx::query!(
        "select id from users where id = $1 for no key update",
        owner.uuid()
    )
    .fetch_optional(&mut *db)
    .await?;
    count(db, owner).await
}

/// Where the next page of a list begins: what its last row is sorted by, and its id.
#[derive(Clone, Debug)]
pub enum Cursor {
    /// After a time of change or of making.
    Time(OffsetDateTime, WorkspaceId),
    /// After a name.
    Name(String, WorkspaceId),
}

impl Cursor {
    const fn time(&self) -> Option<OffsetDateTime> {
        match self {
            Self::Time(at, _) => Some(*at),
            Self::Name(..) => None,
        }
    }
    const fn name(&self) -> Option<&str> {
        match self {
            Self::Time(..) => None,
            Self::Name(name, _) => Some(name.as_str()),
        }
    }
    const fn id(&self) -> WorkspaceId {
        match self {
            Self::Time(_, id) | Self::Name(_, id) => *id,
        }
    }
}

/// Which workspaces of an account are asked for.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// `None`: all, wherever they are.
    pub filter: Option<WorkspaceFilter>,
    /// The one with this id.
    pub one: Option<WorkspaceId>,
    /// Part of the name.
    pub search: &'a str,
    /// In which order.
    pub sort: WorkspaceSort,
    /// Those behind it.
    pub after: Option<Cursor>,
    /// At most.
    pub rows: i64,
}

/// One page of an account's workspaces.
///
/// # Errors
/// When the database does not answer.
pub async fn list(
    db: impl PgExecutor<'_>,
    owner: UserId,
    wanted: Wanted<'_>,
) -> sqlx::Result<Vec<Workspace>> {
    let sort = match wanted.sort {
        WorkspaceSort::Changed => "changed",
        WorkspaceSort::Created => "created",
        WorkspaceSort::Name => "name",
    };
    let after = wanted.after.as_ref();
    let filter = wanted.filter.map(|filter| match filter {
        WorkspaceFilter::Active => "active",
        WorkspaceFilter::Archived => "archived",
        WorkspaceFilter::Trash => "trash",
    });
    let rows = sqlx::query!(
        r#"select w.id, w.name, w.template, w.head_rev, w.entry_count, w.bytes_used, w.created_at, w.changed_at, w.archived_at, w.deleted_at,
            s.id as "session_id?", s.state as "session_state?", s.reason_text, s.ready_at as "session_ready_at?"
        from workspaces as w left join lateral
            (select id, state, reason_text, ready_at from sessions where workspace_id = w.id order by created_at desc, id desc limit 1) as s on true
        where owner_id = $1
            and ($2::text is null
                or ($2 = 'active' and archived_at is null and deleted_at is null)
                or ($2 = 'archived' and archived_at is not null and deleted_at is null)
                or ($2 = 'trash' and deleted_at is not null))
            and ($3::uuid is null or w.id = $3)
            and ($4 = '' or position(lower($4) in lower(w.name)) > 0)
            and ($5::timestamptz is null or (case when $8 = 'created' then w.created_at else w.changed_at end, w.id) < ($5, $6::uuid))
            and ($9::text is null or lower(w.name) > lower($9) or (lower(w.name) = lower($9) and w.id < $6))
        order by case when $8 = 'name' then lower(w.name) end,
            case $8 when 'created' then w.created_at when 'changed' then w.changed_at end desc, w.id desc limit $7"#,
        owner.uuid(),
        filter,
        wanted.one.map(|id| id.uuid()),
        wanted.search,
        after.and_then(Cursor::time),
        after.map(|after| after.id().uuid()),
        wanted.rows,
        sort,
        after.and_then(Cursor::name),
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Workspace {
            id: WorkspaceId::from_uuid(row.id),
            name: row.name,
            template: template(&row.template),
            head: row.head_rev.unsigned_abs(),
            entries: row.entry_count.unsigned_abs(),
            bytes: row.bytes_used.unsigned_abs(),
            created_at: row.created_at,
            changed_at: row.changed_at,
            archived_at: row.archived_at,
            deleted_at: row.deleted_at,
            purge_at: row
                .deleted_at
                .map(|at| at + Duration::days(i64::from(TRASH_DAYS))),
            session: row
                .session_id
                .zip(row.session_state)
                .map(|(id, state)| SessionBrief {
                    id: SessionId::from_uuid(id),
                    state: parse_state(&state),
                    reason: row.reason_text,
                    ready_at: row.session_ready_at,
                }),
        })
        .collect())
}

/// What a change of a workspace's row did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Done.
    Yes,
    /// Another workspace has the name.
    NameTaken,
}

/// Renames, archives or brings back.
///
/// # Errors
/// When the database does not answer.
pub async fn update(
    db: &mut PgConnection,
    id: WorkspaceId,
    name: Option<&str>,
    archived: Option<bool>,
    now: OffsetDateTime,
) -> sqlx::Result<Changed> {
    let done = sqlx::query!(
        "update workspaces set name = coalesce($2, name), archived_at = case when $3::boolean is null then archived_at when $3 then coalesce(archived_at, $4) end where id = $1",
        id.uuid(),
        name,
        archived,
        now,
    )
    .execute(db)
    .await;
    unless_taken(done)
}

/// Puts a workspace in the trash, or takes it out.
///
/// # Errors
/// When the database does not answer.
pub async fn set_deleted(
    db: &mut PgConnection,
    id: WorkspaceId,
    at: Option<OffsetDateTime>,
) -> sqlx::Result<Changed> {
    unless_taken(
        sqlx::query!(
            "update workspaces set deleted_at = $2 where id = $1",
            id.uuid(),
            at
        )
        .execute(db)
        .await,
    )
}

fn unless_taken(done: sqlx::Result<sqlx::postgres::PgQueryResult>) -> sqlx::Result<Changed> {
    match done {
        Ok(_) => Ok(Changed::Yes),
        Err(error)
            if error
                .as_database_error()
                .is_some_and(|error| error.constraint() == Some("workspaces_name_key")) =>
        {
            Ok(Changed::NameTaken)
        }
        Err(error) => Err(error),
    }
}

/// Deletes a workspace for good, if it is in the trash; with `since`, if it has been there since before that time. False
/// when it was taken out meanwhile.
///
/// # Errors
/// When the database does not answer.
pub async fn purge(
    db: &mut PgConnection,
    id: WorkspaceId,
    since: Option<OffsetDateTime>,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "delete from workspaces where id = $1 and deleted_at is not null and ($2::timestamptz is null or deleted_at < $2)",
        id.uuid(),
        since
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Workspaces that are in the trash since before a time.
///
/// # Errors
/// When the database does not answer.
pub async fn due(db: &PgPool, since: OffsetDateTime) -> sqlx::Result<Vec<WorkspaceId>> {
    let ids = sqlx::query_scalar!(
        "select id from workspaces where deleted_at < $1 limit 100",
        since
    )
    .fetch_all(db)
    .await?;
    Ok(ids.into_iter().map(WorkspaceId::from_uuid).collect())
}
