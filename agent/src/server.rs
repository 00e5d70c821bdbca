//! The agent's gRPC server on a Unix socket, and the tasks beside it.
use std::sync::Arc;
use std::time::Duration;

use slipway_proto::agent::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES};
use slipway_proto::carrier::{self, Carrier};
use slipway_proto::v1::agent_server::AgentServer;
use slipway_proto::v1::terminals_server::TerminalsServer;
use tokio::net::UnixListener;
use tokio_stream::StreamExt as _;
use tonic::transport::Server;
use tonic::transport::server::Router;

use crate::agent::Agent;
use crate::auth::Bearer;
use crate::config::{Config, Ground};
use crate::service::AgentService;
use crate::service::terminals::TerminalService;
use crate::{egress, reaper};

/// A backend that vanished without a word is noticed after the sum of these.
const KEEPALIVE: Duration = Duration::from_secs(15);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// After the last word to a backend, the time its answers have to leave.
const FAREWELL: Duration = Duration::from_secs(1);
/// How often it is asked whether anybody was heard of.
const ALONE_TICK: Duration = Duration::from_secs(30);

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

/// Listens where only the owner comes. Whoever knows the key may dial from now on.
///
/// # Errors
/// When the socket cannot be made, or nobody could show a key.
pub fn listen(config: &Config) -> Result<UnixListener, ServeError> {
    if config.key.expose().is_empty() {
        return Err(ServeError::NoKey);
    }
    let make = || {
        // One that a killed agent left behind.
        drop(std::fs::remove_file(&config.socket));
        let listener = carrier::bind(&config.socket)?;
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&config.socket, private)?;
        Ok(listener)
    };
    make().map_err(|source| ServeError::Listen {
        path: config.socket.clone(),
        source,
    })
}

/// Serves until told to stop. `more` adds the services that others own, behind the same key.
///
/// # Errors
/// When the server breaks.
pub async fn serve(
    agent: Arc<Agent>,
    listener: UnixListener,
    more: impl FnOnce(Router, Bearer) -> Router,
) -> Result<(), ServeError> {
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
    // A person's machine has limits of its own.
    if agent.config.ground() == Ground::Sandbox {
        let watched = agent.clone();
        agent.tasks.spawn(async move {
            let watch = watched.watchdog.run(&watched.terminals, &watched.activity);
            tokio::select! {
                () = watch => {}
                () = watched.stop.cancelled() => {}
            }
        });
    }
    let lonely = agent.clone();
    agent
        .tasks
        .spawn(async move { end_when_alone(&lonely).await });
}

/// Nobody may ever come back for an agent whose server or app is gone.
async fn end_when_alone(agent: &Agent) {
    let alone = agent.config.alone();
    let mut tick = tokio::time::interval(alone.min(ALONE_TICK));
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = agent.stop.cancelled() => return,
        }
        let heard = Duration::from_millis(agent.presence.quiet_ms());
        let moved = Duration::from_millis(agent.activity.quiet_ms());
        let ground = agent.config.ground();
        if !is_over(ground, alone, heard, moved, agent.terminals.any_live()) {
            continue;
        }
        tracing::warn!("Heard of nobody for {} s, ending", alone.as_secs());
        match ground {
            Ground::Sandbox => agent.shut_down().await,
            // Nothing runs. At once, so that nothing begins meanwhile.
            Ground::Machine => agent.stop.cancel(),
        }
        return;
    }
}

/// Whether an agent has nothing to wait for, that heard of somebody and saw something move so long ago.
fn is_over(ground: Ground, alone: Duration, heard: Duration, moved: Duration, live: bool) -> bool {
    heard > alone
        && match ground {
            Ground::Sandbox => true,
            // Somebody comes back to a program on their own machine, however late, and to what it said last.
            Ground::Machine => !live && moved > alone,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_a_persons_machine_is_never_ended_for_want_of_a_viewer() {
        let (alone, short, long) = (10, 10, 11);
        let over = |ground, heard, moved, live| {
            let [alone, heard, moved] = [alone, heard, moved].map(Duration::from_secs);
            is_over(ground, alone, heard, moved, live)
        };
        assert!(over(Ground::Machine, long, long, false));
        assert!(!over(Ground::Machine, long, long, true));
        assert!(!over(Ground::Machine, long, short, false));
        assert!(!over(Ground::Machine, short, long, false));
        assert!(over(Ground::Sandbox, long, short, true));
        assert!(!over(Ground::Sandbox, short, long, false));
    }
}
