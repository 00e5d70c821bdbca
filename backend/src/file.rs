//! Files over REST: tree, journal, read and write, folders, moves, history and restore.
use axum::extract::State;
use serde_json::json;
use slipway_api::file::{Commit, Committed, OriginKind, Restore};
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{COMMIT_BYTES_MAX, COMMIT_OPERATIONS_MAX};
use sqlx::{Postgres, Transaction};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::extract::{Json, Path, SignedIn};
use crate::hub::{Author, Hub, Proposal, ProposalOutcome};
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
    let row = app.hub.access(workspace, user.user).await?;
    // What names no path of a workspace fails by itself; the others go on.
    let (mut outcomes, mut places, mut proposals) = (Vec::new(), Vec::new(), Vec::new());
    for operation in body.operations {
        match proposal(operation)? {
            Ok(proposal) => {
                places.push(outcomes.len());
                proposals.push(proposal);
                outcomes.push(None);
            }
            Err(refused) => outcomes.push(Some(convert::refused(&refused))),
        }
    }
    if body.atomic && places.len() < outcomes.len() {
        let nothing = || outcome(ProposalOutcome::nothing_done());
        return Ok(Json(Committed {
            revision: row.head,
            outcomes: outcomes
                .into_iter()
                .map(|refused| refused.unwrap_or_else(nothing))
                .collect(),
        }));
    }
    let (db, done) = store(
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
    finish(&app, db, workspace, done.revision).await?;
    for (place, outcome) in places.into_iter().zip(done.outcomes) {
        outcomes[place] = Some(outcome);
    }
    Ok(Json(Committed {
        revision: done.revision,
        outcomes: outcomes.into_iter().flatten().collect(),
    }))
}

/// Commits with the audit row in the same transaction, which the caller ends with [`finish`]: what it answers with is
/// read before, so that nothing is left to fail once it is durable.
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
) -> Result<(Transaction<'static, Postgres>, Committed), Error> {
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
    let done = Committed {
        revision: done.revision,
        outcomes: done.outcomes.into_iter().map(outcome).collect(),
    };
    Ok((db, done))
}

/// Makes a commit durable and tells of it.
async fn finish(
    app: &App,
    db: Transaction<'static, Postgres>,
    workspace: WorkspaceId,
    revision: u64,
) -> Result<(), Error> {
    db.commit().await?;
    app.hub.moved(workspace, revision);
    Ok(())
}

/// Brings back a path, or the whole workspace, as it was at a revision. The present stays in the history.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/restores", tag = "files", params(("workspace" = WorkspaceId, Path)), request_body = Restore, responses((status = 200, body = Committed)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn restore_to(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<Restore>,
) -> Result<Json<Committed>, Error> {
    app.hub.access(workspace, user.user).await?;
    let author = Author {
        kind: OriginKind::Restore,
        ..Hub::editor(user.user)
    };
    let mut db = app.db.begin().await?;
    let head = Hub::lock(&mut db, workspace).await?;
    if body.revision > head {
        return Err(read::unknown_revision(head));
    }
    let part = match (&body.path, &body.from) {
        (None, Some(_)) => {
            let message = "Say at which path it is to stand now.";
            return Err(Error::of_field("path", Code::InvalidRequest, message));
        }
        (path, from) => path.as_ref().map(|path| restore::Part {
            path,
            was: from.as_ref().unwrap_or(path),
        }),
    };
    let proposals = restore::proposals(&mut db, workspace, body.revision, part).await?;
    let mut done = Committed {
        revision: head,
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
            .extend(commit.outcomes.into_iter().map(restore::outcome));
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
    finish(&app, db, workspace, done.revision).await?;
    Ok(Json(done))
}
