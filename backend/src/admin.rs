//! The server itself and its users, as an administrator steers them.
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use slipway_api::account::{PasswordReset, UpdateUser, User, Users};
use slipway_api::server::{ServerInfo, UpdateServer};
use slipway_core::code::Code;
use slipway_core::id::{Id as _, UserId};
use slipway_proto::PROTOCOL;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::account::{password, store};
use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::extract::{Administrator, Json, Path, Query};
use crate::http::page::Page;
use crate::state::App;

/// Users of one page.
const PAGE: Page = Page::of(100);

/// Routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(server))
        .routes(routes!(update_server))
        .routes(routes!(users))
        .routes(routes!(update_user))
        .routes(routes!(reset))
}

/// What anyone may know before signing in.
#[utoipa::path(get, path = "/api/v1/server", tag = "server", responses((status = 200, body = ServerInfo)), extensions(("x-permission" = json!("public"))))]
async fn server(State(app): State<App>) -> Result<Json<ServerInfo>, Error> {
    let row = sqlx::query!(
        r#"select registration_open, exists(select from users) as "any!" from server_settings"#
    )
    .fetch_one(&app.db)
    .await?;
    let runs = app.runtime.check().await;
    Ok(Json(ServerInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: PROTOCOL,
        registration_open: row.registration_open || !row.any,
        first_account: !row.any,
        can_run: runs.is_ok(),
        cannot_run_reason: runs
            .err()
            .map(|error| format!("This server cannot {error}.")),
    }))
}

/// Changes the server's settings.
#[utoipa::path(patch, path = "/api/v1/admin/server", tag = "server", request_body = UpdateServer, responses((status = 204)), extensions(("x-permission" = json!("administrator"))))]
async fn update_server(
    State(app): State<App>,
    Administrator(user): Administrator,
    Json(body): Json<UpdateServer>,
) -> Result<StatusCode, Error> {
    let mut db = app.db.begin().await?;
    if let Some(open) = body.registration_open {
        sqlx::query!("update server_settings set registration_open = $1", open)
            .execute(&mut *db)
            .await?;
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::ServerUpdate,
        "server",
        serde_json::json!({ "registration_open": body.registration_open }),
    )
    .await?;
    db.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct After {
    /// Id of the last user of the page before.
    cursor: Option<UserId>,
}

/// All users by their time of registration.
#[utoipa::path(get, path = "/api/v1/admin/users", tag = "server", params(("cursor" = Option<UserId>, Query)), responses((status = 200, body = Users)), extensions(("x-permission" = json!("administrator"))))]
async fn users(
    State(app): State<App>,
    _administrator: Administrator,
    Query(after): Query<After>,
) -> Result<Json<Users>, Error> {
    let mut rows = sqlx::query!(
        r#"select id, name, email, administrator, disabled_at, created_at,
            (select count(*) from workspaces where owner_id = users.id and deleted_at is null) as "workspaces!"
        from users where $1::uuid is null or id > $1 order by id limit $2"#,
        after.cursor.map(|id| id.uuid()),
        PAGE.limit(),
    )
    .fetch_all(&app.db)
    .await?;
    let next = PAGE.cut(&mut rows, |row| row.id.to_string());
    let users = rows
        .into_iter()
        .map(|row| User {
            id: UserId::from_uuid(row.id),
            name: row.name,
            email: row.email,
            administrator: row.administrator,
            disabled: row.disabled_at.is_some(),
            created_at: row.created_at,
            workspaces: row.workspaces.unsigned_abs(),
        })
        .collect();
    Ok(Json(Users { users, next }))
}

/// Disables or enables a user, or makes one administrator. A disabled one is signed out and its sessions stop. The
/// last administrator stays one.
#[utoipa::path(patch, path = "/api/v1/admin/users/{user}", tag = "server", params(("user" = UserId, Path)), request_body = UpdateUser, responses((status = 204)), extensions(("x-permission" = json!("administrator"))))]
async fn update_user(
    State(app): State<App>,
    Administrator(by): Administrator,
    Path(user): Path<UserId>,
    Json(body): Json<UpdateUser>,
) -> Result<StatusCode, Error> {
    let mut db = app.db.begin().await?;
    // Two administrators who remove each other at once wait for one another here.
    sqlx::query!("select 1 as one from server_settings for update")
        .fetch_one(&mut *db)
        .await?;
    let done = sqlx::query!(
        "update users set administrator = coalesce($2, administrator), \
            disabled_at = case when $3::boolean is null then disabled_at when $3 then coalesce(disabled_at, $4) end where id = $1",
        user.uuid(),
        body.administrator,
        body.disabled,
        app.clock.now(),
    )
    .execute(&mut *db)
    .await?;
    if done.rows_affected() == 0 {
        return Err(Error::not_found("user"));
    }
    if store::administrators(&mut db).await? == 0 {
        return Err(Error::new(
            Code::Forbidden,
            "This is the last administrator. Make another account administrator first.",
        ));
    }
    let devices = if body.disabled == Some(true) {
        store::sign_out_all(&mut db, user, None).await?
    } else {
        Vec::new()
    };
    let detail =
        serde_json::json!({ "disabled": body.disabled, "administrator": body.administrator });
    audit::record(
        &mut db,
        &app.clock,
        Some(by.user),
        Action::UserUpdate,
        &user.to_string(),
        detail,
    )
    .await?;
    db.commit().await?;
    app.revoke(devices);
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a one-time password, to be handed over, and signs all devices of the user out.
#[utoipa::path(post, path = "/api/v1/admin/users/{user}/password-reset", tag = "server", params(("user" = UserId, Path)), request_body = PasswordReset, responses((status = 204)), extensions(("x-permission" = json!("administrator"))))]
async fn reset(
    State(app): State<App>,
    Administrator(by): Administrator,
    Path(user): Path<UserId>,
    Json(body): Json<PasswordReset>,
) -> Result<StatusCode, Error> {
    password::check(&body.password, "password")?;
    let hash = password::hash(body.password).await?;
    let mut db = app.db.begin().await?;
    if store::by_id(&mut db, user).await?.is_none() {
        return Err(Error::not_found("user"));
    }
    let devices = store::set_password(&mut db, user, &hash, None).await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(by.user),
        Action::UserReset,
        &user.to_string(),
        serde_json::json!({}),
    )
    .await?;
    db.commit().await?;
    app.revoke(devices);
    Ok(StatusCode::NO_CONTENT)
}
