//! The embedded Postgres: the machine's own programs on a private data directory, reached by a Unix socket only.
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

/// Unix socket paths end at 107 bytes; Postgres appends `/.s.PGSQL.5432`.
const SOCKET_DIR_BYTES_MAX: usize = 90;
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

    /// Children of a Postgres that was killed go by themselves; until then a new one is refused.
    async fn wait_for_the_last_one(&self) -> Result<(), EmbeddedError> {
        let deadline = tokio::time::Instant::now() + START_WITHIN;
        loop {
            let worker = self.processes().first().copied();
            let Some(pid) = worker.or_else(|| self.dying()) else {
                return Ok(());
            };
            if worker.is_none() && is_over(pid) {
                // Its parent may never ask for its end, as in a container whose first program reaps nobody; its
                // number alone keeps another from starting.
                return self.unlock();
            }
            if tokio::time::Instant::now() > deadline {
                return Err(EmbeddedError::Start(format!(
                    "process {pid} of the Postgres before does not end\n{}",
                    self.last_words()
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Removes what a postmaster that is dead has left to keep others out.
    fn unlock(&self) -> Result<(), EmbeddedError> {
        let socket = self.socket.join(".s.PGSQL.5432.lock");
        for lock in [self.folder.join("data/postmaster.pid"), socket] {
            match std::fs::remove_file(lock) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io("forget the Postgres before".to_owned())(error));
                }
                _ => {}
            }
        }
        Ok(())
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

    /// The pid of a postmaster of this data directory, if it is alive.
    fn postmaster(&self) -> Option<u32> {
        self.last_pid().filter(|pid| self.processes().contains(pid))
    }

    /// Who was the last postmaster, alive or not.
    fn last_pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// The last postmaster when it was killed and nobody has heard of its end yet: it works nowhere any more, but its
    /// number still keeps another from starting.
    fn dying(&self) -> Option<u32> {
        let pid = self.last_pid()?;
        let process = PathBuf::from(format!("/proc/{pid}"));
        let name = std::fs::read_to_string(process.join("comm")).ok()?;
        let place = std::fs::read_link(process.join("cwd"));
        let nowhere = place.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        (nowhere && name.starts_with("postgres")).then_some(pid)
    }

    /// Processes of a Postgres on this data directory: each works in it. Numbers are used again, places are not.
    fn processes(&self) -> Vec<u32> {
        let Ok(data) = std::fs::canonicalize(self.folder.join("data")) else {
            return Vec::new();
        };
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter(|entry| {
                std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == data)
            })
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
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

/// Whether a process has ended, heard of or not.
fn is_over(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    // The name may hold anything; the state follows its last parenthesis.
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    state.starts_with(['Z', 'X'])
}

fn io(what: String) -> impl FnOnce(std::io::Error) -> EmbeddedError {
    move |source| EmbeddedError::Io { what, source }
}

/// The folder with initdb and postgres: as told, the newest of Debian's, or the one in PATH.
///
/// # Errors
/// When there is none.
pub fn find_programs(
    told: Option<&Path>,
    path: &std::ffi::OsStr,
) -> Result<PathBuf, EmbeddedError> {
    let mut debian: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    debian.sort_by_key(|bin| {
        bin.parent()
            .and_then(|dir| dir.file_name()?.to_str()?.parse::<u32>().ok())
            .unwrap_or(0)
    });
    told.map(Path::to_owned)
        .into_iter()
        .chain(debian.into_iter().rev())
        .chain(std::env::split_paths(path))
        .find(|bin| bin.join("initdb").exists() && bin.join("postgres").exists())
        .ok_or(EmbeddedError::Missing)
}

/// Postgres refuses root; then an account of its own runs it, which must stand in /etc/passwd.
fn owner() -> Result<Option<(u32, u32)>, EmbeddedError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    ["postgres:", "nobody:"]
        .iter()
        .find_map(|name| {
            let line = passwd.lines().find(|line| line.starts_with(name))?;
            let mut fields = line.split(':').skip(2);
            Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
        })
        .map(Some)
        .ok_or(EmbeddedError::NoAccount)
}

/// The folders above must let Postgres' account through: x for others on those that are ours to change.
fn passable(data_dir: &Path, uid: u32) -> Result<(), EmbeddedError> {
    use std::os::unix::fs::MetadataExt as _;
    let full =
        std::fs::canonicalize(data_dir).map_err(io(format!("find {}", data_dir.display())))?;
    for folder in full.ancestors() {
        let meta =
            std::fs::metadata(folder).map_err(io(format!("look at {}", folder.display())))?;
        if meta.uid() != uid && meta.mode() & 0o001 == 0 {
            let mode = std::fs::Permissions::from_mode((meta.mode() & 0o7777) | 0o001);
            std::fs::set_permissions(folder, mode).map_err(io(format!(
                "let Postgres pass through {}",
                folder.display()
            )))?;
            tracing::warn!(
                folder = %folder.display(),
                "Everyone may now pass through {}, though not list it: the account that runs Postgres must reach its \
                    data below. Choose another --data-dir if this must not be",
                folder.display()
            );
        }
    }
    Ok(())
}

/// Beside the data when its path is short enough, else a short name that the data's path decides.
fn socket_dir(folder: &Path, temporary: &Path) -> PathBuf {
    let near = folder.join("run");
    if near.as_os_str().len() <= SOCKET_DIR_BYTES_MAX {
        return near;
    }
    let name = blake3::hash(folder.as_os_str().as_encoded_bytes()).to_hex();
    temporary.join(format!("slipway-pg-{}", &name[..16]))
}
