//! Ours: `slipway mirror` keeps a person's folder, the server has the truth, and the agent keeps the session's disk.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use slipway_api::workspace::Workspace;
use slipway_client::socket::Socket;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::super::super::lab::Lab;
use super::super::super::process;
use super::super::Field;

/// A home of its own with the program, signed in.
pub struct Desk {
    program: PathBuf,
    home: PathBuf,
}

impl Desk {
    /// Signs in at the lab's server.
    pub(in crate::bench) async fn sign_in(
        program: &Path,
        home: &Path,
        server: &str,
    ) -> Result<Self> {
        std::fs::create_dir_all(home)?;
        let desk = Self {
            program: program.to_owned(),
            home: home.to_owned(),
        };
        desk.sign_in_at(server).await?;
        Ok(desk)
    }

    async fn sign_in_at(&self, server: &str) -> Result<()> {
        let arguments = [
            "login",
            server,
            "--email",
            Lab::EMAIL,
            "--token-store",
            "file",
        ];
        let mut login = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("start {}", self.program.display()))?;
        let mut stdin = login.stdin.take().context("invariant: stdin is piped")?;
        stdin
            .write_all(format!("{}\n", Lab::PASSWORD).as_bytes())
            .await?;
        drop(stdin);
        let said = login.wait_with_output().await?;
        let error = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "slipway login: {error}");
        Ok(())
    }

    /// The program with nothing of this machine's settings.
    pub(in crate::bench) fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", &self.home)
            .env("XDG_STATE_HOME", self.home.join("state"))
            .env("PATH", "/usr/bin:/bin")
            .kill_on_drop(true);
        command
    }
}

/// A folder that is kept in step with a session's disk.
pub(super) struct Slipway<'a> {
    lab: &'a Lab,
    workspace: Workspace,
    mirror: Child,
    /// Where the session's files lie.
    pub(super) disk: PathBuf,
}

impl<'a> Slipway<'a> {
    /// A new workspace with a ready session and an empty folder in step with it; by way of a wire, if there is one.
    pub(super) async fn start(
        field: &'a Field<'_>,
        near: &Path,
        wire: Option<SocketAddr>,
    ) -> Result<Self> {
        let (lab, desk) = (field.lab, &field.desk);
        let socket = Socket::connect(&lab.client).await?;
        let (workspace, _) = lab.session(&socket).await?;
        let mut command = desk.command();
        if let Some(wire) = wire {
            let server = format!("http://{wire}");
            desk.sign_in_at(&server).await?;
            command.args(["--server", &server]);
        } else {
            command.args(["--server", &lab.server.base]);
        }
        let log = std::fs::File::create(near.with_extension("log"))?;
        let mut mirror = command
            .args(["mirror", &workspace.name, "--json"])
            .arg(near)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let stdout = mirror.stdout.take().context("invariant: stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        loop {
            let line = lines.next_line().await?;
            let line = line.context("slipway mirror ended before it was connected")?;
            let told: serde_json::Value = serde_json::from_str(&line)?;
            if told["stand"]["state"] == "connected" {
                break;
            }
        }
        // Keeps the pipe drained, so that it never blocks on it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self {
            lab,
            disk: lab.volume(&workspace)?,
            workspace,
            mirror,
        })
    }

    /// The program, the server with its database, and the agent.
    pub(super) fn processes(&self) -> Vec<u32> {
        let server = self.lab.server.pid();
        let server = server.into_iter().flat_map(|pid| process::family(pid, &[]));
        server.chain(self.engines()).collect()
    }

    /// The program and the agent.
    pub(super) fn engines(&self) -> Vec<u32> {
        let agents = self.lab.agents();
        self.mirror.id().into_iter().chain(agents).collect()
    }

    pub(super) async fn stop(mut self) -> Result<()> {
        let pid = self.mirror.id().map(u32::cast_signed);
        if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
            rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        }
        let ended = self.mirror.wait().await?;
        ensure!(ended.success(), "slipway mirror ended with {ended}");
        self.lab.client.stop_session(self.workspace.id).await?;
        let socket = Socket::connect(&self.lab.client).await?;
        let stopped = |_| false;
        self.lab
            .client
            .wait_for_session(&socket, self.workspace.id, stopped)
            .await?;
        Ok(())
    }
}
