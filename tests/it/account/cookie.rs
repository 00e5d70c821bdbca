//! What a browser is handed: cookies that no script reads, that no other site sends, and that go over TLS only.
use reqwest::{Method, Response};
use serde_json::json;

use crate::lab::Lab;

fn cookies(answer: &Response) -> Vec<String> {
    let all = answer.headers().get_all("set-cookie").iter();
    all.map(|value| value.to_str().expect("text").to_owned())
        .collect()
}

async fn sign_in(lab: &Lab, headers: &[(&'static str, &str)]) -> Response {
    let mut request = reqwest::Client::new()
        .post(format!("{}/api/v1/sign-in", lab.base()))
        .json(&json!({ "email": "ana@example.org", "password": "quiet tide at seven bells" }));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer
}

fn parts(cookie: &str) -> Vec<&str> {
    cookie.split("; ").collect()
}

#[tokio::test]
async fn a_browser_gets_its_token_where_no_script_reads_it_and_nowhere_else() {
    let lab = Lab::start().await;
    lab.user("ana").await;
    let answer = sign_in(&lab, &[]).await;
    let set = cookies(&answer);
    assert_eq!(set.len(), 2, "{set:?}");
    for (cookie, name, path) in [
        (&set[0], "slipway_token=", "Path=/"),
        (&set[1], "slipway_known=", "Path=/api/v1/sign-in"),
    ] {
        let parts = parts(cookie);
        assert!(parts[0].starts_with(name), "{cookie}");
        for attribute in [path, "HttpOnly", "SameSite=Lax"] {
            assert!(parts.contains(&attribute), "{attribute} in {cookie}");
        }
        assert!(!parts.contains(&"Secure"), "plain HTTP on loopback");
    }
    let value = parts(&set[0])[0]
        .trim_start_matches("slipway_token=")
        .to_owned();
    let body = answer.text().await.unwrap();
    assert!(
        !body.contains(&value) && !body.contains("\"token\""),
        "{body}"
    );
    // Signing out takes it away.
    let out = reqwest::Client::new().post(format!("{}/api/v1/sign-out", lab.base()));
    let out = out.header("cookie", format!("slipway_token={value}"));
    let out = cookies(&out.send().await.unwrap());
    assert!(
        out[0].starts_with("slipway_token=;") && out[0].contains("Max-Age=0"),
        "{out:?}"
    );
}

#[tokio::test]
async fn behind_tls_a_cookie_never_travels_in_the_clear() {
    let proxied = Lab::start().await;
    proxied.user("ana").await;
    let set = cookies(&sign_in(&proxied, &[("x-forwarded-proto", "https")]).await);
    assert!(
        set.iter().all(|cookie| parts(cookie).contains(&"Secure")),
        "{set:?}"
    );
    let public = Lab::with_flags(&["--public-url=https://slipway.example"]).await;
    public.user("ana").await;
    let set = cookies(&sign_in(&public, &[]).await);
    assert!(
        set.iter().all(|cookie| parts(cookie).contains(&"Secure")),
        "{set:?}"
    );
}

#[tokio::test]
async fn a_program_gets_its_token_in_the_answer_and_no_cookie() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let body = json!({ "email": "ana@example.org", "password": "quiet tide at seven bells" });
    let answer = ana
        .request(Method::POST, "/sign-in")
        .json(&body)
        .send()
        .await
        .unwrap();
    assert!(cookies(&answer).is_empty());
    let answer: slipway_api::account::SignedIn = answer.json().await.unwrap();
    assert!(answer.token.is_some_and(|token| token.expose().len() == 43));
}
