//! What time takes away: workspaces in the trash, contents that nothing names, answers that nobody asks for again.
use std::time::Duration;

use serde_json::json;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::TRASH_DAYS;
use time::OffsetDateTime;

use super::{forget, store};
use crate::audit::{self, Action};
use crate::http::idempotency;
use crate::hub::{HubError, content};
use crate::state::App;

/// How often it is looked.
const EVERY: Duration = Duration::from_secs(3600);
/// How long the answers of batches are kept.
const BATCHES_KEPT_FOR: time::Duration = time::Duration::days(7);

/// Sweeps until the stop.
pub async fn run(app: App) {
    let mut every = tokio::time::interval(EVERY);
    while app
        .stopping
        .run_until_cancelled(every.tick())
        .await
        .is_some()
    {
        sweep(&app, app.clock.now()).await;
    }
}

/// Sweeps once, as it is due at a time.
pub async fn sweep(app: &App, now: OffsetDateTime) {
    let since = now - time::Duration::days(i64::from(TRASH_DAYS));
    match store::due(&app.db, since).await {
        Ok(due) => {
            for workspace in due {
                match purge(app, workspace, since).await {
                    Ok(true) => forget(app, workspace).await,
                    // Taken out of the trash since it was listed.
                    Ok(false) => {}
                    Err(error) => {
                        tracing::warn!(workspace.id = %workspace, %error, "Cannot empty the trash");
                    }
                }
            }
        }
        Err(error) => tracing::warn!(%error, "Cannot look into the trash"),
    }
    if let Err(error) = sweep_contents(app, now).await {
        tracing::warn!(%error, "Cannot sweep contents");
    }
    if let Err(error) = idempotency::sweep(&app.db, now).await {
        tracing::warn!(%error, "Cannot sweep answers of requests with a key");
    }
    let old = now - BATCHES_KEPT_FOR;
    if let Err(error) = sqlx::query!("delete from batches where at < $1", old)
        .execute(&app.db)
        .await
    {
        tracing::warn!(%error, "Cannot sweep answers of old batches");
    }
}

async fn purge(app: &App, workspace: WorkspaceId, since: OffsetDateTime) -> sqlx::Result<bool> {
    let mut db = app.db.begin().await?;
    if !store::purge(&mut db, workspace, Some(since)).await? {
        return Ok(false);
    }
    let subject = workspace.to_string();
    let detail = json!({ "trash": true });
    let action = Action::WorkspacePurge;
    audit::record(&mut db, &app.clock, None, action, &subject, detail).await?;
    db.commit().await?;
    Ok(true)
}

async fn sweep_contents(app: &App, now: OffsetDateTime) -> Result<u64, HubError> {
    let mut db = app.db.acquire().await?;
    let mut gone = 0;
    loop {
        let some = content::sweep(&mut db, now).await?;
        if some == 0 {
            return Ok(gone);
        }
        gone += some;
    }
}
