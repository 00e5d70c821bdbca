//! The HTTP side: one router with its layers, and the loop that serves it on one port.
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use slipway_api::problem::Problem;
use slipway_core::code::Code;
use slipway_core::id::{Id as _, RequestId};
use slipway_core::limits::{HTTP_HEAD_BYTES_MAX, HTTP_HEADERS_MAX, JSON_BYTES_MAX};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;

use crate::error::Error;
use crate::state::App;
use crate::{account, admin, file, run, session, workspace};

pub mod address;
pub mod assets;
pub mod body;
pub mod docs;
pub mod extract;
pub mod health;
pub mod idempotency;
pub mod ws;

/// How long open requests may go on after the stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// Scripts, workers and connections only from here; styles inline because Monaco and xterm set them.
const CSP: &str = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    font-src 'self' data:; connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
        .layer(middleware::from_fn_with_state(app.clone(), around))
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

/// Gives each request an id, a log line, a count, and safe headers; completes problems with the id.
async fn around(
    axum::extract::State(app): axum::extract::State<App>,
    request: Request,
    next: Next,
) -> Response {
    let id: RequestId = app.clock.fresh();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = tokio::time::Instant::now();
    let (request, rest) = body::watched(request, Duration::from_millis(app.config.http_body_ms));
    let mut response = next.run(request).await;
    if let Some(unread) = rest.taken() {
        let drained = app
            .stopping
            .clone()
            .run_until_cancelled_owned(unread.drain());
        app.tasks.spawn(drained);
    }
    let elapsed = started.elapsed();
    let status = response.status();
    metrics::counter!("slipway_requests_total", "method" => method.to_string(), "status" => status.as_u16().to_string()).increment(1);
    metrics::histogram!("slipway_request_seconds").record(elapsed.as_secs_f64());
    if status.is_server_error() {
        tracing::error!(request.id = %id, %method, path, status = status.as_u16(), elapsed_ms = elapsed.as_millis(), "Request failed");
    } else {
        tracing::debug!(request.id = %id, %method, path, status = status.as_u16(), elapsed_ms = elapsed.as_millis(), "Request answered");
    }
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = Some(id);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(body);
    }
    let headers = response.headers_mut();
    let fixed = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CONTENT_SECURITY_POLICY, CSP),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    for (name, value) in fixed {
        // A file of a workspace brings a stricter policy of its own.
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    if path.starts_with("/api/") {
        headers
            .entry(header::CACHE_CONTROL)
            .or_insert(HeaderValue::from_static("no-store"));
    }
    if let Ok(value) = HeaderValue::from_str(&id.uuid().to_string()) {
        headers.insert("x-request-id", value);
    }
    response
}

/// Serves until the app stops, then lets open requests end within a bound.
pub async fn serve(app: App, listener: TcpListener) {
    let router = service(app.clone());
    let connections = tokio_util::task::TaskTracker::new();
    loop {
        let accepted = tokio::select! {
            () = app.stopping.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                // A keystroke must not wait for a full packet.
                drop(stream.set_nodelay(true));
                connections.spawn(connection(router.clone(), app.clone(), stream, peer));
            }
            Err(error) => {
                tracing::warn!(%error, "Cannot accept a connection");
                // Out of descriptors: others must end first.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(DRAIN_WITHIN, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            connections = connections.len(),
            "Connections did not end in time and are cut"
        );
    }
}

async fn connection(router: Router, app: App, stream: tokio::net::TcpStream, peer: SocketAddr) {
    let head_within = Duration::from_millis(app.config.http_head_ms);
    let heard = CancellationToken::new();
    let first = heard.clone();
    let service =
        hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
            first.cancel();
            request.extensions_mut().insert(ConnectInfo(peer));
            router.clone().oneshot(request.map(Body::new))
        });
    let mut builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head_within)
        .max_headers(HTTP_HEADERS_MAX)
        .max_buf_size(HTTP_HEAD_BYTES_MAX)
        .keep_alive(true);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Duration::from_secs(15))
        .keep_alive_timeout(Duration::from_secs(10));
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        // Before the version of HTTP is known nothing else watches over a connection that says nothing.
        () = silent(&heard, head_within) => return,
        () = app.stopping.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error = error.to_string(), "A connection ended early");
    }
}

/// Ends when a connection had no request at all within the time; never once it had one.
async fn silent(heard: &CancellationToken, within: Duration) {
    if tokio::time::timeout(within, heard.cancelled())
        .await
        .is_ok()
    {
        std::future::pending::<()>().await;
    }
}
