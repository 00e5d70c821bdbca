//! The database: embedded or given, migrated once, with its one row of settings.
use std::time::Duration;

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::clock::random;

pub mod embedded;

/// Connections of one server; a request holds one for milliseconds.
const CONNECTIONS_MAX: u32 = 16;

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
        .min_connections(2)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options.application_name("slipway-server"))
        .await
        .map_err(DbError::Connect)?;
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
