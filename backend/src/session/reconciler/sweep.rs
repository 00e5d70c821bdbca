//! Places and volumes that belong to nobody any more, compared with rows every now and then.
use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use slipway_core::id::{Id as _, SessionId, WorkspaceId};
use tokio::time::Instant;
use uuid::Uuid;

use super::super::runtime::Place;
use super::super::{Sessions, lease, lock};

/// How often places and volumes are compared with rows.
const SWEEP_S: Duration = Duration::from_secs(30);
/// Orphans ended in one sweep: an empty or restored database must not end everything at once.
const SWEEP_MAX: usize = 50;

/// Places without a live row. One is ended only when two looks in a row found it, so that a start or a stop that
/// is under way is never mistaken for one.
#[derive(Default)]
pub(super) struct Sweep {
    looked: Option<Instant>,
    suspects: HashSet<SessionId>,
}

impl Sweep {
    pub(super) async fn look(&mut self, sessions: &Sessions) -> Result<(), sqlx::Error> {
        let asked = sessions.inner.sweep.swap(false, Ordering::Relaxed);
        if !asked && self.looked.is_some_and(|at| at.elapsed() < SWEEP_S) {
            return Ok(());
        }
        self.looked = Some(Instant::now());
        self.places(sessions).await?;
        volumes(sessions).await
    }

    async fn places(&mut self, sessions: &Sessions) -> Result<(), sqlx::Error> {
        let places = match sessions.inner.runtime.list().await {
            Ok(places) => places,
            Err(error) => {
                tracing::warn!(%error, "Cannot list the places that exist");
                return Ok(());
            }
        };
        let ids: Vec<Uuid> = places.iter().map(|(id, _)| id.uuid()).collect();
        let live: HashSet<SessionId> = lease::live_of(&sessions.inner.db, &ids)
            .await?
            .into_iter()
            .collect();
        let driven: HashSet<SessionId> = lock(&sessions.inner.driven).keys().copied().collect();
        let orphans: Vec<(SessionId, Place)> = places
            .into_iter()
            .filter(|(id, _)| !live.contains(id) && !driven.contains(id))
            .collect();
        let (again, allowed) = (self.confirmed(&orphans), brake(ids.len()));
        if again.len() > allowed {
            tracing::warn!(
                "{} places belong to no session; ending only {allowed} of them now",
                again.len()
            );
        }
        for (id, place) in again.into_iter().take(allowed) {
            tracing::info!(session.id = %id, "Ending the place of session {id}, which no live session owns");
            if let Err(error) = sessions.inner.runtime.stop(&place).await {
                tracing::warn!(session.id = %id, %error, "Cannot end the place of session {id}");
            }
        }
        Ok(())
    }

    /// Those that the look before found, too.
    fn confirmed(&mut self, orphans: &[(SessionId, Place)]) -> Vec<(SessionId, Place)> {
        let confirmed = orphans
            .iter()
            .filter(|(id, _)| self.suspects.contains(id))
            .cloned()
            .collect();
        self.suspects = orphans.iter().map(|(id, _)| *id).collect();
        confirmed
    }
}

/// Removes volumes of workspaces that are gone for good, with their account or out of the trash. The row of a workspace
/// comes before its volume and goes before it, so one look is enough; what is still in use is tried again soon.
async fn volumes(sessions: &Sessions) -> Result<(), sqlx::Error> {
    let inner = &sessions.inner;
    let found = match inner.runtime.volumes().await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "Cannot list the volumes that exist");
            return Ok(());
        }
    };
    let ids: Vec<Uuid> = found.iter().map(|id| id.uuid()).collect();
    let known: HashSet<WorkspaceId> = lease::workspaces_of(&inner.db, &ids)
        .await?
        .into_iter()
        .collect();
    let gone = found.iter().filter(|id| !known.contains(id));
    for id in gone.take(brake(found.len())) {
        match inner.runtime.forget(*id).await {
            Ok(()) => {
                tracing::info!(workspace.id = %id, "Removed the volume of workspace {id}, which is gone");
            }
            Err(error) => {
                tracing::debug!(workspace.id = %id, %error, "The volume of workspace {id} is still in use");
                sessions.sweep_soon();
            }
        }
    }
    Ok(())
}

/// How many of `found` one sweep may end.
fn brake(found: usize) -> usize {
    (found / 5).clamp(5, SWEEP_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orphan(n: u8) -> (SessionId, Place) {
        (
            SessionId::from_parts(1, [n; 10]),
            Place(serde_json::json!({})),
        )
    }

    #[test]
    fn a_place_is_an_orphan_only_at_the_second_look() {
        let mut sweep = Sweep::default();
        assert!(sweep.confirmed(&[orphan(1)]).is_empty());
        assert_eq!(sweep.confirmed(&[orphan(1), orphan(2)]), [orphan(1)]);
        assert!(sweep.confirmed(&[]).is_empty());
        assert!(sweep.confirmed(&[orphan(2)]).is_empty());
    }

    #[test]
    fn one_sweep_never_ends_everything() {
        assert_eq!(brake(3), 5);
        assert_eq!(brake(100), 20);
        assert_eq!(brake(1_000), SWEEP_MAX);
    }
}
