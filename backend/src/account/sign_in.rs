//! The door: register and sign in, by cookie or by token.
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse as _, Response};
use slipway_api::account::{Account, Register, SignIn, SignedIn as Answer};
use slipway_core::code::Code;
use slipway_core::limits::{EMAIL_BYTES_MAX, PERSON_NAME_CHARS_MAX};
use sqlx::{Postgres, Transaction};

use super::store::User;
use super::{password, store, token};
use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::address::Address;
use crate::http::extract::{Json, check_origin};
use crate::http::field;
use crate::state::App;

/// Makes an account and signs in. The first account of a server is its administrator.
#[utoipa::path(post, path = "/api/v1/accounts", tag = "account", request_body = Register, responses((status = 201, body = Answer)), extensions(("x-permission" = json!("public"))))]
pub(super) async fn register(
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
    let user = User {
        account: Account {
            id: app.clock.fresh(),
            name,
            email,
            administrator: first,
            created_at: app.clock.now(),
        },
        password_hash: hash,
        disabled: false,
    };
    if !store::insert(&mut db, &user).await? {
        let message = "This e-mail address has an account. Sign in instead.";
        return Err(Error::of_field("email", Code::EmailTaken, message));
    }
    let entry = Entry {
        user,
        action: Action::AccountRegister,
        device: body.device,
    };
    let answer = entry.open(&app, &headers, db).await?;
    Ok((StatusCode::CREATED, answer).into_response())
}

/// Signs in. The answer and its time are the same for an unknown address and a wrong password.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "account", request_body = SignIn, responses((status = 200, body = Answer)), extensions(("x-permission" = json!("public"))))]
pub(super) async fn sign_in(
    State(app): State<App>,
    Address(address): Address,
    headers: HeaderMap,
    Json(body): Json<SignIn>,
) -> Result<Response, Error> {
    check_origin(&headers, app.config.public_url.as_deref())?;
    let email = body.email.trim().to_owned();
    let wrong = || Error::new(Code::WrongCredentials, "E-mail and password do not match.");
    if email.len() > EMAIL_BYTES_MAX || !password::is_plausible(&body.password) {
        return Err(wrong());
    }
    // Looked up whether there is such an account or not, and whoever asks: its time tells nothing.
    let user = store::by_email(&app.db, &email).await?;
    let known = app.marks.find(&app.db, &headers, user.as_ref()).await?;
    let tried = app
        .limiter
        .sign_in(address, &email, known.as_ref(), app.clock.now())?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = match password::verify(body.password, hash).await {
        Ok(right) => right,
        Err(error) => {
            tried.give_back();
            return Err(error);
        }
    };
    let (true, Some(user)) = (right, user) else {
        return Err(wrong());
    };
    tried.succeeded();
    if user.disabled {
        return Err(Error::new(
            Code::AccountDisabled,
            "An administrator disabled this account.",
        ));
    }
    let entry = Entry {
        user,
        action: Action::AccountSignIn,
        device: body.device,
    };
    entry.open(&app, &headers, app.db.begin().await?).await
}

/// What a person may be called.
pub(super) fn checked_name(name: &str) -> Result<String, Error> {
    field::name(name, PERSON_NAME_CHARS_MAX)
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
        return Err(Error::of_field("email", Code::InvalidRequest, message));
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
pub(super) fn is_secure(app: &App, headers: &HeaderMap) -> bool {
    app.config
        .public_url
        .as_deref()
        .is_some_and(|url| url.starts_with("https://"))
        || headers
            .get("x-forwarded-proto")
            .is_some_and(|value| value == "https")
}

/// Somebody who may come in.
struct Entry {
    user: User,
    action: Action,
    /// What they call the device.
    device: Option<String>,
}

impl Entry {
    /// Signs the device in and ends the transaction. Programs get the token in the answer, browsers only as a cookie
    /// that scripts cannot read, and with it a mark by which the device is known at the next sign-in.
    async fn open(
        self,
        app: &App,
        headers: &HeaderMap,
        mut db: Transaction<'_, Postgres>,
    ) -> Result<Response, Error> {
        let Self {
            user,
            action,
            device,
        } = self;
        let id = user.account.id;
        let (subject, detail) = (id.to_string(), serde_json::json!({}));
        audit::record(&mut db, &app.clock, Some(id), action, &subject, detail).await?;
        let agent = user_agent(headers);
        let (device, token) =
            store::insert_device(&mut db, &app.clock, id, device.as_deref(), agent).await?;
        let native = headers
            .get("x-slipway-client")
            .is_some_and(|value| value == "native");
        if native {
            db.commit().await?;
            let answer = Answer {
                account: user.account,
                device,
                token: Some(token),
            };
            return Ok(Json(answer).into_response());
        }
        let secure = is_secure(app, headers);
        let mark = app.marks.cookie(&mut *db, &user, secure).await?;
        db.commit().await?;
        let cookies = AppendHeaders([
            (header::SET_COOKIE, token::cookie(token.expose(), secure)),
            (header::SET_COOKIE, mark),
        ]);
        let answer = Answer {
            account: user.account,
            device,
            token: None,
        };
        Ok((cookies, Json(answer)).into_response())
    }
}
