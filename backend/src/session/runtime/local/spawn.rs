//! Starts a place's first process: own session, own control groups, own user, and as root a mount namespace in
//! which that user sees the few sources of the place without a way through the server's folders.
use std::ffi::{CString, OsStr};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::fs::{CWD, MemfdFlags, Mode, OFlags};
use rustix::io::FdFlags;
use rustix::mount::{
    MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount,
    mount_change, move_mount, open_tree, unmount,
};
use rustix::process::{Gid, Resource, Rlimit, Uid};
use rustix::thread::UnshareFlags;

use super::bwrap::{self, Sources};
use super::place::LocalPlace;
use super::volume;

/// Covered by a small file system of its own in the mount namespace of the new process, nowhere else.
const STAGE: &str = "/tmp";
const OPEN_FILES_MAX: u64 = 65_536;

/// What the new process is told.
pub(super) struct Launch<'a> {
    pub(super) place: &'a LocalPlace,
    pub(super) sources: &'a Sources,
    pub(super) bwrap: &'a Path,
    pub(super) filters: &'a [Vec<u8>],
    pub(super) key: &'a str,
    pub(super) with_egress: bool,
    /// Limit by the user's number of processes where control groups cannot.
    pub(super) processes: Option<u32>,
}

/// Starts bubblewrap with the agent inside.
pub(super) fn sandboxed(launch: &Launch<'_>) -> io::Result<tokio::process::Child> {
    let status = OpenOptions::new()
        .create(true)
        .append(true)
        .open(launch.place.status_file())?;
    let filters = launch
        .filters
        .iter()
        .map(|filter| filter_file(filter))
        .collect::<io::Result<Vec<_>>>()?;
    let (inner, stage) = match launch.place.uid {
        Some(_) => {
            let (inner, pairs) = launch.sources.staged(Path::new(STAGE));
            (inner, Some(Stage::new(&pairs)?))
        }
        None => (launch.sources.clone(), None),
    };
    let numbers: Vec<i32> = filters.iter().map(|file| file.as_raw_fd()).collect();
    let mut command = std::process::Command::new(launch.bwrap);
    command.args(bwrap::arguments(
        &inner,
        status.as_raw_fd(),
        &numbers,
        launch.with_egress,
    ));
    environment(&mut command, launch.key);
    command
        .env("PATH", bwrap::PATH)
        .env("HOME", "/home/slipway");
    command.current_dir("/");
    let mut kept: Vec<OwnedFd> = filters.into_iter().map(OwnedFd::from).collect();
    kept.push(status.into());
    let first = First {
        doors: doors(launch.place)?,
        kept,
        stage,
        uid: launch.place.uid,
        processes: launch.processes,
    };
    spawn(command, launch.place, first)
}

/// Starts the agent plainly, for machines without bubblewrap whose administrator has said so.
pub(super) fn unsafely(
    place: &LocalPlace,
    agent: &Path,
    path: &OsStr,
    files: &Path,
    key: &str,
    with_egress: bool,
) -> io::Result<tokio::process::Child> {
    let mut command = std::process::Command::new(agent);
    environment(&mut command, key);
    let home = files.join("home");
    command
        .env("PATH", path)
        .env("HOME", &home)
        // The socket's address holds 107 bytes, so it is named from its folder.
        .current_dir(place.sockets())
        .args(["--socket", "agent.sock", "--workspace"])
        .arg(files.join("work"))
        .arg("--home")
        .arg(home)
        .arg("--state")
        .arg(files.join("state"));
    if with_egress {
        command.arg("--egress-socket").arg("egress.sock");
    }
    let first = First {
        doors: doors(place)?,
        kept: Vec::new(),
        stage: None,
        uid: None,
        processes: None,
    };
    spawn(command, place, first)
}

fn environment(command: &mut std::process::Command, key: &str) {
    command
        .env_clear()
        .env("LANG", "C.UTF-8")
        .env("SHELL", "/bin/bash")
        .env("USER", "slipway")
        .env("LOGNAME", "slipway")
        // In the environment and not on the command line, which every user of the machine may read.
        .env("SLIPWAY_AGENT_KEY", key);
}

fn doors(place: &LocalPlace) -> io::Result<Vec<File>> {
    place
        .groups
        .doors()
        .iter()
        .map(|door| OpenOptions::new().write(true).open(door))
        .collect()
}

fn filter_file(filter: &[u8]) -> io::Result<File> {
    use std::io::{Seek as _, Write as _};
    let mut file = File::from(rustix::fs::memfd_create("seccomp", MemfdFlags::CLOEXEC)?);
    file.write_all(filter)?;
    file.rewind()?;
    Ok(file)
}

#[expect(
    unsafe_code,
    reason = "work between fork and exec has no safe form; see `First::run`"
)]
fn spawn(
    mut command: std::process::Command,
    place: &LocalPlace,
    first: First,
) -> io::Result<tokio::process::Child> {
    let log = File::create(place.log_file())?;
    command
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log);
    // SAFETY: `run` only makes system calls on what was prepared before the fork: it neither allocates nor locks.
    unsafe {
        command.pre_exec(move || first.run());
    }
    tokio::process::Command::from(command)
        .kill_on_drop(false)
        .spawn()
}

/// What the new process does before it becomes the program.
struct First {
    /// Control groups to enter.
    doors: Vec<File>,
    /// Descriptors that the program inherits.
    kept: Vec<OwnedFd>,
    stage: Option<Stage>,
    uid: Option<u32>,
    processes: Option<u32>,
}

impl First {
    fn run(&self) -> io::Result<()> {
        // Its own session: a signal to the server's group or terminal does not reach it, and it outlives the server.
        rustix::process::setsid()?;
        for door in &self.doors {
            rustix::io::write(door, b"0")?;
        }
        if let Some(stage) = &self.stage {
            stage.build()?;
        }
        limit(Resource::Core, 0)?;
        limit(Resource::Nofile, OPEN_FILES_MAX)?;
        if let Some(processes) = self.processes {
            limit(Resource::Nproc, u64::from(processes))?;
        }
        if let Some(uid) = self.uid {
            let (user, group) = (Uid::from_raw(uid), Gid::from_raw(uid));
            rustix::thread::set_thread_groups(&[])?;
            rustix::thread::set_thread_res_gid(group, group, group)?;
            rustix::thread::set_thread_res_uid(user, user, user)?;
        }
        rustix::thread::set_no_new_privs(true)?;
        for descriptor in &self.kept {
            rustix::io::fcntl_setfd(descriptor, FdFlags::empty())?;
        }
        Ok(())
    }
}

fn limit(resource: Resource, most: u64) -> io::Result<()> {
    let now = rustix::process::getrlimit(resource);
    let most = now.maximum.map_or(most, |maximum| maximum.min(most));
    Ok(rustix::process::setrlimit(
        resource,
        Rlimit {
            current: Some(most),
            maximum: Some(most),
        },
    )?)
}

/// Sources and the places where the session's user finds them.
struct Stage {
    parts: Vec<Part>,
    /// Mounts of every volume; the new namespace must not keep them from being unmounted.
    volumes: Vec<CString>,
}

struct Part {
    from: CString,
    to: CString,
    is_folder: bool,
}

impl Stage {
    fn new(pairs: &[(PathBuf, PathBuf)]) -> io::Result<Self> {
        let parts = pairs
            .iter()
            .map(|(from, to)| {
                Ok(Part {
                    is_folder: std::fs::metadata(from)?.is_dir(),
                    from: CString::new(from.as_os_str().as_bytes())?,
                    to: CString::new(to.as_os_str().as_bytes())?,
                })
            })
            .collect::<io::Result<_>>()?;
        Ok(Self {
            parts,
            volumes: mounted_volumes(),
        })
    }

    /// In a mount namespace of its own: takes a copy of each source's mount, covers the stage, puts them on it.
    fn build(&self) -> io::Result<()> {
        const PARTS_MAX: usize = 8;
        unshare_mounts()?;
        mount_change(
            c"/",
            MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
        )?;
        let mut copies: [Option<OwnedFd>; PARTS_MAX] = [const { None }; PARTS_MAX];
        for (part, copy) in self.parts.iter().zip(&mut copies) {
            *copy = Some(open_tree(
                CWD,
                &*part.from,
                OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC,
            )?);
        }
        for volume in &self.volumes {
            // One that was unmounted meanwhile is not there either.
            unmount(&**volume, UnmountFlags::DETACH).ok();
        }
        mount(
            c"stage",
            c"/tmp",
            c"tmpfs",
            MountFlags::NODEV | MountFlags::NOSUID,
            c"mode=0755,size=64k",
        )?;
        for (part, copy) in self.parts.iter().zip(&copies) {
            if part.is_folder {
                rustix::fs::mkdir(&*part.to, Mode::RWXU)?;
            } else {
                rustix::fs::open(&*part.to, OFlags::CREATE | OFlags::CLOEXEC, Mode::RUSR)?;
            }
            let Some(copy) = copy else { continue };
            move_mount(
                copy,
                c"",
                CWD,
                &*part.to,
                MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
            )?;
        }
        Ok(())
    }
}

/// Where volumes are mounted now. A name with blanks or backslashes is written escaped and not found here: such a
/// volume is let go only when the session ends that was started while it was mounted.
fn mounted_volumes() -> Vec<CString> {
    std::fs::read_to_string("/proc/self/mountinfo")
        .unwrap_or_default()
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .filter(|point| volume::is_volume(Path::new(point)))
        .filter_map(|point| CString::new(point).ok())
        .collect()
}

#[expect(unsafe_code, reason = "unsharing is unsafe for programs with threads")]
fn unshare_mounts() -> io::Result<()> {
    // SAFETY: called after fork, in a process with one thread, and only for mounts.
    Ok(unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }?)
}
