//! What tests do with a signed-in client.
use slipway_api::run::{Run, RunState, RunTarget, StartRun};
use slipway_api::session::{Session, SessionState};
use slipway_api::workspace::Template;
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Place, Viewer};
use slipway_core::id::{RunId, SessionId, WorkspaceId};

use crate::lab::PATIENCE;

/// What tests do with a signed-in client.
pub(crate) trait Journey {
    async fn empty_workspace(&self) -> WorkspaceId;
    async fn started(&self, socket: &Socket, workspace: WorkspaceId) -> Session;
    async fn until(&self, socket: &Socket, workspace: WorkspaceId, state: SessionState) -> Session;
    async fn shell(&self, socket: &Socket, session: SessionId) -> Viewer;
    async fn command(&self, workspace: WorkspaceId, line: &str) -> Result<Run, ClientError>;
    async fn finished(&self, socket: &Socket, workspace: WorkspaceId, run: RunId) -> Run;
    async fn until_run(
        &self,
        socket: &Socket,
        workspace: WorkspaceId,
        run: RunId,
        state: RunState,
    ) -> Run;
}

impl Journey for Client {
    /// An empty workspace.
    async fn empty_workspace(&self) -> WorkspaceId {
        let workspace = self.create_workspace("tides", Template::Empty).await;
        workspace.expect("a workspace").id
    }

    /// A ready session.
    async fn started(&self, socket: &Socket, workspace: WorkspaceId) -> Session {
        self.start_session(workspace).await.expect("a session");
        self.until(socket, workspace, SessionState::Ready).await
    }

    async fn until(&self, socket: &Socket, workspace: WorkspaceId, state: SessionState) -> Session {
        let waited = self.wait_for_session(socket, workspace, |now| now == state);
        let session = tokio::time::timeout(PATIENCE, waited)
            .await
            .expect("in time")
            .expect("a session");
        assert_eq!(session.state, state, "{:?}", session.reason);
        session
    }

    /// An attached viewer of a new terminal whose shell answers.
    async fn shell(&self, socket: &Socket, session: SessionId) -> Viewer {
        let terminal = self
            .open_terminal(session, 80, 24)
            .await
            .expect("a terminal");
        let place = Place::new(session, terminal.id, terminal.id.to_string(), 80, 24);
        let mut viewer = Viewer::attach(socket, place).await.expect("attached");
        viewer.write(b"echo up=$((40+2))\r").await.expect("typed");
        let answered = tokio::time::timeout(PATIENCE, viewer.read_until("up=42"));
        answered.await.expect("in time").expect("the shell answers");
        viewer
    }

    async fn command(&self, workspace: WorkspaceId, line: &str) -> Result<Run, ClientError> {
        let start = StartRun {
            target: RunTarget::Command {
                line: line.to_owned(),
            },
            revision: None,
            cols: None,
            rows: None,
        };
        self.start_run(workspace, &start).await
    }

    async fn finished(&self, socket: &Socket, workspace: WorkspaceId, run: RunId) -> Run {
        let waited = self.wait_for_run(socket, workspace, run, |_| false);
        tokio::time::timeout(PATIENCE, waited)
            .await
            .expect("in time")
            .expect("a run")
    }

    async fn until_run(
        &self,
        socket: &Socket,
        workspace: WorkspaceId,
        run: RunId,
        state: RunState,
    ) -> Run {
        let mut events = socket.events(Some(workspace)).await.expect("events");
        let waited = async {
            loop {
                let found = self.run(run).await.expect("a run");
                if found.state == state {
                    return found;
                }
                events.recv().await.expect("events go on");
            }
        };
        tokio::time::timeout(PATIENCE, waited)
            .await
            .expect("in time")
    }
}
