//! The page's socket: numbered streams in frames, as a server's WebSocket carries them. Each stream is a task of its own;
//! all hand their frames to one short queue, so that a page that takes nothing holds them back.
use std::collections::HashMap;

use bytes::Bytes;
use prost::Message as _;
use slipway_core::code::Code;
use slipway_core::limits::{TERMINAL_INPUT_BYTES_MAX, WS_MESSAGE_BYTES_MAX, WS_STREAMS_MAX};
use slipway_proto::v1::{ws_client, ws_server};
use slipway_proto::{relay, v1};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Gateway;
use super::streams::{self, Typed};

/// Frames of the page that wait for us; whoever carries them ends a wire that is full.
const FRAMES_IN: usize = 512;
/// Frames that wait for the page; with more, every stream is held back.
const FRAMES_OUT: usize = 32;
/// Frames of one stream that wait for who is slow to take them. A page waits for acknowledgements of what was typed, so
/// one that keeps to the protocol has fewer under way.
const TYPED_FRAMES: usize = 128;

/// The page's end of a socket. Dropped, the streams end.
#[derive(Debug)]
pub struct Wire {
    /// `WsClient` frames of the page.
    pub to: mpsc::Sender<Bytes>,
    /// `WsServer` frames for it.
    pub from: mpsc::Receiver<Bytes>,
}

/// Opens a socket.
pub(super) fn open(gateway: Gateway) -> Wire {
    let (to, frames) = mpsc::channel(FRAMES_IN);
    let (out, from) = mpsc::channel(FRAMES_OUT);
    let over = gateway.0.over.clone();
    let served = serve(gateway, frames, Out(out));
    tokio::spawn(async move { over.run_until_cancelled(served).await });
    Wire { to, from }
}

/// Where frames for the page go.
#[derive(Clone)]
pub(super) struct Out(mpsc::Sender<Bytes>);

/// The page has gone.
#[derive(Debug)]
pub(super) struct Gone;

impl Out {
    pub(super) async fn send(&self, stream: u32, body: ws_server::Body) -> Result<(), Gone> {
        let frame = v1::WsServer {
            stream,
            body: Some(body),
        };
        let sent = self.0.send(frame.encode_to_vec().into()).await;
        sent.map_err(|_| Gone)
    }

    /// Passes on a frame of a terminal, its bytes not looked into.
    pub(super) async fn pass(&self, stream: u32, terminal: &Bytes) -> Result<(), Gone> {
        let sent = self.0.send(relay::envelope(stream, terminal)).await;
        sent.map_err(|_| Gone)
    }

    pub(super) async fn close(
        &self,
        stream: u32,
        code: Option<Code>,
        message: &str,
    ) -> Result<(), Gone> {
        let closed = v1::StreamClosed {
            code: code.map_or_else(String::new, |code| code.to_string()),
            message: message.to_owned(),
        };
        self.send(stream, ws_server::Body::Closed(closed)).await
    }
}

/// A stream of the page; dropped, it ends.
struct Stream {
    typed: Option<mpsc::Sender<v1::TerminalClient>>,
    task: JoinHandle<()>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Serves a socket until the page drops it.
async fn serve(gateway: Gateway, mut frames: mpsc::Receiver<Bytes>, out: Out) {
    let mut wire = Open {
        gateway,
        out,
        streams: HashMap::new(),
    };
    while let Some(frame) = frames.recv().await {
        if wire.take(frame).await.is_err() {
            return;
        }
    }
}

struct Open {
    gateway: Gateway,
    out: Out,
    streams: HashMap<u32, Stream>,
}

impl Open {
    async fn take(&mut self, frame: Bytes) -> Result<(), Gone> {
        let understood = (frame.len() <= WS_MESSAGE_BYTES_MAX)
            .then(|| v1::WsClient::decode(frame).ok())
            .flatten();
        let Some(v1::WsClient {
            stream,
            body: Some(body),
        }) = understood
        else {
            let message = "The message is not a frame of this protocol.";
            return self
                .out
                .close(0, Some(Code::ProtocolMismatch), message)
                .await;
        };
        match body {
            ws_client::Body::Terminal(frame) => self.offer(stream, frame).await,
            ws_client::Body::Attach(attach) => {
                let (typed, frames) = mpsc::channel(TYPED_FRAMES);
                let (gateway, out) = (self.gateway.clone(), self.out.clone());
                let task = async move {
                    streams::attach(&gateway, stream, attach, Typed(frames), &out).await
                };
                self.begin(stream, Some(typed), task).await
            }
            ws_client::Body::Subscribe(wanted) => {
                let (gateway, out) = (self.gateway.clone(), self.out.clone());
                let task = async move { streams::subscribe(&gateway, stream, &wanted, &out).await };
                self.begin(stream, None, task).await
            }
            ws_client::Body::Close(v1::CloseStream {}) => {
                self.streams.remove(&stream);
                self.out.close(stream, None, "").await
            }
            ws_client::Body::Ping(v1::Ping { nonce }) => {
                let pong = ws_server::Body::Pong(v1::Pong { nonce });
                self.out.send(stream, pong).await
            }
        }
    }

    /// Begins a stream. Whatever ends it by itself, it tells.
    async fn begin(
        &mut self,
        stream: u32,
        typed: Option<mpsc::Sender<v1::TerminalClient>>,
        task: impl Future<Output = Result<(), Gone>> + Send + 'static,
    ) -> Result<(), Gone> {
        self.streams.retain(|_, stream| !stream.task.is_finished());
        if stream == 0 || self.streams.contains_key(&stream) {
            let message = "A stream's number must be new and not 0.";
            return self
                .out
                .close(stream, Some(Code::ProtocolMismatch), message)
                .await;
        }
        if self.streams.len() >= WS_STREAMS_MAX {
            let message = format!("One connection carries {WS_STREAMS_MAX} streams. Close some.");
            return self
                .out
                .close(stream, Some(Code::TooManyRequests), &message)
                .await;
        }
        let task = tokio::spawn(async move {
            // The page has gone; so goes the stream.
            task.await.ok();
        });
        self.streams.insert(stream, Stream { typed, task });
        Ok(())
    }

    /// Hands a frame to its stream. One that is over takes everything: the page hears of it soon.
    async fn offer(&mut self, stream: u32, frame: v1::TerminalClient) -> Result<(), Gone> {
        let open = self.streams.get(&stream);
        let Some(typed) = open.and_then(|stream| stream.typed.as_ref()) else {
            return Ok(());
        };
        let is_large = frame.encoded_len() > 2 * TERMINAL_INPUT_BYTES_MAX;
        let refused = match typed.try_send(frame) {
            Err(mpsc::error::TrySendError::Full(_)) => true,
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => is_large,
        };
        if refused {
            self.streams.remove(&stream);
            let message = "More was sent than the session takes. Attach again.";
            return self
                .out
                .close(stream, Some(Code::TooManyRequests), message)
                .await;
        }
        Ok(())
    }
}
