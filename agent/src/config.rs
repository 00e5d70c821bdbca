//! Settings of the agent, the only place that reads flags and the environment.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use slipway_core::limits::AGENT_ORPHAN_S;
use slipway_core::secret::Secret;

/// What programs run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// A session's own, where nothing else runs: every process is the agent's to look after.
    Sandbox,
    /// A person's machine, beside their app: programs are theirs, as those of any terminal.
    Machine,
}

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
    /// Serves terminals of a person's own machine beside their app: no files of its own, their environment and shell.
    #[arg(long)]
    pub beside: bool,
    /// With --beside: the agent ends when no program has run and nobody was connected for so many seconds.
    #[arg(long, default_value_t = LINGER_S, value_parser = clap::value_parser!(u64).range(1..))]
    pub linger: u64,
    /// What the environment held at the start, for programs beside an app.
    #[arg(skip)]
    pub inherited: BTreeMap<String, String>,
    /// Bearer key every call must carry; comes in `SLIPWAY_AGENT_KEY`, never in a flag.
    #[arg(skip = Secret::default())]
    pub key: Secret,
}

/// An app that is started again, or a machine that wakes up, finds its terminals within this time.
const LINGER_S: u64 = 5 * 60;

impl Config {
    /// What programs run on.
    #[must_use]
    pub const fn ground(&self) -> Ground {
        if self.beside {
            Ground::Machine
        } else {
            Ground::Sandbox
        }
    }

    /// Takes what the environment holds. A value that is no text cannot be handed on and is left out.
    pub fn inherit(&mut self) {
        let text = |text: std::ffi::OsString| text.into_string().ok();
        let all = std::env::vars_os();
        self.inherited = all
            .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
            .collect();
    }

    /// An agent of which nobody was heard for so long ends itself.
    #[must_use]
    pub const fn alone(&self) -> Duration {
        match self.ground() {
            Ground::Sandbox => Duration::from_secs(AGENT_ORPHAN_S),
            Ground::Machine => Duration::from_secs(self.linger),
        }
    }

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
