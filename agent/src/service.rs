//! The Agent service: bind, watch, runs, shutdown.
use std::pin::Pin;
use std::sync::Arc;

use slipway_core::code::Code;
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;
use slipway_proto::v1::agent_server::Agent as AgentApi;
use tokio::sync::{broadcast, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use crate::agent::Agent;
use crate::config::Ground;
use crate::error::AgentError;
use crate::terminal::table::Table;

pub mod terminals;

/// Events on their way to one watcher.
const WATCH_EVENTS_MAX: usize = 64;

/// Serves an agent.
#[derive(Clone)]
pub struct AgentService(pub Arc<Agent>);

#[tonic::async_trait]
impl AgentApi for AgentService {
    async fn bind(
        &self,
        request: Request<v1::BindRequest>,
    ) -> Result<Response<v1::BindReply>, Status> {
        self.0.bind(request.into_inner())?;
        Ok(Response::new(v1::BindReply {}))
    }

    type WatchStream = Pin<Box<dyn Stream<Item = Result<v1::AgentEvent, Status>> + Send>>;

    async fn watch(
        &self,
        _request: Request<v1::WatchRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let (sender, receiver) = mpsc::channel(WATCH_EVENTS_MAX);
        let agent = self.0.clone();
        self.0.tasks.spawn(async move {
            let _presence = agent.presence.stream();
            tokio::select! {
                () = tell(&agent, &sender) => {}
                () = sender.closed() => {}
                () = agent.stop.cancelled() => {}
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }

    async fn start_run(
        &self,
        request: Request<v1::StartRunRequest>,
    ) -> Result<Response<v1::StartRunReply>, Status> {
        let mut request = request.into_inner();
        if self.0.config.ground() == Ground::Machine {
            let text = "Runs need a session: beside an app there is no copy of the files that they begin with.";
            return Err(AgentError::new(Code::SessionNotReady, text).into());
        }
        let cwd = Table::folder(&self.0.config.workspace, &request.cwd)?;
        let env = self.0.environment(std::mem::take(&mut request.env))?;
        self.0.runs.start(request, cwd, env)?;
        Ok(Response::new(v1::StartRunReply {}))
    }

    async fn stop_run(
        &self,
        request: Request<v1::StopRunRequest>,
    ) -> Result<Response<v1::StopRunReply>, Status> {
        self.0.runs.stop(&request.into_inner().run_id)?;
        Ok(Response::new(v1::StopRunReply {}))
    }

    async fn acknowledge_run(
        &self,
        request: Request<v1::AcknowledgeRunRequest>,
    ) -> Result<Response<v1::AcknowledgeRunReply>, Status> {
        self.0.runs.acknowledge(&request.into_inner().run_id);
        Ok(Response::new(v1::AcknowledgeRunReply {}))
    }

    async fn shutdown(
        &self,
        _request: Request<v1::ShutdownRequest>,
    ) -> Result<Response<v1::ShutdownReply>, Status> {
        self.0.shut_down().await;
        Ok(Response::new(v1::ShutdownReply {}))
    }
}

/// Tells everything, then what changes; a watcher that fell behind is told everything again.
async fn tell(agent: &Agent, sender: &mpsc::Sender<Result<v1::AgentEvent, Status>>) {
    let mut changes = agent.events.subscribe();
    loop {
        let mut state = Vec::new();
        for terminal in agent.terminals.all() {
            state.push(Event::Terminal(terminal.info()));
        }
        state.extend(agent.runs.all().into_iter().map(Event::Run));
        state.extend(agent.watchdog.usage().map(Event::Usage));
        state.push(Event::Current(v1::Current {}));
        for event in state {
            if sender
                .send(Ok(v1::AgentEvent { event: Some(event) }))
                .await
                .is_err()
            {
                return;
            }
        }
        loop {
            match changes.recv().await {
                Ok(event) => {
                    if sender
                        .send(Ok(v1::AgentEvent { event: Some(event) }))
                        .await
                        .is_err()
                    {
                        return;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    changes = agent.events.subscribe();
                    break;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }
}
