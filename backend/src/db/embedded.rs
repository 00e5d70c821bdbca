//! The embedded Postgres: the machine's own programs on a private data directory, reached by a Unix socket only.
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

mod before;
mod machine;

use before::is_over;
pub use machine::{find_programs, socket_dir};
use machine::{owner, passable};

/// From start to the first connection; crash recovery of a large journal takes a while.
const START_WITHIN: Duration = Duration::from_secs(60);
/// From a connection to the greeting. One that takes longer hangs, and is asked again.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked whether it is there; it tells nobody.
const LOOK: Duration = Duration::from_millis(5);

/// Why the embedded Postgres does not run. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// Its programs are not on this machine.
    #[error(
        "find Postgres: no initdb below /usr/lib/postgresql or in PATH. Install it (`apt-get install postgresql`), set SLIPWAY_PG_BIN, or give --database-url"
    )]
    Missing,
    /// No account to run it under.
    #[error("run Postgres as root: there is neither an account postgres nor nobody")]
    NoAccount,
    /// A step failed.
    #[error("{what}")]
    Io {
        /// The step.
        what: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended or did not answer; its last words.
    #[error("start Postgres; the last lines of its log are:\n{0}")]
    Start(String),
}

/// Where the embedded Postgres lives, and under whom.
#[derive(Clone, Debug)]
pub struct Embedded {
    bin: PathBuf,
    folder: PathBuf,
    socket: PathBuf,
    owner: Option<(u32, u32)>,
    fsync: bool,
}

impl Embedded {
    /// Prepares the folder and makes the database cluster if it is the first start.
    ///
    /// # Errors
    /// Missing programs, a folder that cannot be written, a failed initdb.
    pub async fn prepare(
        bin: PathBuf,
        data_dir: &Path,
        temporary: &Path,
        fsync: bool,
    ) -> Result<Self, EmbeddedError> {
        let folder = data_dir.join("postgres");
        let socket = socket_dir(&folder, temporary);
        let owner = owner()?;
        for dir in [&folder, &socket] {
            std::fs::create_dir_all(dir).map_err(io(format!("make {}", dir.display())))?;
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
                .map_err(io(format!("protect {}", dir.display())))?;
            if let Some((uid, gid)) = owner {
                std::os::unix::fs::chown(dir, Some(uid), Some(gid))
                    .map_err(io(format!("hand {} to Postgres", dir.display())))?;
            }
        }
        if let Some((uid, _)) = owner {
            passable(data_dir, uid)?;
        }
        let embedded = Self {
            bin,
            folder,
            socket,
            owner,
            fsync,
        };
        if !embedded.folder.join("data/PG_VERSION").exists() {
            embedded.init().await?;
        }
        Ok(embedded)
    }

    /// How to connect.
    #[must_use]
    pub fn options(&self) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.socket)
            .username("postgres")
            .database("postgres")
    }

    /// Starts it unless it runs already.
    ///
    /// # Errors
    /// When it cannot be started at all.
    pub async fn start(&self) -> Result<Running, EmbeddedError> {
        // A server that was killed leaves its Postgres running: it is ours, and adopted as it is. One that does not
        // answer recovers, and would refuse a second one.
        if let Some(pid) = self.postmaster() {
            let mut adopted = self.running(None, pid);
            tracing::info!(postgres.pid = pid, "Adopting the Postgres that runs here");
            if adopted.answers_in_time().await? {
                return Ok(adopted);
            }
        }
        self.wait_for_the_last_one().await?;
        let child = self.spawn()?;
        let pid = child.id().unwrap_or(0);
        let mut running = self.running(Some(child), pid);
        if running.answers_in_time().await? {
            return Ok(running);
        }
        Err(EmbeddedError::Start(self.last_words()))
    }

    fn running(&self, child: Option<tokio::process::Child>, pid: u32) -> Running {
        Running {
            embedded: self.clone(),
            child,
            pid,
        }
    }

    async fn init(&self) -> Result<(), EmbeddedError> {
        // An interrupted first start leaves half a cluster, which holds nothing yet.
        let data = self.folder.join("data");
        if data.exists() {
            std::fs::remove_dir_all(&data).map_err(io("clear a half-made database".to_owned()))?;
        }
        let mut command = self.command("initdb");
        command.args([
            "-D",
            "data",
            "-U",
            "postgres",
            "--auth-local=trust",
            "--auth-host=reject",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
        ]);
        if !self.fsync {
            command.arg("--no-sync");
        }
        let output = tokio::process::Command::from(command)
            .output()
            .await
            .map_err(io("run initdb".to_owned()))?;
        if output.status.success() {
            return Ok(());
        }
        Err(EmbeddedError::Start(
            String::from_utf8_lossy(&output.stderr).into_owned(),
        ))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        if let Some((uid, gid)) = self.owner {
            command.uid(uid).gid(gid);
        }
        command
    }

    fn spawn(&self) -> Result<tokio::process::Child, EmbeddedError> {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log())
            .map_err(io("open Postgres' log".to_owned()))?;
        let mut command = self.command("postgres");
        command.args(["-D", "data", "-k"]).arg(&self.socket);
        for setting in [
            "listen_addresses=",
            "shared_buffers=32MB",
            "max_connections=40",
            "unix_socket_permissions=0700",
            "log_min_messages=warning",
        ] {
            command.args(["-c", setting]);
        }
        if !self.fsync {
            command.args([
                "-c",
                "fsync=off",
                "-c",
                "synchronous_commit=off",
                "-c",
                "full_page_writes=off",
            ]);
        }
        command.stdout(Stdio::null()).stderr(log);
        tokio::process::Command::from(command)
            .spawn()
            .map_err(io("start postgres".to_owned()))
    }

    fn log(&self) -> PathBuf {
        self.folder.join("postgres.log")
    }

    fn socket_file(&self) -> PathBuf {
        self.socket.join(".s.PGSQL.5432")
    }

    async fn answers(&self) -> bool {
        use sqlx::{ConnectOptions as _, Connection as _};
        if UnixStream::connect(self.socket_file()).await.is_err() {
            return false;
        }
        let options = self.options();
        match tokio::time::timeout(ANSWER_WITHIN, options.connect()).await {
            Ok(Ok(connection)) => {
                drop(connection.close().await);
                true
            }
            Ok(Err(_)) | Err(_) => false,
        }
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(self.log()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }
}

/// A Postgres that answers.
#[derive(Debug)]
pub struct Running {
    embedded: Embedded,
    child: Option<tokio::process::Child>,
    pid: u32,
}

impl Running {
    /// Its process id.
    #[must_use]
    pub const fn pid(&self) -> u32 {
        self.pid
    }

    /// Restarts it whenever it dies, until `stop`; then ends it.
    pub async fn keep(mut self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.ended() => {}
            }
            tracing::error!(postgres.pid = self.pid, "Postgres ended; starting it again");
            match self.embedded.start().await {
                Ok(again) => self = again,
                Err(error) => {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "Postgres does not start again"
                    );
                    // The next round tries again; the pause keeps a broken disk from a busy loop.
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
            }
        }
        self.stop().await;
    }

    /// Ends it: fast shutdown, all connections closed.
    pub async fn stop(mut self) {
        if let Some(pid) = rustix::process::Pid::from_raw(self.pid.cast_signed()) {
            // It may be gone already.
            rustix::process::kill_process(pid, rustix::process::Signal::INT).ok();
        }
        if tokio::time::timeout(Duration::from_secs(20), self.ended())
            .await
            .is_err()
            && let Some(pid) = rustix::process::Pid::from_raw(self.pid.cast_signed())
        {
            tracing::warn!(
                "Postgres did not stop within 20 s and is killed; it will recover at the next start"
            );
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
        }
    }

    async fn ended(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.wait().await);
            return;
        }
        // Adopted: not our child, so it is looked at.
        while !is_over(self.pid) {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Whether it answers; false when it ended instead.
    async fn answers_in_time(&mut self) -> Result<bool, EmbeddedError> {
        let deadline = tokio::time::Instant::now() + START_WITHIN;
        loop {
            if self.embedded.answers().await {
                return Ok(true);
            }
            if self.has_ended() {
                return Ok(false);
            }
            if tokio::time::Instant::now() > deadline {
                return Err(EmbeddedError::Start(format!(
                    "no answer within {} s\n{}",
                    START_WITHIN.as_secs(),
                    self.embedded.last_words()
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn has_ended(&mut self) -> bool {
        match &mut self.child {
            Some(child) => matches!(child.try_wait(), Ok(Some(_))),
            None => is_over(self.pid),
        }
    }
}

fn io(what: String) -> impl FnOnce(std::io::Error) -> EmbeddedError {
    move |source| EmbeddedError::Io { what, source }
}
