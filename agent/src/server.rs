//! The agent as one thing, and its gRPC server on a Unix socket.
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slipway_core::code::Code;
use slipway_proto::carrier::Carrier;
use slipway_proto::v1;
use slipway_proto::v1::agent_server::AgentServer;
use slipway_proto::v1::terminals_server::TerminalsServer;
use tokio::net::UnixListener;
use tokio_stream::StreamExt as _;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::Server;
use tonic::transport::server::Router;

use crate::activity::Activity;
use crate::auth::{Bearer, Presence};
use crate::clock::Monotonic;
use crate::config::Config;
use crate::error::AgentError;
use crate::event::Events;
use crate::run::Runs;
use crate::service::AgentService;
use crate::terminal::service::TerminalService;
use crate::terminal::table::Table;
use crate::watchdog::Watchdog;
use crate::workspace::{self, Replica, ReplicaSide};
use crate::{egress, environment, reaper};

/// Flow control of HTTP/2: bulk output must never wait for window updates.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// A backend that vanished without a word is noticed after the sum of these.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// After the last word to a backend, the time its answers have to leave.
const FAREWELL: Duration = Duration::from_secs(1);
/// Variables of one request.
const ENVIRONMENT_MAX: usize = 256;

/// Why the agent ended badly.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket cannot be made.
    #[error("listen on {path}")]
    Listen {
        /// Where.
        path: std::path::PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// The server broke.
    #[error("serve")]
    Serve(#[source] tonic::transport::Error),
    /// No key was given, so nobody could be told from anybody.
    #[error("start without a key: set SLIPWAY_AGENT_KEY")]
    NoKey,
}

/// Everything the services share.
pub struct Agent {
    /// Settings.
    pub config: Config,
    /// Changes with every start.
    pub boot_id: String,
    /// Terminals.
    pub terminals: Table,
    /// Runs.
    pub runs: Runs,
    /// What watchers are told.
    pub events: Events,
    /// When something last happened.
    pub activity: Activity,
    /// When a backend was last heard of.
    pub presence: Presence,
    /// The session's copy of the files.
    pub replica: Replica,
    /// Memory, disk and processes.
    pub watchdog: Watchdog,
    /// Ends the agent.
    pub stop: CancellationToken,
    /// Every task of the agent.
    pub tasks: TaskTracker,
    binding: Mutex<Option<v1::BindRequest>>,
}

impl Agent {
    /// An agent that is not bound yet, and the end of the replica that moves files.
    #[must_use]
    pub fn new(config: Config, stop: CancellationToken) -> (Arc<Self>, ReplicaSide) {
        let clock = Monotonic::start();
        let boot_id = uuid::Uuid::from_bytes(random()).to_string();
        let events = Events::default();
        let activity = Activity::new(clock);
        let tasks = TaskTracker::new();
        let watchdog = Watchdog::new(&config, events.clone());
        let blame = watchdog.blame();
        let terminals = Table::new(
            boot_id.clone(),
            clock,
            activity.clone(),
            events.clone(),
            tasks.clone(),
            blame,
        );
        let (replica, side) = workspace::replica();
        let runs = Runs::new(
            clock,
            events.clone(),
            terminals.clone(),
            replica.clone(),
            tasks.clone(),
        );
        let agent = Self {
            presence: Presence::new(clock),
            config,
            boot_id,
            terminals,
            runs,
            events,
            activity,
            replica,
            watchdog,
            stop,
            tasks,
            binding: Mutex::new(None),
        };
        (Arc::new(agent), side)
    }

    /// Binds to a session, once; the same binding again is fine.
    ///
    /// # Errors
    /// When it is bound to another session already.
    pub fn bind(&self, request: v1::BindRequest) -> Result<(), AgentError> {
        let mut binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner);
        match &*binding {
            Some(bound) if *bound == request => return Ok(()),
            Some(bound) => {
                let text = format!(
                    "This agent belongs to session {} already.",
                    bound.session_id
                );
                return Err(AgentError::new(Code::SessionNotReady, text));
            }
            None => {}
        }
        if let Some(limits) = &request.limits {
            if limits.terminals > 0 {
                self.terminals.limit(limits.terminals as usize);
            }
            self.watchdog.limit(limits);
        }
        tracing::info!(session.id = request.session_id, "Bound to a session");
        *binding = Some(request);
        Ok(())
    }

    /// The environment of a program.
    ///
    /// # Errors
    /// When the agent is not bound yet, or a name or value cannot be one.
    pub fn environment(
        &self,
        more: HashMap<String, String>,
    ) -> Result<BTreeMap<String, String>, AgentError> {
        let binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bound) = &*binding else {
            let text = "The agent is not bound to a session yet.";
            return Err(AgentError::new(Code::SessionNotReady, text));
        };
        let wrong = |(name, value): (&String, &String)| {
            name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
        };
        if more.len() > ENVIRONMENT_MAX || more.iter().any(wrong) {
            return Err(AgentError::invalid(
                "A variable of the environment is not valid.",
            ));
        }
        let env = bound.env.clone().into_iter().chain(more);
        Ok(environment::environment(
            &self.config,
            &bound.session_id,
            env,
        ))
    }
}

/// Serves until told to stop. `more` adds the services that others own, behind the same key.
///
/// # Errors
/// When the socket cannot be made or the server breaks.
pub async fn serve(
    agent: Arc<Agent>,
    more: impl FnOnce(Router, Bearer) -> Router,
) -> Result<(), ServeError> {
    if agent.config.key.expose().is_empty() {
        return Err(ServeError::NoKey);
    }
    let listen = |source| ServeError::Listen {
        path: agent.config.socket.clone(),
        source,
    };
    // One that a killed agent left behind.
    drop(std::fs::remove_file(&agent.config.socket));
    let listener = UnixListener::bind(&agent.config.socket).map_err(listen)?;
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&agent.config.socket, private).map_err(listen)?;
    start_tasks(&agent);

    let bearer = Bearer::new(&agent.config.key, agent.presence.clone());
    let service = AgentServer::with_interceptor(AgentService(agent.clone()), bearer.clone());
    let terminals =
        TerminalsServer::with_interceptor(TerminalService(agent.clone()), bearer.clone());
    let incoming = tokio_stream::wrappers::UnixListenerStream::new(listener)
        .map(|stream| stream.and_then(Carrier::new));
    let stopped = agent.stop.clone();
    let router = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(service)
        .add_service(terminals);
    let serving = more(router, bearer).serve_with_incoming_shutdown(incoming, stopped.cancelled());
    // Streams of terminals do not end by themselves, so a graceful stop gets a bound.
    let served = tokio::select! {
        served = serving => served,
        () = async {
            agent.stop.cancelled().await;
            tokio::time::sleep(FAREWELL).await;
        } => Ok(()),
    };
    drop(std::fs::remove_file(&agent.config.socket));
    served.map_err(ServeError::Serve)
}

fn start_tasks(agent: &Arc<Agent>) {
    let stop = agent.stop.clone();
    agent.tasks.spawn(async move {
        if let Err(error) = reaper::run(stop).await {
            tracing::error!(%error, "Could not listen for ended processes");
        }
    });
    if let Some(proxy) = agent.config.egress_socket.clone() {
        let (tasks, stop) = (agent.tasks.clone(), agent.stop.clone());
        agent.tasks.spawn(async move {
            let address = egress::PROXY_ADDRESS;
            if let Err(error) = egress::relay(address, proxy, tasks, stop).await {
                tracing::error!(%error, "Could not listen on {address}; programs cannot download");
            }
        });
    }
    let watched = agent.clone();
    agent
        .tasks
        .spawn(async move { crate::watchdog::run(watched).await });
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for chance"
)]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes
}
