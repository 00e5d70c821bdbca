//! Guessing passwords: how often, what it costs, and that it never keeps the owner out.
use std::sync::{Arc, Mutex};

use reqwest::{Method, Response};
use serde_json::json;
use slipway_backend::account::limit::{TRIES_PER_ACCOUNT, TRIES_PER_ADDRESS};
use slipway_backend::clock::Clock;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use time::{Duration, macros::datetime};

use crate::lab::Lab;
use crate::raw::{problem, refusal};

const RIGHT: &str = "quiet tide at seven bells";
/// The tests come from this address; what they say of whom they come from is believed.
const BEHIND_A_PROXY: &[&str] = &["--trusted-proxy=127.0.0.1"];

/// Tries to sign in as if from an address.
async fn try_from(lab: &Lab, address: &str, email: &str, password: &str) -> Response {
    let request = reqwest::Client::new().post(format!("{}/api/v1/sign-in", lab.base()));
    let request = request.header("x-forwarded-for", address);
    let body = json!({ "email": email, "password": password });
    request.json(&body).send().await.expect("an answer")
}

/// Tries to sign in as Ana as if from an address, on a device that shows a mark.
async fn try_with(lab: &Lab, mark: &str, address: &str, password: &str) -> Response {
    let request = reqwest::Client::new().post(format!("{}/api/v1/sign-in", lab.base()));
    let request = request.header("x-forwarded-for", address);
    let body = json!({ "email": "ana@example.org", "password": password });
    let request = request.header("cookie", mark).json(&body);
    request.send().await.expect("an answer")
}

/// The mark that came with a sign-in, as it is shown at the next one.
fn mark(signed_in: &Response) -> String {
    let mut cookies = signed_in.cookies();
    let mark = cookies.find(|cookie| cookie.name() == "slipway_known");
    format!("slipway_known={}", mark.expect("a mark").value())
}

fn still() -> Clock {
    Clock::Manual(Arc::new(Mutex::new(datetime!(2030-01-01 12:00 UTC))))
}

#[tokio::test]
async fn many_guesses_at_once_count_as_many_and_the_owner_gets_in_from_elsewhere() {
    let lab = Lab::with(still(), BEHIND_A_PROXY).await;
    lab.user("ana").await;
    let known = try_from(&lab, "192.0.2.9", "ana@example.org", RIGHT).await;
    assert_eq!(known.status(), 200);
    let mark = mark(&known);

    let guesses = (0..30).map(|_| try_from(&lab, "192.0.2.1", "ana@example.org", "a guess"));
    let mut looked_at = 0;
    for answer in futures_util::future::join_all(guesses).await {
        let refused = problem(answer).await;
        match refused.code {
            Code::WrongCredentials => looked_at += 1,
            Code::TooManyRequests => assert!(refused.retry_after_s.is_some_and(|s| s > 200)),
            other => panic!("{other}"),
        }
    }
    assert_eq!(looked_at, TRIES_PER_ACCOUNT);
    // Not even the right one is looked at from there, so that a guesser learns nothing.
    let late = try_from(&lab, "192.0.2.1", "ana@example.org", RIGHT).await;
    assert_eq!(problem(late).await.code, Code::TooManyRequests);
    // The owner, from an address of hers; and from the guesser's own on a device that she has used before.
    let own = try_from(&lab, "192.0.2.2", "ana@example.org", RIGHT).await;
    assert_eq!(own.status(), 200);
    let again = try_with(&lab, &mark, "192.0.2.1", RIGHT).await;
    assert_eq!(again.status(), 200);
    lab.clock.advance(Duration::minutes(5));
    let later = try_from(&lab, "192.0.2.1", "ana@example.org", RIGHT).await;
    assert_eq!(later.status(), 200);
}

#[tokio::test]
async fn a_new_password_ends_the_marks_of_all_devices() {
    const NEW: &str = "loud tide at eight bells";
    let lab = Lab::with(still(), BEHIND_A_PROXY).await;
    let ana = lab.user("ana").await;
    let before = mark(&try_from(&lab, "192.0.2.9", "ana@example.org", RIGHT).await);
    let change = json!({ "current": RIGHT, "new": NEW });
    let change = ana
        .request(Method::PUT, "/account/password")
        .json(&change)
        .send();
    assert_eq!(change.await.unwrap().status(), 204);
    let after = mark(&try_from(&lab, "192.0.2.9", "ana@example.org", NEW).await);
    // Somebody with the old mark has no more guesses than everybody else at that address.
    for _ in 0..TRIES_PER_ACCOUNT {
        let wrong = try_with(&lab, &before, "192.0.2.1", "a guess").await;
        assert_eq!(problem(wrong).await.code, Code::WrongCredentials);
    }
    let other = try_from(&lab, "192.0.2.1", "ana@example.org", NEW).await;
    assert_eq!(problem(other).await.code, Code::TooManyRequests);
    let own = try_with(&lab, &after, "192.0.2.1", NEW).await;
    assert_eq!(own.status(), 200);
}

#[tokio::test]
async fn a_guesser_that_names_another_address_each_time_is_one_guesser() {
    let lab = Lab::with(still(), &[]).await;
    lab.user("ana").await;
    for number in 0..TRIES_PER_ACCOUNT {
        let from = format!("192.0.2.{number}");
        let wrong = try_from(&lab, &from, "ana@example.org", "a guess").await;
        assert_eq!(problem(wrong).await.code, Code::WrongCredentials);
    }
    let late = try_from(&lab, "198.51.100.1", "ana@example.org", RIGHT).await;
    assert_eq!(problem(late).await.code, Code::TooManyRequests);
}

#[tokio::test]
async fn guesses_at_many_accounts_from_one_network_are_counted_together() {
    let lab = Lab::with(still(), BEHIND_A_PROXY).await;
    for number in 0..TRIES_PER_ADDRESS {
        // One customer has all addresses of a /64.
        let (from, email) = (
            format!("2001:db8::{number:x}"),
            format!("{number}@example.org"),
        );
        let wrong = try_from(&lab, &from, &email, "a guess").await;
        assert_eq!(problem(wrong).await.code, Code::WrongCredentials);
    }
    let late = try_from(&lab, "2001:db8::ffff", "new@example.org", "a guess").await;
    assert_eq!(problem(late).await.code, Code::TooManyRequests);
    let other = try_from(&lab, "2001:db8:0:1::1", "new@example.org", "a guess").await;
    assert_eq!(problem(other).await.code, Code::WrongCredentials);
}

#[tokio::test]
async fn what_can_be_nobodys_is_neither_looked_at_nor_counted() {
    let lab = Lab::with(still(), &[]).await;
    let ana = lab.user("ana").await;
    for _ in 0..2 * TRIES_PER_ADDRESS {
        let long = format!("{}@example.org", "x".repeat(300));
        let refused = try_from(&lab, "", &long, "a guess").await;
        assert_eq!(problem(refused).await.code, Code::WrongCredentials);
        let refused = try_from(&lab, "", "ana@example.org", &"x".repeat(10_000)).await;
        assert_eq!(problem(refused).await.code, Code::WrongCredentials);
        let delete = ana.request(Method::DELETE, "/account");
        let delete = delete.json(&json!({ "password": "x".repeat(10_000) }));
        assert_eq!(refusal(delete).await, Code::WrongCredentials);
    }
    let own = try_from(&lab, "", "ana@example.org", RIGHT).await;
    assert_eq!(own.status(), 200);
}

#[tokio::test]
async fn who_holds_a_stolen_device_guesses_few_passwords_and_the_owner_confirms_on_another() {
    let lab = Lab::with(still(), &[]).await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let again = slipway_api::account::SignIn {
        email: "ana@example.org".into(),
        password: slipway_core::secret::Secret::new(RIGHT),
        device: None,
    };
    let (other, _) = Client::new(lab.base())
        .unwrap()
        .sign_in(&again)
        .await
        .unwrap();
    let guess = |client: &Client, current: &str| {
        let body = json!({ "current": current, "new": "loud tide at eight bells" });
        client.request(Method::PUT, "/account/password").json(&body)
    };
    for _ in 0..TRIES_PER_ACCOUNT {
        assert_eq!(
            refusal(guess(&ana, "a guess")).await,
            Code::WrongCredentials
        );
    }
    assert_eq!(refusal(guess(&ana, RIGHT)).await, Code::TooManyRequests);
    assert_eq!(guess(&bo, RIGHT).send().await.unwrap().status(), 204);
    assert_eq!(guess(&other, RIGHT).send().await.unwrap().status(), 204);
}
