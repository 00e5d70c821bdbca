//! Runs: a command that starts when the disk shows the revision that the person sees, is measured, and is reported done
//! only when what it wrote is committed.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use slipway_core::code::Code;
use slipway_core::limits::RUNS_QUEUED_MAX;
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;
use slipway_proto::v1::run_info::State;
use slipway_terminal::log::Size;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::clock::{self, Monotonic};
use crate::config::Ground;
use crate::error::AgentError;
use crate::event::Events;
use crate::terminal::spawn::Program;
use crate::terminal::table::Table;
use crate::terminal::{Finished, Opening, Terminal};
use crate::workspace::Replica;
use kin::Kin;

mod kin;

/// From INT to TERM, and from TERM to KILL.
const ESCALATION: Duration = Duration::from_secs(5);
/// How often the memory of a run is looked at.
const SAMPLE: Duration = Duration::from_millis(100);
/// What a run wrote is committed within this time, or it is reported done without.
const FLUSH: Duration = Duration::from_secs(60);
/// Runs that are kept until they are acknowledged.
const RUNS_MAX: usize = 2 * RUNS_QUEUED_MAX as usize;

/// All runs. Cheap to clone.
#[derive(Clone)]
pub struct Runs {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Monotonic,
    events: Events,
    terminals: Table,
    replica: Replica,
    tasks: TaskTracker,
    runs: Mutex<Vec<Run>>,
}

struct Run {
    info: v1::RunInfo,
    /// How often it was asked to stop.
    stops: watch::Sender<u32>,
}

impl Runs {
    /// No runs yet.
    #[must_use]
    pub fn new(
        clock: Monotonic,
        events: Events,
        terminals: Table,
        replica: Replica,
        tasks: TaskTracker,
    ) -> Self {
        let shared = Shared {
            clock,
            events,
            terminals,
            replica,
            tasks,
            runs: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Every run that was not acknowledged.
    #[must_use]
    pub fn all(&self) -> Vec<v1::RunInfo> {
        self.shared
            .lock()
            .iter()
            .map(|run| run.info.clone())
            .collect()
    }

    /// Starts a run when its revision is there. The same run again is the same run.
    ///
    /// # Errors
    /// When the request is wrong or too many runs are kept.
    pub fn start(
        &self,
        request: v1::StartRunRequest,
        cwd: PathBuf,
        mut env: BTreeMap<String, String>,
    ) -> Result<(), AgentError> {
        if uuid::Uuid::parse_str(&request.run_id).is_err() {
            return Err(AgentError::invalid("run_id is not a UUID."));
        }
        if request.command.is_empty() {
            return Err(AgentError::invalid(
                "The command is empty. Give the program to run.",
            ));
        }
        let mut runs = self.shared.lock();
        if runs.iter().any(|run| run.info.run_id == request.run_id) {
            return Ok(());
        }
        if runs.len() >= RUNS_MAX {
            let text = "Too many runs wait in this session. Wait until some are done.";
            return Err(AgentError::new(Code::TooManyRequests, text));
        }
        let stops = watch::Sender::new(0);
        let stopped = stops.subscribe();
        let info = v1::RunInfo {
            run_id: request.run_id.clone(),
            ..v1::RunInfo::default()
        };
        runs.push(Run { info, stops });
        drop(runs);
        env.insert(kin::VARIABLE.to_owned(), request.run_id.clone());
        let program = Program {
            ground: Ground::Sandbox,
            argv: request.command.clone(),
            cwd,
            env,
        };
        let shared = self.shared.clone();
        self.shared
            .tasks
            .spawn(async move { shared.run(request, program, stopped).await });
        Ok(())
    }

    /// Asks a run to stop; asked again, the next harder signal comes at once. One that is over is stopped already.
    ///
    /// # Errors
    /// `not_found`.
    pub fn stop(&self, run_id: &str) -> Result<(), AgentError> {
        let runs = self.shared.lock();
        let run = runs.iter().find(|run| run.info.run_id == run_id);
        let run = run.ok_or_else(|| AgentError::new(Code::NotFound, "There is no such run."))?;
        run.stops.send_modify(|stops| *stops += 1);
        Ok(())
    }

    /// Forgets a run that is over, and its output.
    pub fn acknowledge(&self, run_id: &str) {
        let mut runs = self.shared.lock();
        let before = runs.len();
        runs.retain(|run| run.info.run_id != run_id || !over(run.info.state()));
        let gone = runs.len() < before;
        drop(runs);
        if gone {
            // A viewer may still read: its own hold on the terminal keeps the log alive.
            self.shared.terminals.forget(run_id);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Vec<Run>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes what is known of a run and tells watchers.
    fn change(&self, run_id: &str, change: impl FnOnce(&mut v1::RunInfo)) {
        let mut runs = self.lock();
        if let Some(run) = runs.iter_mut().find(|run| run.info.run_id == run_id) {
            change(&mut run.info);
            self.events.send(Event::Run(run.info.clone()));
        }
    }

    async fn run(
        &self,
        request: v1::StartRunRequest,
        program: Program,
        mut stopped: watch::Receiver<u32>,
    ) {
        let id = request.run_id.as_str();
        if self.replica.shown() < request.revision {
            self.change(id, |info| info.set_state(State::Waiting));
            let text = tokio::select! {
                fence = self.replica.fence(request.revision) => match fence {
                    Ok(()) => None,
                    Err(error) => Some(format!("Could not wait for the files: {error}.")),
                },
                _ = stopped.wait_for(|stops| *stops > 0) => {
                    Some("Stopped before it started.".to_owned())
                }
            };
            if let Some(reason) = text {
                self.fail(id, reason);
                return;
            }
        }
        let opening = Opening {
            id: id.to_owned(),
            run_id: id.to_owned(),
            title: program.argv.join(" "),
            size: Size {
                cols: if request.cols == 0 { 80 } else { request.cols },
                rows: if request.rows == 0 { 24 } else { request.rows },
            },
            program,
        };
        let terminal = match self.terminals.open(opening) {
            Ok(terminal) => terminal,
            Err(error) => {
                self.fail(id, error.message);
                return;
            }
        };
        self.follow(id, &terminal, stopped).await;
    }

    /// Sees a run that has started to its end.
    async fn follow(&self, id: &str, terminal: &Terminal, stopped: watch::Receiver<u32>) {
        let started_ms = self.clock.now_ms();
        self.change(id, |info| {
            info.set_state(State::Running);
            info.started_unix_ms = clock::unix_ms();
        });
        let mut kin = Kin::new(terminal.pid(), id);
        let (finished, sampled) = measure(terminal, &mut kin, stopped).await;
        let duration_ms = self.clock.now_ms() - started_ms;
        self.change(id, |info| {
            info.set_state(State::Flushing);
            info.duration_ms = duration_ms;
            info.peak_memory_bytes = sampled.max(finished.peak_memory_bytes);
            info.exit = Some(finished.exit);
        });
        // Nothing of the run goes on writing once it is reported done.
        kin.end().await;
        // A flush waits for the next connection by itself; when the time is over, a person is told.
        let saved = tokio::time::timeout(FLUSH, self.replica.flush()).await;
        if !matches!(saved, Ok(Ok(_))) {
            let text = "What the run wrote is not in the workspace yet. It is saved as soon as the server can be reached.";
            self.events.notice(Code::RunNotSaved, text, id);
        }
        self.change(id, |info| info.set_state(State::Done));
    }

    fn fail(&self, id: &str, reason: String) {
        self.change(id, |info| {
            info.set_state(State::Failed);
            info.exit = Some(v1::Exit {
                reason,
                ..v1::Exit::default()
            });
        });
    }
}

/// Waits for the end; meanwhile samples memory and hands on wishes to stop.
async fn measure(
    terminal: &Terminal,
    kin: &mut Kin,
    stopped: watch::Receiver<u32>,
) -> (Finished, u64) {
    let mut peak = 0;
    let mut finished = terminal.finished();
    let mut sample = tokio::time::interval(SAMPLE);
    sample.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut stop = Stop::new(stopped);
    loop {
        tokio::select! {
            biased;
            ended = finished.wait_for(Option::is_some) => {
                let ended = ended.ok().and_then(|ended| ended.clone());
                let finished = ended.unwrap_or_else(|| Finished {
                    exit: v1::Exit::default(),
                    peak_memory_bytes: 0,
                });
                // What the program left behind counts as well.
                return (finished, peak.max(kin.resident_bytes()));
            }
            signal = stop.next() => {
                if signal != Signal::INT {
                    kin.signal(signal);
                } else if let Err(error) = terminal.signal(signal) {
                    tracing::debug!(%error, "Could not signal a run");
                }
            }
            _ = sample.tick() => peak = peak.max(kin.resident_bytes()),
        }
    }
}

/// A wish to stop becomes harder and harder signals; each further wish takes the next step at once.
struct Stop {
    stopped: watch::Receiver<u32>,
    /// Wishes that were heard.
    seen: u32,
    /// When the next signal comes without a further wish.
    due: Option<Instant>,
    signals: std::slice::Iter<'static, Signal>,
}

impl Stop {
    fn new(stopped: watch::Receiver<u32>) -> Self {
        Self {
            stopped,
            seen: 0,
            due: None,
            signals: [Signal::INT, Signal::TERM, Signal::KILL].iter(),
        }
    }

    /// The next signal; never after the last. May be dropped and asked again.
    async fn next(&mut self) -> Signal {
        let due = self.due;
        let patience = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let seen = self.seen;
        let wish = async {
            if self.stopped.wait_for(|stops| *stops > seen).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = wish => self.seen += 1,
            () = patience => {}
        }
        self.due = Some(Instant::now() + ESCALATION);
        match self.signals.next() {
            Some(signal) => *signal,
            None => std::future::pending().await,
        }
    }
}

fn over(state: State) -> bool {
    match state {
        State::Done | State::Failed => true,
        State::Unspecified | State::Waiting | State::Running | State::Flushing => false,
    }
}
