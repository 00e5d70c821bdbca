//! The history of a file goes on under the names that it had before, and what it was then comes back at its name of today.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use bytes::Bytes;
use reqwest::Method;
use serde_json::json;
use slipway_api::file::{Restore, Written};
use slipway_backend::hub::store;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::HISTORY_RENAMES_MAX;
use slipway_core::path::RelPath;

use crate::journey::Journey as _;
use crate::lab::{Lab, code};

async fn write(
    by: &Client,
    workspace: WorkspaceId,
    path: &str,
    over: Option<&str>,
    text: &'static str,
) -> u64 {
    let over = over.map(|text| ContentHash::of(text.as_bytes()));
    let written = by.write_file(workspace, path, over.as_ref(), Bytes::from(text));
    written.await.unwrap().revision
}

async fn rename(by: &Client, workspace: WorkspaceId, from: &str, to: &str) -> u64 {
    let path = format!("/workspaces/{workspace}/moves");
    let request = by.request(Method::POST, &path);
    let sent = by.send(request.json(&json!({ "from": from, "to": to })));
    sent.await
        .unwrap()
        .json::<Written>()
        .await
        .unwrap()
        .revision
}

/// The versions of a file: when, as what, and from where it was moved there.
async fn history(
    by: &Client,
    workspace: WorkspaceId,
    path: &str,
) -> Vec<(u64, String, Option<String>)> {
    let versions = by.history(workspace, path).await.unwrap().versions;
    let told = versions.into_iter().map(|version| {
        let change = version.change;
        let from = change.from.map(|from| from.to_string());
        (change.revision, change.path.to_string(), from)
    });
    told.collect()
}

#[tokio::test]
async fn a_history_goes_on_through_two_renames_and_not_into_what_took_the_old_name() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let one = write(&ana, workspace, "tides.py", None, "one").await;
    let two = write(&ana, workspace, "tides.py", Some("one"), "two").await;
    let moved = rename(&ana, workspace, "tides.py", "notes/sea.py").await;
    let three = write(&ana, workspace, "notes/sea.py", Some("two"), "three").await;
    let again = rename(&ana, workspace, "notes", "docs").await;
    let new = write(&ana, workspace, "tides.py", None, "new").await;
    let told = |revision, path: &str, from: Option<&str>| {
        (revision, path.to_owned(), from.map(str::to_owned))
    };
    assert_eq!(
        history(&ana, workspace, "docs/sea.py").await,
        [
            told(again, "docs/sea.py", Some("notes/sea.py")),
            told(three, "notes/sea.py", None),
            told(moved, "notes/sea.py", Some("tides.py")),
            told(two, "tides.py", None),
            told(one, "tides.py", None),
        ]
    );
    let old_name = [new, moved, two, one].map(|revision| told(revision, "tides.py", None));
    assert_eq!(history(&ana, workspace, "tides.py").await, old_name);

    let path = |text: &str| Some(RelPath::parse(text).unwrap());
    let back = |revision, to: Option<RelPath>, from: &str| Restore {
        revision,
        path: to,
        from: path(from),
    };
    let today = || path("docs/sea.py");
    ana.restore(workspace, &back(one, today(), "tides.py"))
        .await
        .unwrap();
    assert_eq!(
        ana.read_file(workspace, "docs/sea.py").await.unwrap(),
        "one"
    );
    assert_eq!(ana.read_file(workspace, "tides.py").await.unwrap(), "new");
    let never = ana
        .restore(workspace, &back(one, today(), "never.py"))
        .await;
    assert_eq!(code(never), Code::NotFound);
    let nowhere = ana.restore(workspace, &back(one, None, "tides.py")).await;
    assert_eq!(code(nowhere), Code::InvalidRequest);
    assert_eq!(
        ana.read_file(workspace, "docs/sea.py").await.unwrap(),
        "one"
    );
}

#[tokio::test]
async fn what_stood_at_a_name_before_a_file_was_moved_there_stays_in_its_history() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    // Both have a version of one revision.
    let files = ["old", "new"].map(|name| json!({ "path": name, "kind": "file", "text": name }));
    let request = ana.request(Method::POST, &format!("/workspaces/{workspace}/commits"));
    let both = json!({ "batch": "both", "operations": files });
    ana.send(request.json(&both)).await.unwrap();
    let request = ana.request(
        Method::DELETE,
        &format!("/workspaces/{workspace}/files/old"),
    );
    ana.send(request.header("if-match", "*")).await.unwrap();
    rename(&ana, workspace, "new", "old").await;
    let told: Vec<_> = history(&ana, workspace, "old")
        .await
        .into_iter()
        .map(|(revision, path, _)| (revision, path))
        .collect();
    let all = [(3, "old"), (2, "old"), (1, "old"), (1, "new")];
    assert_eq!(
        told,
        all.map(|(revision, path)| (revision, path.to_owned()))
    );
}

#[tokio::test]
async fn pages_go_on_through_renames_to_a_bound() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let many = HISTORY_RENAMES_MAX + 3;
    write(&ana, workspace, "f0", None, "x").await;
    for number in 0..many {
        let (from, to) = (format!("f{number}"), format!("f{}", number + 1));
        rename(&ana, workspace, &from, &to).await;
    }
    let newest = RelPath::parse(&format!("f{many}")).unwrap();
    let (mut seen, mut before) = (Vec::new(), u64::MAX);
    loop {
        let db = &lab.app().db;
        let page = store::history(db, workspace, &newest, before, 10).await;
        let page = page.unwrap();
        let Some(last) = page.last() else { break };
        before = last.change.revision;
        seen.extend(page.iter().map(|version| version.change.path.to_string()));
    }
    let names = (many - HISTORY_RENAMES_MAX..=many).rev();
    let names: Vec<_> = names.map(|number| format!("f{number}")).collect();
    assert_eq!(seen, names);
    // There and back again, until the bound ends it.
    for _ in 0..HISTORY_RENAMES_MAX {
        rename(&ana, workspace, newest.as_str(), "away").await;
        rename(&ana, workspace, "away", newest.as_str()).await;
    }
    let told = history(&ana, workspace, newest.as_str()).await;
    assert!(
        told.iter()
            .all(|(_, path, _)| path == "away" || path == newest.as_str())
    );
}
