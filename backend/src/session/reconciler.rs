//! Finds sessions that nobody drives, keeps the leases of those this server drives, and sweeps places that belong
//! to no session. Level-triggered: it looks at rows, never at what it remembers.
use std::collections::HashSet;
use std::time::Duration;

use slipway_api::session::SessionState;
use slipway_core::id::{Id as _, SessionId};
use sqlx::postgres::PgListener;
use tokio::time::{Instant, MissedTickBehavior};
use uuid::Uuid;

use super::store::{self, CHANNEL, LEASE_S};
use super::{Sessions, View, lease, lock, moved};

mod sweep;

use sweep::Sweep;

/// How long a stopping server waits for its drivers.
const DRAIN_S: Duration = Duration::from_secs(10);
/// Pause before listening again after the connection broke.
const LISTEN_PAUSE: Duration = Duration::from_secs(1);

pub(super) async fn run(sessions: Sessions, sole: bool) {
    let stopping = sessions.inner.stopping.clone();
    if sole {
        match lease::clear_all(&sessions.inner.db).await {
            Ok(0) => {}
            Ok(n) => tracing::info!("Taking over {n} sessions of the server before this one"),
            Err(error) => tracing::warn!(%error, "Cannot free the leases of the server before"),
        }
    }
    tokio::join!(
        rounds(&sessions),
        stopping.run_until_cancelled(listen(&sessions)),
    );
    drain(&sessions).await;
}

async fn rounds(sessions: &Sessions) {
    let stopping = &sessions.inner.stopping;
    let mut tick = tokio::time::interval(Duration::from_secs_f64(LEASE_S / 3.0));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweep = Sweep::default();
    let mut renewed = Instant::now();
    while stopping.run_until_cancelled(tick.tick()).await.is_some() {
        match round(sessions, &mut sweep).await {
            Ok(()) => renewed = Instant::now(),
            Err(error) => {
                tracing::warn!(%error, "Cannot look after sessions; trying again");
                if renewed.elapsed() > Duration::from_secs_f64(LEASE_S) {
                    // Others may act by now. Places and terminals go on; drivers begin again with new leases.
                    release_drivers(sessions, |_| true);
                }
            }
        }
    }
}

async fn round(sessions: &Sessions, sweep: &mut Sweep) -> Result<(), sqlx::Error> {
    let inner = &sessions.inner;
    let views: Vec<View> = lock(&inner.driven)
        .values()
        .map(|driven| driven.view.borrow().clone())
        .collect();
    let driven: Vec<_> = views
        .iter()
        .map(|view| (view.record.id, view.record.life.last_activity_at))
        .collect();
    let held: HashSet<SessionId> = lease::renew(&inner.db, inner.server, &driven)
        .await?
        .into_iter()
        .collect();
    // A driver that has ended its session has no lease any more and is about to go by itself.
    let lost: HashSet<SessionId> = views
        .iter()
        .filter(|view| super::rules::is_live(view.record.life.state))
        .map(|view| view.record.id)
        .filter(|id| !held.contains(id))
        .collect();
    release_drivers(sessions, |id| lost.contains(&id));

    for id in lease::wish_stop_of_inactive(&inner.db).await? {
        sessions.poke(id);
    }
    take(sessions).await?;
    sweep.look(sessions).await
}

/// Takes what nobody holds and drives it.
async fn take(sessions: &Sessions) -> Result<(), sqlx::Error> {
    let inner = &sessions.inner;
    let held: Vec<Uuid> = lock(&inner.driven).keys().map(|id| id.uuid()).collect();
    for id in lease::take(&inner.db, inner.server, &held).await? {
        if let Some(record) = store::find(&inner.db, id).await? {
            tracing::info!(
                session.id = %id,
                "Adopting session {id}, which is {}", store::state_text(record.life.state)
            );
            sessions.drive(record);
        }
    }
    Ok(())
}

fn release_drivers(sessions: &Sessions, which: impl Fn(SessionId) -> bool) {
    for (id, driven) in lock(&sessions.inner.driven).iter() {
        if which(*id) {
            driven.cancel.cancel();
        }
    }
}

/// Hears what other servers did to rows: wishes for our sessions, moves of theirs.
async fn listen(sessions: &Sessions) {
    loop {
        if let Err(error) = hear(sessions).await {
            tracing::warn!(%error, "Cannot listen for moves of sessions; trying again");
        }
        tokio::time::sleep(LISTEN_PAUSE).await;
    }
}

async fn hear(sessions: &Sessions) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(&sessions.inner.db).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let notification = listener.recv().await?;
        let Ok(id) = notification.payload().parse::<SessionId>() else {
            continue;
        };
        if lock(&sessions.inner.driven).contains_key(&id) {
            // Our own writes come back here, too; only those of a person ask for a look.
            if wishes_moved(sessions, id).await? {
                sessions.poke(id);
            }
        } else if let Some(record) = store::find(&sessions.inner.db, id).await? {
            let workspace = record.workspace;
            let event = moved(&View {
                record,
                applied_revision: 0,
            });
            let events = &sessions.inner.events;
            events.publish(workspace, slipway_proto::v1::event::Event::Session(event));
        }
    }
}

async fn wishes_moved(sessions: &Sessions, id: SessionId) -> Result<bool, sqlx::Error> {
    let Some(known) = sessions.driven_record(id) else {
        return Ok(false);
    };
    let row = store::find(&sessions.inner.db, id).await?;
    Ok(row.is_some_and(|row| {
        (row.stop_wished && known.life.state != SessionState::Stopping)
            || row.life.keep_until_done != known.life.keep_until_done
            || row.life.last_activity_at > known.life.last_activity_at
    }))
}

/// Drivers leave, places go on, leases are free for the next server.
async fn drain(sessions: &Sessions) {
    release_drivers(sessions, |_| true);
    let gone = async {
        while !lock(&sessions.inner.driven).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    if tokio::time::timeout(DRAIN_S, gone).await.is_err() {
        tracing::warn!(
            "Some sessions were not left in time; the next server waits for their leases"
        );
        return;
    }
    if let Err(error) = lease::release(&sessions.inner.db, sessions.inner.server).await {
        tracing::warn!(%error, "Cannot give the leases back; the next server waits for them to run out");
    }
}
