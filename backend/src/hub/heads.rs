//! Heads in motion: who watches a workspace hears of commits at once, and of those of other servers soon.
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slipway_core::id::{Id as _, WorkspaceId};
use slipway_proto::v1;
use sqlx::PgPool;
use sqlx::postgres::PgListener;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::row::uuid;
use crate::event::Events;

const CHANNEL: &str = "slipway_heads";
/// Commits gather this long before other servers are told: one small transaction instead of one lock per commit.
const GATHER: Duration = Duration::from_millis(15);
/// A lost notification is made good by a look.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Heads that someone watches, and those that others must be told of.
#[derive(Clone, Default)]
pub(super) struct Heads(Arc<Inner>);

#[derive(Default)]
struct Inner {
    watched: Mutex<HashMap<WorkspaceId, watch::Sender<u64>>>,
    moved: Mutex<HashSet<WorkspaceId>>,
    wake: Notify,
}

impl Heads {
    pub(super) fn watch(&self, workspace: WorkspaceId) -> watch::Receiver<u64> {
        let mut watched = self
            .0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        watched.retain(|_, sender| sender.receiver_count() > 0);
        watched
            .entry(workspace)
            .or_insert_with(|| watch::channel(0).0)
            .subscribe()
    }

    pub(super) fn moved(&self, workspace: WorkspaceId, revision: u64) {
        self.raise(workspace, revision);
        self.0
            .moved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(workspace);
        self.0.wake.notify_one();
    }

    fn raise(&self, workspace: WorkspaceId, revision: u64) {
        if let Some(sender) = self
            .0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&workspace)
        {
            sender.send_if_modified(|head| {
                let grows = *head < revision;
                *head = revision.max(*head);
                grows
            });
        }
    }

    fn watched(&self) -> Vec<WorkspaceId> {
        let watched = self
            .0
            .watched
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        watched
            .iter()
            .filter(|(_, sender)| sender.receiver_count() > 0)
            .map(|(id, _)| *id)
            .collect()
    }

    /// Runs until the stop.
    pub(super) async fn listen(self, db: PgPool, events: Events, stop: CancellationToken) {
        let told = self.tell(db.clone(), events.clone());
        let heard = self.hear(db, events);
        stop.run_until_cancelled(async { tokio::join!(told, heard) })
            .await;
    }

    /// Tells the browsers here and the other servers which workspaces moved.
    async fn tell(&self, db: PgPool, events: Events) {
        loop {
            self.0.wake.notified().await;
            let moved: Vec<_> = self
                .0
                .moved
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .drain()
                .collect();
            if let Err(error) = self.look(&db, &events, &moved).await {
                tracing::warn!(%error, "Cannot look at the heads that moved");
            }
            let names: Vec<String> = moved.iter().map(ToString::to_string).collect();
            for names in names.chunks(200) {
                if let Err(error) =
                    sqlx::query!("select pg_notify($1, $2)", CHANNEL, names.join(","))
                        .fetch_one(&db)
                        .await
                {
                    tracing::warn!(%error, "Cannot tell other servers of commits; they will look");
                }
            }
            tokio::time::sleep(GATHER).await;
        }
    }

    /// Hears of other servers' commits; looks every two seconds, since a notification can be lost.
    async fn hear(&self, db: PgPool, events: Events) {
        let mut listener = None;
        // An interval, not a time since the last notification: on a busy server one would never pass.
        let mut every = tokio::time::interval(LOOK_EVERY);
        every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if listener.is_none() {
                listener = subscribe(&db).await;
            }
            let watched = self.watched();
            let moved: Vec<_> = tokio::select! {
                _ = every.tick() => watched,
                named = heard(&mut listener) => match named {
                    Some(named) => watched.into_iter().filter(|id| named.contains(id)).collect(),
                    None => {
                        listener = None;
                        watched
                    }
                },
            };
            if let Err(error) = self.look(&db, &events, &moved).await {
                tracing::debug!(%error, "Cannot look at watched heads");
            }
        }
    }

    async fn look(
        &self,
        db: &PgPool,
        events: &Events,
        workspaces: &[WorkspaceId],
    ) -> Result<(), sqlx::Error> {
        if workspaces.is_empty() {
            return Ok(());
        }
        let ids: Vec<Uuid> = workspaces.iter().map(|id| uuid(*id)).collect();
        for row in sqlx::query!(
            "select id, head_rev from workspaces where id = any($1)",
            &ids
        )
        .fetch_all(db)
        .await?
        {
            let (workspace, head) = (WorkspaceId::from_uuid(row.id), row.head_rev.unsigned_abs());
            self.raise(workspace, head);
            events.publish(
                workspace,
                v1::event::Event::Workspace(v1::WorkspaceMoved {
                    workspace_id: workspace.to_string(),
                    head,
                }),
            );
        }
        Ok(())
    }
}

async fn subscribe(db: &PgPool) -> Option<PgListener> {
    let mut listener = PgListener::connect_with(db).await.ok()?;
    listener.listen(CHANNEL).await.ok()?;
    Some(listener)
}

/// The workspaces that the next notification names; `None` when the connection broke. Without one it waits for ever.
async fn heard(listener: &mut Option<PgListener>) -> Option<HashSet<WorkspaceId>> {
    let Some(open) = listener else {
        return std::future::pending().await;
    };
    let notification = open.recv().await.ok()?;
    let ids = notification.payload().split(',');
    Some(
        ids.filter_map(|id| id.parse().ok().map(WorkspaceId::from_uuid))
            .collect(),
    )
}
