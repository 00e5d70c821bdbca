//! Device tokens: 256 random bits, of which only the hash is stored. Cookie for browsers, bearer for programs.
use axum::http::{HeaderMap, HeaderValue, header};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use slipway_core::code::Code;
use slipway_core::id::{DeviceId, Id as _, UserId};
use slipway_core::limits::{DEVICE_ABSOLUTE_DAYS, DEVICE_IDLE_DAYS};
use slipway_core::secret::Secret;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use tokio::sync::broadcast::error::RecvError;

use crate::clock::random;
use crate::error::Error;
use crate::http::extract::SignedIn;
use crate::state::App;

const COOKIE: &str = "slipway_token";

/// A token as it came with a request.
#[derive(Debug)]
pub struct Presented<'a> {
    /// The token.
    pub token: &'a str,
    /// Whether a browser sent it by itself, so that the origin must be checked.
    pub by_cookie: bool,
}

/// Makes a token.
#[must_use]
pub fn fresh() -> Secret {
    Secret::new(URL_SAFE_NO_PAD.encode(random::<32>()))
}

/// What the database keeps of a token.
#[must_use]
pub fn hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

/// The token of a request, bearer before cookie.
#[must_use]
pub fn presented(headers: &HeaderMap) -> Option<Presented<'_>> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok()?.strip_prefix("Bearer ")?;
        return Some(Presented {
            token,
            by_cookie: false,
        });
    }
    cookie_of(headers, COOKIE).map(|token| Presented {
        token,
        by_cookie: true,
    })
}

/// The first cookie of this name.
pub(super) fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The cookie that hands a token to a browser; an empty token takes it away.
#[must_use]
pub fn cookie(token: &str, secure: bool) -> HeaderValue {
    let days = if token.is_empty() {
        0
    } else {
        DEVICE_ABSOLUTE_DAYS
    };
    set_cookie(COOKIE, token, "/", days, secure)
}

/// A cookie that no script reads and no other site sends along with a change.
pub(super) fn set_cookie(
    name: &str,
    value: &str,
    path: &str,
    days: u32,
    secure: bool,
) -> HeaderValue {
    let age = u64::from(days) * 86_400;
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::from_str(&format!(
        "{name}={value}; Path={path}; HttpOnly; SameSite=Lax; Max-Age={age}{secure}"
    ))
    .expect("invariant: a token is base64")
}

/// When a device that was made and last used at these times is signed out.
#[must_use]
pub fn expires_at(created: OffsetDateTime, used: OffsetDateTime) -> OffsetDateTime {
    let absolute = created + Duration::days(i64::from(DEVICE_ABSOLUTE_DAYS));
    absolute.min(used + Duration::days(i64::from(DEVICE_IDLE_DAYS)))
}

/// Finds whom a token stands for, and notes its use once a minute.
///
/// # Errors
/// Unknown, expired, or of a disabled account.
pub async fn find(app: &App, token: &str) -> Result<SignedIn, Error> {
    let expired = || {
        Error::new(
            Code::SignInExpired,
            "Your sign-in has ended. Sign in again; nothing you typed is lost.",
        )
    };
    let row = sqlx::query!(
        "select devices.id, user_id, devices.created_at, last_used_at, expires_at, administrator, disabled_at \
         from devices join users on users.id = user_id where token_hash = $1",
        &hash(token)[..],
    )
    .fetch_optional(&app.db)
    .await?
    .ok_or_else(expired)?;
    let now = app.clock.now();
    if row.expires_at <= now {
        return Err(expired());
    }
    if row.disabled_at.is_some() {
        return Err(Error::new(
            Code::AccountDisabled,
            "An administrator disabled this account.",
        ));
    }
    if row.last_used_at + Duration::minutes(1) < now {
        sqlx::query!(
            "update devices set last_used_at = $2, expires_at = $3 where id = $1",
            row.id,
            now,
            expires_at(row.created_at, now)
        )
        .execute(&app.db)
        .await?;
    }
    Ok(SignedIn {
        user: UserId::from_uuid(row.user_id),
        device: DeviceId::from_uuid(row.id),
        administrator: row.administrator,
    })
}

/// Ends when a device is not signed in any more: at once when that happens on this server, and otherwise, for what
/// another server did or time does, within `every`. It looks for the first time at once, since a stream opens a while
/// after its token was checked.
pub fn signed_out(
    app: &App,
    device: DeviceId,
    every: std::time::Duration,
) -> impl Future<Output = ()> + Send + use<> {
    let (db, clock) = (app.db.clone(), app.clock.clone());
    let mut revoked = app.revocations.subscribe();
    async move {
        loop {
            match is_signed_in(&db, device, clock.now()).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::debug!(%error, "Cannot look whether a device is signed in"),
            }
            let again = tokio::time::sleep(every);
            tokio::pin!(again);
            loop {
                let heard = tokio::select! {
                    () = &mut again => break,
                    heard = revoked.recv() => heard,
                };
                match heard {
                    Ok(other) if other != device => {}
                    Ok(_) | Err(RecvError::Closed) => return,
                    // Having missed some, it may have missed its own.
                    Err(RecvError::Lagged(_)) => break,
                }
            }
        }
    }
}

async fn is_signed_in(db: &PgPool, device: DeviceId, now: OffsetDateTime) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists(select from devices join users on users.id = user_id
            where devices.id = $1 and expires_at > $2 and disabled_at is null) as "signed_in!""#,
        device.uuid(),
        now,
    )
    .fetch_one(db)
    .await
}
