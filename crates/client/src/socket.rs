//! One WebSocket with many streams: terminals and events, each with a number.
use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use slipway_core::id::{SessionId, WorkspaceId};
use slipway_core::limits::WS_SILENCE_MS;
use slipway_proto::v1;
use slipway_proto::v1::{ws_client, ws_server};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::error::ClientError;
use crate::rest::Client;

/// Frames waiting for one stream's reader; a reader that stops holds back the whole socket, never memory.
const QUEUE: usize = 64;

/// A connection. Dropping it closes every stream of it.
pub struct Socket {
    out: mpsc::Sender<v1::WsClient>,
    streams: Streams,
    next: AtomicU32,
    _stop: DropGuard,
}

type Streams = Arc<Mutex<HashMap<u32, mpsc::Sender<ws_server::Body>>>>;

/// One stream of a socket.
pub struct Stream {
    number: u32,
    out: mpsc::Sender<v1::WsClient>,
    frames: mpsc::Receiver<ws_server::Body>,
}

impl Socket {
    /// Connects with the client's token.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub async fn connect(client: &Client) -> Result<Self, ClientError> {
        // In TLS or not is the connection's business, which is made as all others are.
        let (_, host) = client.base().split_once("://").unwrap_or_default();
        let address = format!("ws://{host}/api/v1/ws");
        let mut request = address.into_client_request()?;
        if let Some(token) = client.token() {
            let value = format!("Bearer {}", token.expose())
                .parse()
                .map_err(|_| ClientError::Protocol("the token is not a header value".to_owned()))?;
            request.headers_mut().insert("authorization", value);
        }
        let stream = client.dial().await?;
        let (socket, _) = tokio_tungstenite::client_async(request, stream).await?;
        let (mut sink, mut source) = socket.split();
        let (out, mut outgoing) = mpsc::channel::<v1::WsClient>(QUEUE);
        let streams = Streams::default();
        let stop = CancellationToken::new();

        let stopped = stop.clone();
        tokio::spawn(async move {
            while let Some(Some(frame)) = stopped.run_until_cancelled(outgoing.recv()).await {
                if sink
                    .send(Message::Binary(Bytes::from(frame.encode_to_vec())))
                    .await
                    .is_err()
                {
                    break;
                }
            }
            // The other side may be gone already.
            drop(sink.close().await);
        });
        let stopped = stop.clone();
        let routed = Arc::clone(&streams);
        tokio::spawn(async move {
            // The server asks again and again whether we are there: when nothing comes, it is not.
            let silence = Duration::from_millis(WS_SILENCE_MS);
            let mut next = async || tokio::time::timeout(silence, source.next()).await.ok()?;
            while let Some(Some(Ok(message))) = stopped.run_until_cancelled(next()).await {
                let Message::Binary(bytes) = message else {
                    continue;
                };
                let Ok(frame) = v1::WsServer::decode(bytes) else {
                    break;
                };
                let Some(body) = frame.body else { continue };
                let to = routed
                    .lock()
                    .expect("invariant: no holder panics")
                    .get(&frame.stream)
                    .cloned();
                if let Some(to) = to
                    && to.send(body).await.is_err()
                {
                    routed
                        .lock()
                        .expect("invariant: no holder panics")
                        .remove(&frame.stream);
                }
            }
            // Ends every stream: their receivers see the closed channel.
            routed.lock().expect("invariant: no holder panics").clear();
        });
        Ok(Self {
            out,
            streams,
            next: AtomicU32::new(1),
            _stop: stop.drop_guard(),
        })
    }

    /// Opens a stream with its first frame.
    async fn open(&self, first: ws_client::Body) -> Result<Stream, ClientError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, frames) = mpsc::channel(QUEUE);
        self.streams
            .lock()
            .expect("invariant: no holder panics")
            .insert(number, sender);
        let stream = Stream {
            number,
            out: self.out.clone(),
            frames,
        };
        stream.send(first).await?;
        Ok(stream)
    }

    /// Attaches to a terminal.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn attach(
        &self,
        session: SessionId,
        hello: v1::Hello,
    ) -> Result<Stream, ClientError> {
        self.open(ws_client::Body::Attach(v1::AttachTerminal {
            session_id: session.to_string(),
            hello: Some(hello),
        }))
        .await
    }

    /// What moves in a workspace, or in the account's list of workspaces.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn events(&self, workspace: Option<WorkspaceId>) -> Result<Events, ClientError> {
        let workspace_id = workspace.map(|id| id.to_string()).unwrap_or_default();
        Ok(Events(
            self.open(ws_client::Body::Subscribe(v1::SubscribeEvents {
                workspace_id,
            }))
            .await?,
        ))
    }
}

impl Stream {
    /// Sends a frame.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&self, body: ws_client::Body) -> Result<(), ClientError> {
        let frame = v1::WsClient {
            stream: self.number,
            body: Some(body),
        };
        self.out.send(frame).await.map_err(|_| ClientError::Gone)
    }

    /// The next frame; `None` when the stream is over.
    pub async fn recv(&mut self) -> Option<ws_server::Body> {
        self.frames.recv().await
    }
}

/// A subscription; ends when dropped.
pub struct Events(Stream);

impl Events {
    /// The next event; `None` when the stream is over.
    pub async fn recv(&mut self) -> Option<v1::Event> {
        loop {
            match self.0.recv().await? {
                ws_server::Body::Event(event) => return Some(event),
                ws_server::Body::Closed(_) => return None,
                ws_server::Body::Terminal(_)
                | ws_server::Body::Pong(_)
                | ws_server::Body::GoAway(_) => {}
            }
        }
    }
}
