//! The way to the agent of a session, whichever server drives it.
use slipway_api::session::SessionState;
use slipway_core::code::Code;
use slipway_core::id::{SessionId, UserId};
use slipway_core::secret::Secret;
use slipway_proto::agent::AgentHandle;
use slipway_proto::relay::{self, Attachment, Output};

use super::agent;
use super::store::Record;
use super::{READY_WAIT, Sessions, lock, no_session, not_ready, unknown};
use crate::error::Error;

impl Sessions {
    /// The connection to a session's agent, whichever server drives it.
    ///
    /// # Errors
    /// When the session is not ready or its place cannot be reached.
    pub async fn agent(&self, session: SessionId) -> Result<AgentHandle, Error> {
        if let Some(agent) = lock(&self.inner.agents).get(&session) {
            return Ok(agent.clone());
        }
        let record = self.ready(session).await?;
        if let Some(agent) = lock(&self.inner.agents).get(&session) {
            return Ok(agent.clone());
        }
        let Some(place) = record.place else {
            return Err(not_ready());
        };
        let channel = self.inner.runtime.dial(&place).await.map_err(|error| {
            tracing::warn!(session.id = %session, %error, "Cannot dial the agent of session {session}");
            Error::new(
                Code::SessionUnreachable,
                "The session cannot be reached now. Its programs go on; try again in a moment.",
            )
            .retry_after(2)
        })?;
        let agent = AgentHandle::new(channel, self.key(session).await?);
        lock(&self.inner.agents).insert(session, agent.clone());
        Ok(agent)
    }

    /// Attaches to a terminal of a session of this user.
    ///
    /// # Errors
    /// Unknown session, one that is not ready, or what its agent answered.
    pub async fn attach(
        &self,
        user: UserId,
        session: SessionId,
        attachment: Attachment,
    ) -> Result<Output, Error> {
        self.find(user, session).await?;
        let agent = self.agent(session).await?;
        attachment.open(&agent).await.map_err(|status| {
            let code = relay::code_of(&status);
            if code == Code::SessionUnreachable {
                self.agent_lost(session);
            }
            Error::new(code, status.message())
        })
    }

    /// Forgets a connection that broke, so that the next call dials again.
    pub fn agent_lost(&self, session: SessionId) {
        let driven = lock(&self.inner.driven).contains_key(&session);
        if !driven {
            lock(&self.inner.agents).remove(&session);
        }
    }

    /// Waits until a session is ready.
    async fn ready(&self, session: SessionId) -> Result<Record, Error> {
        let view = lock(&self.inner.driven)
            .get(&session)
            .map(|driven| driven.view.clone());
        let Some(mut view) = view else {
            let record = self.record(session).await?.ok_or_else(unknown)?;
            return match record.life.state {
                SessionState::Ready | SessionState::Idle => Ok(record),
                SessionState::Requested | SessionState::Provisioning => Err(not_ready()),
                SessionState::Stopping | SessionState::Stopped | SessionState::Failed => {
                    Err(no_session())
                }
            };
        };
        let settled = view.wait_for(|view| {
            !matches!(
                view.record.life.state,
                SessionState::Requested | SessionState::Provisioning
            )
        });
        let record = match tokio::time::timeout(READY_WAIT, settled).await {
            Ok(Ok(view)) => view.record.clone(),
            Ok(Err(_)) | Err(_) => return Err(not_ready()),
        };
        match (record.life.state, record.life.reason.clone()) {
            (SessionState::Ready | SessionState::Idle, _) => Ok(record),
            (_, Some(reason)) => Err(Error::new(reason.code, reason.text)),
            (_, None) => Err(no_session()),
        }
    }

    /// The key that the agent of a session asks for.
    pub(super) async fn key(&self, session: SessionId) -> Result<Secret, sqlx::Error> {
        let secret = self
            .inner
            .secret
            .get_or_try_init(|| {
                sqlx::query_scalar!("select installation_secret from server_settings")
                    .fetch_one(&self.inner.db)
            })
            .await?;
        Ok(agent::agent_key(secret, session))
    }
}
