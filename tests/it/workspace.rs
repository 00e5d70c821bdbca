//! Workspaces from their making to their end: limits, copies, archive, trash, and templates that run at once.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use serde_json::{Value, json};
use slipway_api::account::SignIn;
use slipway_api::file::{Commit, Kind, Operation, OriginKind};
use slipway_api::run::RunState;
use slipway_api::session::SessionState;
use slipway_api::workspace::{Template, Workspace};
use slipway_backend::workspace::{store, sweep};
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::code::Code;
use slipway_core::id::{Id as _, WorkspaceId};
use slipway_core::limits::{TRASH_DAYS, WORKSPACE_ENTRIES_MAX, WORKSPACES_PER_USER_MAX};
use slipway_core::secret::Secret;
use sqlx::types::Uuid;

use crate::journey::Journey as _;
use crate::lab::{Lab, code};
use crate::raw::refusal;

async fn scalar(lab: &Lab, sql: &'static str) -> i64 {
    let value = sqlx::query_scalar(sql).fetch_one(&lab.app().db);
    value.await.unwrap()
}

async fn execute(lab: &Lab, sql: &'static str) {
    sqlx::query(sql).execute(&lab.app().db).await.unwrap();
}

async fn change(client: &Client, workspace: WorkspaceId, body: Value) -> reqwest::Response {
    let path = format!("/workspaces/{workspace}");
    let request = client.request(Method::PATCH, &path).json(&body);
    request.send().await.unwrap()
}

fn end(client: &Client, workspace: WorkspaceId, what: &str) -> reqwest::RequestBuilder {
    let method = if what == "trash" {
        Method::DELETE
    } else {
        Method::POST
    };
    client.request(method, &format!("/workspaces/{workspace}/{what}"))
}

#[tokio::test]
async fn a_workspace_is_deleted_by_its_typed_name_and_comes_back() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let made = ana
        .create_workspace("tides", Template::Python)
        .await
        .unwrap();
    for typed in ["", "tide", "Tides", "tides and more"] {
        assert_eq!(
            code(ana.delete_workspace(made.id, typed).await),
            Code::NameMismatch
        );
    }
    assert_eq!(
        refusal(end(&ana, made.id, "trash")).await,
        Code::WorkspaceInactive
    );
    ana.delete_workspace(made.id, " tides ").await.unwrap();
    let write = ana.write_file(made.id, "new", None, Bytes::from("x")).await;
    assert_eq!(code(write), Code::WorkspaceInactive);
    // Its name is free meanwhile; with the name taken it does not come back.
    let other = ana
        .create_workspace("tides", Template::Empty)
        .await
        .unwrap();
    assert_eq!(
        refusal(end(&ana, made.id, "recover")).await,
        Code::WorkspaceNameTaken
    );
    change(&ana, other.id, json!({ "name": "other" })).await;
    ana.send(end(&ana, made.id, "recover")).await.unwrap();
    assert!(!ana.read_file(made.id, "main.py").await.unwrap().is_empty());
}

#[tokio::test]
async fn after_its_days_in_the_trash_a_workspace_is_gone() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let old = ana.create_workspace("old", Template::Python).await.unwrap();
    let kept = ana
        .create_workspace("kept", Template::Python)
        .await
        .unwrap();
    ana.delete_workspace(old.id, "old").await.unwrap();
    let days = |days: u32| lab.clock.now() + time::Duration::days(days.into());
    sweep::sweep(lab.app(), days(TRASH_DAYS - 1)).await;
    assert_eq!(ana.workspace(old.id).await.unwrap().name, "old");
    sweep::sweep(lab.app(), days(TRASH_DAYS + 1)).await;
    assert_eq!(code(ana.workspace(old.id).await), Code::NotFound);
    assert_eq!(scalar(&lab, "select count(*) from workspaces").await, 1);
    for whose in [
        "select distinct workspace_id from entries",
        "select distinct workspace_id from changes",
        "select distinct workspace_id from blobs",
    ] {
        let rows = sqlx::query_scalar::<_, Uuid>(whose).fetch_all(&lab.app().db);
        assert_eq!(rows.await.unwrap(), [kept.id.uuid()], "{whose}");
    }
    let purges = "select count(*) from audit_events where action = 'workspace.purge'";
    assert_eq!(scalar(&lab, purges).await, 1);
}

#[tokio::test]
async fn what_is_taken_out_of_the_trash_at_the_last_moment_stays() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let made = ana
        .create_workspace("tides", Template::Python)
        .await
        .unwrap();
    ana.delete_workspace(made.id, "tides").await.unwrap();
    let db = &lab.app().db;
    let since = lab.clock.now() + time::Duration::DAY;
    assert_eq!(store::due(db, since).await.unwrap(), [made.id]);
    // Between the list and the deletion somebody wants it back.
    ana.send(end(&ana, made.id, "recover")).await.unwrap();
    let mut connection = db.acquire().await.unwrap();
    for since in [Some(since), None] {
        let gone = store::purge(&mut connection, made.id, since).await.unwrap();
        assert!(!gone, "{since:?}");
    }
    // Or it is recovered and deleted anew: then its days begin again.
    ana.delete_workspace(made.id, "tides").await.unwrap();
    let before = Some(lab.clock.now() - time::Duration::DAY);
    assert!(
        !store::purge(&mut connection, made.id, before)
            .await
            .unwrap()
    );
    assert!(ana.workspace(made.id).await.is_ok());
}

#[tokio::test]
async fn an_archived_workspace_is_read_and_not_written() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let made = ana
        .create_workspace("tides", Template::Python)
        .await
        .unwrap();
    assert_eq!(
        change(&ana, made.id, json!({ "archived": true }))
            .await
            .status(),
        200
    );
    let write = ana.write_file(made.id, "new", None, Bytes::from("x")).await;
    assert_eq!(code(write), Code::WorkspaceInactive);
    assert_eq!(
        code(ana.start_session(made.id).await),
        Code::WorkspaceInactive
    );
    assert_eq!(
        code(ana.command(made.id, "true").await),
        Code::WorkspaceInactive
    );
    assert!(!ana.read_file(made.id, "main.py").await.unwrap().is_empty());
    assert!(!ana.export_workspace(made.id).await.unwrap().is_empty());
    assert_eq!(
        change(&ana, made.id, json!({ "archived": false }))
            .await
            .status(),
        200
    );
    ana.write_file(made.id, "new", None, Bytes::from("x"))
        .await
        .unwrap();
}

#[tokio::test]
async fn archiving_ends_the_session_and_a_refused_one_does_not() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    ana.create_workspace("taken", Template::Empty)
        .await
        .unwrap();
    ana.started(&socket, workspace).await;
    let both = json!({ "archived": true, "name": "taken" });
    let refused = crate::raw::problem(change(&ana, workspace, both).await).await;
    assert_eq!(refused.code, Code::WorkspaceNameTaken);
    let wishes = "select count(*) from sessions where desired = 'stop'";
    assert_eq!(scalar(&lab, wishes).await, 0);
    change(&ana, workspace, json!({ "archived": true })).await;
    ana.until(&socket, workspace, SessionState::Stopped).await;
}

#[tokio::test]
async fn a_copy_has_every_content_and_a_history_of_its_own() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let from = ana
        .create_workspace("from", Template::Empty)
        .await
        .unwrap()
        .id;
    let large = Bytes::from(
        (0..700_000_u32)
            .flat_map(u32::to_le_bytes)
            .collect::<Vec<_>>(),
    );
    ana.write_file(from, "large.bin", None, large.clone())
        .await
        .unwrap();
    ana.write_file(from, "a.txt", None, Bytes::from("one"))
        .await
        .unwrap();
    let one = slipway_core::hash::ContentHash::of(b"one");
    ana.write_file(from, "a.txt", Some(&one), Bytes::from("two"))
        .await
        .unwrap();
    let operation = |path: &str, kind, target: Option<&str>| Operation {
        path: path.to_owned(),
        expect: None,
        kind: Some(kind),
        hash: None,
        text: (kind == Kind::File).then(|| "#!/bin/sh\n".to_owned()),
        base64: None,
        executable: kind == Kind::File,
        target: target.map(str::to_owned),
        from: None,
    };
    let commit = Commit {
        batch: "rest".to_owned(),
        operations: vec![
            operation("bin/run", Kind::File, None),
            operation("bin/link", Kind::Symlink, Some("../a.txt")),
            operation("empty", Kind::Folder, None),
        ],
        atomic: true,
    };
    ana.commit(from, &commit).await.unwrap();
    let copied = ana.request(Method::POST, &format!("/workspaces/{from}/duplicate"));
    let copied = copied.json(&json!({ "name": "copy" }));
    let copy: Workspace = ana.send(copied).await.unwrap().json().await.unwrap();
    let (mut then, now) = (
        ana.tree(from).await.unwrap(),
        ana.tree(copy.id).await.unwrap(),
    );
    then.revision = 1;
    for entry in &mut then.entries {
        entry.revision = 1;
    }
    assert_eq!(now, then);
    let source = ana.workspace(from).await.unwrap();
    assert_eq!((copy.entries, copy.bytes), (source.entries, source.bytes));
    assert_eq!(ana.read_file(copy.id, "large.bin").await.unwrap(), large);
    let versions = ana.history(copy.id, "a.txt").await.unwrap().versions;
    assert_eq!(versions.len(), 1);
    assert_eq!(versions[0].change.origin.kind, OriginKind::Template);
    // From here on each goes its own way.
    let two = slipway_core::hash::ContentHash::of(b"two");
    ana.write_file(copy.id, "a.txt", Some(&two), Bytes::from("three"))
        .await
        .unwrap();
    assert_eq!(ana.read_file(from, "a.txt").await.unwrap(), "two");
}

#[tokio::test]
async fn the_last_workspace_that_fits_is_made_once() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    ana.create_workspace("first", Template::Empty)
        .await
        .unwrap();
    let more = sqlx::query(
        "insert into workspaces (id, owner_id, name, template, epoch, created_at, changed_at)
        select gen_random_uuid(), owner_id, 'w' || n, template, gen_random_uuid(), created_at, changed_at
        from workspaces, generate_series(2, $1) as n",
    );
    let more = more.bind(i32::try_from(WORKSPACES_PER_USER_MAX - 1).unwrap());
    more.execute(&lab.app().db).await.unwrap();
    let make = |name: &'static str| ana.create_workspace(name, Template::Python);
    let (one, other) = tokio::join!(make("one"), make("other"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
    assert_eq!(code(one.and(other)), Code::TooManyWorkspaces);
    assert_eq!(code(make("third").await), Code::TooManyWorkspaces);
    let all = scalar(&lab, "select count(*) from workspaces").await;
    assert_eq!(all.unsigned_abs(), WORKSPACES_PER_USER_MAX);
}

#[tokio::test]
async fn a_workspace_in_the_making_holds_up_nobody_but_its_own_name() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let db = &lab.app().db;
    let (owner, epoch) = sqlx::query_as("select id, gen_random_uuid() from users")
        .fetch_one(db)
        .await
        .unwrap();
    let owner = slipway_core::id::Id::from_uuid(owner);
    // What an import does before and at its end.
    let mut import = db.begin().await.unwrap();
    let now = lab.clock.now();
    let id = lab.clock.fresh();
    let made = store::insert(
        &mut import,
        id,
        owner,
        "import",
        Template::Import,
        epoch,
        now,
    );
    assert!(made.await.unwrap());
    store::count_finally(&mut import, owner).await.unwrap();
    let others = async {
        let sign_in = SignIn {
            email: "ana@example.org".to_owned(),
            password: Secret::new("quiet tide at seven bells"),
            device: None,
        };
        Client::new(lab.base())
            .unwrap()
            .sign_in(&sign_in)
            .await
            .unwrap();
        ana.start_session(ana.workspaces().await.unwrap().workspaces[0].id)
            .await
            .unwrap();
        ana.create_workspace("Import", Template::Empty).await
    };
    execute(&lab, "insert into workspaces select gen_random_uuid(), id, 'w', 'empty', gen_random_uuid(), 0, 0, 0, created_at, created_at from users").await;
    let same_name = tokio::time::timeout(Duration::from_secs(20), others).await;
    assert_eq!(
        code(same_name.expect("nobody waits for the import")),
        Code::WorkspaceNameTaken
    );
}

#[tokio::test]
async fn a_full_workspace_takes_no_more_entries_but_lets_them_change_and_go() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let made = ana
        .create_workspace("tides", Template::Python)
        .await
        .unwrap();
    let full = sqlx::query("update workspaces set entry_count = $1");
    let full = full.bind(WORKSPACE_ENTRIES_MAX.cast_signed());
    full.execute(&lab.app().db).await.unwrap();
    let write = |path: &'static str| ana.write_file(made.id, path, None, Bytes::from("x"));
    assert_eq!(code(write("one-more").await), Code::TooManyEntries);
    let main = ana.read_file(made.id, "main.py").await.unwrap();
    let base = slipway_core::hash::ContentHash::of(&main);
    ana.write_file(made.id, "main.py", Some(&base), Bytes::from("x"))
        .await
        .unwrap();
    let remove = format!("/workspaces/{}/files/README.md", made.id);
    let remove = ana.request(Method::DELETE, &remove).header("if-match", "*");
    ana.send(remove).await.unwrap();
    write("one-instead").await.unwrap();
}

#[tokio::test]
async fn every_template_runs_at_once() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    for (name, template, line, shown) in [
        ("python", Template::Python, "python main.py", "mean"),
        ("node", Template::Node, "node main.js && npm test", "pass 1"),
        ("empty", Template::Empty, "pwd && ls -A", "/workspace"),
    ] {
        let workspace = ana.create_workspace(name, template).await.unwrap().id;
        let run = ana.command(workspace, line).await.unwrap();
        let done = ana.finished(&socket, workspace, run.id).await;
        let output = ana.run_output(run.id).await.unwrap();
        let output = String::from_utf8_lossy(&output);
        assert_eq!(done.state, RunState::Done, "{name}: {:?}", done.reason);
        let exit = done.exit.and_then(|exit| exit.code);
        assert_eq!(exit, Some(0), "{name}: {output}");
        assert!(output.contains(shown), "{name}: {output}");
        ana.stop_session(workspace).await.unwrap();
    }
}
