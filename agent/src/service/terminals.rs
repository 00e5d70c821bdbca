//! The Terminals service: open, list, close, attach.
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use slipway_proto::v1;
use slipway_proto::v1::terminals_server::Terminals;
use slipway_terminal::log::Size;
use tokio::time::timeout;
use tokio_stream::Stream;
use tonic::{Request, Response, Status, Streaming};

use crate::agent::Agent;
use crate::error::AgentError;
use crate::terminal::spawn::Program;
use crate::terminal::table::Table;
use crate::terminal::{Opening, attach};

/// The first frame of an attachment comes within this time.
const HELLO: Duration = Duration::from_secs(10);

/// Serves the terminals of an agent.
#[derive(Clone)]
pub struct TerminalService(pub Arc<Agent>);

#[tonic::async_trait]
impl Terminals for TerminalService {
    async fn open(
        &self,
        request: Request<v1::OpenTerminalRequest>,
    ) -> Result<Response<v1::TerminalInfo>, Status> {
        let request = request.into_inner();
        if self.0.stop.is_cancelled() {
            return Err(Status::unavailable("the agent is ending"));
        }
        let cwd = Table::folder(&self.0.config.workspace, &request.cwd)?;
        let env = self.0.environment(request.env)?;
        let opening = Opening {
            id: request.terminal_id,
            run_id: String::new(),
            title: request.title,
            size: Size {
                cols: if request.cols == 0 { 80 } else { request.cols },
                rows: if request.rows == 0 { 24 } else { request.rows },
            },
            program: Program {
                ground: self.0.config.ground(),
                argv: request.command,
                cwd,
                env,
            },
        };
        Ok(Response::new(self.0.terminals.open(opening)?.info()))
    }

    async fn list(
        &self,
        _request: Request<v1::ListTerminalsRequest>,
    ) -> Result<Response<v1::ListTerminalsReply>, Status> {
        let terminals = self.0.terminals.all();
        let terminals = terminals.iter().map(|terminal| terminal.info()).collect();
        Ok(Response::new(v1::ListTerminalsReply { terminals }))
    }

    async fn close(
        &self,
        request: Request<v1::CloseTerminalRequest>,
    ) -> Result<Response<v1::CloseTerminalReply>, Status> {
        self.0
            .terminals
            .close(&request.into_inner().terminal_id)
            .await;
        Ok(Response::new(v1::CloseTerminalReply {}))
    }

    type AttachStream = Pin<Box<dyn Stream<Item = Result<v1::TerminalServer, Status>> + Send>>;

    async fn attach(
        &self,
        request: Request<Streaming<v1::TerminalClient>>,
    ) -> Result<Response<Self::AttachStream>, Status> {
        let mut inbound = request.into_inner();
        let first = timeout(HELLO, inbound.message())
            .await
            .map_err(|_| AgentError::invalid("No hello came within 10 seconds."))??;
        let Some(v1::terminal_client::Frame::Hello(hello)) = first.and_then(|first| first.frame)
        else {
            return Err(AgentError::invalid("The first frame is not a hello.").into());
        };
        let terminal = self.0.terminals.find(&hello.terminal_id)?;
        let presence = self.0.presence.stream();
        let (outbound, listening) = attach::attach(terminal, &hello, inbound, presence)?;
        self.0.tasks.spawn(listening);
        Ok(Response::new(Box::pin(outbound)))
    }
}
