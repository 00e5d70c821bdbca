//! The HTTP side that all features share: connections, layers around every request, extractors, pages of our own.
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use slipway_core::code::Code;
use slipway_core::limits::JSON_BYTES_MAX;

use crate::error::Error;
use crate::state::App;

pub mod address;
mod around;
pub mod assets;
pub mod body;
mod connection;
mod crowd;
pub mod docs;
pub mod extract;
pub mod field;
pub mod health;
mod host;
pub mod idempotency;
pub mod page;

pub use connection::serve;

/// Puts the layers around what is offered. `streams` have messages with bounds of their own, and long nothing may arrive
/// on them: they pass by the layers that watch over bodies.
pub fn layered(app: App, requests: Router<App>, streams: Router<App>) -> Router {
    requests
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(middleware::from_fn_with_state(
            app.clone(),
            idempotency::layer,
        ))
        .layer(tower_http::catch_panic::CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| {
                Error::new(
                    Code::Internal,
                    "Something went wrong on the server. Nothing you wrote is lost.",
                )
                .into_response()
            },
        ))
        .layer(middleware::from_fn_with_state(app.clone(), body::layer))
        .merge(streams)
        .layer(middleware::from_fn_with_state(app.clone(), host::layer))
        .layer(middleware::from_fn_with_state(app.clone(), around::layer))
        .with_state(app)
}

/// The answer where no route is: a problem below `/api/`, else the UI.
pub async fn elsewhere(request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        return Error::new(
            Code::NotFound,
            "There is nothing at this address. /docs lists what there is.",
        )
        .into_response();
    }
    let (parts, _) = request.into_parts();
    assets::serve(parts.uri, parts.headers).await
}

/// The answer where a route takes other methods.
pub async fn not_this_way() -> Error {
    Error::new(
        Code::MethodNotAllowed,
        "This address does not take this method.",
    )
}
