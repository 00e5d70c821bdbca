//! What bubblewrap is told: the namespaces, the read-only root, the few places that a session may write.
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Size of a session's /tmp, which lives in its memory.
const TMP_BYTES: u64 = 256 * slipway_core::limits::MIB;
const SHM_BYTES: u64 = 64 * slipway_core::limits::MIB;
/// User and group inside.
const INNER_ID: &str = "10001";
const INSTALL: &str = "sudo apt-get install -y bubblewrap";
/// Where programs look for programs; the home's come first.
pub(super) const PATH: &str = "/home/slipway/.local/bin:/home/slipway/.npm-global/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The machine's certificates and the names of its mirrors, where it has them.
const MACHINE_FILES: [(&str, &str); 4] = [
    ("/etc/ssl/certs", "/etc/ssl/certs"),
    ("/etc/pip.conf", "/etc/pip.conf"),
    ("/etc/npmrc", "/etc/npmrc"),
    ("/usr/etc/npmrc", "/etc/npmrc"),
];

/// Where the parts of a place are, as bubblewrap sees them.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    pub(super) image: PathBuf,
    pub(super) agent: PathBuf,
    pub(super) work: PathBuf,
    pub(super) home: PathBuf,
    /// The whole volume: the agent renames files between its state and the workspace, which works within one mount.
    pub(super) volume: PathBuf,
    pub(super) sockets: PathBuf,
    /// The session's control groups that the agent reads.
    pub(super) memory_group: Option<PathBuf>,
    pub(super) pids_group: Option<PathBuf>,
}

impl Sources {
    /// Every source with the folder (or file, for the agent) under which it is staged, in a fixed order.
    pub(super) fn staged(&self, stage: &Path) -> (Self, Vec<(PathBuf, PathBuf)>) {
        let inner = Self {
            image: stage.join("image"),
            agent: stage.join("agent"),
            work: stage.join("work"),
            home: stage.join("home"),
            volume: stage.join("volume"),
            sockets: stage.join("sockets"),
            memory_group: self.memory_group.clone(),
            pids_group: self.pids_group.clone(),
        };
        let pairs = [
            (&self.image, &inner.image),
            (&self.agent, &inner.agent),
            (&self.work, &inner.work),
            (&self.home, &inner.home),
            (&self.volume, &inner.volume),
            (&self.sockets, &inner.sockets),
        ]
        .map(|(from, to)| (from.clone(), to.clone()))
        .to_vec();
        (inner, pairs)
    }
}

/// Bubblewrap's arguments, up to and with the agent's.
pub(super) fn arguments(
    sources: &Sources,
    status: i32,
    filters: &[i32],
    with_egress: bool,
) -> Vec<OsString> {
    let mut all = Arguments::default();
    all.add(["--unshare-user", "--unshare-pid", "--unshare-ipc"]);
    all.add(["--unshare-uts", "--unshare-cgroup-try", "--unshare-net"]);
    all.add([
        "--uid",
        INNER_ID,
        "--gid",
        INNER_ID,
        "--hostname",
        "slipway",
    ]);
    // The agent is the first process: nothing inside can kill it, and its end is the end of everything.
    all.add(["--as-pid-1", "--new-session", "--cap-drop", "ALL"]);
    all.bind("--ro-bind", &sources.image, "/");
    all.add(["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/run"]);
    // Shared memory is of this size, and nothing else may grow in /dev.
    all.add(["--size", &SHM_BYTES.to_string(), "--tmpfs", "/dev/shm"]);
    all.add(["--remount-ro", "/dev"]);
    all.add(["--perms", "1777", "--size", &TMP_BYTES.to_string()]);
    all.add(["--tmpfs", "/tmp"]);
    all.bind("--bind", &sources.work, "/workspace");
    all.bind("--bind", &sources.home, "/home/slipway");
    all.bind("--bind", &sources.volume, "/var/lib/slipway");
    all.bind("--bind", &sources.sockets, "/run/slipway");
    all.bind(
        "--ro-bind",
        &sources.agent,
        "/opt/slipway/bin/slipway-agent",
    );
    for (group, to) in [
        (&sources.memory_group, "/run/cgroup/memory"),
        (&sources.pids_group, "/run/cgroup/pids"),
    ] {
        if let Some(group) = group {
            all.bind("--ro-bind", group, to);
        }
    }
    for (from, to) in MACHINE_FILES {
        // The image may be older than this list: without a mount point there is nothing to hide either.
        if Path::new(from).exists() {
            all.bind("--ro-bind-try", Path::new(from), to);
        }
    }
    all.add(["--remount-ro", "/run", "--chdir", "/workspace"]);
    all.add(["--json-status-fd", &status.to_string()]);
    for filter in filters {
        all.add(["--add-seccomp-fd", &filter.to_string()]);
    }
    all.add(["--", "/opt/slipway/bin/slipway-agent"]);
    all.add(["--state", "/var/lib/slipway/state"]);
    all.add(["--files", "/var/lib/slipway/work"]);
    if with_egress {
        all.add(["--egress-socket", "/run/slipway/egress.sock"]);
    }
    all.0
}

#[derive(Default)]
struct Arguments(Vec<OsString>);

impl Arguments {
    fn add<'a>(&mut self, words: impl IntoIterator<Item = &'a str>) {
        self.0.extend(words.into_iter().map(OsString::from));
    }
    fn bind(&mut self, how: &str, from: &Path, to: &str) {
        self.0.extend([how.into(), from.into(), to.into()]);
    }
}

/// Bubblewrap, if it is here and may make its namespaces; otherwise what to do about it.
pub(super) fn find() -> Result<PathBuf, String> {
    let found = std::env::split_paths("/usr/bin:/usr/local/bin:/bin")
        .map(|folder| folder.join("bwrap"))
        .find(|program| program.is_file())
        .ok_or_else(|| format!("bubblewrap is not installed; type: {INSTALL}"))?;
    let tried = std::process::Command::new(&found)
        .args(["--unshare-user", "--unshare-pid", "--unshare-net"])
        .args(["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"])
        .args(["--", "/bin/true"])
        .output()
        .map_err(|error| format!("start bubblewrap: {error}"))?;
    if tried.status.success() {
        return Ok(found);
    }
    let said = String::from_utf8_lossy(&tried.stderr);
    let command = if Path::new("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists() {
        "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    } else if Path::new("/proc/sys/kernel/unprivileged_userns_clone").exists() {
        "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    } else {
        "sudo sysctl -w user.max_user_namespaces=15000"
    };
    Err(format!(
        "bubblewrap may not make namespaces ({}); type: {command}",
        said.trim()
    ))
}
