//! Exchanges with a server: the page's request goes out with this device's token, and what comes back goes to the page.
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, Response, header};
use slipway_api::problem::Problem;
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_core::limits::{FILE_BYTES_MAX, MIB};

use super::asked::Asked;

/// What the page may say to a server; who asks is for us to say.
const SAID: [HeaderName; 7] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::RANGE,
    HeaderName::from_static("idempotency-key"),
];
/// What the page may hear.
const HEARD: [HeaderName; 9] = [
    header::ACCEPT_RANGES,
    header::CONTENT_DISPOSITION,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    header::ETAG,
    header::LAST_MODIFIED,
    header::LOCATION,
    header::RETRY_AFTER,
    HeaderName::from_static("x-request-id"),
];
/// Of one answer: a file, and what may surround it.
const ANSWER_BYTES_MAX: u64 = FILE_BYTES_MAX + MIB;
/// Until an answer begins. Some work takes long, and the page has a patience of its own for the rest.
const BEGINS_WITHIN: Duration = Duration::from_secs(300);
/// Between two pieces of an answer.
const GOES_ON_WITHIN: Duration = Duration::from_secs(30);

/// One exchange; `path` is below `/api/v1`, escaped, with its query.
///
/// # Errors
/// When the server is not reached, or something else answers.
pub(super) async fn exchange(
    client: &Client,
    asked: &Asked,
    path: &str,
) -> Result<Response<Bytes>, ClientError> {
    let said = only(&asked.headers, &SAID);
    let mut request = client.request(asked.method.clone(), path).headers(said);
    if !asked.body.is_empty() {
        request = request.body(asked.body.clone());
    }
    let answer = tokio::time::timeout(BEGINS_WITHIN, request.send()).await;
    let answer = answer.map_err(|_| ClientError::Silent)??;
    let (status, heard) = (answer.status(), only(answer.headers(), &HEARD));
    let body = whole(answer).await?;
    if !is_ours(status, &heard, &body) {
        let message = format!("status {status} of something that is no Slipway server");
        return Err(ClientError::Protocol(message));
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = heard;
    Ok(response)
}

/// The problem that an answer tells.
pub(super) fn problem(answer: &Response<Bytes>) -> Option<Problem> {
    let is_refusal = answer.status().is_client_error() || answer.status().is_server_error();
    is_refusal
        .then(|| serde_json::from_slice(answer.body()).ok())
        .flatten()
}

/// A network that asks for a sign-in of its own, or a server in front of ours, answers with pages.
fn is_ours(status: http::StatusCode, heard: &HeaderMap, body: &[u8]) -> bool {
    if status.is_client_error() || status.is_server_error() {
        return serde_json::from_slice::<Problem>(body).is_ok();
    }
    let kind = heard.get(header::CONTENT_TYPE);
    let is_page = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    !is_page && !status.is_redirection() || status == http::StatusCode::NOT_MODIFIED
}

async fn whole(answer: reqwest::Response) -> Result<Bytes, ClientError> {
    let told = answer.content_length().unwrap_or(0);
    let mut body =
        BytesMut::with_capacity(usize::try_from(told.min(ANSWER_BYTES_MAX)).unwrap_or(0));
    let mut pieces = answer.bytes_stream();
    loop {
        let piece = tokio::time::timeout(GOES_ON_WITHIN, pieces.next()).await;
        let Some(piece) = piece.map_err(|_| ClientError::Silent)? else {
            return Ok(body.freeze());
        };
        body.extend_from_slice(&piece?);
        if body.len() as u64 > ANSWER_BYTES_MAX {
            return Err(ClientError::Protocol("the answer has no end".to_owned()));
        }
    }
}

fn only(headers: &HeaderMap, names: &[HeaderName]) -> HeaderMap {
    let known = |name: &HeaderName| Some((name.clone(), headers.get(name)?.clone()));
    names.iter().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    #[test]
    fn pages_of_others_are_told_from_answers() {
        let of = |status: u16, kind: &'static str, body: &str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            is_ours(
                StatusCode::from_u16(status).unwrap(),
                &headers,
                body.as_bytes(),
            )
        };
        let problem = serde_json::to_string(&Problem::new(
            slipway_core::code::Code::NotFound,
            "There is no such file.",
        ));
        assert!(of(200, "application/json", "{}"));
        assert!(of(404, "application/problem+json", &problem.unwrap()));
        let newer = r#"{"type": "/docs#code-of_tomorrow", "title": "of tomorrow", "status": 409,
            "detail": "Not today.", "code": "of_tomorrow"}"#;
        assert!(of(409, "application/problem+json", newer));
        assert!(of(304, "application/json", ""));
        assert!(!of(200, "text/html; charset=utf-8", "<html>"));
        assert!(!of(502, "text/html", "<html>"));
        assert!(!of(302, "text/plain", ""));
    }

    #[test]
    fn who_asks_is_not_for_the_page_to_say() {
        let headers = HeaderMap::from_iter([
            (header::AUTHORIZATION, "Bearer x".parse().unwrap()),
            (header::COOKIE, "a=b".parse().unwrap()),
            (header::IF_MATCH, "\"x\"".parse().unwrap()),
        ]);
        let said = only(&headers, &SAID);
        assert_eq!(said.len(), 1);
        assert!(said.contains_key(header::IF_MATCH));
    }
}
