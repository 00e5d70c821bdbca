//! What people wish of sessions: that one starts, stops, or is kept.
use slipway_api::session::{Session, SessionState};
use slipway_core::code::Code;
use slipway_core::id::{SessionId, UserId, WorkspaceId};
use slipway_core::limits::SESSIONS_PER_USER_MAX;

use super::rules::{self, Life};
use super::stage::Stages;
use super::store::{self, Record};
use super::{READY_WAIT, Sessions, lock, no_session};
use crate::audit::{self, Action};
use crate::error::Error;

impl Sessions {
    /// Starts a session, or answers with the live one.
    ///
    /// # Errors
    /// Unknown or inactive workspace, too many sessions, no database.
    pub async fn start(&self, user: UserId, workspace: WorkspaceId) -> Result<Session, Error> {
        let row = self.inner.hub.access(workspace, user).await?;
        if row.deleted_at.is_some() || row.archived_at.is_some() {
            return Err(Error::new(
                Code::WorkspaceInactive,
                "The workspace is archived or in the trash. Bring it back first.",
            ));
        }
        if let Some(live) = self.live_record(workspace).await? {
            if live.life.state != SessionState::Stopping && !live.stop_wished {
                return Ok(self.answer(&live).await);
            }
            self.ended(live.id).await?;
        }
        let now = self.inner.clock.now();
        let record = Record {
            id: self.inner.clock.fresh(),
            workspace,
            owner: user,
            life: Life::requested(now),
            stop_wished: false,
            stages: Stages::accepted(now).into_inner(),
            place: None,
            ready_at: None,
            ended_at: None,
            fence: 1,
        };
        let mut db = self.inner.db.begin().await?;
        store::lock_owner(&mut db, user).await?;
        if store::live_count(&mut db, user).await? >= SESSIONS_PER_USER_MAX {
            return Err(Error::new(
                Code::TooManySessions,
                format!(
                    "You have {SESSIONS_PER_USER_MAX} live sessions, which is the most. Stop one first."
                ),
            ));
        }
        if !store::insert(&mut db, &record, self.inner.server).await? {
            drop(db);
            let live = self.live_record(workspace).await?.ok_or_else(|| {
                Error::new(
                    Code::SessionNotReady,
                    "Another session of the workspace just ended. Start it again.",
                )
            })?;
            return Ok(self.answer(&live).await);
        }
        let subject = record.id.to_string();
        let detail = serde_json::json!({ "workspace": workspace });
        audit::record(
            &mut db,
            &self.inner.clock,
            Some(user),
            Action::SessionStart,
            &subject,
            detail,
        )
        .await?;
        db.commit().await?;
        self.drive(record.clone());
        Ok(self.answer(&record).await)
    }

    /// Wishes the end of the workspace's live session; fine when there is none.
    ///
    /// # Errors
    /// Unknown workspace, no database.
    pub async fn stop(&self, user: UserId, workspace: WorkspaceId) -> Result<(), Error> {
        self.inner.hub.access(workspace, user).await?;
        let mut db = self.inner.db.begin().await?;
        let Some(id) = store::wish_stop(&mut db, workspace).await? else {
            return Ok(());
        };
        store::notify(&mut db, id).await?;
        let detail = serde_json::json!({ "workspace": workspace });
        audit::record(
            &mut db,
            &self.inner.clock,
            Some(user),
            Action::SessionStop,
            &id.to_string(),
            detail,
        )
        .await?;
        db.commit().await?;
        self.poke(id);
        Ok(())
    }

    /// Keeps the workspace's live session: counts as activity, and with `until_done` no idle stop while programs run.
    ///
    /// # Errors
    /// No live session, unknown workspace, no database.
    pub async fn keep(
        &self,
        user: UserId,
        workspace: WorkspaceId,
        until_done: bool,
    ) -> Result<Session, Error> {
        self.inner.hub.access(workspace, user).await?;
        let mut db = self.inner.db.begin().await?;
        let now = self.inner.clock.now();
        let Some(id) = store::keep(&mut db, workspace, until_done, now).await? else {
            return Err(no_session());
        };
        store::notify(&mut db, id).await?;
        let kept = store::find(&mut *db, id).await?.ok_or_else(no_session)?;
        let detail = serde_json::json!({ "workspace": workspace, "until_done": until_done });
        audit::record(
            &mut db,
            &self.inner.clock,
            Some(user),
            Action::SessionKeep,
            &id.to_string(),
            detail,
        )
        .await?;
        db.commit().await?;
        self.poke(id);
        let mut record = self.driven_record(id).unwrap_or(kept);
        // The driver may not have looked yet; what was just stored holds.
        record.life.keep_until_done = until_done;
        Ok(self.answer(&record).await)
    }

    /// Waits until a session that is stopping is over.
    async fn ended(&self, session: SessionId) -> Result<(), Error> {
        let stopping = || {
            Error::new(
                Code::SessionNotReady,
                "The session before is still stopping. Start again in a moment.",
            )
            .retry_after(2)
        };
        let view = lock(&self.inner.driven)
            .get(&session)
            .map(|driven| driven.view.clone());
        let Some(mut view) = view else {
            // It ended since we looked, or another server ends it.
            let record = store::find(&self.inner.db, session).await?;
            let over = record.is_none_or(|record| !rules::is_live(record.life.state));
            return if over { Ok(()) } else { Err(stopping()) };
        };
        let over = view.wait_for(|view| !rules::is_live(view.record.life.state));
        match tokio::time::timeout(READY_WAIT, over).await {
            Ok(_) => Ok(()),
            Err(_) => Err(stopping()),
        }
    }
}
