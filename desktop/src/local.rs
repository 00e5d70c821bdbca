//! Terminals of this machine: one agent beside the app for each folder, found or started, which outlives the app.
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slipway_api::session::{Exit, OpenTerminal, Terminal};
use slipway_core::code::Code;
use slipway_core::id::{Id as _, SessionId, TerminalId};
use slipway_proto::agent::{self, AgentHandle};
use slipway_proto::relay::{self, Attachment, Output};
use slipway_proto::v1;
use tonic::{Response, Status, Streaming};

use crate::clock;
use crate::config::{self, Config};
use crate::state::State;
use record::Record;

mod record;
mod start;

/// An agent that lives answers within this time, however busy the machine is.
const ANSWER: Duration = Duration::from_secs(10);

/// The agents beside this app. Cheap to clone.
#[derive(Clone)]
pub struct LocalAgents {
    shared: Arc<Shared>,
}

struct Shared {
    /// Where each has its record.
    home: PathBuf,
    /// Where the program may lie.
    programs: Vec<PathBuf>,
    /// What programs must know of this login.
    login: Vec<(String, String)>,
    agents: Mutex<HashMap<SessionId, LocalAgent>>,
}

/// An agent that ran a moment ago. Cheap to clone.
#[derive(Clone)]
pub struct LocalAgent {
    handle: AgentHandle,
    shared: Arc<Shared>,
}

/// Why there are no terminals of this machine, or one cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// It is not installed.
    #[error(
        "Terminals on this machine need the program slipway-agent, which is missing. Install Slipway again."
    )]
    NoAgent,
    /// It cannot be started, or a file of ours cannot be used.
    #[error("Terminals on this machine cannot be used: {}: {source}.", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It ended before it answered.
    #[error("Terminals on this machine cannot be used: slipway-agent ended at once. {} says why.", .0.display())]
    Ended(PathBuf),
    /// It lives and says nothing.
    #[error("The terminals on this machine do not answer (process {0}). Try again in a moment.")]
    Silent(u32),
    /// What an agent answered.
    #[error("{message}")]
    Refused {
        /// For programs.
        code: Code,
        /// For people.
        message: String,
    },
}

impl LocalError {
    /// For programs.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::NoAgent | Self::File { .. } | Self::Ended(_) | Self::Silent(_) => {
                Code::NoLocalTerminals
            }
            Self::Refused { code, .. } => *code,
        }
    }

    fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            path: path.into(),
            source,
        }
    }
}

impl From<Status> for LocalError {
    fn from(status: Status) -> Self {
        let code = relay::code_of(&status);
        let message = match code {
            Code::SessionUnreachable => "The terminals on this machine have ended.".to_owned(),
            _ => status.message().to_owned(),
        };
        Self::Refused { code, message }
    }
}

impl LocalAgents {
    /// Those that a state folder knows.
    #[must_use]
    pub fn new(state: &State, config: &Config) -> Self {
        let shared = Shared {
            home: state.path().join("terminals"),
            programs: config.agents.clone(),
            login: config.login.clone(),
            agents: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// The agent of a folder: the one that runs already, else a new one. `id` stays the same over restarts of the app.
    ///
    /// # Errors
    /// When none can be started, or one that lives does not answer.
    pub async fn open(&self, folder: &Path, id: SessionId) -> Result<LocalAgent, LocalError> {
        if let Some(agent) = self.look(id).await? {
            return Ok(agent);
        }
        let home = self.home(id);
        let _lock = record::lock(&home).await?;
        // Another app may have been first.
        if let Some(agent) = self.look(id).await? {
            return Ok(agent);
        }
        let program = config::installed(&self.shared.programs).ok_or(LocalError::NoAgent)?;
        start::start(program, &home, folder).await?;
        let agent = self.look(id).await?;
        agent.ok_or_else(|| LocalError::Ended(start::log(&home)))
    }

    /// The agent that runs, without starting any.
    pub async fn find(&self, id: SessionId) -> Option<LocalAgent> {
        self.look(id).await.ok().flatten()
    }

    /// The agent that is connected already, else the one of the record. A record whose agent has ended is none.
    async fn look(&self, id: SessionId) -> Result<Option<LocalAgent>, LocalError> {
        let connected = self.agents().get(&id).cloned();
        if let Some(agent) = connected {
            if agent.bind(id).await {
                return Ok(Some(agent));
            }
            self.agents().remove(&id);
        }
        let Some(Record { pid, socket, key }) = record::read(&self.home(id))? else {
            return Ok(None);
        };
        let Ok(channel) = agent::dial(&socket).await else {
            return Ok(None);
        };
        let agent = LocalAgent {
            handle: AgentHandle::new(channel, key),
            shared: Arc::clone(&self.shared),
        };
        match tokio::time::timeout(ANSWER, agent.bind(id)).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            // Another one beside it would hide the programs that run in it.
            Err(_) => return Err(LocalError::Silent(pid)),
        }
        self.agents().insert(id, agent.clone());
        Ok(Some(agent))
    }

    fn home(&self, id: SessionId) -> PathBuf {
        self.shared.home.join(id.to_string())
    }

    fn agents(&self) -> MutexGuard<'_, HashMap<SessionId, LocalAgent>> {
        let agents = &self.shared.agents;
        agents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalAgent {
    /// The connection, whose calls carry the key.
    #[must_use]
    pub const fn handle(&self) -> &AgentHandle {
        &self.handle
    }

    /// Whether it lives and is the agent of this id. Whoever is asked so does not end itself for some minutes.
    async fn bind(&self, id: SessionId) -> bool {
        let request = v1::BindRequest {
            session_id: id.to_string(),
            limits: None,
        };
        self.handle.agent().bind(request).await.is_ok()
    }

    /// Its terminals, in the order they were opened.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn terminals(&self) -> Result<Vec<Terminal>, LocalError> {
        let mut client = self.handle.terminals();
        let list = client.list(v1::ListTerminalsRequest {}).await?;
        let list = list.into_inner().terminals;
        Ok(list.into_iter().filter_map(terminal).collect())
    }

    /// Opens a terminal with the person's shell.
    ///
    /// # Errors
    /// When there are too many, or the shell cannot be started, as in a folder that is gone.
    pub async fn open_terminal(&self, open: &OpenTerminal) -> Result<Terminal, LocalError> {
        let request = v1::OpenTerminalRequest {
            terminal_id: TerminalId::from_uuid(clock::fresh_uuid()).to_string(),
            cols: open.cols,
            rows: open.rows,
            cwd: open.cwd.clone().unwrap_or_default(),
            env: self.shared.login.iter().cloned().collect(),
            ..v1::OpenTerminalRequest::default()
        };
        let opened = self.handle.terminals().open(request).await?.into_inner();
        terminal(opened).ok_or_else(|| Status::internal("an id that is none").into())
    }

    /// Ends a terminal's program and forgets its output.
    ///
    /// # Errors
    /// When there is no such terminal, or the agent has ended.
    pub async fn close_terminal(&self, id: TerminalId) -> Result<(), LocalError> {
        if self.terminals().await?.iter().all(|known| known.id != id) {
            return Err(Status::not_found("There is no such terminal.").into());
        }
        let terminal_id = id.to_string();
        let request = v1::CloseTerminalRequest { terminal_id };
        let closed = self.handle.terminals().close(request).await;
        Ok(closed.map(drop)?)
    }

    /// Every terminal, then what changes. The agent does not end itself as long as somebody watches.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn watch(&self) -> Result<Streaming<v1::AgentEvent>, LocalError> {
        let watch = self.handle.agent().watch(v1::WatchRequest {}).await;
        Ok(watch.map(Response::into_inner)?)
    }

    /// Attaches to a terminal; its frames are handed out as they are.
    ///
    /// # Errors
    /// When there is no such terminal, or the agent has ended.
    pub async fn attach(&self, attachment: Attachment) -> Result<Output, LocalError> {
        Ok(attachment.open(&self.handle).await?)
    }
}

fn terminal(info: v1::TerminalInfo) -> Option<Terminal> {
    let exit = |exit: v1::Exit| Exit {
        code: exit.code,
        signal: exit.signal,
        reason: Some(exit.reason).filter(|reason| !reason.is_empty()),
    };
    Some(Terminal {
        id: info.terminal_id.parse().ok()?,
        title: info.title,
        cols: info.cols,
        rows: info.rows,
        run: None,
        exit: info.exit.map(exit),
    })
}
