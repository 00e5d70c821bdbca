//! The database: embedded or given, migrated once, with its one row of settings.
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio::time::Instant;

use crate::clock::random;

pub mod embedded;
pub mod line;

/// Connections of one server; a request holds one for milliseconds.
const CONNECTIONS_MAX: u32 = 16;
/// Of these, kept open: a new one costs a request ten milliseconds and more.
const CONNECTIONS_READY: u32 = 4;
/// How long a request waits for one of them before it is told to come again. Nothing is lost then: whatever waits for
/// one has not begun to write.
const ACQUIRE_MAX: Duration = Duration::from_secs(2);
/// How long a server that is not heard of any more, in the middle of what it changes, keeps others from changing it.
const CHANGE_IDLE_MAX: &str = "30s";
/// A plan outlives the size of its tables: one that reads a table through, since it was small once, does so when it is large.
/// So there is an index for whatever is asked often, and it is taken (decision 23). Without it the price that is put on
/// reading through would have statements compiled.
const PLANS: [(&str, &str); 2] = [("enable_seqscan", "off"), ("jit", "off")];
/// How long a server that starts waits for a database that starts, too.
const START_MAX: Duration = Duration::from_secs(10);

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// It was not reached.
    #[error("connect to the database")]
    Connect(#[source] sqlx::Error),
    /// Its tables could not be brought up to date.
    #[error("migrate the database")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// Its settings could not be read.
    #[error("read the server's settings")]
    Settings(#[source] sqlx::Error),
}

/// Connects, migrates under sqlx's lock, and makes the settings row at the first start.
///
/// # Errors
/// When the database is not reached or is newer than this program.
pub async fn open(options: PgConnectOptions) -> Result<PgPool, DbError> {
    let pool = PgPoolOptions::new()
        .max_connections(CONNECTIONS_MAX)
        .min_connections(CONNECTIONS_READY)
        .acquire_timeout(ACQUIRE_MAX)
        .connect_lazy_with(
            options
                .application_name("slipway-server")
                .options([("idle_in_transaction_session_timeout", CHANGE_IDLE_MAX)])
                .options(PLANS),
        );
    reached(&pool).await.map_err(DbError::Connect)?;
    sqlx::migrate!("../migrations")
        .run(&pool)
        .await
        .map_err(DbError::Migrate)?;
    sqlx::query!(
        "insert into server_settings (installation_secret) values ($1) on conflict do nothing",
        &random::<32>()[..]
    )
    .execute(&pool)
    .await
    .map_err(DbError::Settings)?;
    Ok(pool)
}

/// Waits for the first connection.
async fn reached(pool: &PgPool) -> Result<(), sqlx::Error> {
    let since = Instant::now();
    loop {
        match pool.acquire().await {
            Err(sqlx::Error::PoolTimedOut) if since.elapsed() < START_MAX => {}
            reached => return reached.map(drop),
        }
    }
}
