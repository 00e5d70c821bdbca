//! Typed calls: sessions and their terminals.
use reqwest::Method;
use slipway_api::session::{OpenTerminal, Session, SessionState, Terminal, Terminals};
use slipway_core::id::{SessionId, TerminalId, WorkspaceId};
use slipway_proto::v1;

use crate::error::ClientError;
use crate::rest::Client;
use crate::socket::Socket;

impl Client {
    /// Starts a session, or answers with the live one.
    ///
    /// # Errors
    /// As [`Client::send`]; so for every call below.
    pub async fn start_session(&self, workspace: WorkspaceId) -> Result<Session, ClientError> {
        Ok(self
            .send(self.request(Method::POST, &format!("/workspaces/{workspace}/session")))
            .await?
            .json()
            .await?)
    }

    /// The workspace's newest session; `None` when it never had one.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn session(&self, workspace: WorkspaceId) -> Result<Option<Session>, ClientError> {
        self.get(&format!("/workspaces/{workspace}/session")).await
    }

    /// Stops the live session.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn stop_session(&self, workspace: WorkspaceId) -> Result<(), ClientError> {
        self.send(self.request(Method::DELETE, &format!("/workspaces/{workspace}/session")))
            .await
            .map(drop)
    }

    /// Waits by events until the session is ready or over, and answers with it.
    ///
    /// # Errors
    /// As [`Client::send`]; when the events end.
    pub async fn wait_for_session(
        &self,
        socket: &Socket,
        workspace: WorkspaceId,
        wanted: impl Fn(SessionState) -> bool,
    ) -> Result<Session, ClientError> {
        let mut events = socket.events(Some(workspace)).await?;
        loop {
            if let Some(session) = self.session(workspace).await?
                && (wanted(session.state)
                    || matches!(session.state, SessionState::Failed | SessionState::Stopped))
            {
                return Ok(session);
            }
            loop {
                let event = events.recv().await.ok_or(ClientError::Gone)?;
                if matches!(event.event, Some(v1::event::Event::Session(_))) {
                    break;
                }
            }
        }
    }

    /// Opens a terminal with a shell.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn open_terminal(
        &self,
        session: SessionId,
        cols: u32,
        rows: u32,
    ) -> Result<Terminal, ClientError> {
        self.call(
            Method::POST,
            &format!("/sessions/{session}/terminals"),
            &OpenTerminal {
                cols,
                rows,
                cwd: None,
            },
        )
        .await
    }

    /// All terminals of a session.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn terminals(&self, session: SessionId) -> Result<Terminals, ClientError> {
        self.get(&format!("/sessions/{session}/terminals")).await
    }

    /// Ends a terminal's program and forgets its output.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub async fn close_terminal(
        &self,
        session: SessionId,
        terminal: TerminalId,
    ) -> Result<(), ClientError> {
        self.send(self.request(
            Method::DELETE,
            &format!("/sessions/{session}/terminals/{terminal}"),
        ))
        .await
        .map(drop)
    }
}
