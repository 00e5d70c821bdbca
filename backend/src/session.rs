//! Sessions: who may start and stop one, which this server drives, and how to reach its agent.
//! `wish` takes what people want, `reach` leads to agents, `rules` decides, `store` and `lease` keep, `reconciler` finds work, `driver` acts.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use slipway_api::session::{Session, SessionState};
use slipway_core::code::Code;
use slipway_core::id::{SessionId, UserId, WorkspaceId};
use slipway_core::limits::{SESSION_CPU_MILLIS, SESSION_DISK_BYTES, SESSION_MEMORY_BYTES};
use slipway_proto::v1;
use sqlx::PgPool;
use tokio::sync::{Notify, OnceCell, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::clock::{Clock, random};
use crate::error::Error;
use crate::event::Events;
use crate::hub::Hub;

pub mod agent;
mod driver;
mod idle;
pub mod lease;
mod one_task;
mod reach;
mod reconciler;
mod replica;
mod routes;
pub mod rules;
pub mod runtime;
mod stage;
pub mod store;
mod wish;

pub use routes::routes;

use runtime::SessionRuntime;
use slipway_proto::agent::AgentHandle;
use store::Record;

/// How long a request waits for a session that is starting before it answers that it is not ready.
const READY_WAIT: Duration = Duration::from_secs(30);

/// The sessions as this server sees them. Cheap to clone.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

struct Inner {
    db: PgPool,
    clock: Clock,
    hub: Hub,
    events: Events,
    runtime: Arc<dyn SessionRuntime>,
    stopping: CancellationToken,
    tasks: TaskTracker,
    /// This start of this server, as leases name it.
    server: Uuid,
    secret: OnceCell<Vec<u8>>,
    /// Asks for a sweep with the next round.
    sweep: AtomicBool,
    driven: Mutex<HashMap<SessionId, Driven>>,
    agents: Mutex<HashMap<SessionId, AgentHandle>>,
}

/// A session that a driver of this server holds.
struct Driven {
    view: watch::Receiver<View>,
    poke: Arc<Notify>,
    cancel: CancellationToken,
}

/// A session as its driver knows it, ahead of its row by what need not be durable.
#[derive(Clone, Debug)]
struct View {
    record: Record,
    applied_revision: u64,
}

impl Sessions {
    /// The sessions of a server; nothing runs until [`Sessions::run`].
    #[must_use]
    pub fn new(
        db: PgPool,
        clock: Clock,
        hub: Hub,
        events: Events,
        runtime: Arc<dyn SessionRuntime>,
        stopping: CancellationToken,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                db,
                clock,
                hub,
                events,
                runtime,
                stopping,
                tasks,
                server: uuid::Builder::from_random_bytes(random()).into_uuid(),
                secret: OnceCell::new(),
                sweep: AtomicBool::new(false),
                driven: Mutex::default(),
                agents: Mutex::default(),
            }),
        }
    }

    /// Drives sessions until the server stops. `sole` is true for the only server of a database: it takes over
    /// the sessions of its dead predecessor at once instead of waiting for their leases to run out.
    pub async fn run(self, sole: bool) {
        reconciler::run(self, sole).await;
    }

    /// The newest session of a workspace, live or not.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn current(&self, workspace: WorkspaceId) -> Result<Option<Session>, Error> {
        let newest = store::newest(&self.inner.db, workspace, 1).await?.pop();
        match newest {
            Some(record) => {
                let record = self.driven_record(record.id).unwrap_or(record);
                Ok(Some(self.answer(&record).await))
            }
            None => Ok(None),
        }
    }

    /// A session of a workspace that this user may use.
    ///
    /// # Errors
    /// When there is none: the same answer for unknown ones and for those of others.
    pub async fn find(&self, user: UserId, session: SessionId) -> Result<Record, Error> {
        let record = self.record(session).await?.ok_or_else(unknown)?;
        self.inner
            .hub
            .access(record.workspace, user)
            .await
            .map_err(|error| error.or_not_found(unknown))?;
        Ok(record)
    }

    /// What subscribers of a workspace are told first about its session.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn moved(&self, workspace: WorkspaceId) -> Result<v1::SessionMoved, Error> {
        let view = lock(&self.inner.driven)
            .values()
            .map(|driven| driven.view.borrow().clone())
            .find(|view| view.record.workspace == workspace);
        if let Some(view) = view {
            return Ok(moved(&view));
        }
        let newest = store::newest(&self.inner.db, workspace, 1).await?.pop();
        Ok(newest.map_or_else(
            || v1::SessionMoved {
                workspace_id: workspace.to_string(),
                ..v1::SessionMoved::default()
            },
            |record| {
                moved(&View {
                    record,
                    applied_revision: 0,
                })
            },
        ))
    }

    /// Looks soon for places and volumes that belong to nobody: workspaces are gone.
    pub fn sweep_soon(&self) {
        self.inner.sweep.store(true, Ordering::Relaxed);
    }

    /// Looks at a session again at once: its wishes or its queue of runs changed.
    pub fn poke(&self, session: SessionId) {
        if let Some(driven) = lock(&self.inner.driven).get(&session) {
            driven.poke.notify_one();
        }
    }

    /// The live session of a workspace, if there is one.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn live_record(&self, workspace: WorkspaceId) -> Result<Option<Record>, Error> {
        let newest = store::newest(&self.inner.db, workspace, 1).await?.pop();
        Ok(newest
            .filter(|record| rules::is_live(record.life.state))
            .map(|stored| {
                let mut record = self
                    .driven_record(stored.id)
                    .unwrap_or_else(|| stored.clone());
                // A wish is stored before the driver hears of it.
                record.stop_wished |= stored.stop_wished;
                record
            })
            .filter(|record| rules::is_live(record.life.state)))
    }

    async fn record(&self, session: SessionId) -> Result<Option<Record>, Error> {
        match self.driven_record(session) {
            Some(record) => Ok(Some(record)),
            None => Ok(store::find(&self.inner.db, session).await?),
        }
    }

    fn driven_record(&self, session: SessionId) -> Option<Record> {
        lock(&self.inner.driven)
            .get(&session)
            .map(|driven| driven.view.borrow().record.clone())
    }

    /// What people are told of a session. Nothing of it can fail: what they asked for may be durable already.
    async fn answer(&self, record: &Record) -> Session {
        let usual_start_ms = match record.life.state {
            SessionState::Requested | SessionState::Provisioning => {
                let usual = store::usual_start_ms(&self.inner.db, record.workspace).await;
                usual.unwrap_or_else(|error| {
                    tracing::warn!(%error, "Cannot tell how long a start usually takes");
                    None
                })
            }
            SessionState::Ready
            | SessionState::Idle
            | SessionState::Stopping
            | SessionState::Stopped
            | SessionState::Failed => None,
        };
        Session {
            id: record.id,
            workspace: record.workspace,
            state: record.life.state,
            stages: record.stages.clone(),
            reason: record.life.reason.clone(),
            created_at: record.life.created_at,
            ready_at: record.ready_at,
            ended_at: record.ended_at,
            idle_stop_at: record.life.idle_stop_at,
            keep_until_done: record.life.keep_until_done,
            memory_bytes: SESSION_MEMORY_BYTES,
            disk_bytes: SESSION_DISK_BYTES,
            cpu_millis: SESSION_CPU_MILLIS,
            usual_start_ms,
            protections: self.inner.runtime.protections(),
        }
    }

    /// Begins to drive a session whose lease this server holds.
    fn drive(&self, record: Record) {
        let id = record.id;
        let (sender, view) = watch::channel(View {
            record,
            applied_revision: 0,
        });
        let driven = Driven {
            view,
            poke: Arc::new(Notify::new()),
            cancel: CancellationToken::new(),
        };
        let driver = driver::Driver::new(
            self.clone(),
            sender,
            Arc::clone(&driven.poke),
            driven.cancel.clone(),
        );
        lock(&self.inner.driven).insert(id, driven);
        let sessions = self.clone();
        self.inner.tasks.spawn(async move {
            driver.run().await;
            lock(&sessions.inner.driven).remove(&id);
            lock(&sessions.inner.agents).remove(&id);
        });
    }
}

/// What subscribers are told of a session.
fn moved(view: &View) -> v1::SessionMoved {
    v1::SessionMoved {
        workspace_id: view.record.workspace.to_string(),
        session_id: view.record.id.to_string(),
        state: store::state_text(view.record.life.state).to_owned(),
        applied_revision: view.applied_revision,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no such session.")
}
fn no_session() -> Error {
    Error::new(
        Code::NoSession,
        "The workspace has no live session. Start one first.",
    )
}
fn not_ready() -> Error {
    Error::new(
        Code::SessionNotReady,
        "The session is still starting. Try again when it is ready.",
    )
    .retry_after(1)
}
