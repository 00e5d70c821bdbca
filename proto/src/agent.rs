//! An agent as whoever dials it speaks to it: one connection, one key, three services on it.
use std::path::Path;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use slipway_core::limits::MIB;
use slipway_core::secret::Secret;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::carrier::Carrier;
use crate::v1::agent_client::AgentClient;
use crate::v1::terminals_client::TerminalsClient;

const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// Flow control of HTTP/2: bulk output must never wait for window updates.
pub const STREAM_WINDOW_BYTES: u32 = 4 * MIB as u32;
/// The same of all streams together.
pub const CONNECTION_WINDOW_BYTES: u32 = 2 * STREAM_WINDOW_BYTES;

/// How an agent is dialled, by a connector that knows its socket: the address is never used.
#[must_use]
pub fn endpoint() -> Endpoint {
    Endpoint::from_static("http://agent.invalid")
        .connect_timeout(DIAL_TIMEOUT)
        .tcp_nodelay(true)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
}

/// Connects to the agent that listens on a socket of this machine.
///
/// # Errors
/// When nobody listens there.
pub async fn dial(socket: &Path) -> Result<Channel, tonic::transport::Error> {
    let socket: Arc<Path> = socket.into();
    let connect = move |_: http::Uri| {
        let socket = Arc::clone(&socket);
        async move { Carrier::connect(&socket).await.map(TokioIo::new) }
    };
    endpoint()
        .connect_with_connector(tower::service_fn(connect))
        .await
}

/// A connection to an agent whose calls carry its key. Cheap to clone; clones share the connection.
#[derive(Clone, Debug)]
pub struct AgentHandle {
    /// The connection.
    pub channel: Channel,
    /// What the agent asks for.
    pub key: Secret,
    bearer: Bearer,
}

/// Puts the key into every call.
#[derive(Clone, Debug)]
pub struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", value.clone());
        }
        Ok(request)
    }
}

impl AgentHandle {
    /// Speaks on `channel` with `key`.
    #[must_use]
    pub fn new(channel: Channel, key: Secret) -> Self {
        // A key of hex digits is always a header value.
        let mut value = MetadataValue::from_str(&format!("Bearer {}", key.expose())).ok();
        if let Some(value) = &mut value {
            value.set_sensitive(true);
        }
        Self {
            channel,
            key,
            bearer: Bearer(value),
        }
    }

    /// The channel with the key in each call, for calls with a codec of their own.
    #[must_use]
    pub fn service(&self) -> InterceptedService<Channel, Bearer> {
        InterceptedService::new(self.channel.clone(), self.bearer.clone())
    }

    /// Binding, runs, watching.
    #[must_use]
    pub fn agent(&self) -> AgentClient<InterceptedService<Channel, Bearer>> {
        AgentClient::new(self.service())
    }

    /// Terminals.
    #[must_use]
    pub fn terminals(&self) -> TerminalsClient<InterceptedService<Channel, Bearer>> {
        TerminalsClient::new(self.service())
    }
}
