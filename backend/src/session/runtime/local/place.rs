//! What is written down about a place, so that the next server finds it: a folder for each session below `run/`.
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, Signal};
use serde::{Deserialize, Serialize};
use slipway_core::id::{SessionId, WorkspaceId};
use tokio::net::{UnixListener, UnixStream};

use super::cgroup::Groups;
use crate::clock::random;
use crate::session::runtime::RuntimeError;

const RECORD: &str = "place.json";
const STATUS: &str = "status";
const LOG: &str = "log";
const SOCKETS: &str = "sockets";
const AGENT_SOCKET: &str = "agent.sock";
const EGRESS_SOCKET: &str = "egress.sock";
/// How long a killed place may take to vanish; the kernel frees 512 MiB well within it.
const END_TIMEOUT: Duration = Duration::from_secs(10);
const LOG_LINES_SHOWN: usize = 8;

/// A place of the local runtime, as Postgres and `run/<session>/place.json` keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LocalPlace {
    pub(super) session: SessionId,
    pub(super) workspace: WorkspaceId,
    /// Folder with the record, the log, the status and the sockets.
    pub(super) folder: PathBuf,
    /// The user who runs it, when that is not the server's own.
    pub(super) uid: Option<u32>,
    /// Its control groups.
    pub(super) groups: Groups,
    /// Its memory, for people.
    pub(super) memory_bytes: u64,
    /// Whether it is isolated at all.
    pub(super) sandboxed: bool,
    /// Process id of the agent as the server sees it, and its start in clock ticks, against reuse of ids.
    pub(super) process: Option<(i32, u64)>,
}

/// How bubblewrap told that the agent ended.
#[derive(Deserialize)]
struct Status {
    #[serde(rename = "child-pid")]
    child_pid: Option<i32>,
    #[serde(rename = "exit-code")]
    exit_code: Option<i32>,
}

impl LocalPlace {
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let text = fs::read(folder.join(RECORD)).ok()?;
        let mut place: Self = serde_json::from_slice(&text).ok()?;
        // The folder may have moved with the data directory.
        folder.clone_into(&mut place.folder);
        place.find_process();
        Some(place)
    }

    /// Writes the record; a torn one is never seen.
    pub(super) fn write(&self) -> io::Result<()> {
        let fresh = self.folder.join(".place.json");
        fs::write(&fresh, serde_json::to_vec(self).map_err(io::Error::other)?)?;
        fs::rename(fresh, self.folder.join(RECORD))
    }

    /// Learns the agent's process from what bubblewrap wrote, if it is not known yet.
    pub(super) fn find_process(&mut self) {
        if self.process.is_none()
            && let Some(pid) = self.status(|status| status.child_pid)
            && let Some((start, _)) = started(pid)
        {
            self.process = Some((pid, start));
        }
    }

    /// Whether the agent's process exists.
    pub(super) fn is_alive(&self) -> bool {
        self.process
            .is_some_and(|(pid, start)| started(pid) == Some((start, true)))
    }

    /// Exit code of the agent, 128 and the signal when it was killed.
    pub(super) fn exit_code(&self) -> Option<i32> {
        self.status(|status| status.exit_code)
    }

    fn status(&self, pick: impl Fn(&Status) -> Option<i32>) -> Option<i32> {
        let text = fs::read(self.folder.join(STATUS)).ok()?;
        serde_json::Deserializer::from_slice(&text)
            .into_iter::<Status>()
            .map_while(Result::ok)
            .filter_map(|status| pick(&status))
            .last()
    }

    pub(super) fn status_file(&self) -> PathBuf {
        self.folder.join(STATUS)
    }

    pub(super) fn log_file(&self) -> PathBuf {
        self.folder.join(LOG)
    }

    pub(super) fn sockets(&self) -> PathBuf {
        self.folder.join(SOCKETS)
    }

    /// What the agent said last, for an error.
    pub(super) fn last_words(&self) -> String {
        let text = fs::read(self.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let shown = lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].join("\n");
        if shown.is_empty() {
            "it said nothing".to_owned()
        } else {
            shown
        }
    }

    /// Connects to the agent.
    ///
    pub(super) async fn connect(&self) -> io::Result<UnixStream> {
        let socket = socket_at(&self.sockets().join(AGENT_SOCKET))?;
        UnixStream::connect(descriptor_path(&socket)).await
    }

    /// Listens for the session's connections to the world; an old socket of an earlier server, or what a program put in
    /// its place, is replaced.
    pub(super) fn listen_for_egress(&self) -> io::Result<UnixListener> {
        let sockets = self.sockets();
        make_room(&sockets.join(EGRESS_SOCKET))?;
        // Through the descriptor the path is short: a socket's address holds 107 bytes.
        let folder = rustix::fs::open(
            &sockets,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let path = descriptor_path(&folder).join(EGRESS_SOCKET);
        let listener = UnixListener::bind(&path)?;
        let mode = if self.uid.is_some() { 0o666 } else { 0o600 };
        fs::set_permissions(
            descriptor_path(&socket_at(&path)?),
            fs::Permissions::from_mode(mode),
        )?;
        Ok(listener)
    }

    /// Takes the folder of sockets away from the session's user once the agent listens, so that no program can
    /// put another socket in its place.
    pub(super) fn seal_sockets(&self) -> io::Result<()> {
        if self.uid.is_some() {
            let sockets = self.sockets();
            std::os::unix::fs::chown(&sockets, Some(0), Some(0))?;
            fs::set_permissions(&sockets, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }

    /// Kills the agent, and with it, as it is the first process of its namespace, everything in the place.
    pub(super) async fn kill(&self) -> Result<(), RuntimeError> {
        let failed = |source| RuntimeError::Io {
            what: format!("end the processes of session {}", self.session),
            source,
        };
        if let Some((raw, _)) = self.process
            && let Some(pid) = Pid::from_raw(raw)
            && let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::NONBLOCK)
            && self.is_alive()
        {
            // The handle was opened before the check, so it names the process that was checked.
            rustix::process::pidfd_send_signal(&handle, Signal::KILL).ok();
            if !self.sandboxed {
                rustix::process::kill_process_group(pid, Signal::KILL).ok();
            }
            tokio::task::spawn_blocking(move || await_end(&handle))
                .await
                .unwrap_or_else(|error| Err(io::Error::other(error)))
                .map_err(failed)?;
        }
        let deadline = tokio::time::Instant::now() + END_TIMEOUT;
        while !self.groups.remove() {
            if tokio::time::Instant::now() > deadline {
                return Err(failed(io::ErrorKind::TimedOut.into()));
            }
            // waits: the kernel tells nobody when the last process has left a version 1 group
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }
}

/// Waits until the process that a handle names has ended.
fn await_end(handle: &OwnedFd) -> io::Result<()> {
    let most = Timespec::try_from(END_TIMEOUT).map_err(io::Error::other)?;
    let mut polled = [PollFd::new(handle, PollFlags::IN)];
    if rustix::event::poll(&mut polled, Some(&most))? == 0 {
        return Err(io::ErrorKind::TimedOut.into());
    }
    Ok(())
}

/// The socket at a path in the folder of sockets. Programs of the session may have put anything there: only a socket
/// that stands there itself is taken, never what a link names, and the descriptor keeps that true for what is done to it.
fn socket_at(path: &Path) -> io::Result<OwnedFd> {
    let socket = rustix::fs::open(
        path,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&socket)?.st_mode);
    if kind != FileType::Socket {
        return Err(io::Error::other("a session's socket was replaced"));
    }
    Ok(socket)
}

/// Makes room for a socket in the folder of sockets, whatever a program has put there; a link is never followed. A folder
/// goes aside, which is one step however much lies in it, and ends with the place.
fn make_room(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
            let name = format!("{:x}", u64::from_ne_bytes(random()));
            fs::rename(path, path.with_extension(name))
        }
        removed => removed,
    }
}

fn descriptor_path(descriptor: &impl AsFd) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    PathBuf::from(format!("/proc/self/fd/{}", descriptor.as_fd().as_raw_fd()))
}

/// When a process started, in clock ticks since boot, and whether it still does anything.
pub(super) fn started(pid: i32) -> Option<(u64, bool)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything, also parentheses.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let start = fields.nth(18)?.parse().ok()?;
    Some((start, !matches!(state, "Z" | "X")))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::{descriptor_path, make_room, socket_at, started};

    #[test]
    fn only_a_socket_itself_is_touched_never_what_a_link_in_its_place_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let mode = |name: &str| fs::metadata(at(name)).expect(name).permissions().mode() & 0o777;
        let change = |name: &str| {
            let socket = socket_at(&at(name))?;
            fs::set_permissions(descriptor_path(&socket), fs::Permissions::from_mode(0o666))
        };
        let _listener = UnixListener::bind(at("socket")).expect("a socket");
        change("socket").expect("a socket is changed");
        assert_eq!(mode("socket"), 0o666);
        fs::write(at("own"), "of the server").expect("a file");
        fs::set_permissions(at("own"), fs::Permissions::from_mode(0o600)).expect("a mode");
        let _other = UnixListener::bind(at("other")).expect("a socket");
        let before = mode("other");
        for target in ["own", "other"] {
            symlink(at(target), at("link")).expect("a link");
            change("link").expect_err("a link is no socket");
            fs::remove_file(at("link")).expect("gone");
        }
        change("own").expect_err("a file is no socket");
        assert_eq!((mode("own"), mode("other")), (0o600, before));
    }

    #[test]
    fn whatever_stands_in_the_place_of_a_socket_makes_room_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        let bound = || {
            make_room(&at("socket")).expect("room");
            UnixListener::bind(at("socket")).expect("a socket")
        };
        bound();
        bound();
        fs::create_dir(at("own")).expect("a folder");
        for _ in 0..2 {
            fs::remove_file(at("socket")).expect("gone");
            fs::create_dir_all(at("socket/full")).expect("a folder");
            bound();
            fs::remove_file(at("socket")).expect("gone");
            symlink(at("own"), at("socket")).expect("a link");
            bound();
        }
        assert!(at("own").is_dir(), "what a link names stays");
    }

    #[test]
    fn a_process_is_known_by_its_start() {
        let own = i32::try_from(std::process::id()).expect("pid");
        let (start, alive) = started(own).expect("own process");
        assert!(alive && start > 0);
        assert_eq!(started(own), Some((start, true)));
        assert_eq!(started(i32::MAX), None);
    }
}
