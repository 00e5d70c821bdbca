//! The one way out of a session: an HTTP proxy on a Unix socket for each, which judges every connection by name,
//! port and address, logs it, and never looks at what it carries.
mod address;
mod dial;
mod rules;
mod tunnel;

use std::sync::Arc;

use slipway_core::id::SessionId;
use slipway_core::limits;
use tokio::net::UnixListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

use self::dial::Upstream;
pub use self::rules::EgressError;
use self::rules::Rules;
use crate::config::EgressMode;

/// The proxy's settings, shared by all sessions.
#[derive(Clone)]
pub struct Egress(Arc<Proxy>);

struct Proxy {
    rules: Rules,
    upstream: Option<Upstream>,
}

/// A proxy at work; dropping it ends it with its connections.
#[derive(Debug)]
pub struct Serving {
    _task: AbortOnDropHandle<()>,
}

impl Egress {
    /// Reads the mode, the administrator's list and the machine's own proxy.
    ///
    /// # Errors
    /// When an entry of the list or the upstream's address cannot be read.
    pub fn new(
        mode: EgressMode,
        allow: &[String],
        upstream: Option<&str>,
        upstream_resolves: bool,
    ) -> Result<Self, EgressError> {
        Ok(Self(Arc::new(Proxy {
            rules: Rules::new(mode, allow)?,
            upstream: upstream
                .map(|url| Upstream::parse(url, upstream_resolves))
                .transpose()?,
        })))
    }

    /// Serves one session's socket.
    #[must_use]
    pub fn serve(&self, listener: UnixListener, session: SessionId) -> Serving {
        let task = tokio::spawn(accept(Arc::clone(&self.0), listener, session));
        Serving {
            _task: AbortOnDropHandle::new(task),
        }
    }
}

async fn accept(proxy: Arc<Proxy>, listener: UnixListener, session: SessionId) {
    let room = Arc::new(Semaphore::new(limits::EGRESS_CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        // Without room the next connection waits in the socket's own queue.
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let client = match listener.accept().await {
            Ok((client, _)) => client,
            Err(error) => {
                tracing::warn!(session.id = %session, %error, "The egress proxy of session {session} cannot accept");
                // waits: without file descriptors the next accept fails at once, too
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let proxy = Arc::clone(&proxy);
        connections.spawn(async move {
            let done = tunnel::serve(&proxy, client).await;
            log(session, &done);
            drop(permit);
        });
        while connections.try_join_next().is_some() {}
    }
}

fn log(session: SessionId, done: &tunnel::Done) {
    let (host, port) = done
        .target
        .as_ref()
        .map_or(("", 0), |target| (target.host.as_str(), target.port));
    metrics::counter!("slipway_egress_connections_total", "verdict" => done.verdict).increment(1);
    tracing::info!(
        session.id = %session,
        egress.host = host,
        egress.port = port,
        egress.verdict = done.verdict,
        egress.sent_bytes = done.sent,
        egress.received_bytes = done.received,
        "Session {session} asked for {host}:{port}: {}",
        done.verdict
    );
}
