//! A real `slipway-server` process on a throw-away data directory, for the smoke journey and the benchmarks.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// Programs and files that a server needs.
#[derive(Clone, Debug, clap::Args)]
pub struct Parts {
    /// The slipway-server binary.
    #[arg(long)]
    pub server: PathBuf,
    /// The static slipway-agent binary.
    #[arg(long)]
    pub agent: PathBuf,
    /// The execution image's root file system.
    #[arg(long)]
    pub image: PathBuf,
}

impl Parts {
    /// What a server is started with: a free port of loopback, everything else below `data`.
    #[must_use]
    pub fn arguments(&self, data: &Path) -> Vec<OsString> {
        let mut all: Vec<OsString> = vec!["--listen".into(), "127.0.0.1:0".into()];
        let named = [
            ("--data-dir", data.join("data")),
            ("--agent", self.agent.clone()),
            ("--image", self.image.clone()),
        ];
        for (name, path) in named {
            all.extend([name.into(), path.into_os_string()]);
        }
        all
    }
}

/// A running server. Dropping it without [`Server::stop`] kills it.
pub struct Server {
    child: Child,
    /// Where it listens, such as `http://127.0.0.1:41233`.
    pub base: String,
    /// Its last log lines, for errors.
    log: PathBuf,
}

impl Server {
    /// Starts a server on a free port of loopback and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends before; the error carries its last log lines.
    pub async fn start(parts: &Parts, data: &Path) -> Result<Self> {
        let mut command = Command::new(&parts.server);
        command.args(parts.arguments(data));
        Self::launch(command, data).await
    }

    /// Starts a server by a command of one's own and waits until it says that it is ready. Its log goes below `data`.
    ///
    /// # Errors
    /// When it ends before; the error carries its last log lines.
    pub async fn launch(mut command: Command, data: &Path) -> Result<Self> {
        let log = data.join("server.log");
        tokio::fs::create_dir_all(data).await?;
        let stderr = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&log)?;
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("start {command:?}"))?;
        let stdout = child.stdout.take().context("invariant: stdout is piped")?;
        let mut lines = BufReader::new(stdout).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(at) = line.find("ready at http") {
                let base = line[at + "ready at ".len()..].trim().to_owned();
                // Keeps the pipe drained, so that the server never blocks on it.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Self { child, base, log });
            }
        }
        bail!("the server ended before it was ready:\n{}", tail(&log))
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// As a power cut would: SIGKILL.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub async fn kill(mut self) -> Result<()> {
        self.child.kill().await.context("kill the server")
    }

    /// Stops it gracefully and waits for its end.
    ///
    /// # Errors
    /// When it does not end well within a minute.
    pub async fn stop(mut self) -> Result<()> {
        let pid = self
            .child
            .id()
            .and_then(|pid| rustix::process::Pid::from_raw(pid.cast_signed()))
            .context("the server has ended already")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = tokio::time::timeout(std::time::Duration::from_secs(60), self.child.wait())
            .await
            .context("the server did not stop within a minute")??;
        if !status.success() {
            bail!("the server ended with {status}:\n{}", tail(&self.log));
        }
        Ok(())
    }

    /// The last lines of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        tail(&self.log)
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}
