//! One terminal: a pseudo terminal, its byte log, what was typed, and the viewers that are attached to it.
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use rustix::process::{Pid, Signal};
use slipway_core::limits::{TERMINAL_LOG_BYTES_MAX, TERMINAL_SIDE_MAX};
use slipway_proto::v1;
use slipway_terminal::attach::Attachment;
use slipway_terminal::input::{ClientId, InputQueue};
use slipway_terminal::log::{ByteLog, Size};
use slipway_terminal::query::Answerer;
use tokio::sync::{Notify, watch};

use crate::activity::Activity;
use crate::clock::{self, Monotonic};
use crate::config::Ground;
use crate::error::AgentError;
use crate::process;
use crate::reaper::Ending;
use pty::Pty;
use spawn::Program;

pub(crate) mod attach;
mod flow;
pub mod pty;
mod pump;
pub mod spawn;
pub mod table;
mod viewer;

/// What a terminal is opened with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// Its id, a UUID.
    pub id: String,
    /// The run it shows, or empty.
    pub run_id: String,
    /// Title for people.
    pub title: String,
    /// First size.
    pub size: Size,
    /// What runs in it.
    pub program: Program,
}

/// One terminal.
#[derive(Debug)]
pub struct Terminal {
    id: String,
    epoch: String,
    run_id: String,
    title: String,
    created_unix_ms: i64,
    ground: Ground,
    pid: Pid,
    pty: Pty,
    clock: Monotonic,
    activity: Activity,
    state: Mutex<State>,
    /// The reader may have room again.
    room: Notify,
    /// Input waits for the writer.
    typed: Notify,
    exit: watch::Sender<Option<Finished>>,
}

/// How the program of a terminal ended.
#[derive(Clone, Debug)]
pub struct Finished {
    /// As viewers are told.
    pub exit: v1::Exit,
    /// Largest memory of the program or a child it waited for.
    pub peak_memory_bytes: u64,
}

#[derive(Debug)]
struct State {
    log: ByteLog,
    /// Answers the program's questions, so that no viewer has to.
    answerer: Answerer,
    input: InputQueue,
    viewers: Vec<Viewer>,
    /// Counts viewers, and every act that makes one the driver.
    turns: u64,
    leaving: bool,
    exit: Option<v1::Exit>,
}

/// One attached viewer.
#[derive(Debug)]
struct Viewer {
    number: u64,
    client: ClientId,
    attachment: Attachment,
    size: Size,
    /// Turn in which it last drove; the visible one with the highest drives.
    turn: u64,
    /// Small answers that go out before output.
    answers: Vec<v1::terminal_server::Frame>,
    /// The newest input acknowledgement that was not sent yet.
    input_ack: Option<u64>,
    /// The acknowledgement that was sent last.
    input_acked: u64,
    /// The time of an acknowledgement runs already.
    ack_armed: bool,
    waker: Option<Waker>,
}

impl Terminal {
    /// Opens a pseudo terminal and starts the program in it.
    ///
    /// # Errors
    /// When the system has no terminal left or the program cannot be started.
    pub fn start(
        opening: Opening,
        epoch: String,
        clock: Monotonic,
        activity: Activity,
    ) -> Result<(Self, Ending), AgentError> {
        let size = bounded(opening.size);
        let (pty, slave) = pty::open(size).map_err(|error| {
            AgentError::new(
                slipway_core::code::Code::TooManyTerminals,
                format!("Could not open a terminal: {error}. Close some, then try again."),
            )
        })?;
        let (pid, ending) = spawn::spawn(&opening.program, &slave)?;
        let pid = Pid::from_raw(pid).expect("invariant: a child's pid is positive");
        let title = if opening.title.is_empty() {
            opening
                .program
                .argv
                .first()
                .map_or("shell", String::as_str)
                .to_owned()
        } else {
            opening.title
        };
        let terminal = Self {
            id: opening.id,
            epoch,
            run_id: opening.run_id,
            title,
            created_unix_ms: clock::unix_ms(),
            ground: opening.program.ground,
            pid,
            pty,
            clock,
            activity,
            state: Mutex::new(State {
                log: ByteLog::new(TERMINAL_LOG_BYTES_MAX, size),
                answerer: Answerer::new(size),
                input: InputQueue::default(),
                viewers: Vec::new(),
                turns: 0,
                leaving: false,
                exit: None,
            }),
            room: Notify::new(),
            typed: Notify::new(),
            exit: watch::Sender::new(None),
        };
        Ok((terminal, ending))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The run it shows, or empty.
    #[must_use]
    pub fn run_id(&self) -> &str {
        &self.run_id
    }

    /// Its program, which is also its session and first process group.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The process group in the foreground, while the program lives.
    #[must_use]
    pub fn foreground(&self) -> Option<Pid> {
        if self.leaving() {
            None
        } else {
            self.pty.foreground()
        }
    }

    /// How its program ended, when it has.
    #[must_use]
    pub fn finished(&self) -> watch::Receiver<Option<Finished>> {
        self.exit.subscribe()
    }

    /// Whether its program has ended and its log is complete.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.exit.borrow().is_some()
    }

    /// As lists show it.
    #[must_use]
    pub fn info(&self) -> v1::TerminalInfo {
        let state = self.lock();
        let size = state.log.size();
        v1::TerminalInfo {
            terminal_id: self.id.clone(),
            title: self.title.clone(),
            cols: size.cols,
            rows: size.rows,
            run_id: self.run_id.clone(),
            exit: state.exit.clone(),
            created_unix_ms: self.created_unix_ms,
        }
    }

    /// Offset after the last byte.
    #[must_use]
    pub fn end_offset(&self) -> u64 {
        self.lock().log.end()
    }

    /// Changes how much output is kept.
    pub fn keep(&self, bytes_max: usize) {
        self.lock().log.keep(bytes_max);
    }

    /// Sends a signal to the foreground, past the input queue.
    ///
    /// # Errors
    /// When the program has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        if self.leaving() {
            return Err(io::ErrorKind::NotFound.into());
        }
        self.pty.signal(signal, self.pid)
    }

    /// Sends a signal to what runs in the terminal. Of a session that is every process of it. On a person's machine it
    /// is what any terminal ends: its program and what is in the foreground. What was left behind on purpose stays, and
    /// once the program has ended its number may be another's.
    fn signal_all(&self, signal: Signal) {
        match self.ground {
            Ground::Sandbox => process::signal_session(self.pid, signal),
            Ground::Machine if self.leaving() => {}
            Ground::Machine => {
                if let Some(group) = self.foreground() {
                    rustix::process::kill_process_group(group, signal).ok();
                }
                rustix::process::kill_process(self.pid, signal).ok();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No side is 0 or beyond what programs expect.
fn bounded(size: Size) -> Size {
    Size {
        cols: size.cols.clamp(1, TERMINAL_SIDE_MAX),
        rows: size.rows.clamp(1, TERMINAL_SIDE_MAX),
    }
}
