//! Answers and connections as they are on the wire, for tests of what a client of ours would never send or look at.
use reqwest::{RequestBuilder, Response};
use slipway_api::problem::Problem;
use slipway_core::code::Code;

/// Reads an answer that must be a problem: its media type, its stable code, its status said twice alike.
pub(crate) async fn problem(answer: Response) -> Problem {
    let (status, address) = (answer.status(), answer.url().to_string());
    let media = answer.headers().get("content-type").cloned();
    let text = answer.text().await.expect("a body");
    assert_eq!(
        media.as_ref().and_then(|media| media.to_str().ok()),
        Some("application/problem+json"),
        "{status} of {address}: {text}"
    );
    let problem: Problem =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{address}: {error} in {text}"));
    assert_eq!(problem.status, status.as_u16(), "{address}");
    assert!(problem.request_id.is_some(), "{address} names its request");
    assert!(problem.detail.len() > 10, "{address} says what to do");
    problem
}

/// Sends a request that must be refused; the code of the refusal.
pub(crate) async fn refusal(request: RequestBuilder) -> Code {
    problem(request.send().await.expect("an answer")).await.code
}
