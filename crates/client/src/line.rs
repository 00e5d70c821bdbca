//! The connections of a client's streams: one for what a person waits for and one for contents, so that a large file
//! never holds up a key. Each is made when it is first needed, and made anew after a break.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};
use tower::ServiceExt as _;

use crate::error::ClientError;
use crate::rest::Client;

/// From the start of a dial to a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How often the other side is asked whether it is there, and how long it may take to say so.
const ALIVE_EVERY: Duration = Duration::from_secs(15);
const ALIVE_WITHIN: Duration = Duration::from_secs(10);

/// The connections of one client and its clones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Current>>);

#[derive(Debug, Default)]
struct Current {
    interaction: Option<Channel>,
    contents: Option<Channel>,
    /// Ends what runs over these two.
    over: CancellationToken,
}

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Somebody waits for it.
    Interaction,
    /// Contents of files.
    Contents,
}

impl Lines {
    fn lock(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Takes all connections for dead: the network is another one, or the machine slept. Streams end at once instead of
    /// waiting for an answer that cannot come; new ones are made on new connections.
    pub fn cut(&self) {
        let before = std::mem::take(&mut *self.lines().lock());
        before.over.cancel();
    }

    /// Resolves when the connections of now are taken for dead.
    pub(crate) fn over(&self) -> CancellationToken {
        self.lines().lock().over.clone()
    }

    /// The connection for a purpose, over TLS when the address says so, trusted as the typed calls trust.
    pub(crate) fn channel(&self, purpose: Purpose) -> Result<Channel, ClientError> {
        let mut lines = self.lines().lock();
        let line = match purpose {
            Purpose::Interaction => &mut lines.interaction,
            Purpose::Contents => &mut lines.contents,
        };
        if let Some(channel) = line {
            return Ok(channel.clone());
        }
        let endpoint = Endpoint::from_shared(self.base().to_owned())?
            .connect_timeout(CONNECT_WITHIN)
            .http2_keep_alive_interval(ALIVE_EVERY)
            .keep_alive_timeout(ALIVE_WITHIN)
            .keep_alive_while_idle(true);
        let connector = connector(Speaks::Http2)?;
        Ok(line
            .insert(endpoint.connect_with_connector_lazy(connector))
            .clone())
    }

    /// A connection of its own, for a protocol that takes a whole one.
    pub(crate) async fn dial(
        &self,
    ) -> Result<TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>, ClientError> {
        let address: Uri = self
            .base()
            .parse()
            .map_err(|_| ClientError::Protocol("the server's address is none".to_owned()))?;
        let dialled = connector(Speaks::Http1)?.oneshot(address).await;
        dialled.map(TokioIo::new).map_err(ClientError::Dial)
    }

    /// Frames with who sends them.
    pub(crate) fn signed<S>(&self, frames: S) -> Result<Request<S>, Status> {
        let mut request = Request::new(frames);
        if let Some(token) = self.token() {
            let mut value: tonic::metadata::AsciiMetadataValue =
                format!("Bearer {}", token.expose())
                    .parse()
                    .map_err(|_| Status::invalid_argument("the token is no header value"))?;
            value.set_sensitive(true);
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}

#[derive(Clone, Copy)]
enum Speaks {
    Http1,
    Http2,
}

fn connector(speaks: Speaks) -> Result<HttpsConnector<HttpConnector>, ClientError> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_WITHIN));
    let builder = HttpsConnectorBuilder::new()
        .try_with_platform_verifier()
        .map_err(|error| ClientError::Protocol(format!("set up TLS: {error}")))?
        .https_or_http();
    Ok(match speaks {
        Speaks::Http1 => builder.enable_http1().wrap_connector(http),
        Speaks::Http2 => builder.enable_http2().wrap_connector(http),
    })
}
