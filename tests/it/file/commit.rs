//! Commits over REST: what is wrong with one operation is its own outcome, and a batch's name stands for one batch.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use slipway_api::file::{Committed, OutcomeResult, Restore};
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;

use crate::lab::{Lab, PATIENCE};
use crate::raw::refusal;

fn request(client: &Client, workspace: WorkspaceId, commit: &Value) -> reqwest::RequestBuilder {
    let path = format!("/workspaces/{workspace}/commits");
    client.request(Method::POST, &path).json(commit)
}

async fn commit(client: &Client, workspace: WorkspaceId, commit: Value) -> Committed {
    let sent = client.send(request(client, workspace, &commit)).await;
    sent.unwrap().json().await.unwrap()
}

fn file(path: &str, text: &str) -> Value {
    json!({ "path": path, "kind": "file", "text": text })
}

#[tokio::test]
async fn an_operation_on_a_path_that_is_none_fails_alone() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let operations = json!([
        file("a.txt", "a"),
        file("../out", "b"),
        file("con.txt", "c"),
        { "path": "d.txt", "from": "a//b" },
        { "path": "e.txt", "kind": "file", "hash": ContentHash::of(b"never sent") },
        file("f.txt", "f"),
    ]);
    let codes =
        |done: &Committed| -> Vec<_> { done.outcomes.iter().map(|outcome| outcome.code).collect() };
    let refused = [
        Some(Code::PathInvalid),
        Some(Code::PathReserved),
        Some(Code::PathInvalid),
    ];
    let body = json!({ "batch": "all", "operations": operations, "atomic": true });
    let nothing = commit(&ana, workspace, body).await;
    assert_eq!(nothing.revision, 0);
    assert_eq!(codes(&nothing)[1..4], refused);
    assert_eq!(codes(&nothing)[0], Some(Code::Stale));
    let body = json!({ "batch": "each", "operations": operations });
    let done = commit(&ana, workspace, body).await;
    assert_eq!(codes(&done)[1..4], refused);
    assert_eq!(codes(&done)[4], Some(Code::ContentMissing));
    assert_eq!(done.outcomes[0].result, OutcomeResult::Applied);
    assert_eq!(done.outcomes[5].result, OutcomeResult::Applied);
    assert_eq!(ana.tree(workspace).await.unwrap().entries.len(), 2);
}

#[tokio::test]
async fn a_batch_that_is_repeated_gets_its_answer_and_another_one_does_not() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let body = json!({ "batch": "one", "operations": [file("a.txt", "a")] });
    let first = commit(&ana, workspace, body.clone()).await;
    assert_eq!(commit(&ana, workspace, body).await, first);
    for other in [
        json!({ "batch": "one", "operations": [file("a.txt", "b")] }),
        json!({ "batch": "one", "operations": [file("b.txt", "a")] }),
        json!({ "batch": "one", "operations": [file("a.txt", "a")], "atomic": true }),
        json!({ "batch": "one", "operations": [] }),
    ] {
        let code = refusal(request(&ana, workspace, &other)).await;
        assert_eq!(code, Code::IdempotencyMismatch, "{other}");
    }
    for name in [String::new(), "n".repeat(201)] {
        let body = json!({ "batch": name, "operations": [file("a.txt", "b")] });
        let code = refusal(request(&ana, workspace, &body)).await;
        assert_eq!(code, Code::InvalidRequest);
    }
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "a");
}

#[tokio::test]
async fn a_write_or_delete_says_what_it_is_based_on() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana
        .create_workspace("w", Template::Python)
        .await
        .unwrap()
        .id;
    let path = format!("/workspaces/{workspace}/files/main.py");
    for method in [Method::PUT, Method::DELETE] {
        let code = refusal(ana.request(method, &path).body("x")).await;
        assert_eq!(code, Code::PreconditionRequired);
    }
}

#[tokio::test]
async fn a_restore_knows_what_was_written_until_its_turn() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Python).await.unwrap();
    let before = ana.tree(workspace.id).await.unwrap();
    // Somebody's commit is under way when the restore is asked for, and is done before it.
    let app = lab.app();
    let mut other = app.db.begin().await.unwrap();
    let late = slipway_backend::hub::Proposal {
        path: "late.txt".parse().unwrap(),
        expect: None,
        change: slipway_backend::hub::NewNode::File {
            content: slipway_backend::hub::Content::Inline(Bytes::from_static(b"late").into()),
            executable: false,
            from: None,
        },
    };
    let author = slipway_backend::hub::Hub::editor(ana.account().await.unwrap().id);
    app.hub
        .commit_in(&mut other, workspace.id, &author, "late", vec![late], false)
        .await
        .unwrap();
    let (revision, path) = (workspace.head, None);
    let restore = Restore {
        revision,
        path,
        from: None,
    };
    let finish = async {
        let waits = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
        let waiting =
            async || -> i64 { sqlx::query_scalar(waits).fetch_one(&app.db).await.unwrap() };
        while waiting().await == 0 {}
        other.commit().await.unwrap();
    };
    let (restored, ()) = tokio::time::timeout(PATIENCE, async {
        tokio::join!(ana.restore(workspace.id, &restore), finish)
    })
    .await
    .unwrap();
    assert_eq!(restored.unwrap().revision, revision + 2);
    let paths = |tree: slipway_api::file::Tree| -> Vec<_> {
        tree.entries.into_iter().map(|entry| entry.path).collect()
    };
    assert_eq!(paths(ana.tree(workspace.id).await.unwrap()), paths(before));
}
