//! The HTTP side: one router for REST, the socket, gRPC and the UI, with its layers.
use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use slipway_api::problem::Problem;
use slipway_core::code::Code;
use slipway_core::limits::JSON_BYTES_MAX;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::error::Error;
use crate::state::App;
use crate::{account, admin, file, grpc, run, session, workspace};

pub mod address;
mod around;
pub mod assets;
pub mod body;
mod connection;
pub mod docs;
pub mod extract;
pub mod health;
mod host;
pub mod idempotency;
pub mod ws;

pub use connection::serve;

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Slipway",
        description = "A native desktop IDE whose code runs in the cloud. Every POST of a signed-in client takes an `Idempotency-Key`: \
            sent again with the same key it is not done again, but answered as before."
    ),
    components(schemas(Problem))
)]
struct Document;

/// The router without its state, and the OpenAPI document of its routes.
pub fn router() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (api, document) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(account::routes())
        .merge(admin::routes())
        .merge(workspace::routes())
        .merge(file::routes())
        .merge(session::routes())
        .merge(run::routes())
        .merge(ws::routes())
        .split_for_parts();
    let router = api
        .merge(docs::routes(&document))
        .merge(health::routes())
        .fallback(fallback)
        .method_not_allowed_fallback(|| async {
            Error::new(
                Code::MethodNotAllowed,
                "This address does not take this method.",
            )
        });
    (router, document)
}

/// The router with its layers.
pub fn service(app: App) -> Router {
    let (router, _) = router();
    router
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
        // gRPC has messages with bounds of their own, and streams on which long nothing arrives.
        .merge(grpc::routes(&app))
        .layer(middleware::from_fn_with_state(app.clone(), host::layer))
        .layer(middleware::from_fn_with_state(app.clone(), around::layer))
        .with_state(app)
}

async fn fallback(request: Request) -> Response {
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
