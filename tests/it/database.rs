//! One real Postgres for the tests that run at the same time, one database in it for each server.
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use slipway_backend::db::embedded::{Embedded, find_programs};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio_util::sync::CancellationToken;

/// A Postgres that ends with the last test that uses it.
pub(crate) struct Postgres {
    options: PgConnectOptions,
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

static CURRENT: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A fresh database, and the Postgres to hold on to while it is used.
pub(crate) async fn fresh() -> (Arc<Postgres>, PgConnectOptions) {
    let postgres = tokio::task::spawn_blocking(running)
        .await
        .expect("Postgres starts");
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let mut connection = postgres.options.connect().await.expect("a connection");
    sqlx::query(sqlx::AssertSqlSafe(format!("create database {name}")))
        .execute(&mut connection)
        .await
        .expect("a database");
    connection.close().await.expect("closed");
    let options = postgres.options.clone().database(&name);
    (postgres, options)
}

fn running() -> Arc<Postgres> {
    // A test that panicked while it waited leaves nothing half-done here.
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(postgres) = current.upgrade() {
        return postgres;
    }
    let (ready, started) = std::sync::mpsc::channel();
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let bin = find_programs(None, "/usr/local/bin:/usr/bin:/bin".as_ref())
                .expect("Postgres is installed");
            let embedded = Embedded::prepare(bin, folder.path(), Path::new("/tmp"), false)
                .await
                .expect("a cluster");
            let running = embedded.start().await.expect("Postgres starts");
            ready.send(embedded.options()).expect("someone waits");
            running.keep(stopped).await;
        });
    });
    let options = started.recv().expect("Postgres starts");
    let postgres = Arc::new(Postgres {
        options,
        stop,
        thread: Some(thread),
    });
    *current = Arc::downgrade(&postgres);
    postgres
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed there.
            drop(thread.join());
        }
    }
}
