//! The driver of one session: a task that holds its lease and brings it from state to state. `rules` decides what
//! an event means; here the world is made to follow. Level-triggered: it may be dropped anywhere and begun again.
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use slipway_api::session::{Reason, SessionState, StageName};
use slipway_core::code::Code;
use slipway_core::id::RunId;
use slipway_core::limits::{SESSION_DISK_BYTES, SESSION_MEMORY_BYTES};
use slipway_proto::v1;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::idle::Activity;
use super::rules::{self, Event, Life};
use super::runtime::Place;
use super::stage::Stages;
use super::store::{self, Record, StoreError};
use super::{Sessions, View, lease, lock, moved};
use crate::replica::ReplicaProgress;
use slipway_proto::agent::AgentHandle;

mod finish;
mod provision;
mod serve;

/// How often deadlines and the idle rule are looked at.
const TICK: Duration = Duration::from_millis(500);
/// Longest pause between two tries of a write while the database is away.
const RETRY_MAX: Duration = Duration::from_secs(2);

/// One session's driver.
pub(super) struct Driver {
    sessions: Sessions,
    view: watch::Sender<View>,
    poke: Arc<Notify>,
    cancel: CancellationToken,
    tick: Interval,
    agent: Option<AgentHandle>,
    activity: Activity,
    last_usage: v1::Usage,
    /// Keeps the session's disk and the hub in step; lives as long as the agent is bound.
    replica: Option<ReplicaTask>,
    /// Fetching and storing the outputs of finished runs.
    jobs: JoinSet<RunId>,
    finishing: HashSet<RunId>,
    /// Nothing of the place is left.
    place_ended: bool,
}

struct ReplicaTask {
    progress: watch::Receiver<ReplicaProgress>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

/// Why a phase was left before its work was done.
enum Interrupt {
    /// The state moved: look what it asks for.
    Moved,
    /// The server stops, or another one acts: leave everything as it is.
    Released,
}

type Phase = Result<(), Interrupt>;

impl Driver {
    pub(super) fn new(
        sessions: Sessions,
        view: watch::Sender<View>,
        poke: Arc<Notify>,
        cancel: CancellationToken,
    ) -> Self {
        let mut tick = tokio::time::interval_at(tokio::time::Instant::now() + TICK, TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            sessions,
            view,
            poke,
            cancel,
            tick,
            agent: None,
            activity: Activity::default(),
            last_usage: v1::Usage::default(),
            replica: None,
            jobs: JoinSet::new(),
            finishing: HashSet::new(),
            place_ended: false,
        }
    }

    /// Runs until the session is over or its lease is given up.
    pub(super) async fn run(mut self) {
        let id = self.record().id;
        loop {
            let state = self.record().life.state;
            let phase = match state {
                SessionState::Requested | SessionState::Provisioning => self.provision().await,
                SessionState::Ready | SessionState::Idle => self.serve().await,
                SessionState::Stopping => self.finish().await,
                SessionState::Stopped | SessionState::Failed => break,
            };
            if matches!(phase, Err(Interrupt::Released)) {
                self.leave().await;
                break;
            }
        }
        tracing::debug!(session.id = %id, "The driver of session {id} ends");
    }

    fn record(&self) -> Record {
        self.view.borrow().record.clone()
    }

    /// Does `work` while wishes, deadlines and the lease are looked at.
    async fn until<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Interrupt> {
        let mut work = std::pin::pin!(work);
        let (cancel, poke) = (self.cancel.clone(), Arc::clone(&self.poke));
        loop {
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(Interrupt::Released),
                done = &mut work => return Ok(done),
                () = poke.notified() => self.look().await?,
                _ = self.tick.tick() => self.ticked().await?,
            }
        }
    }

    /// Reads what people wished.
    async fn look(&mut self) -> Phase {
        let record = self.record();
        let db = self.sessions.inner.db.clone();
        match lease::wishes(&db, record.id, record.fence).await {
            Ok(wishes) => {
                self.view.send_modify(|view| {
                    view.record.life.keep_until_done = wishes.keep_until_done;
                    view.record.stop_wished = wishes.stop;
                });
                let mut moved = Ok(());
                if wishes.last_activity_at > record.life.last_activity_at {
                    let at = wishes.last_activity_at;
                    moved = self.apply(Event::Active { at }).await;
                }
                if wishes.stop {
                    moved = self.apply(Event::StopWished).await;
                }
                moved
            }
            Err(StoreError::LostLease) => Err(Interrupt::Released),
            Err(StoreError::Database(error)) => {
                tracing::warn!(session.id = %record.id, %error, "Cannot read the wishes for session {}", record.id);
                // Looked at again by the next tick's poke.
                self.poke.notify_one();
                tokio::time::sleep(TICK).await;
                Ok(())
            }
        }
    }

    async fn ticked(&mut self) -> Phase {
        let busy = self.activity.is_busy();
        self.apply(Event::Tick { busy }).await
    }

    /// Lets the rules answer an event; what moved is stored and told. `Err(Moved)` when the state is another.
    async fn apply(&mut self, event: Event) -> Phase {
        let now = self.sessions.inner.clock.now();
        let before = self.record();
        let life = before.life.clone().after(event, now);
        if life == before.life {
            return Ok(());
        }
        let state_moved = life.state != before.life.state;
        if state_moved && !rules::is_live(life.state) {
            return self.over(life, now).await;
        }
        let attempt_moved = life.attempt != before.life.attempt;
        let starting =
            |state| matches!(state, SessionState::Requested | SessionState::Provisioning);
        // The path to the prompt does not wait for the disk; `provision` stores the whole start at once.
        let stored_later = starting(before.life.state)
            && (starting(life.state) || life.state == SessionState::Ready);
        let state = life.state;
        self.view.send_modify(|view| view.record.life = life);
        if !state_moved && !attempt_moved {
            return Ok(());
        }
        if !stored_later {
            self.save(self.record()).await?;
            tracing::info!(
                session.id = %before.id,
                "Session {} is {}", before.id, store::state_text(state)
            );
        }
        self.tell();
        Err(Interrupt::Moved)
    }

    /// The session is over, and so is what ran in it or waited for it: first its place ends, then the rows say so, and
    /// only then is it told. So whoever hears of the end can start the next session at once, on the same volume.
    async fn over(&mut self, life: Life, now: time::OffsetDateTime) -> Phase {
        self.end_all().await;
        let state = life.state;
        let mut record = self.record();
        record.life = life;
        record.ended_at = Some(now);
        let failed = self.save(record.clone()).await?;
        tracing::info!(session.id = %record.id, "Session {} is {}", record.id, store::state_text(state));
        self.view.send_modify(|view| view.record = record);
        self.tell();
        for run in failed {
            self.run_context().tell(run, "failed");
        }
        Err(Interrupt::Moved)
    }

    /// Stores the record; tries again while the database is away, gives up when the lease is lost. The runs that
    /// failed with it.
    async fn save(&self, record: Record) -> Result<Vec<RunId>, Interrupt> {
        let mut pause = Duration::from_millis(50);
        loop {
            let inner = &self.sessions.inner;
            match store::save(&inner.db, &record, inner.server).await {
                Ok(failed) => return Ok(failed),
                Err(StoreError::LostLease) => {
                    tracing::warn!(session.id = %record.id, "The lease of session {} is lost", record.id);
                    return Err(Interrupt::Released);
                }
                Err(StoreError::Database(error)) => {
                    tracing::warn!(session.id = %record.id, %error, "Cannot store session {}", record.id);
                }
            }
            tokio::select! {
                () = self.cancel.cancelled() => return Err(Interrupt::Released),
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(RETRY_MAX),
            }
        }
    }

    /// Tells subscribers that the session moved.
    fn tell(&self) {
        let view = self.view.borrow().clone();
        let events = &self.sessions.inner.events;
        events.publish(
            view.record.workspace,
            v1::event::Event::Session(moved(&view)),
        );
        events.publish_user(
            view.record.owner,
            v1::event::Event::Workspaces(v1::WorkspacesMoved {}),
        );
    }

    /// Tells subscribers how much is used, and when it will be stopped.
    fn tell_usage(&self) {
        let record = self.record();
        let idle_stop = record.life.idle_stop_at.map_or(0, |at| {
            i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(0)
        });
        let usage = v1::SessionUsage {
            session_id: record.id.to_string(),
            memory_bytes: self.last_usage.memory_bytes,
            memory_limit_bytes: SESSION_MEMORY_BYTES,
            disk_bytes: self.last_usage.disk_bytes,
            disk_limit_bytes: SESSION_DISK_BYTES,
            cpu_millis: self.last_usage.cpu_millis,
            idle_stop_unix_ms: idle_stop,
        };
        let events = &self.sessions.inner.events;
        events.publish(record.workspace, v1::event::Event::Usage(usage));
    }

    /// Tells people something in words.
    fn notice(&self, code: &str, message: &str, terminal_id: &str) {
        let record = self.record();
        let notice = v1::SessionNotice {
            session_id: record.id.to_string(),
            code: code.to_owned(),
            message: message.to_owned(),
            terminal_id: terminal_id.to_owned(),
        };
        let events = &self.sessions.inner.events;
        events.publish(record.workspace, v1::event::Event::Notice(notice));
    }

    fn stage(&self, change: impl FnOnce(&mut Stages, time::OffsetDateTime)) {
        let now = self.sessions.inner.clock.now();
        self.view.send_modify(|view| {
            let mut stages = Stages::from_inner(std::mem::take(&mut view.record.stages));
            change(&mut stages, now);
            view.record.stages = stages.into_inner();
        });
        self.tell();
    }

    fn begin(&self, name: StageName) {
        self.stage(|stages, now| stages.begin(name, now));
    }

    fn end(&self, name: StageName) {
        self.stage(|stages, now| stages.end(name, now));
    }

    /// Takes down everything that belonged to an agent that is gone.
    fn forget_agent(&mut self) {
        lock(&self.sessions.inner.agents).remove(&self.record().id);
        self.agent = None;
        self.activity = Activity::default();
        if let Some(replica) = self.replica.take() {
            replica.stop.cancel();
        }
        self.jobs = JoinSet::new();
        self.finishing.clear();
    }

    /// The server stops or another one acts: connections end, the place goes on. A session whose row is gone
    /// with its account has nobody left, so its place ends.
    async fn leave(&mut self) {
        let record = self.record();
        if let Some(mut replica) = self.replica.take() {
            replica.stop.cancel();
            while replica.task.join_next().await.is_some() {}
        }
        self.forget_agent();
        let inner = &self.sessions.inner;
        if inner.stopping.is_cancelled() {
            return;
        }
        if let (Ok(None), Some(place)) = (store::find(&inner.db, record.id).await, &record.place) {
            self.end_place(place).await;
        }
    }

    async fn end_place(&self, place: &Place) {
        let id = self.record().id;
        if let Err(error) = self.sessions.inner.runtime.stop(place).await {
            // The sweep of orphans tries again.
            tracing::error!(session.id = %id, %error, "Cannot end the place of session {id}");
        }
    }
}

/// What to tell about a place that cannot be reached any more.
fn unreachable_reason() -> Reason {
    Reason {
        code: Code::SessionLost,
        text: "The session's agent stopped answering. Your files are kept.".to_owned(),
    }
}
