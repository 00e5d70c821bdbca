//! Bad input in every shape: a stable code, words that say what to do, nothing lost, and a server that goes on.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;

use crate::lab::{Lab, code};
use crate::raw::{problem, refusal};

mod crowd;
mod slow;
mod token;

/// Shows that the server still serves: an answer, and a write that is read back.
async fn healthy(lab: &Lab, client: &Client) {
    let ready = reqwest::get(format!("{}/readyz", lab.base())).await;
    assert_eq!(ready.expect("an answer").status(), 200);
    let name = format!(
        "after {}",
        client.workspaces().await.unwrap().workspaces.len()
    );
    let made = client.create_workspace(&name, Template::Empty).await;
    let workspace = made.expect("a workspace").id;
    let content = Bytes::from("still here");
    let written = client
        .write_file(workspace, "a.txt", None, content.clone())
        .await;
    written.expect("a write");
    assert_eq!(client.read_file(workspace, "a.txt").await.unwrap(), content);
}

async fn workspace(client: &Client) -> WorkspaceId {
    client
        .create_workspace("w", Template::Python)
        .await
        .unwrap()
        .id
}

#[tokio::test]
async fn a_wrong_missing_or_unknown_field_is_named() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = workspace(&ana).await;
    let at = |end: &str| format!("/workspaces/{workspace}{end}");
    let write = |operation: Value| json!({ "batch": "b", "operations": [operation] });
    let cases: Vec<(Method, String, Value, &str)> = vec![
        (
            Method::POST,
            "/workspaces".into(),
            json!({ "name": 5, "template": "empty" }),
            "name",
        ),
        (
            Method::POST,
            "/workspaces".into(),
            json!({ "template": "empty" }),
            "name",
        ),
        (
            Method::POST,
            "/workspaces".into(),
            json!({ "name": "a", "template": "cobol" }),
            "template",
        ),
        (
            Method::POST,
            "/workspaces".into(),
            json!({ "name": "a", "template": "empty", "colour": 1 }),
            "colour",
        ),
        (
            Method::POST,
            "/workspaces".into(),
            json!({ "name": "", "template": "empty" }),
            "name",
        ),
        (
            Method::POST,
            "/workspaces".into(),
            json!({ "name": "x".repeat(81), "template": "empty" }),
            "name",
        ),
        (
            Method::POST,
            "/workspaces".into(),
            json!({ "name": "a\u{0}b", "template": "empty" }),
            "name",
        ),
        (Method::POST, "/workspaces".into(), json!("text"), "body"),
        (Method::POST, "/workspaces".into(), Value::Null, "body"),
        (
            Method::PATCH,
            "/account".into(),
            json!({ "name": ["Ana"] }),
            "name",
        ),
        (
            Method::PATCH,
            at(""),
            json!({ "archived": "yes" }),
            "archived",
        ),
        (
            Method::POST,
            at("/commits"),
            write(json!({ "path": 7 })),
            "operations[0].path",
        ),
        (
            Method::POST,
            at("/commits"),
            write(json!({ "path": "a", "kind": "file" })),
            "text",
        ),
        (
            Method::POST,
            at("/commits"),
            write(json!({ "path": "a", "kind": "file", "base64": "%%%" })),
            "base64",
        ),
        (
            Method::POST,
            at("/commits"),
            write(json!({ "path": "a", "kind": "symlink" })),
            "target",
        ),
        (
            Method::POST,
            at("/commits"),
            json!({ "operations": [] }),
            "batch",
        ),
        (
            Method::POST,
            at("/commits"),
            json!({ "batch": "", "operations": [] }),
            "batch",
        ),
        (
            Method::POST,
            at("/moves"),
            json!({ "from": "main.py" }),
            "to",
        ),
        (
            Method::POST,
            at("/restores"),
            json!({ "revision": -1 }),
            "revision",
        ),
        (
            Method::POST,
            at("/restores"),
            json!({ "revision": 1.5 }),
            "revision",
        ),
        (
            Method::GET,
            "/workspaces?limit=many".into(),
            Value::Null,
            "limit",
        ),
        (Method::GET, at("/history"), Value::Null, "path"),
        (
            Method::POST,
            "/accounts".into(),
            json!({ "name": "B", "email": "no", "password": "quiet tide at seven" }),
            "email",
        ),
        (
            Method::POST,
            "/accounts".into(),
            json!({ "name": "B", "email": "b@example.org" }),
            "password",
        ),
    ];
    for (method, path, body, field) in cases {
        let shown = format!("{method} {path} {body}");
        let mut request = ana.request(method.clone(), &path);
        if method != Method::GET {
            request = request.json(&body);
        }
        let refused = problem(request.send().await.unwrap()).await;
        assert_eq!(
            (refused.status, refused.code),
            (422, Code::InvalidRequest),
            "{shown}"
        );
        let fields: Vec<_> = refused
            .fields
            .iter()
            .map(|field| field.field.as_str())
            .collect();
        assert_eq!(fields, [field], "{shown}: {}", refused.detail);
    }
    assert_eq!(ana.workspaces().await.unwrap().workspaces.len(), 1);
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let json = |body: Vec<u8>| {
        let request = ana.request(Method::POST, "/workspaces");
        request
            .header("content-type", "application/json")
            .body(body)
    };
    let not_utf8 = b"{\"name\":\"\xff\xfe\",\"template\":\"empty\"}".to_vec();
    for body in [
        not_utf8,
        b"{\"name\":".to_vec(),
        Vec::new(),
        vec![0; 64],
        b"[".repeat(100_000),
    ] {
        assert_eq!(refusal(json(body)).await, Code::InvalidRequest);
    }
    let plain = ana.request(Method::POST, "/workspaces").body("{}");
    assert_eq!(refusal(plain).await, Code::UnsupportedMediaType);
    let workspace = workspace(&ana).await;
    let upload = ana.request(Method::POST, &format!("/workspaces/{workspace}/uploads"));
    assert_eq!(
        refusal(upload.body("no parts")).await,
        Code::UnsupportedMediaType
    );
    let upload = ana.request(Method::POST, &format!("/workspaces/{workspace}/uploads"));
    let upload = upload.header("content-type", "multipart/form-data; boundary=x");
    assert_eq!(
        refusal(upload.body("--x\r\nbroken")).await,
        Code::InvalidRequest
    );
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_path_that_cannot_live_everywhere_is_refused_before_anything_is_touched() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = workspace(&ana).await;
    let head = ana.workspace(workspace).await.unwrap().head;
    let long = "x".repeat(256);
    let deep = vec!["folder"; 600].join("/");
    // As they stand in the address: escaped by hand, since no library would send them.
    let cases = [
        ("%FF%FE", Code::PathInvalid),
        ("a%00b", Code::PathInvalid),
        ("a%0Ab", Code::PathInvalid),
        ("..%2F..%2Fetc%2Fpasswd", Code::PathInvalid),
        ("%2Fetc%2Fpasswd", Code::PathInvalid),
        ("a%2F%2Fb", Code::PathInvalid),
        ("a%2F", Code::PathInvalid),
        (long.as_str(), Code::PathInvalid),
        (deep.as_str(), Code::PathInvalid),
        ("a%5Cb", Code::PathReserved),
        ("C%3A%5Cwindows", Code::PathReserved),
        ("NUL.txt", Code::PathReserved),
        ("dot.", Code::PathReserved),
        (".slipway/x", Code::PathReserved),
    ];
    for (path, expected) in cases {
        let path = format!("/workspaces/{workspace}/files/{path}");
        let write = ana.request(Method::PUT, &path).header("if-none-match", "*");
        assert_eq!(refusal(write.body("x")).await, expected, "{path}");
        let read = ana.request(Method::GET, &path);
        assert_eq!(refusal(read).await, expected, "{path}");
    }
    // Inside of a body or a query a path has the same code, and its field is named.
    let at = |end: &str| format!("/workspaces/{workspace}{end}");
    for (request, field, expected) in [
        (
            ana.request(Method::POST, &at("/moves"))
                .json(&json!({ "from": "main.py", "to": "NUL.txt" })),
            "to",
            Code::PathReserved,
        ),
        (
            ana.request(Method::POST, &at("/moves"))
                .json(&json!({ "from": "../x", "to": "a" })),
            "from",
            Code::PathInvalid,
        ),
        (
            ana.request(Method::POST, &at("/folders"))
                .json(&json!({ "path": "a at line 1/.." })),
            "path",
            Code::PathInvalid,
        ),
        (
            ana.request(Method::GET, &at("/history?path=a//b")),
            "path",
            Code::PathInvalid,
        ),
    ] {
        let refused = problem(request.send().await.unwrap()).await;
        assert_eq!(
            (refused.status, refused.code),
            (422, expected),
            "{}",
            refused.detail
        );
        assert_eq!(refused.fields[0].field, field, "{}", refused.detail);
        assert!(
            refused.detail.ends_with('.') && !refused.detail.contains("path_"),
            "{}",
            refused.detail
        );
    }
    assert_eq!(ana.workspace(workspace).await.unwrap().head, head);
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn ids_that_name_nothing_are_not_found_whatever_they_look_like() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    for id in [
        "01890000-0000-7000-8000-00000000dead",
        "0",
        "null",
        "%00",
        "'%20or%201=1--",
        "..%2Fadmin",
        &"9".repeat(2_000),
    ] {
        for path in [
            format!("/workspaces/{id}"),
            format!("/workspaces/{id}/tree"),
            format!("/runs/{id}"),
            format!("/sessions/{id}/terminals"),
        ] {
            let refused = problem(ana.request(Method::GET, &path).send().await.unwrap()).await;
            assert_eq!(
                (refused.status, refused.code),
                (404, Code::NotFound),
                "{path}"
            );
        }
    }
    let workspace = workspace(&ana).await;
    for (query, expected) in [
        ("tree?revision=99", Code::RevisionUnknown),
        ("tree?revision=18446744073709551615", Code::RevisionUnknown),
        ("tree?revision=18446744073709551616", Code::InvalidRequest),
        ("files/main.py?revision=99", Code::RevisionUnknown),
        (
            "files/main.py?revision=18446744073709551615",
            Code::RevisionUnknown,
        ),
        ("files/none.py", Code::NotFound),
    ] {
        let path = format!("/workspaces/{workspace}/{query}");
        assert_eq!(
            refusal(ana.request(Method::GET, &path)).await,
            expected,
            "{query}"
        );
    }
    let nul = ana.request(Method::GET, "/workspaces?search=a%00b");
    assert_eq!(refusal(nul).await, Code::InvalidRequest);
    let nul = json!({ "batch": "a\u{0}b", "operations": [] });
    let nul = ana
        .request(Method::POST, &format!("/workspaces/{workspace}/commits"))
        .json(&nul);
    assert_eq!(refusal(nul).await, Code::InvalidRequest);
    let nul = json!({ "target": { "kind": "command", "line": "a\u{0}b" } });
    let nul = ana
        .request(Method::POST, &format!("/workspaces/{workspace}/runs"))
        .json(&nul);
    assert_eq!(refusal(nul).await, Code::InvalidRequest);
    let unread = ana.request(Method::GET, "/workspaces?cursor=mine");
    assert_eq!(refusal(unread).await, Code::InvalidRequest);
    // Numbers beyond what the database counts with.
    let far = format!("/workspaces/{workspace}/changes?after=18446744073709551615");
    let none: slipway_api::file::Changes = ana.get(&far).await.unwrap();
    assert!(none.changes.is_empty() && !none.more);
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_with_words_that_arrive() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = workspace(&ana).await;
    let zeros = Bytes::from(vec![b'0'; 8 << 20]);
    // Without a length, so that only counting finds it; the answer must be there although the body is not read.
    let endless = |pieces: usize| {
        let pieces = std::iter::repeat_n(zeros.clone(), pieces).map(Ok::<_, std::io::Error>);
        reqwest::Body::wrap_stream(futures_util::stream::iter(pieces))
    };
    let json = ana
        .request(Method::POST, "/workspaces")
        .header("content-type", "application/json");
    let refused = problem(json.body(endless(4)).send().await.expect("an answer")).await;
    assert_eq!((refused.status, refused.code), (413, Code::BodyTooLarge));
    let commit = ana.request(Method::POST, &format!("/workspaces/{workspace}/commits"));
    let commit = commit.header("content-type", "application/json");
    assert_eq!(refusal(commit.body(endless(4))).await, Code::BodyTooLarge);
    let file = ana.request(
        Method::PUT,
        &format!("/workspaces/{workspace}/files/big.bin"),
    );
    let file = file.header("if-none-match", "*");
    let refused = problem(file.body(endless(16)).send().await.expect("an answer")).await;
    assert_eq!((refused.status, refused.code), (413, Code::FileTooLarge));
    // With a length it is refused before a byte of it is stored.
    let file = ana.request(
        Method::PUT,
        &format!("/workspaces/{workspace}/files/big.bin"),
    );
    let file = file
        .header("if-none-match", "*")
        .body(vec![0; (100 << 20) + 1]);
    assert_eq!(refusal(file).await, Code::FileTooLarge);
    let held: i64 = sqlx::query_scalar("select count(*) from blobs where size > 1000000")
        .fetch_one(&lab.app().db)
        .await
        .unwrap();
    assert_eq!(held, 0, "nothing of it stays");
    assert_eq!(
        code(ana.read_file(workspace, "big.bin").await),
        Code::NotFound
    );
    healthy(&lab, &ana).await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let large = ana
        .request(Method::GET, "/account")
        .header("x-large", "x".repeat(300_000));
    assert_eq!(large.send().await.expect("an answer").status(), 431);
    let mut many = ana.request(Method::GET, "/account");
    for number in 0..200 {
        many = many.header(format!("x-{number}"), "x");
    }
    assert_eq!(many.send().await.expect("an answer").status(), 431);
    healthy(&lab, &ana).await;
}
