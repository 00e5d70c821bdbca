//! A ready session: its agent is watched, its disk kept in step, its runs started and stored.
use std::sync::Arc;
use std::time::Duration;

use slipway_api::file::OriginKind;
use slipway_api::session::StageName;
use slipway_core::id::{Id as _, ReplicaId, RunId};
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event as Told;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;

use super::{Driver, Interrupt, Phase, ReplicaTask};
use crate::hub::Author;
use crate::replica::{Replica, ReplicaProgress};
use crate::run;
use crate::session::replica;
use crate::session::rules::Event;
use slipway_proto::agent::AgentHandle;

/// First pause between two tries of the replica's connection, and after one that lasted.
const REPLICA_PAUSE: Duration = Duration::from_millis(50);
/// Longest such pause.
const REPLICA_PAUSE_MAX: Duration = Duration::from_secs(5);

impl Driver {
    /// Serves until the state moves or the agent is lost.
    pub(super) async fn serve(&mut self) -> Phase {
        let agent = match self.agent.clone() {
            Some(agent) => agent,
            None => self.adopt().await?,
        };
        self.keep_in_step(&agent);
        let mut client = agent.agent();
        match self.until(client.watch(v1::WatchRequest {})).await? {
            Ok(stream) => self.follow(&agent, stream.into_inner()).await?,
            Err(error) => self.connection_broke(&error),
        }
        // The connection broke: the next round dials again, or finds that the place is gone.
        self.agent = None;
        let id = self.record().id;
        crate::session::lock(&self.sessions.inner.agents).remove(&id);
        Ok(())
    }

    /// Reaches the agent of a session that another server, or this one before, had made ready.
    async fn adopt(&mut self) -> Result<AgentHandle, Interrupt> {
        let Some(place) = self.record().place else {
            return self.lost(super::unreachable_reason()).await;
        };
        let agent = self.bound(&place).await?;
        let id = self.record().id;
        self.agent = Some(agent.clone());
        crate::session::lock(&self.sessions.inner.agents).insert(id, agent.clone());
        if let Some(replica) = self.replica.take() {
            replica.stop.cancel();
        }
        tracing::info!(session.id = %id, "Reached the agent of session {id}");
        Ok(agent)
    }

    fn connection_broke(&self, error: &tonic::Status) {
        let id = self.record().id;
        tracing::info!(session.id = %id, %error, "The connection to the agent of session {id} broke");
    }

    async fn follow(
        &mut self,
        agent: &AgentHandle,
        mut events: Streaming<v1::AgentEvent>,
    ) -> Phase {
        let (cancel, poke) = (self.cancel.clone(), Arc::clone(&self.poke));
        let mut progress = self
            .replica
            .as_ref()
            .map(|replica| replica.progress.clone());
        let mut current = false;
        let mut listed: Vec<RunId> = Vec::new();
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Err(Interrupt::Released),
                () = poke.notified() => {
                    self.look().await?;
                    if current {
                        self.start_runs(agent).await;
                    }
                }
                _ = self.tick.tick() => {
                    let moved = self.ticked().await;
                    self.after_tick(moved)?;
                }
                told = events.message() => match told {
                    Ok(Some(v1::AgentEvent { event: Some(told) })) => {
                        match &told {
                            Told::Current(_) => {
                                // Told again after a lag: what was begun since the first time is not lost.
                                if !current {
                                    self.fail_unlisted(&listed).await;
                                    self.repeat_stops(agent).await;
                                }
                                current = true;
                                self.start_runs(agent).await;
                            }
                            Told::Run(info) if !current => listed.extend(info.run_id.parse::<RunId>().ok()),
                            Told::Run(_) | Told::Terminal(_) | Told::TerminalClosed(_)
                            | Told::Usage(_) | Told::Notice(_) => {}
                        }
                        let moved = self.heard(agent, told).await;
                        self.after_tick(moved)?;
                    }
                    Ok(Some(v1::AgentEvent { event: None })) => {}
                    Ok(None) => return Ok(()),
                    Err(error) => {
                        self.connection_broke(&error);
                        return Ok(());
                    }
                },
                Some(done) = self.jobs.join_next(), if !self.jobs.is_empty() => {
                    if let Ok(run) = done {
                        self.finishing.remove(&run);
                    }
                }
                Some(()) = moves(&mut progress) => self.files_moved(&mut progress),
            }
        }
    }

    /// Ready and idle are served by the same connection; everything else leaves it.
    fn after_tick(&self, moved: Phase) -> Phase {
        use slipway_api::session::SessionState::{Idle, Ready};
        match moved {
            Err(Interrupt::Moved) => {
                self.tell_usage();
                match self.record().life.state {
                    Ready | Idle => Ok(()),
                    _ => Err(Interrupt::Moved),
                }
            }
            other => other,
        }
    }

    async fn heard(&mut self, agent: &AgentHandle, told: Told) -> Phase {
        let record = self.record();
        match told {
            Told::Terminal(_) | Told::TerminalClosed(_) => {
                let event = v1::TerminalsMoved {
                    session_id: record.id.to_string(),
                };
                let events = &self.sessions.inner.events;
                events.publish(record.workspace, v1::event::Event::Terminals(event));
                Ok(())
            }
            Told::Run(info) => {
                self.run_moved(agent, &info).await;
                Ok(())
            }
            Told::Usage(usage) => {
                let ago = self.activity.heard(&usage, tokio::time::Instant::now());
                self.last_usage = usage;
                self.tell_usage();
                match ago {
                    Some(ago) => {
                        let at = self.sessions.inner.clock.now() - ago;
                        self.apply(Event::Active { at }).await
                    }
                    None => Ok(()),
                }
            }
            Told::Notice(notice) => {
                self.notice(&notice.code, &notice.message, &notice.terminal_id);
                Ok(())
            }
            Told::Current(_) => Ok(()),
        }
    }

    /// The replica came forward.
    fn files_moved(&mut self, progress: &mut Option<watch::Receiver<ReplicaProgress>>) {
        let Some(progress) = progress else { return };
        let now = *progress.borrow_and_update();
        self.view
            .send_modify(|view| view.applied_revision = now.applied_revision);
        if now.listing_done {
            self.end(StageName::Files);
        } else {
            let detail = format!("{} of {}", now.synced_entries, now.entries);
            self.stage(|stages, _| stages.detail(StageName::Files, detail));
        }
    }

    /// Keeps disk and hub in step for as long as the agent is bound; reconnects by itself.
    pub(super) fn keep_in_step(&mut self, agent: &AgentHandle) {
        if self.replica.is_some() {
            return;
        }
        let record = self.record();
        let stop = CancellationToken::new();
        let (sender, progress) = watch::channel(ReplicaProgress::default());
        let hub = self.sessions.inner.hub.clone();
        let author = Author {
            kind: OriginKind::Session,
            user: Some(record.owner),
            replica: ReplicaId::from_uuid(record.id.uuid()),
        };
        let (agent, stopped) = (agent.clone(), stop.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut pause = REPLICA_PAUSE;
            loop {
                let replica = Replica {
                    hub: hub.clone(),
                    workspace: record.workspace,
                    author: author.clone(),
                    progress: sender.clone(),
                };
                let begun = tokio::time::Instant::now();
                let driven = replica::drive(replica, agent.channel.clone(), agent.key.clone());
                let Some(Err(error)) = stopped.run_until_cancelled(driven).await else {
                    return;
                };
                tracing::warn!(session.id = %record.id, %error, "The replica of session {} broke off", record.id);
                if begun.elapsed() > REPLICA_PAUSE_MAX {
                    pause = REPLICA_PAUSE;
                }
                tokio::select! {
                    () = stopped.cancelled() => return,
                    () = tokio::time::sleep(pause) => pause = (pause * 2).min(REPLICA_PAUSE_MAX),
                }
            }
        });
        self.replica = Some(ReplicaTask {
            progress,
            stop,
            task,
        });
    }

    /// Starts what waits for this session.
    async fn start_runs(&self, agent: &AgentHandle) {
        let record = self.record();
        if let Err(error) = run::start::start_queued(&self.run_context(), agent).await {
            tracing::warn!(session.id = %record.id, %error, "Cannot start the runs of session {}", record.id);
            self.poke.notify_one();
        }
    }

    /// Stops again what may not have heard of it.
    async fn repeat_stops(&self, agent: &AgentHandle) {
        if let Err(error) = run::start::repeat_stops(&self.run_context(), agent).await {
            tracing::warn!(%error, "Cannot read which runs shall stop");
        }
    }

    /// Runs that the agent does not know any more were lost with its predecessor.
    async fn fail_unlisted(&self, listed: &[RunId]) {
        let reason = "The session's agent was restarted while it ran. Run it again.";
        let context = self.run_context();
        if let Err(error) = run::finish::fail_others(&context, listed, reason).await {
            tracing::warn!(%error, "Cannot store that runs were lost");
        }
    }

    async fn run_moved(&mut self, agent: &AgentHandle, info: &v1::RunInfo) {
        let Ok(id) = info.run_id.parse::<RunId>() else {
            return;
        };
        let context = self.run_context();
        match info.state() {
            v1::run_info::State::Done | v1::run_info::State::Failed => {
                if self.finishing.insert(id) {
                    let (agent, info) = (agent.clone(), info.clone());
                    self.jobs.spawn(async move {
                        run::finish::finish(&context, &agent, id, &info).await;
                        id
                    });
                }
            }
            v1::run_info::State::Waiting
            | v1::run_info::State::Running
            | v1::run_info::State::Flushing
            | v1::run_info::State::Unspecified => {
                if let Err(error) = run::start::moved(&context, id, info).await {
                    tracing::warn!(run.id = %id, %error, "Cannot store that run {id} moved");
                }
            }
        }
    }

    /// What the runs of this session are stored with.
    pub(super) fn run_context(&self) -> run::Context {
        let record = self.record();
        let inner = &self.sessions.inner;
        run::Context {
            db: inner.db.clone(),
            clock: inner.clock.clone(),
            events: inner.events.clone(),
            workspace: record.workspace,
            session: record.id,
            fence: record.fence,
        }
    }
}

/// Resolves when the replica came forward; never when there is none.
async fn moves(progress: &mut Option<watch::Receiver<ReplicaProgress>>) -> Option<()> {
    match progress {
        Some(receiver) => {
            if receiver.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            Some(())
        }
        None => std::future::pending().await,
    }
}
