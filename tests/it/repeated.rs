//! Requests that come again, and lists that go on: a key does a thing once, a cursor shows each row once.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use reqwest::{Method, Response};
use serde_json::{Value, json};
use slipway_api::workspace::{Template, Workspace, Workspaces};
use slipway_client::rest::Client;
use slipway_core::code::Code;

use crate::lab::Lab;
use crate::raw::problem;

async fn create(client: &Client, key: &str, body: &Value) -> Response {
    let request = client.request(Method::POST, "/workspaces").json(body);
    request.header("idempotency-key", key).send().await.unwrap()
}

#[tokio::test]
async fn a_request_with_its_key_is_done_once() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let body = json!({ "name": "once", "template": "python" });
    let first = create(&ana, "key-1", &body).await;
    assert_eq!(first.status(), 201);
    let first: Workspace = first.json().await.unwrap();
    let again = create(&ana, "key-1", &body).await;
    assert_eq!(
        (
            again.status().as_u16(),
            again.headers().contains_key("idempotency-replayed")
        ),
        (201, true)
    );
    assert_eq!(again.json::<Workspace>().await.unwrap(), first);
    assert_eq!(ana.workspaces().await.unwrap().workspaces.len(), 1);
    // The same key for something else is a mistake of the client.
    let other = json!({ "name": "other", "template": "python" });
    let refused = problem(create(&ana, "key-1", &other).await).await;
    assert_eq!(
        (refused.status, refused.code),
        (409, Code::IdempotencyMismatch)
    );
    // Keys are everyone's own.
    assert_eq!(create(&bo, "key-1", &body).await.status(), 201);
    // What was refused is not kept: mended, it passes under its key.
    let taken = problem(create(&ana, "key-2", &body).await).await;
    assert_eq!(taken.code, Code::WorkspaceNameTaken);
    assert_eq!(create(&ana, "key-2", &other).await.status(), 201);
    for key in ["", " ", &"k".repeat(201)] {
        let refused = problem(create(&ana, key, &body).await).await;
        assert_eq!(refused.code, Code::InvalidRequest);
        assert_eq!(refused.fields[0].field, "idempotency-key");
    }
    // A token is never kept, not even in an answer.
    let sign_in = json!({ "email": "ana@example.org", "password": "quiet tide at seven bells" });
    for _ in 0..2 {
        let again = ana.request(Method::POST, "/sign-in").json(&sign_in);
        let again = again
            .header("idempotency-key", "key-3")
            .send()
            .await
            .unwrap();
        assert_eq!(
            (
                again.status().as_u16(),
                again.headers().contains_key("idempotency-replayed")
            ),
            (200, false)
        );
    }
    let kept: Vec<String> =
        sqlx::query_scalar("select key from idempotency_keys order by key, user_id")
            .fetch_all(&lab.app().db)
            .await
            .unwrap();
    assert_eq!(kept, ["key-1", "key-1", "key-2"]);
    // Without a sign-in the key changes nothing.
    let nobody = Client::new(lab.base()).unwrap();
    assert_eq!(
        problem(create(&nobody, "key-1", &body).await).await.code,
        Code::SignInRequired
    );
}

#[tokio::test]
async fn of_many_at_once_with_one_key_one_is_done() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let body = json!({ "name": "once", "template": "empty" });
    let mut all = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (ana, body) = (ana.clone(), body.clone());
        all.spawn(async move {
            let answer = create(&ana, "one key", &body).await;
            match answer.status().as_u16() {
                201 => answer.json::<Workspace>().await.ok(),
                _ => {
                    assert_eq!(problem(answer).await.code, Code::InProgress);
                    None
                }
            }
        });
    }
    let made: Vec<_> = all.join_all().await.into_iter().flatten().collect();
    assert!(!made.is_empty());
    assert!(made.iter().all(|one| one.id == made[0].id));
    assert_eq!(ana.workspaces().await.unwrap().workspaces.len(), 1);
}

#[tokio::test]
async fn a_list_shows_each_workspace_once_in_the_order_asked_for() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let names = ["delta", "Alpha", "charlie~x", "bravo", "Echo"];
    for name in names {
        ana.create_workspace(name, Template::Empty).await.unwrap();
    }
    let first = ana.workspaces().await.unwrap().workspaces.pop().unwrap();
    assert_eq!(first.name, "delta");
    ana.write_file(first.id, "a", None, "x".into())
        .await
        .unwrap();
    for (sort, expected) in [
        ("", ["delta", "Echo", "bravo", "charlie~x", "Alpha"]),
        (
            "&sort=changed",
            ["delta", "Echo", "bravo", "charlie~x", "Alpha"],
        ),
        (
            "&sort=created",
            ["Echo", "bravo", "charlie~x", "Alpha", "delta"],
        ),
        (
            "&sort=name",
            ["Alpha", "bravo", "charlie~x", "delta", "Echo"],
        ),
    ] {
        let (mut shown, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = format!("/workspaces?limit=2{sort}{cursor}");
            let page: Workspaces = ana.get(&page).await.unwrap();
            shown.extend(page.workspaces.into_iter().map(|row| row.name));
            let Some(next) = page.next else { break };
            cursor = format!("&cursor={}", slipway_client::rest::escape_path(&next));
        }
        assert_eq!(shown, expected, "{sort}");
    }
    // A cursor belongs to its order.
    let page: Workspaces = ana.get("/workspaces?limit=2&sort=name").await.unwrap();
    let next = slipway_client::rest::escape_path(&page.next.unwrap());
    let other = ana.request(
        Method::GET,
        &format!("/workspaces?sort=created&cursor={next}"),
    );
    let refused = problem(other.send().await.unwrap()).await;
    assert_eq!(refused.code, Code::InvalidRequest);
    let unknown = ana.request(Method::GET, "/workspaces?sort=size");
    let refused = problem(unknown.send().await.unwrap()).await;
    assert_eq!(refused.fields[0].field, "sort");
}

#[tokio::test]
async fn a_request_that_takes_long_is_not_begun_again() {
    let lab = Lab::with_flags(&["--http-alive-ms=50"]).await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let body = "--x\r\ncontent-disposition: form-data; name=\"f\"; filename=\"slow.txt\"\r\n\r\nslow\r\n--x--\r\n";
    let (path, length) = (format!("/workspaces/{workspace}/uploads"), body.len());
    let upload = |body: reqwest::Body| {
        let request = ana.request(Method::POST, &path);
        request
            .header("content-type", "multipart/form-data; boundary=x")
            .header("content-length", length)
            .header("idempotency-key", "slow")
            .body(body)
            .send()
    };
    let (more, pieces) = tokio::sync::mpsc::unbounded_channel::<&'static str>();
    let stream = futures_util::stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), pieces))
    });
    let first = tokio::spawn(upload(reqwest::Body::wrap_stream(stream)));
    more.send(&body[..10]).unwrap();
    let age = async || {
        let at: Option<time::OffsetDateTime> =
            sqlx::query_scalar("select created_at from idempotency_keys")
                .fetch_optional(&lab.app().db)
                .await
                .unwrap();
        at
    };
    let lived = async {
        // waits: signs of life come by the clock, and each is a row that changed
        let (mut last, mut signs) = (None, 0);
        while signs < 6 {
            let now = age().await;
            signs += u32::from(now != last);
            last = now;
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(crate::lab::PATIENCE, lived)
        .await
        .expect("signs of life");
    let refused = problem(upload(body.into()).await.unwrap()).await;
    assert_eq!(refused.code, Code::InProgress);
    more.send(&body[10..]).unwrap();
    drop(more);
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    let again = upload(body.into()).await.unwrap();
    assert!(again.headers().contains_key("idempotency-replayed"));
}
