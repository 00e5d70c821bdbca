//! The agent's gRPC server on a Unix socket, and the tasks beside it.
use std::sync::Arc;
use std::time::Duration;

use slipway_core::limits::AGENT_ORPHAN_S;
use slipway_proto::carrier::Carrier;
use slipway_proto::v1::agent_server::AgentServer;
use slipway_proto::v1::terminals_server::TerminalsServer;
use tokio::net::UnixListener;
use tokio_stream::StreamExt as _;
use tonic::transport::Server;
use tonic::transport::server::Router;

use crate::agent::Agent;
use crate::auth::Bearer;
use crate::service::AgentService;
use crate::service::terminals::TerminalService;
use crate::{egress, reaper};

/// Flow control of HTTP/2: bulk output must never wait for window updates.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;
/// A backend that vanished without a word is noticed after the sum of these.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// After the last word to a backend, the time its answers have to leave.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often it is asked whether a server was heard of.
const ORPHAN_TICK: Duration = Duration::from_secs(30);

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
    agent.tasks.spawn(async move {
        let watch = watched.watchdog.run(&watched.terminals, &watched.activity);
        tokio::select! {
            () = watch => {}
            () = watched.stop.cancelled() => {}
        }
    });
    let lonely = agent.clone();
    agent
        .tasks
        .spawn(async move { end_when_orphaned(&lonely).await });
}

/// Nobody may ever come back for an agent whose server is gone.
async fn end_when_orphaned(agent: &Agent) {
    let mut tick = tokio::time::interval(ORPHAN_TICK);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = agent.stop.cancelled() => return,
        }
        if agent.presence.quiet_ms() > AGENT_ORPHAN_S * 1000 {
            tracing::warn!("Heard nothing of a server for {AGENT_ORPHAN_S} s, ending");
            agent.shut_down().await;
            return;
        }
    }
}
