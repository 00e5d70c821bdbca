//! A server with an account and ready sessions, to measure on.
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use slipway_api::account::Register;
use slipway_api::session::{Session, SessionState};
use slipway_api::workspace::{Template, Workspace};
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Place, Viewer};
use slipway_core::id::TerminalId;
use slipway_core::secret::Secret;

use super::peer::{Connection, slipway};
use super::process;
use crate::server::{Parts, Server};

/// The laboratory; its folder goes with it.
pub struct Lab {
    /// What runs.
    pub parts: Parts,
    /// The server.
    pub server: Server,
    /// Signed in.
    pub client: Client,
    /// Holds the data directory.
    pub folder: tempfile::TempDir,
    counter: std::sync::atomic::AtomicU32,
}

impl Lab {
    /// The account's address.
    pub const EMAIL: &str = "bench@example.org";
    /// The account's password.
    pub const PASSWORD: &str = "measured twice, cut once";

    /// Starts a server and registers.
    ///
    /// # Errors
    /// When the server does not start.
    pub async fn open(parts: &Parts) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("slipway-bench-")
            .tempdir()?;
        let server = Server::start(parts, folder.path()).await?;
        ensure_durable(folder.path())?;
        let register = Register {
            name: "Bench".into(),
            email: Self::EMAIL.into(),
            password: Secret::new(Self::PASSWORD),
            device: None,
        };
        let (client, _) = Client::new(&server.base)?.register(&register).await?;
        Ok(Self {
            parts: parts.clone(),
            server,
            client,
            folder,
            counter: 0.into(),
        })
    }

    /// A number that was not used before, for names and ids.
    pub fn fresh(&self) -> u32 {
        self.counter
            .fetch_add(1, std::sync::atomic::Ordering::Relaxed)
    }

    /// A new workspace.
    ///
    /// # Errors
    /// As the API.
    pub async fn workspace(&self) -> Result<Workspace> {
        Ok(self
            .client
            .create_workspace(&format!("bench-{}", self.fresh()), Template::Empty)
            .await?)
    }

    /// A ready session of a new workspace.
    ///
    /// # Errors
    /// When it does not become ready.
    pub async fn session(&self, socket: &Socket) -> Result<(Workspace, Session)> {
        let workspace = self.workspace().await?;
        self.client.start_session(workspace.id).await?;
        let session = self
            .client
            .wait_for_session(socket, workspace.id, |state| state == SessionState::Ready)
            .await?;
        ensure!(
            session.state == SessionState::Ready,
            "the session is {:?}: {:?}",
            session.state,
            session.reason
        );
        Ok((workspace, session))
    }

    /// A new terminal with a viewer on it, its prompt read.
    ///
    /// # Errors
    /// When the terminal does not answer.
    pub async fn terminal(&self, socket: &Socket, session: &Session) -> Result<Viewer> {
        let terminal = self.client.open_terminal(session.id, 80, 24).await?;
        let place = Place::new(session.id, terminal.id, self.viewer(), 80, 24);
        let mut viewer = Viewer::attach(socket, place).await?;
        viewer.write(b"echo up-$((40+2))\n").await?;
        viewer.read_until("up-42").await?;
        Ok(viewer)
    }

    /// A new terminal with the peers' client on it, and its id.
    ///
    /// # Errors
    /// When the terminal does not answer.
    pub async fn attach(&self, session: &Session) -> Result<(TerminalId, Connection)> {
        let terminal = self.client.open_terminal(session.id, 80, 24).await?.id;
        let viewer = self.viewer();
        let connection = slipway::attach(&self.client, session, terminal, viewer).await?;
        Ok((terminal, connection))
    }

    /// A new terminal with the peers' client on it.
    ///
    /// # Errors
    /// When the terminal does not answer.
    pub async fn connect(&self, session: &Session) -> Result<Connection> {
        Ok(self.attach(session).await?.1)
    }

    fn viewer(&self) -> String {
        format!("00000000-0000-7000-8000-{:012x}", self.fresh())
    }

    /// The server and the agents of its sessions.
    ///
    /// # Errors
    /// When the server or every agent is not found.
    pub fn processes(&self) -> Result<Vec<u32>> {
        let mut all = self.agents();
        ensure!(!all.is_empty(), "no agent is found among the processes");
        all.push(self.server.pid().context("the server has ended")?);
        Ok(all)
    }

    /// Sees to it that nobody else runs the same agent: the pages of a program are shared, so that memory would look less.
    ///
    /// # Errors
    /// When somebody does.
    pub fn ensure_alone(&self) -> Result<()> {
        let ours = self.agents();
        let is_other =
            |pid: &u32| !ours.contains(pid) && process::is_agent(*pid, &self.parts.agent);
        if let Some(pid) = process::pids().find(is_other) {
            bail!(
                "process {pid} is an agent of this program too, and shares its memory: end it first"
            );
        }
        Ok(())
    }

    /// The agents of its sessions, and of nobody else's.
    #[must_use]
    pub fn agents(&self) -> Vec<u32> {
        let server = self.server.pid();
        let started = server.into_iter().flat_map(|pid| process::family(pid, &[]));
        started
            .filter(|&pid| process::is_agent(pid, &self.parts.agent))
            .collect()
    }

    /// Where the workspace's files lie on this machine's disk.
    ///
    /// # Errors
    /// When the volume is not found.
    pub fn volume(&self, workspace: &Workspace) -> Result<PathBuf> {
        let volumes = self.folder.path().join("data/volumes");
        let work = volumes.join(workspace.id.to_string()).join("files/work");
        work.exists()
            .then_some(work)
            .context("the session's volume is not where it is expected")
    }

    /// Stops everything.
    ///
    /// # Errors
    /// When the server does not end well.
    pub async fn close(self) -> Result<()> {
        for workspace in self.client.workspaces().await?.workspaces {
            if workspace.session.as_ref().is_some_and(|session| {
                !matches!(session.state, SessionState::Stopped | SessionState::Failed)
            }) {
                self.client.stop_session(workspace.id).await?;
                let socket = Socket::connect(&self.client).await?;
                self.client
                    .wait_for_session(&socket, workspace.id, |_| false)
                    .await?;
            }
        }
        self.server.stop().await
    }
}

/// A database that was told not to wait for the disk would make the figures worthless.
fn ensure_durable(folder: &Path) -> Result<()> {
    let options = folder.join("data/postgres/data/postmaster.opts");
    let options =
        std::fs::read_to_string(&options).with_context(|| format!("read {}", options.display()))?;
    // Each option stands in quotes there; a folder's name may hold anything.
    for off in ["\"fsync=off\"", "\"synchronous_commit=off\"", "\"-F\""] {
        ensure!(!options.contains(off), "the database runs with {off}");
    }
    Ok(())
}
