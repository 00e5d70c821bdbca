//! All terminals of the agent: opened once per id, counted, kept after their end until closed, and ended.
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use slipway_core::code::Code;
use slipway_core::limits::{
    AGENT_LOG_BYTES_MAX, TERMINAL_LOG_BYTES_MAX, TERMINALS_PER_SESSION_MAX,
};
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::{Opening, Terminal, pump};
use crate::activity::Activity;
use crate::clock::Monotonic;
use crate::error::AgentError;
use crate::event::Events;
use crate::reaper::Ended;

/// From hang-up to kill when a terminal is closed.
const CLOSE_GRACE: Duration = Duration::from_secs(2);
/// Logs of ended programs that are kept.
const FINISHED_MAX: usize = TERMINALS_PER_SESSION_MAX;

/// Says in words why the system ended a program: "out of memory: 512 MiB".
pub type Blame = Arc<dyn Fn(&Ended) -> String + Send + Sync>;

/// All terminals. Cheap to clone.
#[derive(Clone)]
pub struct Table {
    shared: Arc<Shared>,
}

struct Shared {
    boot_id: String,
    clock: Monotonic,
    activity: Activity,
    events: Events,
    tasks: TaskTracker,
    blame: Blame,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    terminals: Vec<Arc<Terminal>>,
    live_max: Option<usize>,
}

impl Table {
    /// No terminals yet.
    #[must_use]
    pub fn new(
        boot_id: String,
        clock: Monotonic,
        activity: Activity,
        events: Events,
        tasks: TaskTracker,
        blame: Blame,
    ) -> Self {
        let shared = Shared {
            boot_id,
            clock,
            activity,
            events,
            tasks,
            blame,
            state: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Sets how many terminals may live at once.
    pub fn limit(&self, live_max: usize) {
        self.lock().live_max = Some(live_max.clamp(1, TERMINALS_PER_SESSION_MAX));
    }

    /// Every terminal, in the order they were opened.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Terminal>> {
        self.lock().terminals.clone()
    }

    /// Whether a program runs in any of them.
    #[must_use]
    pub fn any_live(&self) -> bool {
        live(&self.lock().terminals) > 0
    }

    /// The terminal with this id.
    ///
    /// # Errors
    /// `not_found`.
    pub fn find(&self, id: &str) -> Result<Arc<Terminal>, AgentError> {
        let found = self
            .lock()
            .terminals
            .iter()
            .find(|terminal| terminal.id() == id)
            .cloned();
        found.ok_or_else(|| {
            AgentError::new(Code::NotFound, "There is no such terminal. Open a new one.")
        })
    }

    /// Opens a terminal; one with this id that exists already is returned as it is.
    ///
    /// # Errors
    /// When there are too many, or the program cannot be started.
    pub fn open(&self, opening: Opening) -> Result<Arc<Terminal>, AgentError> {
        if uuid::Uuid::parse_str(&opening.id).is_err() {
            return Err(AgentError::invalid("terminal_id is not a UUID."));
        }
        if let Ok(terminal) = self.find(&opening.id) {
            return Ok(terminal);
        }
        let mut state = self.lock();
        // A run always finds a place; runs are bounded by their own queue.
        let live = live(&state.terminals);
        let live_max = state.live_max.unwrap_or(TERMINALS_PER_SESSION_MAX);
        if opening.run_id.is_empty() && live >= live_max {
            let text = format!("A session has at most {live_max} terminals. Close one of them.");
            return Err(AgentError::new(Code::TooManyTerminals, text));
        }
        let epoch = format!("{}/{}", self.shared.boot_id, opening.id);
        let (terminal, ending) = Terminal::start(
            opening,
            epoch,
            self.shared.clock,
            self.shared.activity.clone(),
        )?;
        let terminal = Arc::new(terminal);
        state.terminals.push(terminal.clone());
        let forgotten = forget_oldest(&mut state.terminals);
        share_memory(&state.terminals);
        drop(state);
        for id in forgotten {
            self.tell_closed(id);
        }
        self.shared.activity.touch();
        let opened = Event::Terminal(terminal.info());
        self.shared.events.send(opened);
        self.shared.tasks.spawn(pump::write(terminal.clone()));
        let shared = self.shared.clone();
        let watched = terminal.clone();
        self.shared.tasks.spawn(async move {
            let ended = pump::read_until_end(watched.clone(), ending).await;
            let reason = ended
                .as_ref()
                .map_or_else(String::new, |ended| (shared.blame)(ended));
            watched.finish(ended, reason);
            shared.events.send(Event::Terminal(watched.info()));
        });
        Ok(terminal)
    }

    /// Ends a terminal's program and forgets the log. One that does not exist is closed already.
    pub async fn close(&self, id: &str) {
        let Ok(terminal) = self.find(id) else {
            return;
        };
        end(&terminal).await;
        self.forget(id);
    }

    /// Forgets a terminal whose program has ended.
    pub fn forget(&self, id: &str) {
        let mut state = self.lock();
        let before = state.terminals.len();
        state.terminals.retain(|terminal| terminal.id() != id);
        let gone = state.terminals.len() < before;
        share_memory(&state.terminals);
        drop(state);
        if gone {
            self.tell_closed(id.to_owned());
        }
    }

    /// Ends every program.
    pub async fn end_all(&self) {
        let terminals = self.all();
        let mut ends = tokio::task::JoinSet::new();
        for terminal in terminals {
            ends.spawn(async move { end(&terminal).await });
        }
        while ends.join_next().await.is_some() {}
    }

    /// Where programs are started for a path relative to the workspace.
    ///
    /// # Errors
    /// When the path leads out of it.
    pub fn folder(root: &std::path::Path, cwd: &str) -> Result<PathBuf, AgentError> {
        if cwd.is_empty() || cwd == "." {
            return Ok(root.to_owned());
        }
        let path = slipway_core::path::RelPath::parse(cwd)
            .map_err(|error| AgentError::new(error.code(), error.to_string()))?;
        Ok(root.join(path.as_str()))
    }

    fn tell_closed(&self, terminal_id: String) {
        let closed = v1::TerminalClosed { terminal_id };
        self.shared.events.send(Event::TerminalClosed(closed));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn live(terminals: &[Arc<Terminal>]) -> usize {
    terminals
        .iter()
        .filter(|terminal| !terminal.is_finished())
        .count()
}

/// Hangs up, then kills whatever is left.
async fn end(terminal: &Terminal) {
    let mut finished = terminal.finished();
    terminal.signal_all(Signal::HUP);
    // A stopped program hears the hang-up only when it goes on.
    terminal.signal_all(Signal::CONT);
    if timeout(CLOSE_GRACE, finished.wait_for(Option::is_some))
        .await
        .is_err()
    {
        terminal.signal_all(Signal::KILL);
        drop(timeout(CLOSE_GRACE, finished.wait_for(Option::is_some)).await);
    }
    terminal.signal_all(Signal::KILL);
}

/// The oldest logs go when too many programs have ended. Runs stay until they are acknowledged.
fn forget_oldest(terminals: &mut Vec<Arc<Terminal>>) -> Vec<String> {
    let old = |terminal: &Arc<Terminal>| terminal.is_finished() && terminal.run_id().is_empty();
    let surplus = terminals.iter().filter(|terminal| old(terminal)).count();
    let mut surplus = surplus.saturating_sub(FINISHED_MAX);
    let gone = terminals.extract_if(.., |terminal| {
        let goes = surplus > 0 && old(terminal);
        surplus -= usize::from(goes);
        goes
    });
    gone.map(|terminal| terminal.id().to_owned()).collect()
}

/// All logs together stay in the agent's budget.
fn share_memory(terminals: &[Arc<Terminal>]) {
    let share = AGENT_LOG_BYTES_MAX / terminals.len().max(1);
    for terminal in terminals {
        terminal.keep(share.min(TERMINAL_LOG_BYTES_MAX));
    }
}
