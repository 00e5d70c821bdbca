//! SQL of accounts and devices.
use slipway_api::account::{Account, Device};
use slipway_core::id::{DeviceId, Id as _, UserId};
use slipway_core::limits::DEVICES_PER_USER_MAX;
use slipway_core::secret::Secret;
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

use super::token;
use crate::clock::Clock;

/// An account with what only the server sees.
#[derive(Clone, Debug)]
pub struct User {
    /// As its owner sees it.
    pub account: Account,
    /// Argon2id, in PHC form.
    pub password_hash: String,
    /// Whether an administrator disabled it.
    pub disabled: bool,
}

/// Whether there is any account.
///
/// # Errors
/// So for every function here: when the database does not answer.
pub async fn any(db: &mut PgConnection) -> sqlx::Result<bool> {
    Ok(count(db).await? > 0)
}

/// How many accounts there are.
///
/// # Errors
/// When the database does not answer.
pub async fn count(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(r#"select count(*) as "count!" from users"#)
        .fetch_one(db)
        .await
}

/// How many enabled administrators there are.
///
/// # Errors
/// When the database does not answer.
pub async fn administrators(db: &mut PgConnection) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select count(*) as "count!" from users where administrator and disabled_at is null"#
    )
    .fetch_one(db)
    .await
}

/// Stores an account; false when its address is taken.
///
/// # Errors
/// When the database does not answer.
pub async fn insert(db: &mut PgConnection, user: &User) -> sqlx::Result<bool> {
    let account = &user.account;
    let done = sqlx::query!(
        "insert into users (id, name, email, password_hash, administrator, created_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        account.id.uuid(),
        account.name,
        account.email,
        user.password_hash,
        account.administrator,
        account.created_at,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The account with an address, whatever its letter case.
///
/// # Errors
/// When the database does not answer.
pub async fn by_email(db: &PgPool, email: &str) -> sqlx::Result<Option<User>> {
    // One statement, whether there is such an account or not: its time tells nothing.
    let row = sqlx::query_as!(Row, "select id, name, email, password_hash, administrator, disabled_at, created_at from users where lower(email) = lower($1)", email)
        .fetch_optional(db)
        .await?;
    Ok(row.map(User::from))
}

/// An account by its id.
///
/// # Errors
/// When the database does not answer.
pub async fn by_id(db: &mut PgConnection, user: UserId) -> sqlx::Result<Option<User>> {
    let row = sqlx::query_as!(Row, "select id, name, email, password_hash, administrator, disabled_at, created_at from users where id = $1", user.uuid())
        .fetch_optional(db)
        .await?;
    Ok(row.map(User::from))
}

struct Row {
    id: Uuid,
    name: String,
    email: String,
    password_hash: String,
    administrator: bool,
    disabled_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
}

impl From<Row> for User {
    fn from(row: Row) -> Self {
        Self {
            account: Account {
                id: UserId::from_uuid(row.id),
                name: row.name,
                email: row.email,
                administrator: row.administrator,
                created_at: row.created_at,
            },
            password_hash: row.password_hash,
            disabled: row.disabled_at.is_some(),
        }
    }
}

/// Signs a new device in; the account's oldest ones make room.
///
/// # Errors
/// When the database does not answer.
pub async fn insert_device(
    db: &mut PgConnection,
    clock: &Clock,
    user: UserId,
    name: Option<&str>,
    user_agent: &str,
) -> sqlx::Result<(DeviceId, Secret)> {
    let (id, secret, now): (DeviceId, _, _) = (clock.fresh(), token::fresh(), clock.now());
    let agent: String = user_agent
        .chars()
        .filter(|c| !c.is_control())
        .take(300)
        .collect();
    let name: String = name
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| guess(&agent))
        .chars()
        .filter(|c| !c.is_control())
        .take(80)
        .collect();
    sqlx::query!(
        "insert into devices (id, user_id, token_hash, name, user_agent, created_at, last_used_at, expires_at) values ($1, $2, $3, $4, $5, $6, $6, $7)",
        id.uuid(),
        user.uuid(),
        &token::hash(secret.expose())[..],
        if name.is_empty() { "device" } else { &name },
        agent,
        now,
        token::expires_at(now, now),
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        "delete from devices where user_id = $1 and id in (select id from devices where user_id = $1 order by last_used_at desc, id desc offset $2)",
        user.uuid(),
        DEVICES_PER_USER_MAX.cast_signed(),
    )
    .execute(db)
    .await?;
    Ok((id, secret))
}

/// A name for the list of devices out of what the program says of itself.
fn guess(agent: &str) -> &'static str {
    let browser = [
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    browser
        .iter()
        .find(|(mark, _)| agent.contains(mark))
        .map_or("device", |(_, name)| name)
}

/// The devices that are still signed in.
///
/// # Errors
/// When the database does not answer.
pub async fn devices(
    db: &mut PgConnection,
    user: UserId,
    current: DeviceId,
    now: OffsetDateTime,
) -> sqlx::Result<Vec<Device>> {
    let rows = sqlx::query!(
        "select id, name, user_agent, created_at, last_used_at, expires_at from devices where user_id = $1 and expires_at > $2 order by last_used_at desc, id desc",
        user.uuid(),
        now,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Device {
            id: DeviceId::from_uuid(row.id),
            name: row.name,
            user_agent: row.user_agent,
            current: row.id == current.uuid(),
            created_at: row.created_at,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        })
        .collect())
}

/// Signs a device out; false when the account has no such device.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_device(
    db: &mut PgConnection,
    user: UserId,
    device: DeviceId,
) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "delete from devices where user_id = $1 and id = $2",
        user.uuid(),
        device.uuid()
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Signs all devices out but one, and says which.
///
/// # Errors
/// When the database does not answer.
pub async fn sign_out_all(
    db: &mut PgConnection,
    user: UserId,
    but: Option<DeviceId>,
) -> sqlx::Result<Vec<DeviceId>> {
    let gone = sqlx::query_scalar!(
        "delete from devices where user_id = $1 and ($2::uuid is null or id <> $2) returning id",
        user.uuid(),
        but.map(|device| device.uuid())
    )
    .fetch_all(db)
    .await?;
    Ok(gone.into_iter().map(DeviceId::from_uuid).collect())
}

/// Sets a password and signs all devices out but one; says which.
///
/// # Errors
/// When the database does not answer.
pub async fn set_password(
    db: &mut PgConnection,
    user: UserId,
    hash: &str,
    but: Option<DeviceId>,
) -> sqlx::Result<Vec<DeviceId>> {
    sqlx::query!(
        "update users set password_hash = $2 where id = $1",
        user.uuid(),
        hash
    )
    .execute(&mut *db)
    .await?;
    sign_out_all(db, user, but).await
}

/// Deletes an account; says which devices were signed in.
///
/// # Errors
/// When the database does not answer.
pub async fn delete_user(db: &mut PgConnection, user: UserId) -> sqlx::Result<Vec<DeviceId>> {
    let devices = sign_out_all(db, user, None).await?;
    sqlx::query!("delete from users where id = $1", user.uuid())
        .execute(db)
        .await?;
    Ok(devices)
}
