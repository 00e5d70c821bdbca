//! One numbered stream of a connection: being opened, carrying frames, over.
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::Stream as _;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use prost::Message as _;
use slipway_proto::v1;
use slipway_proto::v1::ws_server;

use crate::error::Error;
use crate::session::relay::{self, Input, Output};

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

/// What became of a frame for a stream.
pub(super) enum Offered {
    Taken,
    /// Not yet: the waker is called when there is room.
    Full(v1::TerminalClient),
}

impl Stream {
    pub(super) fn new(number: u32, opened: Opened) -> Self {
        Self {
            number,
            input: opened.input,
            state: State::Opening(opened.flow),
            lost: opened.lost,
        }
    }

    /// Hands a frame towards the agent.
    pub(super) fn offer(&mut self, cx: &mut Context<'_>, frame: v1::TerminalClient) -> Offered {
        let Some(input) = &mut self.input else {
            return Offered::Taken;
        };
        match input.poll_reserve(cx) {
            Poll::Ready(Ok(())) => {
                // Reserved just now; a stream that ends meanwhile tells so itself.
                drop(input.send_item(frame));
                Offered::Taken
            }
            // The agent's stream is over and tells so itself.
            Poll::Ready(Err(_)) => {
                self.input = None;
                Offered::Taken
            }
            Poll::Pending => Offered::Full(frame),
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
