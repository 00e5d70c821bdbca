//! The connections of a client. Those of its streams are two: one for what a person waits for and one for contents, so
//! that a large file never holds up a key. Each is made when it is first needed, and made anew after a break. Those of
//! its requests are a pool.
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
#[derive(Clone, Debug)]
pub(crate) struct Lines(Arc<Mutex<Current>>);

#[derive(Debug)]
struct Current {
    /// For requests.
    http: reqwest::Client,
    interaction: Option<Channel>,
    contents: Option<Channel>,
    /// Ends what runs over these two.
    over: CancellationToken,
}

impl Current {
    fn with(http: reqwest::Client) -> Self {
        Self {
            http,
            interaction: None,
            contents: None,
            over: CancellationToken::new(),
        }
    }
}

/// A pool of connections for requests, empty.
fn pool() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .connect_timeout(CONNECT_WITHIN)
        .tcp_nodelay(true)
        // As the list of devices shows it.
        .user_agent(concat!("slipway/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .build()
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
    pub(crate) fn new() -> Result<Self, ClientError> {
        Ok(Self(Arc::new(Mutex::new(Current::with(pool()?)))))
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Client {
    /// Takes all connections for dead: the network is another one, or the machine slept. Streams end at once instead of
    /// waiting for an answer that cannot come; new ones, and requests, are made on new connections.
    pub fn cut(&self) {
        // It could be made once; else the one of before finds out by itself.
        let http = pool().unwrap_or_else(|_| self.http());
        let before = std::mem::replace(&mut *self.lines().lock(), Current::with(http));
        before.over.cancel();
    }

    /// What requests are made with.
    pub(crate) fn http(&self) -> reqwest::Client {
        self.lines().lock().http.clone()
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

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// Answers the first request of each connection, and nothing after it.
    async fn forgetful() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut question = [0; 4096];
                assert!(stream.read(&mut question).await.unwrap() > 0);
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1";
                stream.write_all(answer.as_bytes()).await.unwrap();
                open.push(stream);
            }
        });
        address
    }

    #[tokio::test]
    async fn after_a_cut_a_request_goes_by_a_new_connection() {
        let client = Client::new(forgetful().await).unwrap();
        for _ in 0..2 {
            let answer = tokio::time::timeout(CONNECT_WITHIN, client.get::<u32>("/server"));
            assert_eq!(answer.await.expect("not by the dead one").unwrap(), 1);
            client.cut();
        }
    }
}
