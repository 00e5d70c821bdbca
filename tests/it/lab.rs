//! A whole server with real agents for the tests of sessions, runs and the socket. It runs on a runtime of its own,
//! so that it can be ended the way `kill -9` ends one, and started again on what is left.
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use slipway_api::account::Register;
use slipway_backend::clock::Clock;
use slipway_backend::config::Config;
use slipway_backend::event::Events;
use slipway_backend::hub::Hub;
use slipway_backend::serve;
use slipway_backend::session::Sessions;
use slipway_backend::session::runtime::SessionRuntime;
use slipway_backend::session::runtime::local::Local;
use slipway_backend::state::App;
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::SessionId;
use slipway_core::secret::Secret;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::database;

/// Every wait of these tests ends within this time; none of them takes a fraction of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A server that can be killed and started again.
pub(crate) struct Lab {
    data: tempfile::TempDir,
    database: PgConnectOptions,
    pub(crate) clock: Clock,
    /// Settings besides those of every test.
    flags: Vec<String>,
    server: Option<Server>,
    /// Ends after everything else of this test.
    _postgres: Arc<database::Postgres>,
}

struct Server {
    runtime: Runtime,
    app: App,
    base: String,
    served: tokio::task::JoinHandle<()>,
}

impl Lab {
    /// A server on a fresh database, with the system's clock.
    pub(crate) async fn start() -> Self {
        Self::with_clock(Clock::System).await
    }

    /// A server on a fresh database.
    pub(crate) async fn with_clock(clock: Clock) -> Self {
        Self::with(clock, &[]).await
    }

    /// A server on a fresh database, with settings of its own.
    pub(crate) async fn with_flags(flags: &[&str]) -> Self {
        Self::with(Clock::System, flags).await
    }

    /// A server on a fresh database, with a clock and settings of its own.
    pub(crate) async fn with(clock: Clock, flags: &[&str]) -> Self {
        let (postgres, options) = database::fresh().await;
        let flags = flags.iter().map(|flag| (*flag).to_owned()).collect();
        Self::on(postgres, options, clock, flags).await
    }

    /// A server on a database that it reaches by these options.
    pub(crate) async fn on(
        postgres: Arc<database::Postgres>,
        database: PgConnectOptions,
        clock: Clock,
        flags: Vec<String>,
    ) -> Self {
        let mut lab = Self {
            data: tempfile::tempdir().expect("a temporary folder"),
            database,
            clock,
            flags,
            server: None,
            _postgres: postgres,
        };
        lab.restart(true).await;
        lab
    }

    /// Starts the next server on the same database and the same places.
    pub(crate) async fn restart(&mut self, sole: bool) {
        assert!(self.server.is_none(), "one server at a time");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let started = runtime.spawn(start(
            config(self.data.path(), &self.flags),
            self.database.clone(),
            self.clock.clone(),
            sole,
        ));
        let (app, base, served) = started.await.expect("the server starts");
        self.server = Some(Server {
            runtime,
            app,
            base,
            served,
        });
    }

    /// Ends the server as `kill -9` does: nothing is released, nobody is told.
    pub(crate) fn kill(&mut self) {
        let server = self.server.take().expect("a server runs");
        server.runtime.shutdown_background();
    }

    /// Ends the server gracefully.
    pub(crate) async fn stop(&mut self) {
        let server = self.server.take().expect("a server runs");
        server.app.stopping.cancel();
        tokio::time::timeout(PATIENCE, server.served)
            .await
            .expect("a stop in time")
            .expect("no panic");
        server.runtime.shutdown_background();
    }

    /// Copies the database while no server runs on it.
    pub(crate) async fn back_up(&self) {
        let name = self.database.get_database().expect("a name");
        self.beside(&format!("create database {name}_kept template {name}"))
            .await;
    }

    /// Puts the copy in the database's place, as an operator does after a disaster.
    pub(crate) async fn set_back(&self) {
        let name = self.database.get_database().expect("a name");
        self.beside(&format!("drop database {name}")).await;
        self.beside(&format!("create database {name} template {name}_kept"))
            .await;
    }

    /// Says something to Postgres outside of the test's database.
    async fn beside(&self, statement: &str) {
        assert!(self.server.is_none(), "nobody may use the database");
        let options = self.database.clone().database("postgres");
        let mut connection = options.connect().await.expect("a connection");
        sqlx::query(sqlx::AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await
            .expect("done");
        connection.close().await.expect("closed");
    }

    pub(crate) fn app(&self) -> &App {
        &self.server.as_ref().expect("a server runs").app
    }

    pub(crate) fn base(&self) -> &str {
        &self.server.as_ref().expect("a server runs").base
    }

    /// The server's own files.
    pub(crate) fn data_dir(&self) -> &Path {
        self.data.path()
    }

    /// The folder of the database's socket.
    pub(crate) fn postgres_socket(&self) -> PathBuf {
        let folder = self.database.get_socket();
        folder.expect("a Unix socket").clone()
    }

    /// A new account.
    pub(crate) async fn user(&self, name: &str) -> Client {
        let register = Register {
            name: name.to_owned(),
            email: format!("{name}@example.org"),
            password: Secret::new("quiet tide at seven bells"),
            device: None,
        };
        let client = Client::new(self.base()).expect("a client");
        client.register(&register).await.expect("an account").0
    }

    /// The same account at the server that runs now.
    pub(crate) fn again(&self, client: &Client) -> Client {
        let token = client.token().expect("signed in").clone();
        Client::new(self.base())
            .expect("a client")
            .with_token(token)
    }

    /// Kills the agent of a session, as the kernel does when memory is out.
    pub(crate) async fn kill_agent(&self, session: SessionId) {
        self.signal_agent(session, Signal::KILL).await;
    }

    /// Sends a signal to the agent of a session, from outside of its place.
    pub(crate) async fn signal_agent(&self, session: SessionId, signal: Signal) {
        let places = self.app().runtime.list().await.expect("places");
        let place = places
            .into_iter()
            .find(|(of, _)| *of == session)
            .expect("a place")
            .1
            .0;
        let pid = find_pid(&place).expect("the place names its process");
        let pid = rustix::process::Pid::from_raw(pid).expect("a process id");
        rustix::process::kill_process(pid, signal).expect("the agent is there");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // Places outlive servers; those of a test must not outlive it. On a thread of its own, since a test's runtime
        // must not be blocked: first the server ends, with a start that is under way, then what it made.
        let (server, config) = (self.server.take(), config(self.data.path(), &self.flags));
        let ended = std::thread::spawn(move || {
            if let Some(server) = server {
                // Its drivers first: one that is cut off in mid-step would ask a runtime that is no longer there.
                server.app.stopping.cancel();
                let (runtime, served) = (server.runtime, server.served);
                drop(runtime.block_on(async { tokio::time::timeout(PATIENCE, served).await }));
                runtime.shutdown_timeout(PATIENCE);
            }
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(async {
                let local = Local::from_config(&config).expect("a runtime of places");
                for (_, place) in local.list().await.expect("places") {
                    local.stop(&place).await.expect("a place ends");
                }
            });
        });
        assert!(
            ended.join().is_ok() || std::thread::panicking(),
            "nothing is left behind"
        );
    }
}

/// The agent's process id in a place's record.
fn find_pid(place: &serde_json::Value) -> Option<i32> {
    let pid = place.get("process")?.get(0)?.as_i64()?;
    i32::try_from(pid).ok()
}

async fn start(
    config: Config,
    database: PgConnectOptions,
    clock: Clock,
    sole: bool,
) -> (App, String, tokio::task::JoinHandle<()>) {
    let db = slipway_backend::db::open(database)
        .await
        .expect("a database");
    let runtime: Arc<dyn SessionRuntime> =
        Arc::new(Local::from_config(&config).expect("a runtime"));
    let (events, tasks, stopping) = (Events::new(), TaskTracker::new(), CancellationToken::new());
    let hub = Hub::new(db.clone(), clock.clone());
    let app = App {
        sessions: Sessions::new(
            db.clone(),
            clock.clone(),
            hub.clone(),
            events.clone(),
            Arc::clone(&runtime),
            stopping.clone(),
            tasks.clone(),
        ),
        config: Arc::new(config),
        db,
        clock,
        hub,
        events,
        runtime,
        limiter: slipway_backend::account::limit::Limiter::default(),
        marks: Arc::default(),
        revocations: broadcast::channel(16).0,
        metrics: None,
        stopping,
        tasks,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let served = tokio::spawn(serve::run(app.clone(), sole, listener, || {}));
    (app, base, served)
}

/// The server's settings, with the agent and, unless a test has one of its own, the image that `cargo xtask test` names.
pub(crate) fn config(data_dir: &Path, more: &[String]) -> Config {
    use clap::Parser as _;
    #[derive(clap::Parser)]
    struct Flags {
        #[command(flatten)]
        config: Config,
        #[arg(long, env = "SLIPWAY_TEST_AGENT")]
        test_agent: PathBuf,
        #[arg(long, env = "SLIPWAY_TEST_IMAGE")]
        test_image: PathBuf,
    }
    let always: [&OsStr; 3] = [
        "slipway-server".as_ref(),
        "--data-dir".as_ref(),
        data_dir.as_os_str(),
    ];
    let egress = more.iter().any(|flag| flag.starts_with("--egress="));
    let egress = (!egress).then_some(OsStr::new("--egress=none"));
    let more = egress.into_iter().chain(more.iter().map(OsStr::new));
    let mut flags = Flags::try_parse_from(always.into_iter().chain(more))
        .expect("SLIPWAY_TEST_AGENT and SLIPWAY_TEST_IMAGE are set, as `cargo xtask test` does");
    flags.config.agent = Some(flags.test_agent);
    flags.config.image.get_or_insert(flags.test_image);
    flags.config
}

/// The code of a refusal.
pub(crate) fn code<T: std::fmt::Debug>(answer: Result<T, ClientError>) -> Code {
    match answer {
        Err(ClientError::Problem(problem)) => problem.code,
        other => panic!("a problem was expected, not {other:?}"),
    }
}
