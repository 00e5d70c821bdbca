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
/// A limit by user counts the sandbox's own processes, too, which are not seen from inside; and whoever looks what is
/// wrong needs some.
const PROCESSES_SPARE: u64 = 8;

impl Watchdog {
    /// Without a cgroup: ends the largest process group when memory runs out.
    pub(super) fn guard_memory(&self, processes: &[Process]) {
        let memory_max = self.lock().memory_max;
        if self.shared.memory.is_some()
            || resident(processes) * 100 < memory_max * MEMORY_PERCENT_MAX
        {
            return;
        }
        let weights = processes.iter().map(|one| (one.group, one.rss_bytes));
        self.end_heaviest(weights, &out_of_memory(memory_max), Code::OutOfMemory);
    }

    /// Without a cgroup: tells when processes run out, and ends the largest process group when there are too many.
    pub(super) fn guard_processes(&self, processes: &[Process]) {
        if self.shared.processes.is_some() {
            return;
        }
        let count = threads(processes);
        let limit = self.lock().processes_max;
        if count * 100 > limit * PROCESSES_PERCENT_MAX {
            let weights = processes.iter().map(|one| (one.group, one.threads));
            self.end_heaviest(weights, &too_many_processes(limit), Code::TooManyProcesses);
        } else {
            // A program that hits the limit has failed by then.
            self.note_processes(count + PROCESSES_SPARE >= limit);
        }
    }

    /// With a cgroup: tells when the system has refused a process, once until there is room again.
    pub(super) fn note_refused(&self) {
        let Some(group) = &self.shared.processes else {
            return;
        };
        let refused = group.refused();
        let mut state = self.lock();
        let full = refused > state.refused
            || (state.processes_full && group.count() >= state.processes_max);
        state.refused = refused;
        drop(state);
        self.note_processes(full);
    }

    fn note_processes(&self, full: bool) {
        let mut state = self.lock();
        let news = full && !state.processes_full;
        state.processes_full = full;
        let limit = state.processes_max;
        drop(state);
        if news {
            let text = format!("{}. End some of them.", too_many_processes(limit));
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
        let memory = self.shared.memory.is_none() && resident(processes) * 2 > state.memory_max;
        let counted = self.shared.processes.is_some();
        memory || (!counted && threads(processes) * 2 > state.processes_max)
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

fn too_many_processes(limit: u64) -> String {
    format!("too many processes: {limit}")
}

fn resident(processes: &[Process]) -> u64 {
    processes.iter().map(|process| process.rss_bytes).sum()
}

fn threads(processes: &[Process]) -> u64 {
    processes.iter().map(|process| process.threads).sum()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use slipway_proto::v1::agent_event::Event;

    use super::*;
    use crate::config::Config;
    use crate::event::Events;

    #[test]
    fn the_group_whose_members_weigh_most_together_is_ended_and_never_the_agents() {
        let weights = [(7, 3), (8, 4), (7, 3), (1, 100), (9, 0)];
        let group = heaviest(weights.into_iter(), 1).map(|pid| pid.as_raw_nonzero().get());
        assert_eq!(group, Some(7));
        assert_eq!(heaviest([(1, 5), (9, 0)].into_iter(), 1), None);
    }

    #[tokio::test]
    async fn processes_are_full_when_the_system_refused_one_and_that_is_told_once() {
        let groups = tempfile::tempdir().unwrap();
        let pids = groups.path().join("pids");
        std::fs::create_dir(&pids).unwrap();
        let limit = slipway_core::limits::SESSION_PROCESSES_MAX;
        let set = |count: u32, refused: u32| {
            std::fs::write(pids.join("pids.current"), format!("{count}\n")).unwrap();
            std::fs::write(pids.join("pids.events"), format!("max {refused}\n")).unwrap();
        };
        set(3, 0);
        let config = Config::parse_from(["agent", "--cgroups", groups.path().to_str().unwrap()]);
        let events = Events::default();
        let mut told = events.subscribe();
        let watchdog = Watchdog::new(&config, events);
        let mut told_after = |count, refused| {
            set(count, refused);
            watchdog.note_refused();
            match told.try_recv() {
                Ok(Event::Notice(notice)) => Some(notice.message),
                _ => None,
            }
        };
        let text = Some(format!("too many processes: {limit}. End some of them."));
        assert_eq!(told_after(limit, 0), None, "the last one is no failure");
        assert_eq!(told_after(limit, 1), text);
        assert_eq!(told_after(limit, 900), None);
        assert_eq!(told_after(limit, 900), None);
        assert_eq!(told_after(limit - 1, 900), None);
        assert_eq!(told_after(limit, 901), text);
    }
}
