//! The UI inside the binary: precompressed, with an ETag, immutable where the name carries a hash.
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

/// One file of the UI, embedded by `build.rs`.
struct Asset {
    /// Path below the UI's root, without a slash in front.
    path: &'static str,
    mime: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Shown when the program was built without its UI.
const NO_UI: &str = "<!doctype html><title>Slipway</title><p>This server was built without its user interface. Build it with <code>cargo xtask run</code>; the API is described at <a href=\"/docs\">/docs</a>.";

/// Answers with a file of the UI, or with the page itself for its own routes.
pub async fn serve(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    if let Some(asset) = find(path) {
        return answer(asset, &headers, path.starts_with("assets/"));
    }
    // A missing file stays missing; everything else is a route of the page.
    if path.starts_with("assets/")
        || path
            .rsplit('/')
            .next()
            .is_some_and(|name| name.contains('.'))
    {
        return (StatusCode::NOT_FOUND, "There is no such file.").into_response();
    }
    match find("index.html") {
        Some(page) => answer(page, &headers, false),
        None => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "text/html; charset=utf-8")],
            NO_UI,
        )
            .into_response(),
    }
}

fn find(path: &str) -> Option<&'static Asset> {
    ASSETS
        .binary_search_by(|asset| asset.path.cmp(path))
        .ok()
        .map(|index| &ASSETS[index])
}

fn answer(asset: &'static Asset, headers: &HeaderMap, immutable: bool) -> Response {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .unwrap_or_default()
    };
    let caching = if immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let common = [
        (header::ETAG, asset.etag),
        (header::CACHE_CONTROL, caching),
        (header::VARY, "accept-encoding"),
    ];
    if text(header::IF_NONE_MATCH) == asset.etag {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let accepted = text(header::ACCEPT_ENCODING);
    let (body, encoding) = match (asset.brotli, asset.gzip) {
        (Some(body), _) if accepted.contains("br") => (body, Some("br")),
        (_, Some(body)) if accepted.contains("gzip") => (body, Some("gzip")),
        _ => (asset.plain, None),
    };
    let mut response = (common, [(header::CONTENT_TYPE, asset.mime)], body).into_response();
    if let Some(encoding) = encoding {
        response
            .headers_mut()
            .insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    static PAGE: Asset = Asset {
        path: "assets/a.js",
        mime: "text/javascript; charset=utf-8",
        etag: "\"1\"",
        plain: b"plain",
        brotli: Some(b"by brotli"),
        gzip: Some(b"by gzip"),
    };

    async fn served(asked: &[(header::HeaderName, &'static str)]) -> (Response, String) {
        let headers = asked
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        let response = answer(&PAGE, &headers, true);
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 100).await.expect("a body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        (Response::from_parts(parts, axum::body::Body::empty()), text)
    }

    #[tokio::test]
    async fn a_file_goes_out_as_small_as_the_browser_takes_it() {
        for (accepted, encoding, text) in [
            ("gzip, deflate, br", Some("br"), "by brotli"),
            ("gzip, deflate", Some("gzip"), "by gzip"),
            ("identity", None, "plain"),
        ] {
            let (response, body) = served(&[(header::ACCEPT_ENCODING, accepted)]).await;
            let found = response.headers().get(header::CONTENT_ENCODING);
            assert_eq!(found.and_then(|found| found.to_str().ok()), encoding);
            assert_eq!(body, text);
            assert_eq!(response.headers()[header::CONTENT_TYPE], PAGE.mime);
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
        }
    }

    #[tokio::test]
    async fn a_file_that_the_browser_has_is_not_sent_again() {
        let (response, body) = served(&[(header::IF_NONE_MATCH, "\"1\"")]).await;
        assert_eq!(
            (response.status(), body.as_str()),
            (StatusCode::NOT_MODIFIED, "")
        );
        let (response, _) = served(&[(header::IF_NONE_MATCH, "\"0\"")]).await;
        assert_eq!(
            (response.status(), &response.headers()[header::ETAG]),
            (StatusCode::OK, &HeaderValue::from_static("\"1\""))
        );
        let caching = &response.headers()[header::CACHE_CONTROL];
        assert!(
            caching
                .to_str()
                .is_ok_and(|caching| caching.contains("immutable"))
        );
    }
}
