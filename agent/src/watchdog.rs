//! Watches memory, disk and processes of the session, tells their use, and says in words when one of them is full.
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slipway_core::code::Code;
use slipway_core::limits::{MIB, SESSION_DISK_BYTES, SESSION_MEMORY_BYTES, SESSION_PROCESSES_MAX};
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;
use tokio::time::Instant;

use crate::activity::Activity;
use crate::config::Config;
use crate::event::Events;
use crate::process;
use crate::reaper::Ended;
use crate::terminal::table::{Blame, Table};
use cgroup::{Memory, Processes};
use meter::Meter;

pub mod cgroup;
pub mod disk;
mod guard;
mod meter;

/// How often use is told while it changes.
const TICK: Duration = Duration::from_secs(2);
/// How often the session is looked at while it is near a limit that nothing but this watch enforces.
const PRESSING_TICK: Duration = Duration::from_millis(250);
/// Looks between two times that use is told.
const TICKS: u32 = 8;
/// A killed program ends within this time.
const BLAME: Duration = Duration::from_secs(3);

/// The watch over a session's resources. Cheap to clone.
#[derive(Clone)]
pub struct Watchdog {
    shared: Arc<Shared>,
}

struct Shared {
    /// Where the system bounds memory.
    memory: Option<Memory>,
    /// Where the system bounds processes.
    processes: Option<Processes>,
    workspace: PathBuf,
    /// Folders that are kept between sessions.
    kept: Vec<PathBuf>,
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
    /// When and why a program was killed whose end was not told yet.
    killed: Option<(Instant, String)>,
    disk_full: bool,
    /// Processes that the system refused, as they were told.
    refused: u64,
    processes_full: bool,
}

impl Watchdog {
    /// Watches nothing yet but answers why programs were killed.
    #[must_use]
    pub fn new(config: &Config, events: Events) -> Self {
        let memory = Memory::at(&config.cgroups.join("memory"));
        let processes = Processes::at(&config.cgroups.join("pids"));
        let state = State {
            memory_max: SESSION_MEMORY_BYTES,
            disk_max: SESSION_DISK_BYTES,
            processes_max: u64::from(SESSION_PROCESSES_MAX),
            usage: None,
            oom_kills: memory.as_ref().map_or(0, Memory::kills),
            killed: None,
            disk_full: false,
            refused: processes.as_ref().map_or(0, Processes::refused),
            processes_full: false,
        };
        let shared = Shared {
            memory,
            processes,
            workspace: config.workspace.clone(),
            kept: config.kept(),
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

    /// Says why a program was killed, when the system or we did it.
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
        self.note_oom();
        // One that nobody was told of must not be blamed on a later program that was killed for another reason.
        let killed = self.lock().killed.take();
        killed
            .filter(|(at, _)| at.elapsed() < BLAME)
            .map_or_else(String::new, |(_, why)| why)
    }

    /// Tells watchers of kills by the system that are new.
    fn note_oom(&self) {
        let Some(memory) = &self.shared.memory else {
            return;
        };
        let kills = memory.kills();
        let mut state = self.lock();
        if kills <= state.oom_kills {
            return;
        }
        state.oom_kills = kills;
        let text = out_of_memory(state.memory_max);
        // The program that it hit may end a moment later.
        state.killed = Some((Instant::now(), text.clone()));
        drop(state);
        self.shared.events.notice(Code::OutOfMemory, &text, "");
    }

    /// Watches for ever.
    pub async fn run(&self, terminals: &Table, activity: &Activity) {
        let mut meter = Meter::default();
        let mut round = 0;
        loop {
            self.note_oom();
            self.note_refused();
            let tells = round == 0;
            // Looking at every process is dear: often only near a limit.
            if tells || meter.pressing {
                let processes = process::of_agent();
                let disk = meter.look_at_disk(self, &processes, tells).await;
                self.guard_memory(&processes);
                self.guard_processes(&processes);
                self.guard_disk(&disk);
                meter.pressing = self.is_pressed(&processes) || disk.is_written_to();
                meter.alone = processes
                    .iter()
                    .all(|process| process.pid == process::own_pid());
                if tells {
                    self.tell(meter.usage(self, &processes, terminals, activity));
                }
            }
            // Where no program runs, there is nothing that the system could kill or refuse.
            if meter.alone && tells {
                tokio::time::sleep(TICK).await;
            } else {
                tokio::time::sleep(PRESSING_TICK).await;
                round = (round + 1) % TICKS;
            }
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

/// Differences too small to tell.
fn alike(a: &v1::Usage, b: &v1::Usage) -> bool {
    let near = |a: u64, b: u64| a.abs_diff(b) < MIB;
    // Quiet time that only grows is known to whoever was told once; activity makes it fall.
    let quiet = b.quiet_ms >= a.quiet_ms && b.quiet_ms / 60_000 == a.quiet_ms / 60_000;
    near(a.memory_bytes, b.memory_bytes)
        && near(a.disk_bytes, b.disk_bytes)
        && a.cpu_millis.abs_diff(b.cpu_millis) < 10
        && a.busy == b.busy
        && quiet
}

fn out_of_memory(limit: u64) -> String {
    format!("out of memory: {} MiB", limit / MIB)
}
