//! Around every request: an id that each line of its log carries, a count, safe headers.
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use slipway_api::problem::Problem;
use slipway_core::id::{Id as _, RequestId};
use tracing::Instrument as _;

use crate::state::App;

/// Scripts, workers and connections only from here; styles inline because Monaco and xterm set them.
const CSP: &str = "default-src 'none'; script-src 'self'; worker-src 'self' blob:; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    font-src 'self' data:; connect-src 'self' ws: wss:; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Gives a request its id, its log line, its count and safe headers; completes problems with the id.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let id: RequestId = app.clock.fresh();
    let span = tracing::info_span!("request", request.id = %id);
    answer(request, next, id).instrument(span).await
}

async fn answer(request: Request, next: Next, id: RequestId) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = tokio::time::Instant::now();
    let mut response = next.run(request).await;
    let (elapsed, status) = (started.elapsed(), response.status());
    metrics::counter!("slipway_requests_total", "method" => label(&method), "status" => status.as_u16().to_string()).increment(1);
    metrics::histogram!("slipway_request_seconds").record(elapsed.as_secs_f64());
    if status.is_server_error() {
        tracing::error!(%method, path, status = status.as_u16(), elapsed_ms = elapsed.as_millis(), "Request failed");
    } else {
        tracing::debug!(%method, path, status = status.as_u16(), elapsed_ms = elapsed.as_millis(), "Request answered");
    }
    if let Some(mut problem) = response.extensions_mut().remove::<Problem>() {
        problem.request_id = Some(id);
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = Body::from(body);
    }
    protect(&mut response, &path);
    if let Ok(value) = HeaderValue::from_str(&id.uuid().to_string()) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// The methods that anything here takes; a client may invent others, and each would be a row of the metrics.
fn label(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| method == *known)
        .unwrap_or("other")
}

fn protect(response: &mut Response, path: &str) {
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
    let headers = response.headers_mut();
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_a_client_invents_is_no_row_of_its_own() {
        assert_eq!(label(&Method::PATCH), "PATCH");
        assert_eq!(label(&"BREW".parse().unwrap()), "other");
        assert_eq!(label(&"get".parse().unwrap()), "other");
    }
}
