//! Files over REST: tree, journal, read and write, folders, moves, history and restore.
use axum::extract::State;
use serde_json::json;
use slipway_api::file::{Commit, Committed, OriginKind, Restore};
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{COMMIT_BYTES_MAX, COMMIT_OPERATIONS_MAX};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::extract::{Json, Path, SignedIn};
use crate::hub::{Author, Hub, Proposal};
use crate::state::App;

pub mod convert;
mod range;
mod read;
pub mod restore;
pub mod upload;
mod write;

use convert::{outcome, proposal};

/// Routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(read::tree))
        .routes(routes!(read::changes))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(commit))
                .layer(axum::extract::DefaultBodyLimit::max(COMMIT_BYTES_MAX)),
        )
        .merge(
            OpenApiRouter::new()
                .routes(routes!(read::read, write::write, write::remove))
                .layer(axum::extract::DefaultBodyLimit::disable()),
        )
        .routes(routes!(write::relocate))
        .routes(routes!(write::create_folder))
        .merge(upload::routes())
        .routes(routes!(read::history))
        .routes(routes!(restore_to))
}

/// Several operations in one transaction; a repeated batch gets the first answer.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/commits", tag = "files", params(("workspace" = WorkspaceId, Path)), request_body = Commit, responses((status = 200, body = Committed)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn commit(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<Commit>,
) -> Result<Json<Committed>, Error> {
    app.hub.access(workspace, user.user).await?;
    let proposals = body
        .operations
        .into_iter()
        .map(proposal)
        .collect::<Result<Vec<_>, _>>()?;
    let done = store(
        &app,
        workspace,
        user,
        &Hub::editor(user.user),
        &body.batch,
        proposals,
        body.atomic,
        Action::FilesWrite,
    )
    .await?;
    Ok(Json(done))
}

/// Commits with the audit row in the same transaction.
#[expect(
    clippy::too_many_arguments,
    reason = "one transaction with all that belongs to it"
)]
async fn store(
    app: &App,
    workspace: WorkspaceId,
    user: SignedIn,
    author: &Author,
    batch: &str,
    proposals: Vec<Proposal>,
    atomic: bool,
    action: Action,
) -> Result<Committed, Error> {
    let mut db = app.db.begin().await?;
    let done = app
        .hub
        .commit_in(&mut db, workspace, author, batch, proposals, atomic)
        .await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        action,
        &workspace.to_string(),
        json!({ "revision": done.revision }),
    )
    .await?;
    db.commit().await?;
    app.hub.moved(workspace, done.revision);
    Ok(Committed {
        revision: done.revision,
        outcomes: done.outcomes.into_iter().map(outcome).collect(),
    })
}

/// Brings back a path, or the whole workspace, as it was at a revision. The present stays in the history.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/restores", tag = "files", params(("workspace" = WorkspaceId, Path)), request_body = Restore, responses((status = 200, body = Committed)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn restore_to(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<Restore>,
) -> Result<Json<Committed>, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    if body.revision > row.head {
        return Err(read::unknown_revision(row.head));
    }
    let proposals = restore::proposals(&app, workspace, body.revision, body.path.as_ref()).await?;
    let author = Author {
        kind: OriginKind::Restore,
        ..Hub::editor(user.user)
    };
    let mut db = app.db.begin().await?;
    let mut done = Committed {
        revision: row.head,
        outcomes: Vec::new(),
    };
    // More than one commit takes goes into several, which are durable together.
    for part in proposals.chunks(COMMIT_OPERATIONS_MAX) {
        let batch = app.clock.fresh::<slipway_core::id::RequestId>().to_string();
        let hub = &app.hub;
        let commit = hub
            .commit_in(&mut db, workspace, &author, &batch, part.to_vec(), false)
            .await?;
        done.revision = commit.revision;
        done.outcomes
            .extend(commit.outcomes.into_iter().map(outcome));
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::FilesRestore,
        &workspace.to_string(),
        json!({ "revision": done.revision, "to": body.revision }),
    )
    .await?;
    db.commit().await?;
    app.hub.moved(workspace, done.revision);
    Ok(Json(done))
}
