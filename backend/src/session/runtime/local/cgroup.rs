//! Limits by control groups, version 1 or 2: memory, CPU and processes of one session, below the server's own group.
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Limits;

const MOUNTS: &str = "/proc/self/mountinfo";
const OWN: &str = "/proc/self/cgroup";
const CPU_PERIOD_US: u64 = 100_000;
/// The folder of all sessions below the server's group.
const FAMILY: &str = "slipway";

/// The groups of one session, or their parents; a controller that the machine does not hand out is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Groups {
    /// Version 2: one group for everything.
    #[serde(default)]
    unified: bool,
    /// Memory.
    pub(super) memory: Option<PathBuf>,
    /// CPU.
    pub(super) cpu: Option<PathBuf>,
    /// Processes.
    pub(super) pids: Option<PathBuf>,
}

impl Groups {
    /// The parents of sessions' groups, tried out once: what is here works.
    pub(super) fn discover() -> Self {
        let mounts = fs::read_to_string(MOUNTS).unwrap_or_default();
        let own = fs::read_to_string(OWN).unwrap_or_default();
        let mut found = Self {
            unified: false,
            memory: parent_v1("memory", &mounts, &own),
            cpu: parent_v1("cpu", &mounts, &own),
            pids: parent_v1("pids", &mounts, &own),
        };
        if found == Self::default()
            && let Some(parent) = parent_v2(&mounts, &own)
        {
            let parent = Some(parent);
            found = Self {
                unified: true,
                memory: parent.clone(),
                cpu: parent.clone(),
                pids: parent,
            };
        }
        found
    }

    /// Makes the groups of one session with their limits.
    pub(super) fn create(&self, name: &str, limits: &Limits) -> io::Result<Self> {
        let below = |parent: &Option<PathBuf>| parent.as_ref().map(|parent| parent.join(name));
        let groups = Self {
            unified: self.unified,
            memory: below(&self.memory),
            cpu: below(&self.cpu),
            pids: below(&self.pids),
        };
        for group in groups.folders() {
            match fs::create_dir(group) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        let quota = u64::from(limits.cpu_millis) * CPU_PERIOD_US / 1000;
        let memory = limits.memory_bytes.to_string();
        if let Some(group) = &groups.memory {
            if self.unified {
                fs::write(group.join("memory.max"), &memory)?;
                // Swap would turn a limit of memory into a slow machine.
                if_there(&group.join("memory.swap.max"), "0")?;
            } else {
                fs::write(group.join("memory.limit_in_bytes"), &memory)?;
                if_there(&group.join("memory.memsw.limit_in_bytes"), &memory)?;
            }
        }
        if let Some(group) = &groups.cpu {
            if self.unified {
                fs::write(group.join("cpu.max"), format!("{quota} {CPU_PERIOD_US}"))?;
            } else {
                fs::write(group.join("cpu.cfs_period_us"), CPU_PERIOD_US.to_string())?;
                fs::write(group.join("cpu.cfs_quota_us"), quota.to_string())?;
            }
        }
        if let Some(group) = &groups.pids {
            fs::write(group.join("pids.max"), limits.processes.to_string())?;
        }
        Ok(groups)
    }

    /// The files into which a process writes "0" to enter.
    pub(super) fn doors(&self) -> Vec<PathBuf> {
        self.folders()
            .into_iter()
            .map(|group| group.join("cgroup.procs"))
            .collect()
    }

    /// How many processes the system killed for want of memory.
    pub(super) fn out_of_memory_kills(&self) -> u64 {
        let Some(group) = &self.memory else { return 0 };
        ["memory.events", "memory.oom_control"]
            .iter()
            .filter_map(|name| fs::read_to_string(group.join(name)).ok())
            .flat_map(|text| {
                text.lines()
                    .filter_map(|line| line.strip_prefix("oom_kill ")?.trim().parse::<u64>().ok())
                    .collect::<Vec<_>>()
            })
            .sum()
    }

    /// Kills what is still inside and removes the groups; `false` while something is left.
    pub(super) fn remove(&self) -> bool {
        let mut gone = true;
        for group in self.folders() {
            if self.unified && fs::write(group.join("cgroup.kill"), "1").is_ok() {
                // The kernel kills all at once.
            } else {
                for pid in fs::read_to_string(group.join("cgroup.procs"))
                    .unwrap_or_default()
                    .lines()
                    .filter_map(|line| line.parse().ok())
                    .filter_map(rustix::process::Pid::from_raw)
                {
                    rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
                }
            }
            match fs::remove_dir(group) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => gone = false,
            }
        }
        gone
    }

    fn folders(&self) -> Vec<&Path> {
        let mut folders: Vec<&Path> = [&self.memory, &self.cpu, &self.pids]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
            .collect();
        folders.dedup();
        folders
    }
}

fn if_there(file: &Path, text: &str) -> io::Result<()> {
    match fs::write(file, text) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Mount point and mounted root of the hierarchy whose options satisfy `wanted`.
fn hierarchy(mounts: &str, wanted: impl Fn(&str, &str) -> bool) -> Option<(PathBuf, PathBuf)> {
    mounts.lines().find_map(|line| {
        let (left, right) = line.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let (kind, _source, options) = (right.next()?, right.next()?, right.next()?);
        wanted(kind, options).then(|| (PathBuf::from(point), PathBuf::from(root)))
    })
}

/// The server's own group below the mount point.
fn own_group(
    own: &str,
    matches: impl Fn(&str) -> bool,
    mount: &(PathBuf, PathBuf),
) -> Option<PathBuf> {
    let path = own.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        matches(fields.next()?).then(|| fields.next()).flatten()
    })?;
    let inner = Path::new(path).strip_prefix(&mount.1).ok()?;
    Some(mount.0.join(inner))
}

fn parent_v1(controller: &str, mounts: &str, own: &str) -> Option<PathBuf> {
    let has = |list: &str| list.split(',').any(|word| word == controller);
    let mount = hierarchy(mounts, |kind, options| kind == "cgroup" && has(options))?;
    let family = own_group(own, has, &mount)?.join(FAMILY);
    usable(&family).then_some(family)
}

/// A group that holds processes may not hand its controllers down, so the nearest ancestor that can is taken.
fn parent_v2(mounts: &str, own: &str) -> Option<PathBuf> {
    let mount = hierarchy(mounts, |kind, _| kind == "cgroup2")?;
    let own = own_group(own, str::is_empty, &mount)?;
    own.ancestors()
        .take_while(|group| group.starts_with(&mount.0))
        .map(|group| group.join(FAMILY))
        .find(|family| {
            let parent = family.parent().unwrap_or(family);
            hand_down(parent) && usable(family) && hand_down(family)
        })
}

fn hand_down(group: &Path) -> bool {
    let file = group.join("cgroup.subtree_control");
    let wanted = ["memory", "cpu", "pids"];
    let has = |text: &str| {
        wanted
            .iter()
            .all(|name| text.split_whitespace().any(|word| word == *name))
    };
    fs::read_to_string(&file).is_ok_and(|text| has(&text))
        || fs::write(&file, "+memory +cpu +pids").is_ok()
}

fn usable(family: &Path) -> bool {
    let made = match fs::create_dir(family) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::AlreadyExists,
    };
    let probe = family.join(format!("probe-{}", std::process::id()));
    made && fs::create_dir(&probe).is_ok() && fs::remove_dir(&probe).is_ok()
}

#[cfg(test)]
mod tests {
    use super::{hierarchy, own_group};

    #[test]
    fn the_servers_own_group_is_found_below_the_mount() {
        let mounts = "29 24 0:26 / /sys/fs/cgroup/memory rw,relatime shared:5 - cgroup cgroup rw,memory\n\
                      30 24 0:27 / /sys/fs/cgroup/unified rw shared:6 - cgroup2 cgroup2 rw\n";
        let own = "4:memory:/system.slice/x\n0::/user.slice\n";
        let has = |list: &str| list.split(',').any(|word| word == "memory");
        let mount =
            hierarchy(mounts, |kind, options| kind == "cgroup" && has(options)).expect("mount");
        let group = own_group(own, has, &mount).expect("group");
        assert_eq!(
            group,
            std::path::Path::new("/sys/fs/cgroup/memory/system.slice/x")
        );
        let mount = hierarchy(mounts, |kind, _| kind == "cgroup2").expect("mount");
        let group = own_group(own, str::is_empty, &mount).expect("group");
        assert_eq!(
            group,
            std::path::Path::new("/sys/fs/cgroup/unified/user.slice")
        );
    }
}
