//! Which names this server answers to. A page of another site can make its own name point at a server on loopback, and
//! is then the same origin as it; so a name must be one that we know. Numbers cannot be made to point elsewhere.
use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use slipway_core::code::Code;

use crate::error::Error;
use crate::state::App;

/// Asked by machines that know the server by names of their own; they tell nothing of anyone.
const OPEN: [&str; 2] = ["/livez", "/readyz"];

/// Refuses requests that name another host.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let named = named(request.uri(), request.headers());
    let ours = named.is_some_and(|host| is_ours(&host, app.config.public_url.as_deref()));
    if ours || OPEN.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    Error::new(
        Code::ForeignOrigin,
        "This server does not answer to the name in the address. Open it by its IP address or as localhost, or have its \
            administrator set --public-url to the address that people use.",
    )
    .into_response()
}

/// The host of a request: HTTP/2 has it in the address, HTTP/1 in a header.
fn named(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let authority = match uri.authority() {
        Some(authority) => authority.clone(),
        None => headers.get(header::HOST)?.to_str().ok()?.parse().ok()?,
    };
    Some(bare(&authority))
}

fn bare(authority: &Authority) -> String {
    let host = authority.host();
    host.trim_start_matches('[')
        .trim_end_matches(']')
        .trim_end_matches('.')
        .to_ascii_lowercase()
}

fn is_ours(host: &str, public_url: Option<&str>) -> bool {
    let public = || {
        let uri: Uri = public_url?.parse().ok()?;
        Some(bare(uri.authority()?))
    };
    host.parse::<IpAddr>().is_ok()
        || host == "localhost"
        || host.ends_with(".localhost")
        || public().is_some_and(|public| public == host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_localhost_and_the_public_name_are_ours() {
        let ours = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            named(&Uri::from_static("/"), &headers)
                .is_some_and(|host| is_ours(&host, Some("https://Slipway.example:8443/")))
        };
        for host in [
            "127.0.0.1:8002",
            "[::1]:8002",
            "192.0.2.7",
            "localhost:8002",
            "LOCALHOST",
            "one.localhost",
            "slipway.example",
            "slipway.example:8443",
            "slipway.example.",
        ] {
            assert!(ours(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "slipway.example.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "user@evil.example",
        ] {
            assert!(!ours(host), "{host}");
        }
    }
}
