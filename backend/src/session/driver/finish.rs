//! From stopping to stopped: programs end, what they wrote is committed, the place is ended.
use std::time::Duration;

use slipway_proto::v1;

use super::{Driver, Interrupt, Phase};
use crate::run;
use crate::session::rules::Event;
use slipway_proto::agent::AgentHandle;

/// How long an agent may take to end its programs and commit what they wrote.
const SHUTDOWN_S: Duration = Duration::from_secs(20);
/// How long a runtime may take to end a place.
const END_S: Duration = Duration::from_secs(20);

impl Driver {
    /// Ends the session as wished.
    pub(super) async fn finish(&mut self) -> Phase {
        let agent = match (self.agent.clone(), self.record().place) {
            (Some(agent), _) => Some(agent),
            (None, Some(place)) => self.last_dial(&place).await?,
            (None, None) => None,
        };
        if let Some(agent) = agent {
            self.keep_in_step(&agent);
            let record = self.record();
            self.store_open_runs(&agent, record.life.why()).await;
            let mut client = agent.agent();
            let shutdown = async move {
                tokio::time::timeout(SHUTDOWN_S, client.shutdown(v1::ShutdownRequest {})).await
            };
            let id = self.record().id;
            match self.until(shutdown).await? {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::warn!(session.id = %id, %error, "The agent of session {id} did not shut down");
                }
                Err(_) => {
                    tracing::warn!(session.id = %id, "The agent of session {id} did not shut down in time");
                }
            }
        }
        self.apply(Event::PlaceEnded).await
    }

    async fn last_dial(
        &mut self,
        place: &crate::session::runtime::Place,
    ) -> Result<Option<AgentHandle>, Interrupt> {
        let (sessions, place, id) = (self.sessions.clone(), place.clone(), self.record().id);
        let dialled = self
            .until(async move {
                let key = sessions.key(id).await.ok()?;
                let dial = sessions.inner.runtime.dial(&place);
                let channel = tokio::time::timeout(Duration::from_secs(2), dial).await;
                channel
                    .ok()?
                    .ok()
                    .map(|channel| AgentHandle::new(channel, key))
            })
            .await?;
        Ok(dialled)
    }

    /// Ends replica, connection and place. A start that was interrupted may have left a place that no row names.
    pub(super) async fn end_all(&mut self) {
        if self.place_ended {
            return;
        }
        if let Some(mut replica) = self.replica.take() {
            replica.stop.cancel();
            let joined = async { while replica.task.join_next().await.is_some() {} };
            // A replica that does not end is aborted when its set is dropped.
            drop(tokio::time::timeout(Duration::from_secs(2), joined).await);
        }
        self.forget_agent();
        let record = self.record();
        let places = match record.place {
            Some(place) => vec![place],
            None => match self.sessions.inner.runtime.list().await {
                Ok(places) => places
                    .into_iter()
                    .filter(|(session, _)| *session == record.id)
                    .map(|(_, place)| place)
                    .collect(),
                Err(error) => {
                    tracing::warn!(%error, "Cannot list the places that exist");
                    Vec::new()
                }
            },
        };
        for place in places {
            if tokio::time::timeout(END_S, self.end_place(&place))
                .await
                .is_err()
            {
                tracing::error!(session.id = %record.id, "The place of session {} does not end", record.id);
            }
        }
        self.place_ended = true;
    }

    /// Stores what running programs printed before they are ended.
    async fn store_open_runs(&self, agent: &AgentHandle, reason: &str) {
        let context = self.run_context();
        if let Err(error) = run::finish::close_open(&context, agent, reason).await {
            tracing::warn!(%error, "Cannot store the runs of a session that stops");
        }
    }

    /// Nothing of this session runs any more; what waits for it waits on.
    pub(super) async fn fail_runs(&self, reason: &str) {
        if let Err(error) = run::finish::fail_others(&self.run_context(), &[], reason).await {
            tracing::warn!(%error, "Cannot store that runs were lost");
        }
    }
}
