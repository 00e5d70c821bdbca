//! From requested to ready: make the place, reach its agent, bind it. Nothing here polls; each step follows at once.
use std::time::Duration;

use slipway_api::session::{Reason, SessionState, StageName};
use slipway_core::code::Code;
use slipway_core::id::{SessionId, WorkspaceId};
use slipway_core::limits::{
    SESSION_DISK_BYTES, SESSION_MEMORY_BYTES, SESSION_PROCESSES_MAX, TERMINALS_PER_SESSION_MAX,
};
use slipway_proto::v1;

use super::{Driver, Interrupt, Phase, unreachable_reason};
use crate::session::rules::Event;
use crate::session::runtime::{Observed, Place, PlaceSpec, RuntimeError};
use crate::session::{Sessions, lock};
use slipway_proto::agent::AgentHandle;

/// One try to reach an agent.
const DIAL_S: Duration = Duration::from_secs(5);
/// An agent that is there and does not answer for this long is lost.
const UNREACHABLE_S: Duration = Duration::from_secs(20);

/// Why an agent could not be bound.
enum BindError {
    /// The place is gone.
    Gone(Reason),
    /// It may answer later.
    Silent(String),
}

impl Driver {
    /// Makes the place if there is none, and binds its agent.
    pub(super) async fn provision(&mut self) -> Phase {
        if self.record().life.state == SessionState::Requested {
            self.take_up().await;
        }
        let place = match self.record().place {
            Some(place) => place,
            None => self.make_place().await?,
        };
        self.begin(StageName::Agent);
        let agent = self.bound(&place).await?;
        self.end(StageName::Agent);
        self.begin(StageName::Shell);
        self.end(StageName::Shell);
        self.agent = Some(agent.clone());
        let now = self.sessions.inner.clock.now();
        self.view.send_modify(|view| {
            view.record.ready_at.get_or_insert(now);
        });
        self.begin(StageName::Files);
        let id = self.record().id;
        lock(&self.sessions.inner.agents).insert(id, agent);
        // Terminals can be opened from here on; the row follows while the first of them starts.
        drop(self.apply(Event::Bound).await);
        self.save(self.record()).await?;
        tracing::info!(session.id = %id, "Session {id} is ready");
        Ok(())
    }

    async fn take_up(&mut self) {
        self.end(StageName::Accepted);
        for name in [StageName::Queue, StageName::Image] {
            self.begin(name);
            self.end(name);
        }
        drop(self.apply(Event::TakenUp).await);
    }

    async fn make_place(&mut self) -> Result<Place, Interrupt> {
        self.begin(StageName::Place);
        self.place_ended = false;
        let record = self.record();
        let sessions = self.sessions.clone();
        let made = self
            .until(start_place(sessions, record.id, record.workspace))
            .await?;
        match made {
            Ok(place) => {
                self.end(StageName::Place);
                self.view
                    .send_modify(|view| view.record.place = Some(place.clone()));
                Ok(place)
            }
            Err(error) => {
                tracing::warn!(session.id = %record.id, %error, "Cannot make a place for session {}", record.id);
                let event = match &error {
                    RuntimeError::Unavailable(_) => {
                        Event::CannotStart(reason(Code::SandboxUnavailable, &error))
                    }
                    RuntimeError::Image(_) => {
                        Event::CannotStart(reason(Code::ImageMissing, &error))
                    }
                    RuntimeError::Start(_)
                    | RuntimeError::Unreachable(_)
                    | RuntimeError::Io { .. } => {
                        Event::PlaceGone(reason(Code::StartFailed, &error))
                    }
                };
                self.moved_by(event).await
            }
        }
    }

    /// Applies an event that ends this phase.
    async fn moved_by<T>(&mut self, event: Event) -> Result<T, Interrupt> {
        self.apply(event).await?;
        Err(Interrupt::Moved)
    }

    /// Reaches the agent of a place and binds it; gives up when the place is gone or silent for long.
    pub(super) async fn bound(&mut self, place: &Place) -> Result<AgentHandle, Interrupt> {
        let since = tokio::time::Instant::now();
        let mut pause = Duration::from_millis(20);
        loop {
            let tried = self.try_bind(place).await?;
            match tried {
                Ok(agent) => return Ok(agent),
                Err(BindError::Gone(why)) => return self.lost(why).await,
                Err(BindError::Silent(error)) => {
                    let id = self.record().id;
                    tracing::debug!(session.id = %id, error, "The agent of session {id} does not answer yet");
                }
            }
            if since.elapsed() > UNREACHABLE_S {
                return self.lost(unreachable_reason()).await;
            }
            self.until(tokio::time::sleep(pause)).await?;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    async fn try_bind(
        &mut self,
        place: &Place,
    ) -> Result<Result<AgentHandle, BindError>, Interrupt> {
        let record = self.record();
        let sessions = self.sessions.clone();
        let place = place.clone();
        let work = async move {
            let runtime = &sessions.inner.runtime;
            let bound = async {
                let key = sessions.key(record.id).await.map_err(|e| e.to_string())?;
                let channel = runtime.dial(&place).await.map_err(|e| e.to_string())?;
                let agent = AgentHandle::new(channel, key);
                let request = v1::BindRequest {
                    session_id: record.id.to_string(),
                    limits: Some(v1::Limits {
                        memory_bytes: SESSION_MEMORY_BYTES,
                        disk_bytes: SESSION_DISK_BYTES,
                        terminals: u32::try_from(TERMINALS_PER_SESSION_MAX).unwrap_or(u32::MAX),
                        processes: SESSION_PROCESSES_MAX,
                    }),
                };
                match agent.agent().bind(request).await {
                    Ok(_) => Ok(agent),
                    Err(status) => Err(status.to_string()),
                }
            };
            let error = match tokio::time::timeout(DIAL_S, bound).await {
                Ok(Ok(agent)) => return Ok(agent),
                Ok(Err(error)) => error,
                Err(_) => "no answer in time".to_owned(),
            };
            match runtime.observe(&place).await {
                Observed::Gone { code, text } => Err(BindError::Gone(Reason { code, text })),
                Observed::Running => Err(BindError::Silent(error)),
            }
        };
        self.until(work).await
    }

    /// The place is gone: what belonged to it is taken down and told; the rules say whether it is made again.
    pub(super) async fn lost<T>(&mut self, why: Reason) -> Result<T, Interrupt> {
        let record = self.record();
        tracing::warn!(session.id = %record.id, reason = why.text, "Session {} lost its place", record.id);
        self.forget_agent();
        if let Some(place) = &record.place {
            self.end_place(place).await;
        }
        self.view.send_modify(|view| view.record.place = None);
        self.fail_runs(&why.text).await;
        let again = record.life.clone().after(
            Event::PlaceGone(why.clone()),
            self.sessions.inner.clock.now(),
        );
        if again.state == SessionState::Provisioning {
            let text = format!(
                "All programs of the session ended: {}. It starts again.",
                why.text
            );
            self.notice(why.code.as_str(), &text, "");
        }
        self.moved_by(Event::PlaceGone(why)).await
    }
}

async fn start_place(
    sessions: Sessions,
    session: SessionId,
    workspace: WorkspaceId,
) -> Result<Place, RuntimeError> {
    let key = sessions
        .key(session)
        .await
        .map_err(|error| RuntimeError::Start(error.to_string()))?;
    let spec = PlaceSpec {
        session,
        workspace,
        agent_key: key,
    };
    sessions.inner.runtime.start(&spec).await
}

fn reason(code: Code, error: &RuntimeError) -> Reason {
    let cause = std::error::Error::source(error).map_or(String::new(), |s| format!(": {s}"));
    Reason {
        code,
        text: format!("Failed to {error}{cause}."),
    }
}
