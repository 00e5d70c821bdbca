//! Typed calls: runs and tasks.
use bytes::Bytes;
use reqwest::Method;
use slipway_api::run::{Run, RunState, Runs, StartRun, Tasks};
use slipway_core::id::{RunId, WorkspaceId};
use slipway_proto::v1;

use crate::error::ClientError;
use crate::rest::Client;
use crate::socket::Socket;

impl Client {
    /// Starts a run; starts a session when there is none.
    ///
    /// # Errors
    /// As [`Client::send`]; so for every call below.
    pub async fn start_run(
        &self,
        workspace: WorkspaceId,
        start: &StartRun,
    ) -> Result<Run, ClientError> {
        self.call(
            Method::POST,
            &format!("/workspaces/{workspace}/runs"),
            start,
        )
        .await
    }

    /// One run.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn run(&self, run: RunId) -> Result<Run, ClientError> {
        self.get(&format!("/runs/{run}")).await
    }

    /// Runs of a workspace, newest first.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn runs(&self, workspace: WorkspaceId) -> Result<Runs, ClientError> {
        self.get(&format!("/workspaces/{workspace}/runs")).await
    }

    /// The kept output of a run.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn run_output(&self, run: RunId) -> Result<Bytes, ClientError> {
        self.bytes(&format!("/runs/{run}/output")).await
    }

    /// Asks a run to stop: INT, then TERM, then KILL.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn stop_run(&self, run: RunId) -> Result<(), ClientError> {
        self.send(self.request(Method::POST, &format!("/runs/{run}/stop")))
            .await
            .map(drop)
    }

    /// What the workspace offers to run.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn tasks(&self, workspace: WorkspaceId) -> Result<Tasks, ClientError> {
        self.get(&format!("/workspaces/{workspace}/tasks")).await
    }

    /// Waits by events until a run is in a wanted state or over, and answers with it.
    ///
    /// # Errors
    /// As [`Client::send`]; when the events end.
    pub async fn wait_for_run(
        &self,
        socket: &Socket,
        workspace: WorkspaceId,
        run: RunId,
        wanted: impl Fn(RunState) -> bool,
    ) -> Result<Run, ClientError> {
        let mut events = socket.events(Some(workspace)).await?;
        loop {
            let found = self.run(run).await?;
            if wanted(found.state) || matches!(found.state, RunState::Done | RunState::Failed) {
                return Ok(found);
            }
            loop {
                let event = events.recv().await.ok_or(ClientError::Gone)?;
                if matches!(
                    event.event,
                    Some(v1::event::Event::Run(_) | v1::event::Event::Session(_))
                ) {
                    break;
                }
            }
        }
    }
}
