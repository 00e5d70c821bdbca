//! What the session uses: processor, memory, disk, and who writes.
use std::collections::HashMap;

use slipway_core::limits::MIB;
use slipway_proto::v1;

use super::cgroup::Memory;
use super::{TICK, Watchdog, disk};
use crate::activity::Activity;
use crate::process::{self, Process};
use crate::terminal::table::Table;

/// Disk is measured every so many ticks where that means a walk over all files.
const DISK_TICKS: u32 = 3;
/// Less of it used by a foreground job in one tick is not activity: a prompt that redraws its clock.
const BUSY_CPU_MILLIS: u32 = 20;
/// Less than this since the last walk does not fill a disk.
pub(super) const WRITTEN_MIN: u64 = MIB;

/// What is compared between two looks.
#[derive(Default)]
pub(super) struct Meter {
    cpu_ticks: u64,
    job_ticks: u64,
    disk_bytes: u64,
    ticks: u32,
    /// What each process had written at the last walk.
    written: HashMap<i32, u64>,
    /// Look often.
    pub(super) pressing: bool,
    /// No program runs.
    pub(super) alone: bool,
}

/// The disk at one look.
#[derive(Debug, Default)]
pub(super) struct Disk {
    /// Used by the session's files.
    pub(super) used_bytes: u64,
    /// The session's own file system takes no more.
    pub(super) full: bool,
    /// Process groups and what they wrote since the walk before, where the session has no file system of its own.
    pub(super) writers: Vec<(i32, u64)>,
}

impl Disk {
    /// Whether something fills a disk that only the watch bounds.
    pub(super) fn is_written_to(&self) -> bool {
        self.writers.iter().map(|(_, bytes)| bytes).sum::<u64>() >= WRITTEN_MIN
    }
}

impl Meter {
    /// Measures the disk: its own file system tells at once; else the files are walked now and then, and as soon as what
    /// was written since could have filled it.
    pub(super) async fn look_at_disk(
        &mut self,
        watchdog: &Watchdog,
        processes: &[Process],
        tells: bool,
    ) -> Disk {
        if let Some(volume) = disk::volume(&watchdog.shared.workspace) {
            self.disk_bytes = volume.used_bytes;
            return Disk {
                used_bytes: volume.used_bytes,
                full: volume.full,
                writers: Vec::new(),
            };
        }
        let own = process::own_pid();
        let programs = || processes.iter().filter(|process| process.pid != own);
        let now: HashMap<i32, u64> = programs()
            .filter_map(|process| Some((process.pid, process::written_bytes(process.pid)?)))
            .collect();
        let since = |process: &Process| {
            let now = now.get(&process.pid).copied().unwrap_or_default();
            now.saturating_sub(self.written.get(&process.pid).copied().unwrap_or_default())
        };
        let writers: Vec<_> = programs()
            .map(|process| (process.group, since(process)))
            .filter(|(_, bytes)| *bytes > 0)
            .collect();
        let written: u64 = writers.iter().map(|(_, bytes)| bytes).sum();
        let due = tells && self.ticks.is_multiple_of(DISK_TICKS);
        self.ticks = self.ticks.wrapping_add(u32::from(tells));
        let disk_max = watchdog.lock().disk_max;
        if due || (written >= WRITTEN_MIN && self.disk_bytes + written >= disk_max) {
            let kept = watchdog.shared.kept.clone();
            let walk = move || kept.iter().map(|folder| disk::walked(folder)).sum();
            let walked = tokio::task::spawn_blocking(walk).await;
            self.disk_bytes = walked.unwrap_or(self.disk_bytes);
            self.written = now;
        }
        Disk {
            used_bytes: self.disk_bytes,
            full: false,
            writers,
        }
    }

    /// What is told to watchers.
    pub(super) fn usage(
        &mut self,
        watchdog: &Watchdog,
        processes: &[Process],
        terminals: &Table,
        activity: &Activity,
    ) -> v1::Usage {
        let own = process::own_pid();
        let programs: Vec<&Process> = processes
            .iter()
            .filter(|process| process.pid != own)
            .collect();
        let (jobs, busy) = foreground_jobs(terminals, &programs);
        let cpu = programs.iter().map(|process| process.cpu_ticks).sum();
        let cpu_millis = millis(cpu, &mut self.cpu_ticks);
        if millis(jobs, &mut self.job_ticks) >= BUSY_CPU_MILLIS {
            activity.touch();
        }
        let resident = processes.iter().map(|process| process.rss_bytes).sum();
        let memory = watchdog.shared.memory.as_ref();
        v1::Usage {
            memory_bytes: memory.and_then(Memory::used_bytes).unwrap_or(resident),
            disk_bytes: self.disk_bytes,
            cpu_millis,
            quiet_ms: activity.quiet_ms(),
            busy,
        }
    }
}

/// CPU of the foreground jobs, and whether one other than a shell at its prompt runs.
fn foreground_jobs(terminals: &Table, programs: &[&Process]) -> (u64, bool) {
    let mut ticks = 0;
    let mut busy = false;
    for terminal in terminals.all() {
        let Some(group) = terminal.foreground() else {
            continue;
        };
        let group = group.as_raw_nonzero().get();
        let members = programs.iter().filter(|process| process.group == group);
        ticks += members.map(|process| process.cpu_ticks).sum::<u64>();
        busy |= group != terminal.pid().as_raw_nonzero().get() || !terminal.run_id().is_empty();
    }
    (ticks, busy)
}

/// Thousandths of a core since the last round. Clock ticks are hundredths of a second on every Linux we run on.
fn millis(ticks: u64, last: &mut u64) -> u32 {
    let used_ms = ticks.saturating_sub(*last) * 10;
    *last = ticks;
    u32::try_from(used_ms / TICK.as_secs()).unwrap_or(u32::MAX)
}
