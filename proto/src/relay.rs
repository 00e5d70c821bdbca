//! Between a viewer and an agent: frames pass as they are. Any carrier can stand in front, a WebSocket, gRPC or a window.
//! Nothing is kept here; credits are end to end, so a relay holds at most what is in flight.
use bytes::{Buf as _, BufMut as _, Bytes};
use http::uri::PathAndQuery;
use prost::Message as _;
use slipway_core::code::Code;
use slipway_core::limits::TERMINAL_FRAME_BYTES_MAX;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::PollSender;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status, Streaming};

use crate::agent::AgentHandle;
use crate::v1::terminal_client::Frame;
use crate::{codec, v1};

/// Client frames waiting for the agent; when they are full, the carrier stops reading from its viewer.
const INPUT_FRAMES_MAX: usize = 32;
/// Largest frame an agent may send: an output frame and what surrounds it.
const AGENT_FRAME_BYTES_MAX: usize = 4 * TERMINAL_FRAME_BYTES_MAX;

/// Frames towards the agent; `poll_reserve` is the back-pressure.
pub type Input = PollSender<v1::TerminalClient>;
/// Encoded `TerminalServer` messages from the agent, not looked into.
pub type Output = Streaming<Bytes>;

/// An attachment that has begun on the viewer's side.
pub struct Attachment {
    frames: mpsc::Receiver<v1::TerminalClient>,
}

/// Begins an attachment. What the viewer types from here on follows the hello, whenever the agent is reached.
#[must_use]
pub fn attach(hello: v1::Hello) -> (Input, Attachment) {
    let (sender, frames) = mpsc::channel(INPUT_FRAMES_MAX);
    let first = v1::TerminalClient {
        frame: Some(Frame::Hello(hello)),
    };
    sender
        .try_send(first)
        .expect("invariant: a new channel has room for the hello");
    (PollSender::new(sender), Attachment { frames })
}

impl Attachment {
    /// Hands out the frames of an agent.
    ///
    /// # Errors
    /// What the agent answered, or the way to it.
    pub async fn open(self, agent: &AgentHandle) -> Result<Output, Status> {
        let mut grpc = tonic::client::Grpc::new(agent.service())
            .max_decoding_message_size(AGENT_FRAME_BYTES_MAX);
        grpc.ready()
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        let path = PathAndQuery::from_static("/slipway.v1.Terminals/Attach");
        let frames = Request::new(ReceiverStream::new(self.frames));
        let answer = grpc.streaming(frames, path, Frames).await?;
        Ok(answer.into_inner())
    }
}

/// The API's code for what an agent, or the way to it, answered.
#[must_use]
pub fn code_of(status: &Status) -> Code {
    let told = status.metadata().get("slipway-code");
    if let Some(code) = told.and_then(|text| Code::parse(text.to_str().ok()?)) {
        return code;
    }
    match status.code() {
        tonic::Code::NotFound => Code::NotFound,
        tonic::Code::InvalidArgument | tonic::Code::OutOfRange => Code::InvalidRequest,
        tonic::Code::ResourceExhausted => Code::TooManyTerminals,
        tonic::Code::FailedPrecondition => Code::SessionNotReady,
        tonic::Code::Aborted => Code::ExecFailed,
        tonic::Code::Ok
        | tonic::Code::Cancelled
        | tonic::Code::Unknown
        | tonic::Code::DeadlineExceeded
        | tonic::Code::AlreadyExists
        | tonic::Code::PermissionDenied
        | tonic::Code::Unimplemented
        | tonic::Code::Internal
        | tonic::Code::Unavailable
        | tonic::Code::DataLoss
        | tonic::Code::Unauthenticated => Code::SessionUnreachable,
    }
}

/// Encodes what goes to the agent, leaves what comes from it encoded.
struct Frames;

impl Codec for Frames {
    type Encode = v1::TerminalClient;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        Self
    }
    fn decoder(&mut self) -> Self::Decoder {
        Self
    }
}

impl Encoder for Frames {
    type Item = v1::TerminalClient;
    type Error = Status;

    fn encode(&mut self, item: Self::Item, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        item.encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }

    fn buffer_settings(&self) -> BufferSettings {
        codec::buffers()
    }
}

impl Decoder for Frames {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }

    fn buffer_settings(&self) -> BufferSettings {
        codec::buffers()
    }
}

/// Wraps an encoded `TerminalServer` as a `WsServer` of `stream` by writing the envelope in front of it.
#[must_use]
pub fn envelope(stream: u32, terminal: &Bytes) -> Bytes {
    const TERMINAL_FIELD: u32 = 2;
    let mut frame = bytes::BytesMut::with_capacity(terminal.len() + 16);
    prost::encoding::uint32::encode(1, &stream, &mut frame);
    prost::encoding::encode_key(
        TERMINAL_FIELD,
        prost::encoding::WireType::LengthDelimited,
        &mut frame,
    );
    prost::encoding::encode_varint(terminal.len() as u64, &mut frame);
    frame.put_slice(terminal);
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{terminal_server, ws_server};

    #[test]
    fn the_envelope_is_what_the_schema_says() {
        for (stream, length) in [(1, 0), (7, 5), (300, 70_000)] {
            let terminal = v1::TerminalServer {
                frame: Some(terminal_server::Frame::Output(v1::Output {
                    offset: 12,
                    data: vec![b'x'; length].into(),
                    input_offset: 3,
                })),
            };
            let frame = envelope(stream, &terminal.encode_to_vec().into());
            let read = v1::WsServer::decode(frame).unwrap();
            assert_eq!(read.stream, stream);
            assert_eq!(read.body, Some(ws_server::Body::Terminal(terminal)));
        }
    }
}
