//! Who a request claims to be: garbage, expired and revoked tokens, and pages of other sites.
use reqwest::{Method, RequestBuilder};
use slipway_core::code::Code;
use slipway_core::secret::Secret;
use time::{Duration, macros::datetime};

use super::healthy;
use crate::lab::Lab;
use crate::raw::{problem, refusal};
use slipway_backend::clock::Clock;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn a_token_that_is_none_is_refused() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let client = reqwest::Client::new();
    let with = |name: &str, value: Vec<u8>| -> RequestBuilder {
        let value = reqwest::header::HeaderValue::from_bytes(&value).unwrap();
        client
            .get(format!("{}/api/v1/account", lab.base()))
            .header(name, value)
    };
    let token = ana.token().unwrap().expose().to_owned();
    let cases = [
        (
            "authorization",
            b"Bearer garbage".to_vec(),
            Code::SignInExpired,
        ),
        (
            "authorization",
            format!("Bearer {}", "A".repeat(60_000)).into_bytes(),
            Code::SignInExpired,
        ),
        (
            "authorization",
            format!("Bearer {token}x").into_bytes(),
            Code::SignInExpired,
        ),
        (
            "authorization",
            format!("Basic {token}").into_bytes(),
            Code::SignInRequired,
        ),
        (
            "authorization",
            b"Bearer \xff\xfe".to_vec(),
            Code::SignInRequired,
        ),
        ("authorization", b"".to_vec(), Code::SignInRequired),
        ("cookie", b"slipway_token=".to_vec(), Code::SignInExpired),
        (
            "cookie",
            b"slipway_token=; slipway_token=x".to_vec(),
            Code::SignInExpired,
        ),
        ("cookie", b"other=1".to_vec(), Code::SignInRequired),
    ];
    for (name, value, expected) in cases {
        let shown = String::from_utf8_lossy(&value)
            .chars()
            .take(40)
            .collect::<String>();
        let refused = problem(with(name, value).send().await.unwrap()).await;
        assert_eq!(
            (refused.status, refused.code),
            (401, expected),
            "{name}: {shown}"
        );
    }
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_token_ends_with_its_time_and_with_its_device() {
    let clock = Clock::Manual(Arc::new(Mutex::new(datetime!(2030-01-01 12:00 UTC))));
    let lab = Lab::with_clock(clock).await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    // Used within its idle time it goes on, but not for ever.
    for _ in 0..8 {
        lab.clock.advance(Duration::days(20));
        ana.account().await.unwrap();
    }
    assert_eq!(
        refusal(bo.request(Method::GET, "/account")).await,
        Code::SignInExpired
    );
    lab.clock.advance(Duration::days(21));
    assert_eq!(
        refusal(ana.request(Method::GET, "/account")).await,
        Code::SignInExpired
    );
    let again = slipway_api::account::SignIn {
        email: "ana@example.org".into(),
        password: Secret::new("quiet tide at seven bells"),
        device: None,
    };
    let (ana, _) = ana.sign_in(&again).await.unwrap();
    let out = ana.request(Method::POST, "/sign-out").send().await.unwrap();
    assert_eq!(out.status(), 204);
    assert_eq!(
        refusal(ana.request(Method::GET, "/account")).await,
        Code::SignInExpired
    );
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_with_our_cookie() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let client = reqwest::Client::new();
    let cookie = format!("slipway_token={}", ana.token().unwrap().expose());
    let rename = |headers: &[(&'static str, &str)]| {
        let mut request = client
            .patch(format!("{}/api/v1/account", lab.base()))
            .header("cookie", &cookie)
            .json(&serde_json::json!({ "name": "Mallory" }));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request
    };
    let host = lab.base().strip_prefix("http://").unwrap();
    let near = format!("http://{host}.evil.example");
    for headers in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "null")],
        &[("origin", "")],
        &[("origin", near.as_str())],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
    ] {
        assert_eq!(
            refusal(rename(headers)).await,
            Code::ForeignOrigin,
            "{headers:?}"
        );
    }
    assert_eq!(ana.account().await.unwrap().name, "ana");
    let sign_in = client
        .post(format!("{}/api/v1/sign-in", lab.base()))
        .header("origin", "https://evil.example")
        .json(&serde_json::json!({ "email": "ana@example.org", "password": "x" }));
    assert_eq!(refusal(sign_in).await, Code::ForeignOrigin);
    let own = rename(&[("origin", lab.base())]).send().await.unwrap();
    assert_eq!(own.status(), 200);
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_page_that_points_its_own_name_at_us_is_not_answered() {
    let lab = Lab::start().await;
    let client = reqwest::Client::new();
    let register = |host: &str, origin: &str| {
        let body = serde_json::json!({ "name": "M", "email": "m@example.org", "password": "quiet tide at seven" });
        let request = client.post(format!("{}/api/v1/accounts", lab.base()));
        request
            .header("host", host)
            .header("origin", origin)
            .json(&body)
    };
    // To the browser both are one origin.
    for host in [
        "evil.example",
        "evil.example:8002",
        "127.0.0.1.evil.example",
    ] {
        let refused = refusal(register(host, &format!("http://{host}"))).await;
        assert_eq!(refused, Code::ForeignOrigin, "{host}");
    }
    let page = client.get(lab.base()).header("host", "evil.example");
    assert_eq!(refusal(page).await, Code::ForeignOrigin);
    // Those who watch over servers name them as they like.
    let lives = client
        .get(format!("{}/livez", lab.base()))
        .header("host", "slipway-0.slipway");
    assert_eq!(lives.send().await.unwrap().status(), 200);
    // Nobody was first yet.
    let first = register("localhost", "http://localhost")
        .send()
        .await
        .unwrap();
    assert_eq!(first.status(), 201);
    let first: slipway_api::account::SignedIn = first.json().await.unwrap();
    assert!(first.account.administrator);

    let public = Lab::with_flags(&["--public-url=https://slipway.example"]).await;
    let server = |host: &str| {
        let request = client.get(format!("{}/api/v1/server", public.base()));
        request.header("host", host.to_owned())
    };
    assert_eq!(
        server("slipway.example").send().await.unwrap().status(),
        200
    );
    assert_eq!(refusal(server("evil.example")).await, Code::ForeignOrigin);
}
