//! The limits where the system does not hold them: without a cgroup of memory or processes, or without a file system of
//! the session's own, the group of processes that takes most is ended before the machine suffers.
use std::collections::HashMap;

use rustix::process::{Pid, Signal};
use slipway_core::code::Code;
use slipway_core::limits::MIB;
use tokio::time::Instant;

use super::meter::{Disk, WRITTEN_MIN};
use super::{Watchdog, out_of_memory};
use crate::process::{self, Process};

/// The part of the memory at which the largest program is ended.
const MEMORY_PERCENT_MAX: u64 = 92;
/// The part of the disk from which on nobody may write at all.
const DISK_PERCENT_MAX: u64 = 110;
/// So much beyond the limit of processes cannot be a matter of when they were counted.
const PROCESSES_PERCENT_MAX: u64 = 110;
/// The system counts the sandbox's own processes, too, which are not seen from inside; and whoever looks what is wrong
/// needs some.
const PROCESSES_SPARE: u64 = 8;

impl Watchdog {
    /// Without a cgroup: ends the largest process group when memory runs out.
    pub(super) fn guard_memory(&self, processes: &[Process]) {
        let memory_max = self.lock().memory_max;
        if self.shared.cgroup.is_some()
            || resident(processes) * 100 < memory_max * MEMORY_PERCENT_MAX
        {
            return;
        }
        let weights = processes.iter().map(|one| (one.group, one.rss_bytes));
        self.end_heaviest(weights, &out_of_memory(memory_max), Code::OutOfMemory);
    }

    /// Tells when processes run out. There are more than may be only where the system does not count them.
    pub(super) fn guard_processes(&self, processes: &[Process]) {
        let count = threads(processes);
        let mut state = self.lock();
        let limit = state.processes_max;
        // A program that hits the limit has failed by then.
        let full = count + PROCESSES_SPARE >= limit;
        let news = full && !state.processes_full;
        state.processes_full = full;
        drop(state);
        let text = format!("too many processes: {limit}");
        if count * 100 > limit * PROCESSES_PERCENT_MAX {
            let weights = processes.iter().map(|one| (one.group, one.threads));
            self.end_heaviest(weights, &text, Code::TooManyProcesses);
        } else if news {
            let text = format!("{text}. End some of them.");
            self.shared.events.notice(Code::TooManyProcesses, &text, "");
        }
    }

    /// Tells when the disk is full. Without a file system of its own, ends who fills it.
    pub(super) fn guard_disk(&self, disk: &Disk) {
        let mut state = self.lock();
        let over = disk.used_bytes >= state.disk_max;
        // Whoever saves a small file or tidies up is let be until it is too much.
        let far = disk.used_bytes * 100 > state.disk_max * DISK_PERCENT_MAX;
        let least = if far { 1 } else { WRITTEN_MIN };
        let full = disk.full || over;
        let news = full && !state.disk_full;
        state.disk_full = full;
        let limit = state.disk_max / MIB;
        drop(state);
        let text = format!("disk full: {limit} MiB");
        let writers = disk.writers.iter().copied();
        let writers = writers.filter(|(_, bytes)| *bytes >= least);
        let ended = over && self.end_heaviest(writers, &text, Code::DiskFull);
        if news && !ended {
            let text = format!("{text}. Delete files that you no longer need.");
            self.shared.events.notice(Code::DiskFull, &text, "");
        }
    }

    /// Whether a limit is near that only this watch enforces.
    pub(super) fn is_pressed(&self, processes: &[Process]) -> bool {
        let state = self.lock();
        let memory = self.shared.cgroup.is_none() && resident(processes) * 2 > state.memory_max;
        memory || threads(processes) * 2 > state.processes_max
    }

    /// Ends the process group that weighs most, says so, and remembers why; false when there is none.
    fn end_heaviest(
        &self,
        weights: impl Iterator<Item = (i32, u64)>,
        why: &str,
        code: Code,
    ) -> bool {
        let Some(group) = heaviest(weights, process::own_group()) else {
            return false;
        };
        self.lock().killed = Some((Instant::now(), why.to_owned()));
        rustix::process::kill_process_group(group, Signal::KILL).ok();
        self.shared.events.notice(code, why, "");
        true
    }
}

/// The group with the largest sum of weights, `own` and weightless ones left out.
fn heaviest(weights: impl Iterator<Item = (i32, u64)>, own: i32) -> Option<Pid> {
    let mut groups: HashMap<i32, u64> = HashMap::new();
    for (group, weight) in weights.filter(|(group, weight)| *group != own && *weight > 0) {
        *groups.entry(group).or_default() += weight;
    }
    let (group, _) = groups.into_iter().max_by_key(|(_, weight)| *weight)?;
    Pid::from_raw(group)
}

fn resident(processes: &[Process]) -> u64 {
    processes.iter().map(|process| process.rss_bytes).sum()
}

fn threads(processes: &[Process]) -> u64 {
    processes.iter().map(|process| process.threads).sum()
}

#[cfg(test)]
mod tests {
    use super::heaviest;

    #[test]
    fn the_group_whose_members_weigh_most_together_is_ended_and_never_the_agents() {
        let weights = [(7, 3), (8, 4), (7, 3), (1, 100), (9, 0)];
        let group = heaviest(weights.into_iter(), 1).map(|pid| pid.as_raw_nonzero().get());
        assert_eq!(group, Some(7));
        assert_eq!(heaviest([(1, 5), (9, 0)].into_iter(), 1), None);
    }
}
