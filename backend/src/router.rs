//! One router for REST, the socket, gRPC and the UI: what every feature offers, and the layers of `http` around it.
use axum::Router;
use slipway_api::problem::Problem;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::http::{docs, health};
use crate::state::App;
use crate::{account, admin, file, grpc, http, run, session, workspace, ws};

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

/// The router with its layers.
pub fn service(app: App) -> Router {
    let (api, document) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(account::routes())
        .merge(admin::routes())
        .merge(workspace::routes())
        .merge(file::routes())
        .merge(session::routes())
        .merge(run::routes())
        .merge(ws::routes())
        .split_for_parts();
    let requests = api
        .merge(docs::routes(&document))
        .merge(health::routes())
        .fallback(http::elsewhere)
        .method_not_allowed_fallback(http::not_this_way);
    let streams = grpc::routes(&app);
    http::layered(app, requests, streams)
}
