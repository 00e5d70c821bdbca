//! Accounts and devices: register, sign in and out, profile, password, devices.
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use slipway_api::account::{Account, ChangePassword, DeleteAccount, Device, UpdateAccount};
use slipway_core::code::Code;
use slipway_core::id::{DeviceId, Id as _, UserId};
use slipway_core::secret::Secret;
use sqlx::PgConnection;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::extract::{Json, Path, SignedIn};
use crate::state::App;

pub mod known;
pub mod limit;
pub mod password;
mod sign_in;
pub mod store;
pub mod token;

use sign_in::{checked_name, is_secure};

/// Routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_in::register))
        .routes(routes!(sign_in::sign_in))
        .routes(routes!(sign_out))
        .routes(routes!(account, update, delete))
        .routes(routes!(change_password))
        .routes(routes!(devices))
        .routes(routes!(revoke))
}

/// Signs this device out.
#[utoipa::path(post, path = "/api/v1/sign-out", tag = "account", responses((status = 204)), extensions(("x-permission" = json!("signed-in"))))]
async fn sign_out(
    State(app): State<App>,
    user: SignedIn,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let mut db = app.db.begin().await?;
    store::delete_device(&mut db, user.user, user.device).await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::AccountSignOut,
        &user.device.to_string(),
        serde_json::json!({}),
    )
    .await?;
    db.commit().await?;
    app.revoke([user.device]);
    Ok((
        StatusCode::NO_CONTENT,
        [(
            header::SET_COOKIE,
            token::cookie("", is_secure(&app, &headers)),
        )],
    )
        .into_response())
}

/// The own account.
#[utoipa::path(get, path = "/api/v1/account", tag = "account", responses((status = 200, body = Account)), extensions(("x-permission" = json!("signed-in"))))]
async fn account(State(app): State<App>, user: SignedIn) -> Result<Json<Account>, Error> {
    let mut db = app.db.acquire().await?;
    Ok(Json(own(&mut db, user.user).await?.account))
}

/// Changes the own account.
#[utoipa::path(patch, path = "/api/v1/account", tag = "account", request_body = UpdateAccount, responses((status = 200, body = Account)), extensions(("x-permission" = json!("signed-in"))))]
async fn update(
    State(app): State<App>,
    user: SignedIn,
    Json(body): Json<UpdateAccount>,
) -> Result<Json<Account>, Error> {
    let name = body.name.as_deref().map(checked_name).transpose()?;
    let mut db = app.db.begin().await?;
    if let Some(name) = &name {
        sqlx::query!(
            "update users set name = $2 where id = $1",
            user.user.uuid(),
            name
        )
        .execute(&mut *db)
        .await?;
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::AccountUpdate,
        &user.user.to_string(),
        serde_json::json!({}),
    )
    .await?;
    let own = own(&mut db, user.user).await?;
    db.commit().await?;
    Ok(Json(own.account))
}

/// Deletes the own account with all its workspaces; its sessions end.
#[utoipa::path(delete, path = "/api/v1/account", tag = "account", request_body = DeleteAccount, responses((status = 204)), extensions(("x-permission" = json!("signed-in"))))]
async fn delete(
    State(app): State<App>,
    user: SignedIn,
    headers: HeaderMap,
    Json(body): Json<DeleteAccount>,
) -> Result<Response, Error> {
    confirm(&app, user, body.password, "password").await?;
    let mut db = app.db.begin().await?;
    sqlx::query!("select 1 as one from server_settings for update")
        .fetch_one(&mut *db)
        .await?;
    if user.administrator
        && store::administrators(&mut db).await? == 1
        && store::count(&mut db).await? > 1
    {
        return Err(Error::new(
            Code::Forbidden,
            "You are the only administrator. Make another account administrator first.",
        ));
    }
    let devices = store::delete_user(&mut db, user.user).await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::AccountDelete,
        &user.user.to_string(),
        serde_json::json!({}),
    )
    .await?;
    db.commit().await?;
    app.revoke(devices);
    // Its sessions end as soon as their drivers miss their rows; then their volumes go.
    app.sessions.sweep_soon();
    Ok((
        StatusCode::NO_CONTENT,
        [(
            header::SET_COOKIE,
            token::cookie("", is_secure(&app, &headers)),
        )],
    )
        .into_response())
}

/// Changes the password and signs out all other devices.
#[utoipa::path(put, path = "/api/v1/account/password", tag = "account", request_body = ChangePassword, responses((status = 204)), extensions(("x-permission" = json!("signed-in"))))]
async fn change_password(
    State(app): State<App>,
    user: SignedIn,
    Json(body): Json<ChangePassword>,
) -> Result<StatusCode, Error> {
    password::check(&body.new, "new")?;
    confirm(&app, user, body.current, "current").await?;
    let hash = password::hash(body.new).await?;
    let mut db = app.db.begin().await?;
    let devices = store::set_password(&mut db, user.user, &hash, Some(user.device)).await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::AccountPassword,
        &user.user.to_string(),
        serde_json::json!({}),
    )
    .await?;
    db.commit().await?;
    app.revoke(devices);
    Ok(StatusCode::NO_CONTENT)
}

/// The own devices, the newest first.
#[utoipa::path(get, path = "/api/v1/account/devices", tag = "account", responses((status = 200, body = Vec<Device>)), extensions(("x-permission" = json!("signed-in"))))]
async fn devices(State(app): State<App>, user: SignedIn) -> Result<Json<Vec<Device>>, Error> {
    let mut db = app.db.acquire().await?;
    Ok(Json(
        store::devices(&mut db, user.user, user.device, app.clock.now()).await?,
    ))
}

/// Signs a device out and ends its streams.
#[utoipa::path(delete, path = "/api/v1/account/devices/{device}", tag = "account", params(("device" = DeviceId, Path)), responses((status = 204)), extensions(("x-permission" = json!("signed-in"))))]
async fn revoke(
    State(app): State<App>,
    user: SignedIn,
    Path(device): Path<DeviceId>,
) -> Result<StatusCode, Error> {
    let mut db = app.db.begin().await?;
    if !store::delete_device(&mut db, user.user, device).await? {
        return Err(Error::not_found("device"));
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        Action::DeviceRevoke,
        &device.to_string(),
        serde_json::json!({}),
    )
    .await?;
    db.commit().await?;
    app.revoke([device]);
    Ok(StatusCode::NO_CONTENT)
}

async fn own(db: &mut PgConnection, user: UserId) -> Result<store::User, Error> {
    store::by_id(db, user)
        .await?
        .ok_or_else(|| Error::new(Code::SignInExpired, "The account is gone."))
}

/// Asks for the password again before something that cannot be undone. Guesses count for the device that makes them.
async fn confirm(app: &App, user: SignedIn, password: Secret, field: &str) -> Result<(), Error> {
    let message = "This is not your password.";
    let wrong = || Error::of_field(field, Code::WrongCredentials, message);
    if !password::is_plausible(&password) {
        return Err(wrong());
    }
    let own = own(&mut *app.db.acquire().await?, user.user).await?;
    let tried = app.limiter.confirm(user.device, app.clock.now())?;
    match password::verify(password, Some(own.password_hash)).await {
        Ok(true) => tried.succeeded(),
        Ok(false) => return Err(wrong()),
        Err(error) => {
            tried.give_back();
            return Err(error);
        }
    }
    Ok(())
}
