//! Wires the parts together, serves until told to stop, and takes everything down again in order.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::account::limit::Limiter;
use crate::account::password;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::embedded::{Embedded, EmbeddedError, find_programs, socket_dir};
use crate::db::{self, DbError, line};
use crate::event::Events;
use crate::hub::Hub;
use crate::lock::{DataDir, LockError};
use crate::session::Sessions;
use crate::session::runtime::local::Local;
use crate::session::runtime::{RuntimeError, SessionRuntime};
use crate::state::App;
use crate::{http, router, telemetry};

/// How long owned tasks may take to end.
const TASKS_WITHIN: Duration = Duration::from_secs(20);
/// Revocations that a slow stream may lag behind before it looks itself.
const REVOCATIONS: usize = 256;

/// Why the server cannot run. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data directory.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The embedded Postgres.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The database's address.
    #[error("read --database-url; it looks like postgres://user:password@host/database")]
    DatabaseUrl(#[source] sqlx::Error),
    /// The way to the database.
    #[error("make the socket of the way to the database in {}", folder.display())]
    Line {
        /// Its folder.
        folder: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The sandbox.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// The port.
    #[error("listen on {address}; is another program using the port? Choose another with --listen")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Takes the address to listen on, before anything else is started.
///
/// # Errors
/// When it is taken or not ours.
pub async fn listen(config: &Config) -> Result<TcpListener, ServeError> {
    TcpListener::bind(config.listen)
        .await
        .map_err(|source| ServeError::Listen {
            address: config.listen,
            source,
        })
}

/// Runs a server on a listener until `stop`. `ready` is called once it serves.
///
/// # Errors
/// When it cannot start; after that only the log tells.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    stop: CancellationToken,
    ready: impl FnOnce(),
) -> Result<(), ServeError> {
    let _data_dir = DataDir::take(&config.data_dir)?;
    // Stopped last: the others still write to it.
    let stop_database = CancellationToken::new();
    let (options, keeper) = match &config.database_url {
        Some(url) => (elsewhere(&config, url, &stop_database)?, None),
        None => {
            let (options, running) = embedded(&config).await?;
            (
                options,
                Some(tokio::spawn(running.keep(stop_database.clone()))),
            )
        }
    };
    let served = with_database(config, options, keeper.is_some(), listener, stop, ready).await;
    stop_database.cancel();
    if let Some(keeper) = keeper {
        // It ends Postgres; a panic there has been logged.
        drop(keeper.await);
    }
    served
}

/// The database that was given, reached in a way that notices when it is gone.
fn elsewhere(
    config: &Config,
    url: &str,
    stop: &CancellationToken,
) -> Result<PgConnectOptions, ServeError> {
    let options = url.parse().map_err(ServeError::DatabaseUrl)?;
    let folder = socket_dir(&config.data_dir.join("database"), &config.temporary);
    line::lead(options, &folder, line::SILENT_MAX, stop.clone())
        .map_err(|source| ServeError::Line { folder, source })
}

async fn embedded(
    config: &Config,
) -> Result<(PgConnectOptions, crate::db::embedded::Running), ServeError> {
    let bin = find_programs(config.postgres_bin.as_deref(), &config.path)?;
    let embedded =
        Embedded::prepare(bin, &config.data_dir, &config.temporary, !config.no_fsync).await?;
    Ok((embedded.options(), embedded.start().await?))
}

async fn with_database(
    config: Config,
    options: PgConnectOptions,
    sole: bool,
    listener: TcpListener,
    stop: CancellationToken,
    ready: impl FnOnce(),
) -> Result<(), ServeError> {
    let (db, ()) = tokio::join!(db::open(options), password::prepare());
    let db = db?;
    let runtime: Arc<dyn SessionRuntime> = Arc::new(Local::from_config(&config)?);
    let (clock, events, tasks) = (Clock::System, Events::new(), TaskTracker::new());
    let hub = Hub::new(db.clone(), clock.clone());
    let sessions = Sessions::new(
        db.clone(),
        clock.clone(),
        hub.clone(),
        events.clone(),
        Arc::clone(&runtime),
        stop.clone(),
        tasks.clone(),
    );
    let app = App {
        config: Arc::new(config),
        db: db.clone(),
        clock,
        hub,
        sessions,
        events,
        runtime,
        limiter: Limiter::default(),
        marks: Arc::default(),
        revocations: broadcast::channel(REVOCATIONS).0,
        metrics: telemetry::metrics(),
        stopping: stop,
        tasks,
    };
    run(app, sole, listener, ready).await;
    db.close().await;
    Ok(())
}

/// Serves an app whose parts are there; tests call it with parts of their own.
pub async fn run(app: App, sole: bool, listener: TcpListener, ready: impl FnOnce()) {
    app.tasks.spawn(
        app.hub
            .clone()
            .listen(app.events.clone(), app.stopping.clone()),
    );
    app.tasks.spawn(app.sessions.clone().run(sole));
    app.tasks.spawn(crate::workspace::sweep::run(app.clone()));
    if let Some(metrics) = app.metrics.clone() {
        let upkeep = telemetry::upkeep(metrics);
        let upkeep = app.stopping.clone().run_until_cancelled_owned(upkeep);
        app.tasks.spawn(upkeep);
    }
    ready();
    http::serve(app.clone(), router::service(app.clone()), listener).await;
    app.tasks.close();
    if tokio::time::timeout(TASKS_WITHIN, app.tasks.wait())
        .await
        .is_err()
    {
        tracing::warn!(tasks = app.tasks.len(), "Tasks did not end in time");
    }
}

/// Whether everything that a server needs is where the settings say; for `doctor`.
#[must_use]
pub fn parts(config: &Config) -> Vec<(&'static str, PathBuf)> {
    vec![
        ("execution image", config.image.clone().unwrap_or_default()),
        ("agent", config.agent_file()),
    ]
}
