//! Watches memory, disk and processes of the session, tells their use, and says in words when one of them is full.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use slipway_core::code::Code;
use slipway_core::limits::{
    AGENT_ORPHAN_S, MIB, SESSION_DISK_BYTES, SESSION_MEMORY_BYTES, SESSION_PROCESSES_MAX,
};
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;
use tokio::time::{Instant, MissedTickBehavior};

use crate::config::Config;
use crate::event::Events;
use crate::process::{self, Process};
use crate::reaper::Ended;
use crate::server::Agent;
use crate::terminal::table::Blame;
use cgroup::Cgroup;

pub mod cgroup;
pub mod disk;

/// How often use is told while it changes.
const TICK: Duration = Duration::from_secs(2);
/// How often memory is looked at where no cgroup limits it.
const MEMORY_TICK: Duration = Duration::from_millis(250);
/// Without a cgroup the largest program is ended at this part of the limit, before the machine suffers.
const MEMORY_PERCENT_MAX: u64 = 92;
/// Disk is measured every so many ticks where that means a walk over all files.
const DISK_TICKS: u32 = 3;
/// Less of it used by a foreground job in one tick is not activity: a prompt that redraws its clock.
const BUSY_CPU_MILLIS: u32 = 20;

/// A killed program ends within this time.
const BLAME: Duration = Duration::from_secs(3);

/// The watch over a session's resources. Cheap to clone.
#[derive(Clone)]
pub struct Watchdog {
    shared: Arc<Shared>,
}

struct Shared {
    cgroup: Option<Cgroup>,
    events: Events,
    state: Mutex<State>,
}

struct State {
    memory_max: u64,
    disk_max: u64,
    processes_max: u64,
    usage: Option<v1::Usage>,
    /// Kills by the system's out-of-memory killer that were told already.
    oom_kills: u64,
    /// When a program was killed for want of memory whose end was not told yet.
    killed: Option<Instant>,
    disk_full: bool,
    processes_full: bool,
}

impl Watchdog {
    /// Watches nothing yet but answers why programs were killed.
    #[must_use]
    pub fn new(config: &Config, events: Events) -> Self {
        let cgroup = Cgroup::at(&config.cgroup);
        let state = State {
            memory_max: SESSION_MEMORY_BYTES,
            disk_max: SESSION_DISK_BYTES,
            processes_max: u64::from(SESSION_PROCESSES_MAX),
            usage: None,
            oom_kills: cgroup.as_ref().map_or(0, Cgroup::oom_kills),
            killed: None,
            disk_full: false,
            processes_full: false,
        };
        let shared = Shared {
            cgroup,
            events,
            state: Mutex::new(state),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Takes the limits of the session.
    pub fn limit(&self, limits: &v1::Limits) {
        let mut state = self.lock();
        let set = |limit: &mut u64, new: u64| *limit = if new > 0 { new } else { *limit };
        set(&mut state.memory_max, limits.memory_bytes);
        set(&mut state.disk_max, limits.disk_bytes);
        set(&mut state.processes_max, u64::from(limits.processes));
    }

    /// The newest use, if there is one.
    #[must_use]
    pub fn usage(&self) -> Option<v1::Usage> {
        self.lock().usage
    }

    /// Says why a program was killed, when the system or we did it for want of memory.
    #[must_use]
    pub fn blame(&self) -> Blame {
        let watchdog = self.clone();
        Arc::new(move |ended| watchdog.why(ended))
    }

    fn why(&self, ended: &Ended) -> String {
        use std::os::unix::process::ExitStatusExt as _;
        // A shell reports a killed child as 128 + 9 and ends the same way.
        let killed = ended.status.signal() == Some(libc::SIGKILL)
            || ended.status.code() == Some(128 + libc::SIGKILL);
        if !killed {
            return String::new();
        }
        let told = self.note_oom();
        let mut state = self.lock();
        // One that nobody was told of must not be blamed on a later program that was killed for another reason.
        let ours = state.killed.take().is_some_and(|at| at.elapsed() < BLAME);
        if told || ours {
            out_of_memory(state.memory_max)
        } else {
            String::new()
        }
    }

    /// Tells watchers of kills by the system that are new; true if there are.
    fn note_oom(&self) -> bool {
        let Some(cgroup) = &self.shared.cgroup else {
            return false;
        };
        let kills = cgroup.oom_kills();
        let mut state = self.lock();
        if kills <= state.oom_kills {
            return false;
        }
        state.oom_kills = kills;
        // The program that it hit may end a moment later.
        state.killed = Some(Instant::now());
        let text = out_of_memory(state.memory_max);
        drop(state);
        self.shared.events.notice(Code::OutOfMemory, &text, "");
        true
    }

    /// Without a cgroup: ends the largest process group when memory runs out.
    fn guard_memory(&self, processes: &[Process]) {
        if self.shared.cgroup.is_some() {
            return;
        }
        let me = own_pid();
        let used: u64 = processes.iter().map(|process| process.rss_bytes).sum();
        let memory_max = self.lock().memory_max;
        if used * 100 < memory_max * MEMORY_PERCENT_MAX {
            return;
        }
        let groups = || processes.iter().filter(|process| process.pid != me);
        let weight = |group: i32| -> u64 {
            groups()
                .filter(|process| process.group == group)
                .map(|process| process.rss_bytes)
                .sum()
        };
        let largest = groups()
            .map(|process| process.group)
            .filter(|group| *group != own_group())
            .max_by_key(|group| weight(*group));
        let Some(group) = largest.and_then(Pid::from_raw) else {
            return;
        };
        let text = out_of_memory(memory_max);
        self.lock().killed = Some(Instant::now());
        rustix::process::kill_process_group(group, Signal::KILL).ok();
        self.shared.events.notice(Code::OutOfMemory, &text, "");
    }

    fn guard_disk(&self, used: u64, full: bool) {
        let mut state = self.lock();
        let full = full || used >= state.disk_max;
        let news = full && !state.disk_full;
        state.disk_full = full;
        let limit = state.disk_max / MIB;
        drop(state);
        if news {
            let text = format!("disk full: {limit} MiB. Delete files that you no longer need.");
            self.shared.events.notice(Code::DiskFull, &text, "");
        }
    }

    fn guard_processes(&self, count: u64) {
        let mut state = self.lock();
        // The last few belong to whoever notices; a program that hits the limit has failed by then.
        let full = count + 2 >= state.processes_max;
        let news = full && !state.processes_full;
        state.processes_full = full;
        let limit = state.processes_max;
        drop(state);
        if news {
            let text = format!("too many processes: {limit}. End some of them.");
            self.shared.events.notice(Code::TooManyProcesses, &text, "");
        }
    }

    /// Tells use when it differs from what was told last.
    fn tell(&self, usage: v1::Usage) {
        let mut state = self.lock();
        let same = state.usage.is_some_and(|last| alike(&last, &usage));
        state.usage = Some(usage);
        drop(state);
        if !same {
            self.shared.events.send(Event::Usage(usage));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches until the agent stops.
pub async fn run(agent: Arc<Agent>) {
    let mut tick = tokio::time::interval(MEMORY_TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut meter = Meter::default();
    let mut rounds = 0;
    let ticks = u32::try_from(TICK.as_millis() / MEMORY_TICK.as_millis()).unwrap_or(1);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = agent.stop.cancelled() => return,
        }
        agent.watchdog.note_oom();
        let full_round = rounds % ticks == 0;
        if full_round || (agent.watchdog.shared.cgroup.is_none() && meter.pressing) {
            let processes = process::of_agent();
            agent.watchdog.guard_memory(&processes);
            let used: u64 = processes.iter().map(|process| process.rss_bytes).sum();
            // Looking at every process is dear: often only while memory is half used.
            meter.pressing = used * 2 > agent.watchdog.lock().memory_max;
            if full_round {
                measure(&agent, &processes, &mut meter, rounds / ticks).await;
            }
        }
        if agent.presence.quiet_ms() > AGENT_ORPHAN_S * 1000 {
            tracing::warn!("Heard nothing of a server for {AGENT_ORPHAN_S} s, ending");
            agent.shut_down().await;
            return;
        }
        rounds = rounds.wrapping_add(1);
    }
}

/// What is compared between two rounds.
#[derive(Default)]
struct Meter {
    cpu_ticks: u64,
    job_ticks: u64,
    disk_bytes: u64,
    pressing: bool,
}

async fn measure(agent: &Agent, processes: &[Process], meter: &mut Meter, round: u32) {
    let programs: Vec<&Process> = processes
        .iter()
        .filter(|process| process.pid != own_pid())
        .collect();
    let (jobs, busy) = foreground_jobs(agent, &programs);
    let cpu_millis = millis(
        programs.iter().map(|process| process.cpu_ticks).sum(),
        &mut meter.cpu_ticks,
    );
    if millis(jobs, &mut meter.job_ticks) >= BUSY_CPU_MILLIS {
        agent.activity.touch();
    }
    let workspace = agent.config.workspace.clone();
    let home = agent.config.home.clone();
    let volume = disk::volume(&workspace);
    if let Some(volume) = volume {
        meter.disk_bytes = volume.used_bytes;
    } else if round.is_multiple_of(DISK_TICKS) {
        let walk = move || disk::walked(&workspace) + disk::walked(&home);
        meter.disk_bytes = tokio::task::spawn_blocking(walk)
            .await
            .unwrap_or(meter.disk_bytes);
    }
    agent
        .watchdog
        .guard_disk(meter.disk_bytes, volume.is_some_and(|volume| volume.full));
    let threads = processes.iter().map(|process| process.threads).sum();
    agent.watchdog.guard_processes(threads);
    let resident = processes.iter().map(|process| process.rss_bytes).sum();
    let cgroup = agent.watchdog.shared.cgroup.as_ref();
    agent.watchdog.tell(v1::Usage {
        memory_bytes: cgroup.and_then(Cgroup::used_bytes).unwrap_or(resident),
        disk_bytes: meter.disk_bytes,
        cpu_millis,
        processes: u32::try_from(programs.len()).unwrap_or(u32::MAX),
        quiet_ms: agent.activity.quiet_ms(),
        busy,
    });
}

/// CPU of the foreground jobs, and whether one other than a shell at its prompt runs. Names them for viewers.
fn foreground_jobs(agent: &Agent, programs: &[&Process]) -> (u64, bool) {
    let mut ticks = 0;
    let mut busy = false;
    for terminal in agent.terminals.all() {
        let Some(group) = terminal.foreground() else {
            continue;
        };
        let group = group.as_raw_nonzero().get();
        let members = programs.iter().filter(|process| process.group == group);
        ticks += members.map(|process| process.cpu_ticks).sum::<u64>();
        busy |= group != terminal.pid().as_raw_nonzero().get() || !terminal.run_id().is_empty();
        let leader = programs.iter().find(|process| process.pid == group);
        if terminal.note_foreground(leader.map_or("", |leader| leader.name.as_str())) {
            agent.terminals.tell(&terminal);
        }
    }
    (ticks, busy)
}

/// Thousandths of a core since the last round. Clock ticks are hundredths of a second on every Linux we run on.
fn millis(ticks: u64, last: &mut u64) -> u32 {
    let used_ms = ticks.saturating_sub(*last) * 10;
    *last = ticks;
    u32::try_from(used_ms / TICK.as_secs()).unwrap_or(u32::MAX)
}

/// Differences too small to tell.
fn alike(a: &v1::Usage, b: &v1::Usage) -> bool {
    let near = |a: u64, b: u64| a.abs_diff(b) < MIB;
    // Quiet time that only grows is known to whoever was told once; activity makes it fall.
    let quiet = b.quiet_ms >= a.quiet_ms && b.quiet_ms / 60_000 == a.quiet_ms / 60_000;
    near(a.memory_bytes, b.memory_bytes)
        && near(a.disk_bytes, b.disk_bytes)
        && a.cpu_millis.abs_diff(b.cpu_millis) < 10
        && a.processes == b.processes
        && a.busy == b.busy
        && quiet
}

fn out_of_memory(limit: u64) -> String {
    format!("out of memory: {} MiB", limit / MIB)
}

fn own_group() -> i32 {
    rustix::process::getpgrp().as_raw_nonzero().get()
}

fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
}
