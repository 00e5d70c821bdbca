//! Places on this machine: bubblewrap sandboxes on the execution image. They outlive the server that made them;
//! the next one finds them by their records below `run/`.
mod bwrap;
mod cgroup;
mod loop_device;
mod observe;
mod place;
mod protection;
mod seccomp;
mod spawn;
mod start;
mod volume;

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use hyper_util::rt::TokioIo;
use slipway_api::session::Protection;
use slipway_core::id::{SessionId, WorkspaceId};
use slipway_core::limits;
use slipway_proto::agent;
use slipway_proto::carrier::Carrier;
use tonic::transport::Channel;

use self::cgroup::Groups;
use self::place::LocalPlace;
use self::volume::Volumes;
use super::{Answer, Observed, Place, PlaceSpec, RuntimeError, SessionRuntime};
use crate::config::{Config, EgressMode};
use crate::egress::{Egress, Serving};
use crate::session::one_task::OneTask;

/// What a session may use.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Memory and swap.
    pub memory_bytes: u64,
    /// Thousandths of one core.
    pub cpu_millis: u32,
    /// Processes and threads.
    pub processes: u32,
    /// Workspace and home together.
    pub disk_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory_bytes: limits::SESSION_MEMORY_BYTES,
            cpu_millis: limits::SESSION_CPU_MILLIS,
            processes: limits::SESSION_PROCESSES_MAX,
            disk_bytes: limits::SESSION_DISK_BYTES,
        }
    }
}

/// Where the local runtime finds its parts.
#[derive(Clone, Debug)]
pub struct LocalConfig {
    /// The server's data directory; `volumes/` and `run/` are made in it.
    pub data_dir: PathBuf,
    /// Root file system of the execution image.
    pub image: PathBuf,
    /// The static agent.
    pub agent: PathBuf,
    /// Where agents without isolation look for programs.
    pub path: OsString,
    /// Runs agents without any isolation.
    pub unsafe_no_sandbox: bool,
    /// What a session may use.
    pub limits: Limits,
}

/// Makes places on this machine.
pub struct Local {
    config: LocalConfig,
    run: PathBuf,
    volumes: Volumes,
    groups: Groups,
    bwrap: Result<PathBuf, String>,
    filters: Vec<Vec<u8>>,
    as_root: bool,
    egress: Option<Egress>,
    /// Proxies of the places that this server has touched.
    serving: Mutex<HashMap<SessionId, Serving>>,
    /// One start or stop at a time for each workspace.
    turns: Mutex<HashMap<WorkspaceId, Arc<tokio::sync::Mutex<()>>>>,
}

impl Local {
    /// Looks at what this machine allows. Without egress no session reaches any network.
    ///
    /// # Errors
    /// When the data directory cannot be written.
    pub fn new(config: LocalConfig, egress: Option<Egress>) -> Result<Self, RuntimeError> {
        let io = |what: &str| {
            let what = format!("{what} in {}", config.data_dir.display());
            move |source| RuntimeError::Io { what, source }
        };
        let as_root = rustix::process::geteuid().is_root();
        let run = config.data_dir.join("run");
        fs::create_dir_all(&run)
            .and_then(|()| fs::set_permissions(&run, fs::Permissions::from_mode(0o700)))
            .map_err(io("make the folder of places"))?;
        let volumes = Volumes::open(
            config.data_dir.join(volume::FOLDER),
            config.limits.disk_bytes,
            as_root && !config.unsafe_no_sandbox,
        )
        .map_err(io("make the folder of volumes"))?;
        let filters = seccomp::filters().map_err(|error| {
            RuntimeError::Unavailable(format!("compile the filter of system calls: {error}"))
        })?;
        Ok(Self {
            bwrap: bwrap::find(),
            groups: Groups::discover(),
            run,
            volumes,
            filters,
            as_root,
            egress,
            serving: Mutex::default(),
            turns: Mutex::default(),
            config,
        })
    }

    /// The runtime of a server with these settings.
    ///
    /// # Errors
    /// When the data directory cannot be written or a setting of the egress proxy cannot be read.
    pub fn from_config(config: &Config) -> Result<Self, RuntimeError> {
        let beside = || {
            let own = std::env::current_exe().unwrap_or_default();
            own.with_file_name("slipway-agent")
        };
        let egress = match config.egress {
            EgressMode::None => None,
            mode => Some(
                Egress::new(
                    mode,
                    &config.egress_allow,
                    config.egress_upstream.as_deref(),
                    config.egress_upstream_resolves,
                )
                .map_err(|error| RuntimeError::Unavailable(error.to_string()))?,
            ),
        };
        let config = LocalConfig {
            data_dir: config.data_dir.clone(),
            image: config.image.clone().unwrap_or_default(),
            agent: config.agent.clone().unwrap_or_else(beside),
            path: config.path.clone(),
            unsafe_no_sandbox: config.unsafe_no_sandbox,
            limits: Limits::default(),
        };
        Self::new(config, egress)
    }

    fn usable(&self) -> Result<(), RuntimeError> {
        if !self.config.agent.is_file() {
            return Err(RuntimeError::Unavailable(format!(
                "the agent is not at {}; name it with --agent",
                self.config.agent.display()
            )));
        }
        if self.config.unsafe_no_sandbox {
            return Ok(());
        }
        if let Err(reason) = &self.bwrap {
            return Err(RuntimeError::Unavailable(reason.clone()));
        }
        if !self.config.image.join("usr/bin/python3").exists() {
            return Err(RuntimeError::Image(format!(
                "{} does not hold it; build it with: cargo xtask image",
                self.config.image.display()
            )));
        }
        Ok(())
    }

    fn turn(&self, workspace: WorkspaceId) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self
            .turns
            .lock()
            .expect("invariant: no holder of turns panics");
        // A turn that nobody else holds is over.
        turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(turns.entry(workspace).or_default())
    }

    /// Serves a place's way to the network, if this server does not already.
    fn serve(&self, place: &LocalPlace) -> Result<(), RuntimeError> {
        let Some(egress) = &self.egress else {
            return Ok(());
        };
        let mut serving = self
            .serving
            .lock()
            .expect("invariant: no holder of proxies panics");
        if let std::collections::hash_map::Entry::Vacant(vacant) = serving.entry(place.session) {
            let listener = place
                .listen_for_egress()
                .map_err(|source| failed(place.session, "open the egress proxy of", source))?;
            vacant.insert(egress.serve(listener, place.session));
        }
        Ok(())
    }

    /// Ends a place: processes, groups, mount, folder.
    async fn end(&self, place: &LocalPlace) -> Result<(), RuntimeError> {
        self.serving
            .lock()
            .expect("invariant: no holder of proxies panics")
            .remove(&place.session);
        let mut place = place.clone();
        place.find_process();
        place.kill().await?;
        let others = self
            .records()
            .iter()
            .any(|other| other.workspace == place.workspace && other.session != place.session);
        blocking(|| {
            if !others {
                self.volumes.detach(place.workspace)?;
            }
            match fs::remove_dir_all(&place.folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        })
        .map_err(|source| failed(place.session, "clean up after", source))
    }

    fn records(&self) -> Vec<LocalPlace> {
        fs::read_dir(&self.run)
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| LocalPlace::read(&entry.path()))
            .collect()
    }
}

impl SessionRuntime for Local {
    fn start<'a>(&'a self, spec: &'a PlaceSpec) -> Answer<'a, Result<Place, RuntimeError>> {
        Box::pin(self.start_place(spec))
    }

    fn dial<'a>(&'a self, place: &'a Place) -> Answer<'a, Result<Channel, RuntimeError>> {
        Box::pin(async {
            let place = decode(place)?;
            self.serve(&place)?;
            let unreachable = |error: &dyn std::error::Error| {
                RuntimeError::Unreachable(format!("session {}: {}", place.session, chain(error)))
            };
            let target = place.clone();
            agent::endpoint()
                .executor(OneTask::default())
                .connect_with_connector(tower::service_fn(move |_: http::Uri| {
                    let place = target.clone();
                    async move { Carrier::new(place.connect().await?).map(TokioIo::new) }
                }))
                .await
                .map_err(|error| unreachable(&error))
        })
    }

    fn observe<'a>(&'a self, place: &'a Place) -> Answer<'a, Observed> {
        Box::pin(async {
            decode(place).map_or_else(|_| observe::unknown(), |place| observe::observe(&place))
        })
    }

    fn stop<'a>(&'a self, place: &'a Place) -> Answer<'a, Result<(), RuntimeError>> {
        Box::pin(async {
            let place = decode(place)?;
            let turn = self.turn(place.workspace);
            let _turn = turn.lock().await;
            self.end(&place).await
        })
    }

    fn list(&self) -> Answer<'_, Result<Vec<(SessionId, Place)>, RuntimeError>> {
        Box::pin(async {
            self.records()
                .iter()
                .map(|place| Ok((place.session, encode(place)?)))
                .collect()
        })
    }

    fn forget(&self, workspace: WorkspaceId) -> Answer<'_, Result<(), RuntimeError>> {
        Box::pin(async move {
            let turn = self.turn(workspace);
            let _turn = turn.lock().await;
            if self
                .records()
                .iter()
                .any(|place| place.workspace == workspace)
            {
                return Err(RuntimeError::Io {
                    what: format!(
                        "remove the volume of workspace {workspace}: stop its session first"
                    ),
                    source: io::ErrorKind::ResourceBusy.into(),
                });
            }
            blocking(|| self.volumes.forget(workspace)).map_err(|source| RuntimeError::Io {
                what: format!("remove the volume of workspace {workspace}"),
                source,
            })
        })
    }

    fn volumes(&self) -> Answer<'_, Result<Vec<WorkspaceId>, RuntimeError>> {
        Box::pin(async {
            self.volumes.list().map_err(|source| RuntimeError::Io {
                what: "list the volumes".to_owned(),
                source,
            })
        })
    }

    fn protections(&self) -> Vec<Protection> {
        self.protection_list()
    }

    fn check(&self) -> Answer<'_, Result<(), RuntimeError>> {
        Box::pin(async { self.usable() })
    }
}

fn encode(place: &LocalPlace) -> Result<Place, RuntimeError> {
    serde_json::to_value(place).map(Place).map_err(|error| {
        failed(
            place.session,
            "record the place of",
            io::Error::other(error),
        )
    })
}

fn decode(place: &Place) -> Result<LocalPlace, RuntimeError> {
    serde_json::from_value(place.0.clone())
        .map_err(|error| RuntimeError::Unreachable(format!("its record is damaged: {error}")))
}

fn failed(session: SessionId, what: &str, source: io::Error) -> RuntimeError {
    RuntimeError::Io {
        what: format!("{what} session {session}"),
        source,
    }
}

/// Work of some milliseconds on the file system; other tasks go on where the runtime has other threads.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::current().runtime_flavor() {
        tokio::runtime::RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
