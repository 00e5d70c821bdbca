//! Settings of the agent, the only place that reads flags.
use std::path::{Path, PathBuf};

use slipway_core::secret::Secret;

/// The process inside every session: owns terminals, runs and the session's copy of the files.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "slipway-agent", version)]
pub struct Config {
    /// Unix socket to listen on.
    #[arg(long, default_value = "/run/slipway/agent.sock")]
    pub socket: PathBuf,
    /// Folder of the workspace's files.
    #[arg(long, default_value = "/workspace")]
    pub workspace: PathBuf,
    /// The same folder on the mount of the agent's state, so that files can be renamed between the two.
    #[arg(long)]
    pub files: Option<PathBuf>,
    /// Home of the programs.
    #[arg(long, default_value = "/home/slipway")]
    pub home: PathBuf,
    /// Folder of the agent's own state.
    #[arg(long, default_value = "/var/lib/slipway")]
    pub state: PathBuf,
    /// Unix socket of the egress proxy; programs reach it on 127.0.0.1:3128.
    #[arg(long)]
    pub egress_socket: Option<PathBuf>,
    /// Folder with the session's control groups of either version, `memory` and `pids`.
    #[arg(long, default_value = "/run/cgroup")]
    pub cgroups: PathBuf,
    /// Bearer key every call must carry; comes in `SLIPWAY_AGENT_KEY`, never in a flag.
    #[arg(skip = Secret::default())]
    pub key: Secret,
}

impl Config {
    /// Folders that are kept between sessions, none inside another: the whole volume where it is there as one.
    #[must_use]
    pub fn kept(&self) -> Vec<PathBuf> {
        match (&self.files, self.state.parent()) {
            (Some(_), Some(volume)) => vec![volume.to_owned()],
            _ => vec![
                self.workspace.clone(),
                self.home.clone(),
                self.state.clone(),
            ],
        }
    }

    /// The workspace's files, as the replica reaches them.
    #[must_use]
    pub fn files(&self) -> &Path {
        self.files.as_deref().unwrap_or(&self.workspace)
    }
}
