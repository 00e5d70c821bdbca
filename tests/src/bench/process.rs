//! What processes cost: CPU time and memory, read from /proc.
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};

/// What every thread of some processes has run, to the nanosecond. The times in `/proc/PID/stat` are sampled a hundred
/// times a second, which says nothing of work that comes in pieces of some microseconds.
#[derive(Debug, Default)]
pub struct Cpu(HashMap<u32, u64>);

impl Cpu {
    /// Now.
    #[must_use]
    pub fn of(processes: impl IntoIterator<Item = u32>) -> Self {
        let threads = processes
            .into_iter()
            .filter_map(|pid| std::fs::read_dir(format!("/proc/{pid}/task")).ok())
            .flatten()
            .flatten();
        let ran = threads.filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            let id = thread.file_name().to_str()?.parse().ok()?;
            Some((id, text.split_whitespace().next()?.parse().ok()?))
        });
        Self(ran.collect())
    }

    /// Microseconds since `before`. A thread that ended in between is left out.
    #[must_use]
    pub fn us_since(&self, before: &Self) -> u64 {
        let ran = |(id, now): (&u32, &u64)| now - before.0.get(id).copied().unwrap_or(0).min(*now);
        self.0.iter().map(ran).sum::<u64>() / 1_000
    }
}

/// What processes have run, user and system, to a hundredth of a second: with their threads that have ended, and with
/// what they started, waited for, and that has ended.
#[must_use]
pub fn spent(processes: impl IntoIterator<Item = u32>) -> Duration {
    let each = processes.into_iter().map(|pid| ticks(&pid.to_string()));
    in_seconds(each.map(|[own, children]| own + children).sum())
}

/// What processes have run that this one started, waited for, and that have ended.
#[must_use]
pub fn spent_by_children() -> Duration {
    let [_, children] = ticks("self");
    in_seconds(children)
}

/// The unit of these times is the same on every Linux.
fn in_seconds(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 10)
}

/// Of a process, and of those that it waited for; nothing of one that is gone.
fn ticks(process: &str) -> [u64; 2] {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name may contain anything; what follows its last bracket does not.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let times: Vec<u64> = fields
        .split_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|time| time.parse().ok())
        .collect();
    match times[..] {
        [user, system, users, systems] => [user + system, users + systems],
        _ => [0, 0],
    }
}

/// Proportional memory of some processes in KiB.
///
/// # Errors
/// When it can be read of none of them.
pub fn pss_kib(processes: impl IntoIterator<Item = u32>) -> Result<u64> {
    let each = processes.into_iter().map(|pid| {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let rest = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        rest.split_whitespace().next()?.parse::<u64>().ok()
    });
    // One that has ended meanwhile has no memory.
    let total = each.flatten().sum();
    ensure!(total > 0, "nobody's memory can be read");
    Ok(total)
}

/// All processes of this machine.
pub fn pids() -> impl Iterator<Item = u32> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim().to_owned()
}

/// Whether a process is an agent whose binary is this file.
#[must_use]
pub fn is_agent(pid: u32, binary: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let file = |path: &Path| {
        let data = std::fs::metadata(path).ok()?;
        Some((data.dev(), data.ino()))
    };
    let runs = file(Path::new(&format!("/proc/{pid}/exe")));
    name(pid) == "slipway-agent" && runs.is_some() && runs == file(binary)
}

/// A process and all that it started, without those that have one of these names.
#[must_use]
pub fn family(root: u32, without: &[&str]) -> Vec<u32> {
    let parents: HashMap<u32, u32> = pids()
        .filter_map(|pid| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name may contain anything; what follows its last bracket does not.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?;
            Some((pid, parent.parse().ok()?))
        })
        .collect();
    let belongs = |pid: u32| {
        std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).any(|pid| pid == root)
    };
    let mut family: Vec<u32> = parents
        .keys()
        .copied()
        .filter(|&pid| belongs(pid))
        .collect();
    family.retain(|&pid| !without.contains(&name(pid).as_str()));
    family
}
