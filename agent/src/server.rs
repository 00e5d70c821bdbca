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
        let seen = Seen {
            heard: Duration::from_millis(agent.presence.quiet_ms()),
            moved: Duration::from_millis(agent.activity.quiet_ms()),
            live: agent.terminals.any_live(),
            // Where that cannot be told, it may be there.
            found: agent.config.socket.try_exists().unwrap_or(true),
        };
        let ground = agent.config.ground();
        if !seen.is_over(ground, alone) {
            continue;
        }
        tracing::warn!("Heard of nobody for {} s, ending", alone.as_secs());
        match (ground, seen.live) {
            // Nothing runs. At once, so that nothing begins meanwhile.
            (Ground::Machine, false) => agent.stop.cancel(),
            _ => agent.shut_down().await,
        }
        return;
    }
}

/// What an agent sees of those it is there for.
#[derive(Clone, Copy)]
struct Seen {
    /// How long ago somebody was heard of.
    heard: Duration,
    /// How long ago something moved.
    moved: Duration,
    /// Whether a program runs.
    live: bool,
    /// Whether it can be found: its socket is still there.
    found: bool,
}

impl Seen {
    /// Whether there is nothing to wait for any more.
    fn is_over(self, ground: Ground, alone: Duration) -> bool {
        self.heard > alone
            && match ground {
                Ground::Sandbox => true,
                // Somebody comes back to a program on their own machine, however late, and to what it said last; but not
                // where all that the app kept was taken away, and the way to the program with it.
                Ground::Machine => !self.found || (!self.live && self.moved > alone),
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_on_a_persons_machine_is_ended_for_want_of_a_viewer_only_where_none_can_come() {
        let alone = Duration::from_secs(10);
        let (short, long) = (alone, Duration::from_secs(11));
        let left = Seen {
            heard: long,
            moved: long,
            live: false,
            found: true,
        };
        let busy = Seen { live: true, ..left };
        let moving = Seen {
            moved: short,
            ..left
        };
        let viewed = |seen| Seen {
            heard: short,
            ..seen
        };
        let lost = |seen| Seen {
            found: false,
            ..seen
        };
        let over = |seen: Seen| seen.is_over(Ground::Machine, alone);
        assert!(over(left) && over(lost(busy)) && over(lost(moving)));
        assert!(!over(busy) && !over(moving));
        assert!(!over(viewed(left)) && !over(viewed(lost(busy))));
        assert!(moving.is_over(Ground::Sandbox, alone));
        assert!(!viewed(left).is_over(Ground::Sandbox, alone));
    }
}
