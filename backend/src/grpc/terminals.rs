//! Terminals: an attachment passes through to the session's agent. Opening, listing and closing are REST's.
use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use prost::Message as _;
use slipway_core::code::Code;
use slipway_core::id::SessionId;
use slipway_core::limits::HTTP_HEAD_MS;
use slipway_proto::v1::terminal_client::Frame;
use slipway_proto::v1::{self, terminals_server};
use tonic::{Request, Response, Result, Status, Streaming};

use super::{bounded, signed_in};
use crate::error::Error;
use crate::state::App;
use slipway_proto::relay::{self, Input, Output};

/// From the call to its first frame.
const HELLO_WITHIN: Duration = Duration::from_millis(HTTP_HEAD_MS);

pub(super) struct Terminals(pub(super) App);

#[tonic::async_trait]
impl terminals_server::Terminals for Terminals {
    type AttachStream = BoxStream<'static, Result<v1::TerminalServer>>;

    async fn attach(
        &self,
        request: Request<Streaming<v1::TerminalClient>>,
    ) -> Result<Response<Self::AttachStream>> {
        let user = signed_in(&self.0, request.metadata()).await?;
        let mut frames = request.into_inner();
        let hello = hello(&mut frames).await?;
        let session = hello
            .session_id
            .parse::<SessionId>()
            .map_err(|_| Error::not_found("session"))?;
        let (input, attachment) = relay::attach(hello);
        let sessions = &self.0.sessions;
        let output = sessions.attach(user.user, session, attachment).await?;
        let frames = passed(self.0.clone(), session, frames, input, output);
        Ok(Response::new(bounded(&self.0, user, frames)))
    }

    async fn open(
        &self,
        _request: Request<v1::OpenTerminalRequest>,
    ) -> Result<Response<v1::TerminalInfo>> {
        Err(by_rest())
    }

    async fn list(
        &self,
        _request: Request<v1::ListTerminalsRequest>,
    ) -> Result<Response<v1::ListTerminalsReply>> {
        Err(by_rest())
    }

    async fn close(
        &self,
        _request: Request<v1::CloseTerminalRequest>,
    ) -> Result<Response<v1::CloseTerminalReply>> {
        Err(by_rest())
    }
}

fn by_rest() -> Status {
    Status::unimplemented(
        "Only an agent answers this; ask the server at /api/v1/sessions/{session}/terminals.",
    )
}

async fn hello(frames: &mut Streaming<v1::TerminalClient>) -> Result<v1::Hello> {
    let first = tokio::time::timeout(HELLO_WITHIN, frames.message()).await;
    match first {
        Ok(Ok(Some(v1::TerminalClient {
            frame: Some(Frame::Hello(hello)),
        }))) => Ok(hello),
        Ok(Err(status)) => Err(status),
        Ok(Ok(_)) | Err(_) => Err(Error::new(
            Code::ProtocolMismatch,
            "The first frame of an attachment is its hello.",
        )
        .into()),
    }
}

/// The agent's frames, while the client's are handed on. Both live and end with the call.
fn passed(
    app: App,
    session: SessionId,
    frames: Streaming<v1::TerminalClient>,
    input: Input,
    output: Output,
) -> impl futures_util::Stream<Item = Result<v1::TerminalServer>> {
    // A client that breaks off types nothing more; the agent ends the stream when its input does.
    let typed = frames
        .take_while(|frame| std::future::ready(frame.is_ok()))
        .filter_map(|frame| std::future::ready(frame.ok()))
        .map(Ok)
        .forward(input)
        .map(|_| None)
        .into_stream();
    let shown = output.map(move |frame| match frame {
        Ok(bytes) => {
            v1::TerminalServer::decode(bytes).map_err(|error| Status::internal(error.to_string()))
        }
        Err(status) => {
            app.sessions.agent_lost(session);
            let message =
                "The session's agent ended the stream. Attach again from the last offset.";
            Err(Error::new(relay::code_of(&status), message).into())
        }
    });
    // The output's end is the end, whatever is still typed.
    let shown = shown.map(Some).map(Some).chain(stream::iter([Some(None)]));
    stream::select(shown, typed)
        .filter_map(std::future::ready)
        .take_while(|frame| std::future::ready(frame.is_some()))
        .filter_map(std::future::ready)
}
