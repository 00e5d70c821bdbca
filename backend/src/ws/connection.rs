//! One connection: a single state machine over its socket and all its streams. Nothing is taken from a stream
//! before the socket takes it, and a stream whose agent is slow holds up no other.
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket, close_code};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, Sink as _, Stream as _};
use prost::Message as _;
use slipway_core::code::Code;
use slipway_core::id::{SessionId, WorkspaceId};
use slipway_core::limits::WS_STREAMS_MAX;
use slipway_proto::v1;
use slipway_proto::v1::{ws_client, ws_server};
use tokio::time::{Instant, Interval, MissedTickBehavior, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::flow;
use super::stream::{Next, Stream};
use crate::account::token;
use crate::http::extract::SignedIn;
use crate::state::App;

/// How long a stopping server still carries streams, so that a client can open its next connection first.
const LINGER: Duration = Duration::from_millis(250);
/// A closed connection whose last bytes are not taken within this time is dropped.
const LAST_BYTES: Duration = Duration::from_secs(2);
/// Answers that wait for the socket; with more, nothing is read.
const ANSWERS_MAX: usize = 64;
/// Frames moved before other tasks get their turn.
const TURN_FRAMES: usize = 64;

/// Serves a connection until either side ends it.
pub(super) async fn serve(app: App, user: SignedIn, socket: WebSocket) {
    let mut connection = Connection::new(app, user, socket);
    std::future::poll_fn(|cx| connection.poll(cx)).await;
}

struct Connection {
    app: App,
    user: SignedIn,
    socket: WebSocket,
    streams: Vec<Stream>,
    /// Whose turn it is to be asked for a frame first.
    turn: usize,
    answers: VecDeque<Message>,
    unflushed: bool,
    heard: Instant,
    ping: Interval,
    stopping: Pin<Box<WaitForCancellationFutureOwned>>,
    going: bool,
    signed_out: BoxFuture<'static, ()>,
    /// Runs once the end is decided; the connection ends with it at the latest.
    end: Option<Pin<Box<Sleep>>>,
    /// The closing frame is on its way: nothing else is sent or read.
    closing: bool,
}

impl Connection {
    fn new(app: App, user: SignedIn, socket: WebSocket) -> Self {
        let every = Duration::from_millis(app.config.ws_ping_ms.max(1));
        let mut ping = tokio::time::interval_at(Instant::now() + every, every);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            stopping: Box::pin(app.stopping.clone().cancelled_owned()),
            signed_out: token::signed_out(&app, user.device, every).boxed(),
            app,
            user,
            socket,
            streams: Vec::new(),
            turn: 0,
            answers: VecDeque::new(),
            unflushed: false,
            heard: Instant::now(),
            ping,
            going: false,
            end: None,
            closing: false,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_clocks(cx).is_ready() {
            return Poll::Ready(());
        }
        // Also while the socket takes nothing.
        for stream in &mut self.streams {
            stream.hand_on(cx);
        }
        for _ in 0..TURN_FRAMES {
            // Keys before output: reading comes first in every round.
            let read = match self.poll_read(cx) {
                Poll::Ready(Some(())) => true,
                Poll::Ready(None) => return Poll::Ready(()),
                Poll::Pending => false,
            };
            let wrote = match self.poll_write(cx) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => false,
            };
            if !read && !wrote {
                return self.poll_flush(cx);
            }
        }
        if self.poll_flush(cx).is_ready() {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Pings, silence, the server's stop, a device that was signed out.
    fn poll_clocks(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while self.ping.poll_tick(cx).is_ready() {
            if self.heard.elapsed() > Duration::from_millis(self.app.config.ws_silence_ms) {
                return Poll::Ready(());
            }
            self.answers.push_back(Message::Ping(Bytes::new()));
        }
        if !self.going && self.stopping.as_mut().poll(cx).is_ready() {
            self.going = true;
            self.answer(
                0,
                ws_server::Body::GoAway(v1::GoAway {
                    after_ms: u32::try_from(LINGER.as_millis()).unwrap_or(0),
                }),
            );
            self.end = Some(Box::pin(tokio::time::sleep(LINGER)));
        }
        if !self.closing && self.signed_out.as_mut().poll(cx).is_ready() {
            let message = "This device was signed out. Sign in again.";
            self.closed(0, Some(Code::SignInExpired), message);
            self.close(close_code::POLICY, message);
        }
        if let Some(end) = &mut self.end {
            ready!(end.as_mut().poll(cx));
            if self.closing {
                return Poll::Ready(());
            }
            self.close(close_code::AWAY, "The server is shutting down.");
            // Registers the new timer.
            return self.poll_clocks(cx);
        }
        Poll::Pending
    }

    /// Takes one message from the socket. `None`: the other side is gone.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Option<()>> {
        if self.answers.len() >= ANSWERS_MAX {
            return Poll::Pending;
        }
        let Some(Ok(message)) = ready!(Pin::new(&mut self.socket).poll_next(cx)) else {
            return Poll::Ready(None);
        };
        self.heard = Instant::now();
        match message {
            Message::Binary(bytes) if !self.closing => match v1::WsClient::decode(bytes) {
                Ok(v1::WsClient {
                    stream,
                    body: Some(body),
                }) => self.take(cx, stream, body),
                Ok(v1::WsClient { body: None, .. }) | Err(_) => self.not_understood(),
            },
            Message::Text(_) if !self.closing => self.not_understood(),
            Message::Binary(_)
            | Message::Text(_)
            | Message::Ping(_)
            | Message::Pong(_)
            | Message::Close(_) => {}
        }
        Poll::Ready(Some(()))
    }

    fn take(&mut self, cx: &mut Context<'_>, number: u32, body: ws_client::Body) {
        match body {
            ws_client::Body::Terminal(frame) => self.offer(cx, number, frame),
            ws_client::Body::Attach(attach) => self.attach(number, attach),
            ws_client::Body::Subscribe(subscribe) => self.subscribe(number, &subscribe),
            ws_client::Body::Close(v1::CloseStream {}) => {
                // Dropping both halves ends the agent's stream.
                self.streams.retain(|stream| stream.number != number);
                self.closed(number, None, "");
            }
            ws_client::Body::Ping(ping) => {
                self.answer(
                    number,
                    ws_server::Body::Pong(v1::Pong { nonce: ping.nonce }),
                );
            }
        }
    }

    /// Hands a frame to its stream. One that is over takes everything: the client hears of it soon.
    fn offer(&mut self, cx: &mut Context<'_>, number: u32, frame: v1::TerminalClient) {
        let mut streams = self.streams.iter_mut();
        let Some(stream) = streams.find(|stream| stream.number == number) else {
            return;
        };
        if stream.offer(cx, frame).is_err() {
            self.streams.retain(|stream| stream.number != number);
            let message = "More was sent than the session takes. Attach again.";
            self.closed(number, Some(Code::TooManyRequests), message);
        }
    }

    fn attach(&mut self, number: u32, attach: v1::AttachTerminal) {
        let (Ok(session), Some(hello)) = (attach.session_id.parse::<SessionId>(), attach.hello)
        else {
            return self.closed(number, Some(Code::NotFound), "There is no such session.");
        };
        if self.may_open(number) {
            let opened = flow::terminal(self.app.clone(), self.user, session, hello);
            self.streams.push(Stream::new(number, opened));
        }
    }

    fn subscribe(&mut self, number: u32, subscribe: &v1::SubscribeEvents) {
        let workspace = match subscribe.workspace_id.as_str() {
            "" => None,
            text => match text.parse::<WorkspaceId>() {
                Ok(workspace) => Some(workspace),
                Err(_) => {
                    let message = "There is no such workspace.";
                    return self.closed(number, Some(Code::NotFound), message);
                }
            },
        };
        if self.may_open(number) {
            let opened = flow::events(self.app.clone(), self.user, workspace);
            self.streams.push(Stream::new(number, opened));
        }
    }

    fn may_open(&mut self, number: u32) -> bool {
        let known = self.streams.iter().any(|stream| stream.number == number);
        if number == 0 || known {
            let message = "A stream's number must be new and not 0.";
            self.closed(number, Some(Code::ProtocolMismatch), message);
            return false;
        }
        if self.streams.len() >= WS_STREAMS_MAX {
            let message = format!("One connection carries {WS_STREAMS_MAX} streams. Close some.");
            self.closed(number, Some(Code::TooManyRequests), &message);
            return false;
        }
        true
    }

    /// Hands one message to the socket: answers first, then streams in turn.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), axum::Error>> {
        ready!(Pin::new(&mut self.socket).poll_ready(cx))?;
        let message = match self.answers.pop_front() {
            Some(answer) => answer,
            None if self.closing => return Poll::Pending,
            None => Message::Binary(ready!(self.poll_streams(cx))),
        };
        self.unflushed = true;
        Poll::Ready(Pin::new(&mut self.socket).start_send(message))
    }

    /// The next encoded frame of any stream.
    fn poll_streams(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let count = self.streams.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let Some(stream) = self.streams.get_mut(at) else {
                continue;
            };
            match stream.poll(cx) {
                Poll::Pending => {}
                Poll::Ready(Next::Frame(frame)) => {
                    self.turn = at + 1;
                    return Poll::Ready(frame);
                }
                Poll::Ready(Next::Over(frame)) => {
                    self.streams.remove(at);
                    return Poll::Ready(frame);
                }
            }
        }
        Poll::Pending
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.unflushed {
            return Poll::Pending;
        }
        match Pin::new(&mut self.socket).poll_flush(cx) {
            Poll::Ready(Ok(())) => {
                self.unflushed = false;
                Poll::Pending
            }
            Poll::Ready(Err(_)) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    }

    fn not_understood(&mut self) {
        let message = "The message is not a frame of this protocol. Reload the page.";
        self.closed(0, Some(Code::ProtocolMismatch), message);
        self.close(close_code::PROTOCOL, message);
    }

    fn close(&mut self, code: u16, reason: &str) {
        if self.closing {
            return;
        }
        self.closing = true;
        self.streams.clear();
        self.answers.push_back(Message::Close(Some(CloseFrame {
            code,
            reason: reason.into(),
        })));
        self.end = Some(Box::pin(tokio::time::sleep(LAST_BYTES)));
    }

    fn closed(&mut self, number: u32, code: Option<Code>, message: &str) {
        let closed = v1::StreamClosed {
            code: code.map_or_else(String::new, |code| code.to_string()),
            message: message.to_owned(),
        };
        self.answer(number, ws_server::Body::Closed(closed));
    }

    fn answer(&mut self, stream: u32, body: ws_server::Body) {
        let frame = v1::WsServer {
            stream,
            body: Some(body),
        };
        let message = Message::Binary(frame.encode_to_vec().into());
        self.answers.push_back(message);
    }
}
