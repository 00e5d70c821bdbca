//! Accounts and devices: register, sign in and out, profile, password, devices.
use std::net::IpAddr;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use slipway_api::account::{
    Account, ChangePassword, DeleteAccount, Device, Register, SignIn, SignedIn as Answer,
    UpdateAccount,
};
use slipway_core::code::Code;
use slipway_core::id::{DeviceId, Id as _, UserId};
use slipway_core::limits::{EMAIL_BYTES_MAX, PERSON_NAME_CHARS_MAX};
use slipway_core::secret::Secret;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::address::Address;
use crate::http::extract::{Json, Path, SignedIn, check_origin};
use crate::state::App;

pub mod limit;
pub mod password;
pub mod store;
pub mod token;

/// Routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(register))
        .routes(routes!(sign_in))
        .routes(routes!(sign_out))
        .routes(routes!(account, update, delete))
        .routes(routes!(change_password))
        .routes(routes!(devices))
        .routes(routes!(revoke))
}

/// Makes an account and signs in. The first account of a server is its administrator.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "account", request_body = Register, responses((status = 201, body = Answer)), extensions(("x-permission" = json!("public"))))]
async fn register(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Json(body): Json<Register>,
) -> Result<Response, Error> {
    check_origin(&headers, app.config.public_url.as_deref())?;
    let name = checked_name(&body.name)?;
    let email = checked_email(&body.email)?;
    password::check(&body.password, "password")?;
    app.limiter.register(address, app.clock.now())?;
    let hash = password::hash(body.password).await?;
    let mut db = app.db.begin().await?;
    // Two first accounts at once: the row lock lets one of them be first.
    let settings = sqlx::query!("select registration_open from server_settings for update")
        .fetch_one(&mut *db)
        .await?;
    let first = !store::any(&mut db).await?;
    if !settings.registration_open && !first {
        return Err(Error::new(
            Code::RegistrationClosed,
            "This server takes no new accounts. Ask its administrator.",
        ));
    }
    let account = Account {
        id: app.clock.fresh(),
        name,
        email,
        administrator: first,
        created_at: app.clock.now(),
    };
    if !store::insert(&mut db, &account, &hash).await? {
        let message = "This e-mail address has an account. Sign in instead.";
        return Err(Error::new(Code::EmailTaken, message).with_field(
            "email",
            Code::EmailTaken,
            message,
        ));
    }
    audit::record(
        &mut db,
        &app.clock,
        Some(account.id),
        Action::AccountRegister,
        &account.id.to_string(),
        serde_json::json!({}),
    )
    .await?;
    let (device, token) = store::insert_device(
        &mut db,
        &app.clock,
        account.id,
        body.device.as_deref(),
        user_agent(&headers),
    )
    .await?;
    db.commit().await?;
    Ok((
        StatusCode::CREATED,
        signed_in(&app, &headers, account, device, token),
    )
        .into_response())
}

/// Signs in. The answer and its time are the same for an unknown address and a wrong password.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "account", request_body = SignIn, responses((status = 200, body = Answer)), extensions(("x-permission" = json!("public"))))]
async fn sign_in(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response, Error> {
    check_origin(&headers, app.config.public_url.as_deref())?;
    let email = body.email.trim().to_owned();
    app.limiter.check(address, &email, app.clock.now())?;
    let mut db = app.db.acquire().await?;
    let found = store::by_email(&mut db, &email).await?;
    // The connection is not held while argon2 works.
    drop(db);
    let hash = found.as_ref().map(|user| user.password_hash.clone());
    let right = password::verify(body.password, hash).await?;
    let (true, Some(user)) = (right, found) else {
        app.limiter.failed(address, &email, app.clock.now());
        return Err(Error::new(
            Code::WrongCredentials,
            "E-mail and password do not match.",
        ));
    };
    if user.disabled {
        return Err(Error::new(
            Code::AccountDisabled,
            "An administrator disabled this account.",
        ));
    }
    app.limiter.succeeded(address, &email);
    let account = user.account;
    let mut db = app.db.begin().await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(account.id),
        Action::AccountSignIn,
        &account.id.to_string(),
        serde_json::json!({}),
    )
    .await?;
    let (device, token) = store::insert_device(
        &mut db,
        &app.clock,
        account.id,
        body.device.as_deref(),
        user_agent(&headers),
    )
    .await?;
    db.commit().await?;
    Ok(signed_in(&app, &headers, account, device, token))
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
    Ok(Json(own(&app, user.user).await?.account))
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
    db.commit().await?;
    Ok(Json(own(&app, user.user).await?.account))
}

/// Deletes the own account with all its workspaces.
#[utoipa::path(delete, path = "/api/v1/account", tag = "account", request_body = DeleteAccount, responses((status = 204)), extensions(("x-permission" = json!("signed-in"))))]
async fn delete(
    State(app): State<App>,
    user: SignedIn,
    headers: HeaderMap,
    Json(body): Json<DeleteAccount>,
) -> Result<Response, Error> {
    confirm(&app, user.user, body.password, "password").await?;
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
    confirm(&app, user.user, body.current, "current").await?;
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

async fn own(app: &App, user: UserId) -> Result<store::User, Error> {
    let mut db = app.db.acquire().await?;
    store::by_id(&mut db, user)
        .await?
        .ok_or_else(|| Error::new(Code::SessionExpired, "The account is gone."))
}

/// Asks for the password again before something that cannot be undone. Guesses count as at sign-in.
async fn confirm(app: &App, user: UserId, password: Secret, field: &str) -> Result<(), Error> {
    let own = own(app, user).await?;
    let address = IpAddr::from([0, 0, 0, 0]);
    app.limiter
        .check(address, &own.account.email, app.clock.now())?;
    if password::verify(password, Some(own.password_hash)).await? {
        return Ok(());
    }
    app.limiter
        .failed(address, &own.account.email, app.clock.now());
    let message = "This is not your password.";
    Err(Error::new(Code::WrongCredentials, message).with_field(
        field,
        Code::WrongCredentials,
        message,
    ))
}

fn checked_name(name: &str) -> Result<String, Error> {
    let name = name.trim();
    if name.is_empty()
        || name.chars().count() > PERSON_NAME_CHARS_MAX
        || name.chars().any(char::is_control)
    {
        let message = format!("Give a name of 1 to {PERSON_NAME_CHARS_MAX} characters.");
        return Err(Error::new(Code::InvalidRequest, &message).with_field(
            "name",
            Code::InvalidRequest,
            message,
        ));
    }
    Ok(name.to_owned())
}

/// An address has one @ with something before and a dotted name behind; only a message to it would prove more.
fn checked_email(email: &str) -> Result<String, Error> {
    let email = email.trim();
    let plausible = email.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.contains('@') && domain.split('.').all(|part| !part.is_empty())
    });
    if !plausible
        || email.len() > EMAIL_BYTES_MAX
        || email.chars().any(|c| c.is_whitespace() || c.is_control())
    {
        let message = "Give an e-mail address such as mo@example.org.";
        return Err(Error::new(Code::InvalidRequest, message).with_field(
            "email",
            Code::InvalidRequest,
            message,
        ));
    }
    Ok(email.to_owned())
}

fn user_agent(headers: &HeaderMap) -> &str {
    headers
        .get(header::USER_AGENT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or("unknown")
}

/// Behind TLS, by our own address or by the proxy's word.
fn is_secure(app: &App, headers: &HeaderMap) -> bool {
    app.config
        .public_url
        .as_deref()
        .is_some_and(|url| url.starts_with("https://"))
        || headers
            .get("x-forwarded-proto")
            .is_some_and(|value| value == "https")
}

/// Programs get the token in the answer, browsers only as a cookie that scripts cannot read.
fn signed_in(
    app: &App,
    headers: &HeaderMap,
    account: Account,
    device: DeviceId,
    token: Secret,
) -> Response {
    let native = headers
        .get("x-slipway-client")
        .is_some_and(|value| value == "native");
    let cookie = (!native).then(|| {
        [(
            header::SET_COOKIE,
            token::cookie(token.expose(), is_secure(app, headers)),
        )]
    });
    let answer = Answer {
        account,
        device,
        token: native.then_some(token),
    };
    match cookie {
        Some(cookie) => (cookie, Json(answer)).into_response(),
        None => Json(answer).into_response(),
    }
}
