//! Workspaces: make, list, rename, duplicate, archive, trash, export and import.
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;
use slipway_api::file::OriginKind;
use slipway_api::workspace::{
    CreateWorkspace, DeleteWorkspace, DuplicateWorkspace, Template, UpdateWorkspace, Workspace,
    WorkspaceSort,
};
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{WORKSPACE_NAME_CHARS_MAX, WORKSPACES_PER_USER_MAX};
use slipway_proto::v1;
use sqlx::{PgConnection, PgExecutor, Postgres, Transaction};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Action};
use crate::clock::random;
use crate::error::Error;
use crate::http::extract::{Json, Path, SignedIn};
use crate::http::field;
use crate::hub::{self, Author, Hub, WorkspaceRow};
use crate::state::App;

pub mod archive;
pub mod export;
pub mod import;
mod list;
pub mod store;
pub mod sweep;
pub mod template;

use store::{Changed, Wanted};

/// Routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list::list, create))
        .merge(import::routes())
        .routes(routes!(get, update, remove))
        .routes(routes!(recover))
        .routes(routes!(purge))
        .routes(routes!(duplicate))
        .routes(routes!(export::export))
}

/// Makes a workspace from a template.
#[utoipa::path(post, path = "/api/v1/workspaces", tag = "workspaces", request_body = CreateWorkspace, responses((status = 201, body = Workspace)), extensions(("x-permission" = json!("signed-in"))))]
async fn create(
    State(app): State<App>,
    user: SignedIn,
    Json(body): Json<CreateWorkspace>,
) -> Result<Response, Error> {
    let mut db = app.db.begin().await?;
    let id = begin(&app, &mut db, user, &body.name, body.template).await?;
    let author = author(user, OriginKind::Template);
    let first = template::proposals(body.template);
    if !first.is_empty() {
        app.hub
            .commit_in(&mut db, id, &author, "template", first, true)
            .await?;
    }
    finish(
        &app,
        db,
        user,
        id,
        Action::WorkspaceCreate,
        json!({ "name": body.name }),
    )
    .await
}

/// Stores the row of a new workspace; its name is checked.
async fn begin(
    app: &App,
    db: &mut PgConnection,
    user: SignedIn,
    name: &str,
    from: Template,
) -> Result<WorkspaceId, Error> {
    let name = checked_name(name)?;
    // What cannot fit is refused before any work; what may, is counted once more at the end.
    if store::count(db, user.user).await? >= WORKSPACES_PER_USER_MAX {
        return Err(too_many());
    }
    let id: WorkspaceId = app.clock.fresh();
    let epoch = uuid::Builder::from_random_bytes(random()).into_uuid();
    if store::insert(db, id, user.user, &name, from, epoch, app.clock.now()).await? {
        Ok(id)
    } else {
        Err(name_taken(&name))
    }
}

/// Ends the transaction of a new workspace.
async fn finish(
    app: &App,
    mut db: Transaction<'_, Postgres>,
    user: SignedIn,
    id: WorkspaceId,
    action: Action,
    detail: serde_json::Value,
) -> Result<Response, Error> {
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        action,
        &id.to_string(),
        detail,
    )
    .await?;
    if store::count_finally(&mut db, user.user).await? > WORKSPACES_PER_USER_MAX {
        return Err(too_many());
    }
    let made = read(&mut *db, user, id).await?;
    db.commit().await?;
    app.events.publish_user(
        user.user,
        v1::event::Event::Workspaces(v1::WorkspacesMoved {}),
    );
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn read(
    db: impl PgExecutor<'_>,
    user: SignedIn,
    id: WorkspaceId,
) -> Result<Workspace, Error> {
    let wanted = Wanted {
        filter: None,
        one: Some(id),
        search: "",
        sort: WorkspaceSort::Changed,
        after: None,
        rows: 1,
    };
    store::list(db, user.user, wanted)
        .await?
        .pop()
        .ok_or_else(|| Error::not_found("workspace"))
}

/// One workspace.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}", tag = "workspaces", params(("workspace" = WorkspaceId, Path)), responses((status = 200, body = Workspace)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn get(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<Json<Workspace>, Error> {
    Ok(Json(read(&app.db, user, workspace).await?))
}

/// Renames a workspace, archives it or brings it back.
#[utoipa::path(patch, path = "/api/v1/workspaces/{workspace}", tag = "workspaces", params(("workspace" = WorkspaceId, Path)), request_body = UpdateWorkspace, responses((status = 200, body = Workspace)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn update(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<UpdateWorkspace>,
) -> Result<Json<Workspace>, Error> {
    let row = present(&app.hub, workspace, user).await?;
    let name = body.name.as_deref().map(checked_name).transpose()?;
    let mut db = app.db.begin().await?;
    if store::update(
        &mut db,
        workspace,
        name.as_deref(),
        body.archived,
        app.clock.now(),
    )
    .await?
        == Changed::NameTaken
    {
        return Err(name_taken(name.as_deref().unwrap_or(&row.name)));
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::WorkspaceUpdate,
        &workspace.to_string(),
        json!({ "name": name, "archived": body.archived }),
    )
    .await?;
    let updated = read(&mut *db, user, workspace).await?;
    db.commit().await?;
    if body.archived == Some(true)
        && let Err(error) = app.sessions.stop(user.user, workspace).await
    {
        tracing::warn!(workspace.id = %workspace, %error, "The reconciler stops the session of an archived workspace");
    }
    app.events.publish_user(
        user.user,
        v1::event::Event::Workspaces(v1::WorkspacesMoved {}),
    );
    Ok(Json(updated))
}

/// Puts a workspace in the trash for 30 days.
#[utoipa::path(delete, path = "/api/v1/workspaces/{workspace}", tag = "workspaces", params(("workspace" = WorkspaceId, Path)), request_body = DeleteWorkspace, responses((status = 204)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn remove(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<DeleteWorkspace>,
) -> Result<StatusCode, Error> {
    let row = present(&app.hub, workspace, user).await?;
    if body.name.trim() != row.name {
        let message = format!("Type the workspace's name, \"{}\", to delete it.", row.name);
        return Err(Error::of_field("name", Code::NameMismatch, message));
    }
    app.sessions.stop(user.user, workspace).await?;
    let mut db = app.db.begin().await?;
    store::set_deleted(&mut db, workspace, Some(app.clock.now())).await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::WorkspaceDelete,
        &workspace.to_string(),
        json!({}),
    )
    .await?;
    db.commit().await?;
    app.events.publish_user(
        user.user,
        v1::event::Event::Workspaces(v1::WorkspacesMoved {}),
    );
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a workspace out of the trash.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/recover", tag = "workspaces", params(("workspace" = WorkspaceId, Path)), responses((status = 200, body = Workspace)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn recover(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<Json<Workspace>, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    let mut db = app.db.begin().await?;
    if store::set_deleted(&mut db, workspace, None).await? == Changed::NameTaken {
        return Err(name_taken(&row.name));
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::WorkspaceRecover,
        &workspace.to_string(),
        json!({}),
    )
    .await?;
    let recovered = read(&mut *db, user, workspace).await?;
    db.commit().await?;
    app.events.publish_user(
        user.user,
        v1::event::Event::Workspaces(v1::WorkspacesMoved {}),
    );
    Ok(Json(recovered))
}

/// Deletes a workspace in the trash for good.
#[utoipa::path(delete, path = "/api/v1/workspaces/{workspace}/trash", tag = "workspaces", params(("workspace" = WorkspaceId, Path)), responses((status = 204)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn purge(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<StatusCode, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    let mut db = app.db.begin().await?;
    if !store::purge(&mut db, workspace, None).await? {
        return Err(Error::new(
            Code::WorkspaceInactive,
            "Only a workspace in the trash is deleted for good. Delete it first.",
        ));
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::WorkspacePurge,
        &workspace.to_string(),
        json!({ "name": row.name }),
    )
    .await?;
    db.commit().await?;
    forget(&app, workspace).await;
    Ok(StatusCode::NO_CONTENT)
}

async fn forget(app: &App, workspace: WorkspaceId) {
    if let Err(error) = app.runtime.forget(workspace).await {
        tracing::warn!(workspace.id = %workspace, %error, "Cannot remove the volume of a workspace that is gone");
    }
}

/// Copies a workspace at its newest revision.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/duplicate", tag = "workspaces", params(("workspace" = WorkspaceId, Path)), request_body = DuplicateWorkspace, responses((status = 201, body = Workspace)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn duplicate(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<DuplicateWorkspace>,
) -> Result<Response, Error> {
    let from = read(&app.db, user, workspace).await?;
    let mut db = app.db.begin().await?;
    let id = begin(&app, &mut db, user, &body.name, from.template).await?;
    hub::copy(&mut db, workspace, id, user.user, app.clock.now()).await?;
    finish(
        &app,
        db,
        user,
        id,
        Action::WorkspaceDuplicate,
        json!({ "from": workspace }),
    )
    .await
}

/// A workspace of this user that is not in the trash.
async fn present(hub: &Hub, workspace: WorkspaceId, user: SignedIn) -> Result<WorkspaceRow, Error> {
    let row = hub.access(workspace, user.user).await?;
    if row.deleted_at.is_some() {
        return Err(Error::new(
            Code::WorkspaceInactive,
            "The workspace is in the trash. Take it out first.",
        ));
    }
    Ok(row)
}

fn author(user: SignedIn, kind: OriginKind) -> Author {
    Author {
        kind,
        ..Hub::editor(user.user)
    }
}

fn checked_name(name: &str) -> Result<String, Error> {
    field::name(name, WORKSPACE_NAME_CHARS_MAX)
}

fn too_many() -> Error {
    Error::new(
        Code::TooManyWorkspaces,
        format!(
            "You have {WORKSPACES_PER_USER_MAX} workspaces, which is the most. Delete one for good first."
        ),
    )
}

fn name_taken(name: &str) -> Error {
    let message = format!("You have a workspace named \"{name}\" already. Choose another name.");
    Error::of_field("name", Code::WorkspaceNameTaken, message)
}
