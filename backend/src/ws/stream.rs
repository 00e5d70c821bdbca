//! One numbered stream of a connection: being opened, carrying frames, over.
use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use prost::Message as _;
use slipway_core::limits::TERMINAL_INPUT_BYTES_MAX;
use slipway_proto::v1;
use slipway_proto::v1::ws_server;

use crate::error::Error;
use slipway_proto::relay::{self, Input, Output};

/// Frames that wait for an agent that does not take them. A client waits for acknowledgements of what was typed, so one
/// that keeps to the protocol has fewer under way.
const WAITING_FRAMES_MAX: usize = 512;
/// Bytes of such frames.
const WAITING_BYTES_MAX: usize = 2 * TERMINAL_INPUT_BYTES_MAX;

/// What a stream carries towards the client.
pub(super) enum Flow {
    /// Encoded frames of a terminal.
    Terminal(Box<Output>),
    /// Events.
    Events(BoxStream<'static, v1::Event>),
}

/// A stream that was asked for: where its input goes, and what it will carry.
pub(super) struct Opened {
    pub(super) input: Option<Input>,
    pub(super) flow: BoxFuture<'static, Result<Flow, Error>>,
    /// Called when the agent behind it did not answer.
    pub(super) lost: Box<dyn Fn() + Send>,
}

/// A stream.
pub(super) struct Stream {
    pub(super) number: u32,
    input: Option<Input>,
    /// Frames that the agent does not take yet, and their bytes.
    waiting: VecDeque<v1::TerminalClient>,
    waiting_bytes: usize,
    state: State,
    lost: Box<dyn Fn() + Send>,
}

enum State {
    Opening(BoxFuture<'static, Result<Flow, Error>>),
    Open(Flow),
}

/// What a stream has for the socket.
pub(super) enum Next {
    /// A frame, enveloped.
    Frame(Bytes),
    /// The last frame: how it ended.
    Over(Bytes),
}

/// More frames wait for a stream's agent than a client may have under way.
#[derive(Debug)]
pub(super) struct Overrun;

impl Stream {
    pub(super) fn new(number: u32, opened: Opened) -> Self {
        Self {
            number,
            input: opened.input,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            state: State::Opening(opened.flow),
            lost: opened.lost,
        }
    }

    /// Takes a frame for the agent. One that is slow holds up nobody but this stream.
    pub(super) fn offer(
        &mut self,
        cx: &mut Context<'_>,
        frame: v1::TerminalClient,
    ) -> Result<(), Overrun> {
        if self.input.is_none() {
            // It is over and tells so itself.
            return Ok(());
        }
        self.waiting_bytes += frame.encoded_len();
        self.waiting.push_back(frame);
        self.hand_on(cx);
        let overrun =
            self.waiting.len() > WAITING_FRAMES_MAX || self.waiting_bytes > WAITING_BYTES_MAX;
        if overrun { Err(Overrun) } else { Ok(()) }
    }

    /// Hands waiting frames to the agent as far as it takes them.
    pub(super) fn hand_on(&mut self, cx: &mut Context<'_>) {
        while let (Some(input), false) = (&mut self.input, self.waiting.is_empty()) {
            match input.poll_reserve(cx) {
                Poll::Ready(Ok(())) => {
                    if let Some(frame) = self.waiting.pop_front() {
                        self.waiting_bytes -= frame.encoded_len();
                        // Reserved just now; a stream that ends meanwhile tells so itself.
                        drop(input.send_item(frame));
                    }
                }
                // The agent's stream is over and tells so itself.
                Poll::Ready(Err(_)) => {
                    self.input = None;
                    self.waiting.clear();
                }
                Poll::Pending => return,
            }
        }
    }

    /// The next frame for the socket.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        if let State::Opening(opening) = &mut self.state {
            match ready!(opening.as_mut().poll(cx)) {
                Ok(flow) => self.state = State::Open(flow),
                Err(error) => return Poll::Ready(self.over(error.code().as_str(), error.detail())),
            }
        }
        let State::Open(flow) = &mut self.state else {
            return Poll::Pending;
        };
        let next = match flow {
            Flow::Terminal(output) => match ready!(Pin::new(output).poll_next(cx)) {
                Some(Ok(frame)) => Next::Frame(relay::envelope(self.number, &frame)),
                Some(Err(status)) => {
                    (self.lost)();
                    self.over(
                        relay::code_of(&status).as_str(),
                        "The session's agent ended the stream. Attach again from the last offset.",
                    )
                }
                None => self.over("", ""),
            },
            Flow::Events(events) => match ready!(events.as_mut().poll_next(cx)) {
                Some(event) => Next::Frame(self.frame(ws_server::Body::Event(event))),
                None => self.over("", ""),
            },
        };
        Poll::Ready(next)
    }

    fn over(&self, code: &str, message: &str) -> Next {
        Next::Over(self.frame(ws_server::Body::Closed(v1::StreamClosed {
            code: code.to_owned(),
            message: message.to_owned(),
        })))
    }

    fn frame(&self, body: ws_server::Body) -> Bytes {
        v1::WsServer {
            stream: self.number,
            body: Some(body),
        }
        .encode_to_vec()
        .into()
    }
}
