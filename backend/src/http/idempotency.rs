//! `Idempotency-Key`: a POST that is sent again, since its answer was lost, gets the answer of the first one.
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use slipway_core::code::Code;
use slipway_core::id::{Id as _, UserId};
use slipway_core::limits::{COMMIT_BYTES_MAX, IDEMPOTENCY_KEY_CHARS_MAX};
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use tracing::Instrument as _;

use super::body;
use super::extract::SignedIn;
use crate::error::Error;
use crate::state::App;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Their answers hold a token, of which nothing but the hash is ever stored.
const NEVER_KEPT: [&str; 2] = ["/api/v1/accounts", "/api/v1/sign-in"];
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// A request of which nothing was heard for this many of its signs of life died with its server.
const SIGNS_MISSED: i32 = 4;
/// How long answers are kept.
const KEPT_FOR: Duration = Duration::DAY;

/// A request that is to be done once.
struct Once {
    user: UserId,
    key: String,
    hash: [u8; 32],
}

/// Does a POST with a key once. Others, and those of nobody, pass.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(key) = request.headers().get(KEY).cloned() else {
        return next.run(request).await;
    };
    if request.method() != Method::POST || NEVER_KEPT.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let user = match SignedIn::from_request_parts(&mut parts, &app).await {
        Ok(user) => user,
        // Its route would wait for the database once more.
        Err(error) if error.code() == Code::DatabaseUnavailable => return error.into_response(),
        // Whether it needs a sign-in is for its route to say.
        Err(_) => return next.run(Request::from_parts(parts, body)).await,
    };
    let prepared = prepare(user.user, &key, &parts, body).await;
    let (once, body) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return error.into_response(),
    };
    match begin(&app, &once).await {
        Ok(None) => {}
        Ok(Some(answer)) => return answer,
        Err(error) => return error.into_response(),
    }
    // Goes on when the client hangs up, so that the answer is there when it comes back.
    let tasks = app.tasks.clone();
    let done = tasks.spawn(
        async move {
            let work = next.run(Request::from_parts(parts, body));
            let answer = tokio::select! {
                answer = work => answer,
                () = keep(&app, &once) => unreachable!("it is kept for as long as it takes"),
            };
            finish(&app, &once, answer).await
        }
        .in_current_span(),
    );
    match done.await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => error.into_response(),
        Err(failed) => std::panic::resume_unwind(failed.into_panic()),
    }
}

/// Says every now and then that the request is still being answered, so that a repetition does not begin it again.
async fn keep(app: &App, once: &Once) {
    let every = std::time::Duration::from_millis(app.config.http_alive_ms);
    loop {
        tokio::time::sleep(every).await;
        let kept = sqlx::query!(
            "update idempotency_keys set created_at = $3 where user_id = $1 and key = $2",
            once.user.uuid(),
            once.key,
            app.clock.now(),
        )
        .execute(&app.db)
        .await;
        if let Err(error) = kept {
            tracing::warn!(%error, "Cannot keep the key of a request that takes long");
        }
    }
}

/// Names the request by its key and by what it asks for. Files are told apart by their length alone: they are not held.
async fn prepare(
    user: UserId,
    key: &HeaderValue,
    parts: &Parts,
    body: Body,
) -> Result<(Once, Body), Error> {
    let key = key.to_str().unwrap_or_default().trim().to_owned();
    if key.is_empty() || key.len() > IDEMPOTENCY_KEY_CHARS_MAX {
        let message = format!("Give a key of 1 to {IDEMPOTENCY_KEY_CHARS_MAX} plain characters.");
        return Err(Error::of_field(
            "idempotency-key",
            Code::InvalidRequest,
            message,
        ));
    }
    let mut hasher = blake3::Hasher::new();
    hasher.update(parts.uri.to_string().as_bytes());
    let media = parts.headers.get(header::CONTENT_TYPE);
    let json = media.is_none_or(|media| media.as_bytes().starts_with(b"application/json"));
    let length = parts.headers.get(header::CONTENT_LENGTH);
    let body = if json && media.is_some() {
        let bytes = whole(body).await?;
        hasher.update(&bytes);
        Body::from(bytes)
    } else {
        hasher.update(length.map_or(b"", |length| length.as_bytes()));
        body
    };
    let hash = *hasher.finalize().as_bytes();
    Ok((Once { user, key, hash }, body))
}

async fn whole(body: Body) -> Result<Bytes, Error> {
    let mut pieces = body.into_data_stream();
    let mut all = Vec::new();
    while let Some(piece) = body::next_piece(&mut pieces).await? {
        all.extend_from_slice(&piece);
        if all.len() > COMMIT_BYTES_MAX {
            return Err(Error::new(
                Code::BodyTooLarge,
                "The body is larger than this address takes.",
            ));
        }
    }
    Ok(all.into())
}

/// Takes the key for this request; the stored answer when another had it before.
async fn begin(app: &App, once: &Once) -> Result<Option<Response>, Error> {
    let now = app.clock.now();
    let taken = sqlx::query!(
        "insert into idempotency_keys (user_id, key, request_hash, status, answer, created_at) values ($1, $2, $3, 0, '', $4)
        on conflict (user_id, key) do update set created_at = excluded.created_at
            where idempotency_keys.status = 0 and idempotency_keys.created_at < $5 and idempotency_keys.request_hash = excluded.request_hash",
        once.user.uuid(),
        once.key,
        &once.hash[..],
        now,
        now - SIGNS_MISSED * Duration::milliseconds(app.config.http_alive_ms.cast_signed()),
    )
    .execute(&app.db)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    let row = sqlx::query!(
        "select request_hash, status, answer from idempotency_keys where user_id = $1 and key = $2",
        once.user.uuid(),
        once.key,
    )
    .fetch_optional(&app.db)
    .await?;
    let progress = || {
        Error::new(
            Code::InProgress,
            "The same request is being answered. Ask again in a moment.",
        )
        .retry_after(1)
    };
    // Without a row the other one has just failed.
    let row = row.ok_or_else(progress)?;
    if row.request_hash != once.hash {
        return Err(Error::new(
            Code::IdempotencyMismatch,
            "The Idempotency-Key came with another request before. Use a new key for a new request.",
        ));
    }
    if row.status == 0 {
        return Err(progress());
    }
    let status = u16::try_from(row.status)
        .ok()
        .and_then(|status| StatusCode::from_u16(status).ok());
    let mut answer = (status.unwrap_or(StatusCode::OK), row.answer).into_response();
    let headers = answer.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(Some(answer))
}

/// Keeps the answer of what was done; what was refused may be tried again with the same key.
async fn finish(app: &App, once: &Once, answer: Response) -> Result<Response, Error> {
    if !answer.status().is_success() {
        let freed = sqlx::query!(
            "delete from idempotency_keys where user_id = $1 and key = $2",
            once.user.uuid(),
            once.key,
        )
        .execute(&app.db)
        .await;
        if let Err(error) = freed {
            tracing::warn!(%error, "Cannot free the key of a request that was refused");
        }
        return Ok(answer);
    }
    let (parts, body) = answer.into_parts();
    let bytes = whole(body).await?;
    let kept = sqlx::query!(
        "update idempotency_keys set status = $3, answer = $4 where user_id = $1 and key = $2",
        once.user.uuid(),
        once.key,
        i16::try_from(parts.status.as_u16()).unwrap_or(200),
        &bytes[..],
    )
    .execute(&app.db)
    .await;
    if let Err(error) = kept {
        // It is done; a repetition is told that it is in progress, and then done again.
        tracing::warn!(%error, "Cannot keep the answer of a request with a key");
    }
    Ok(Response::from_parts(parts, Body::from(bytes)))
}

/// Forgets old answers.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(db: &PgPool, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "delete from idempotency_keys where created_at < $1",
        now - KEPT_FOR
    )
    .execute(db)
    .await
    .map(drop)
}
