//! How a folder stands with its server, what did not go together, and what a person does about it.
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use serde_json::{Value, json};
use slipway_api::desktop::{ConnectionState, Told};
use slipway_backend::clock::Clock;
use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;
use time::OffsetDateTime;
use time::macros::datetime;

use super::folder::{stands, text};
use super::seat::Seat;
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};
use crate::mirror::folder::signed_in_again;
use crate::way::Way;

/// A server that can be away, an account, a workspace with a file in it, and its clone here.
pub(super) struct Scene {
    lab: Lab,
    way: Way,
    ana: Client,
    pub(super) seat: Seat,
    workspace: WorkspaceId,
    pub(super) id: String,
}

impl Scene {
    pub(super) async fn new() -> Self {
        Self::with(Lab::start().await).await
    }

    async fn with(lab: Lab) -> Self {
        let ana = lab.user("ana").await;
        let workspace = ana.empty_workspace().await;
        ana.write_file(workspace, "a.txt", None, "one\n".into())
            .await
            .expect("written");
        let way = Way::to(lab.base()).await;
        let mut seat = Seat::new().await;
        seat.choose(&way.base).await.done();
        seat.sign_in("ana").await.done();
        let cloned = seat
            .say("POST", "/desktop/clone", json!({ "workspace": workspace }))
            .await;
        let id = text(&cloned.done(), "id").to_owned();
        seat.until_read(&seat.path("tides/a.txt"), "one\n").await;
        Self {
            lab,
            way,
            ana,
            seat,
            workspace,
            id,
        }
    }

    pub(super) async fn server_goes(&mut self) {
        self.lab.stop().await;
        self.way.cut();
        self.seat.stands(ConnectionState::Waiting).await;
        stands(&mut self.seat, &self.id, "offline").await;
    }

    pub(super) async fn server_comes(&mut self) {
        self.lab.restart(true).await;
        self.ana = self.lab.again(&self.ana);
        self.way.lead_to(self.lab.base());
    }

    async fn ask(&self, path: &str) -> Value {
        self.seat
            .ask("GET", &format!("/workspaces/{}/{path}", self.id))
            .await
            .done()
    }

    pub(super) async fn save(&self, path: &str, content: &'static str) {
        let path = format!("/workspaces/{}/files/{path}", self.id);
        let any = [("if-match", "*")];
        let saved = self
            .seat
            .send("PUT", &path, &any, Bytes::from_static(content.as_bytes()))
            .await;
        assert_eq!(saved.status, 200, "{saved:?}");
    }

    /// Waits until the server has a file.
    pub(super) async fn at_server(&self, path: &str, content: &str) {
        let there = async {
            let events = self.ana.subscribe(Some(self.workspace)).await;
            let mut events = events.expect("events");
            while self
                .ana
                .read_file(self.workspace, path)
                .await
                .ok()
                .as_deref()
                != Some(content.as_bytes())
            {
                futures_util::StreamExt::next(&mut events)
                    .await
                    .expect("events")
                    .expect("an event");
            }
        };
        tokio::time::timeout(PATIENCE, there)
            .await
            .expect("in time");
    }

    /// Waits until something is true of what is shown of the sync.
    async fn until(&mut self, path: &str, is: impl Fn(&Value) -> bool) -> Value {
        loop {
            let now = self.ask(path).await;
            if is(&now) {
                return now;
            }
            self.seat
                .until_told(|told| matches!(told, Told::Sync { .. }))
                .await;
        }
    }
}

#[tokio::test]
async fn without_the_server_work_goes_on_and_both_sides_meet_when_it_is_back() {
    let mut scene = Scene::new().await;
    scene.server_goes().await;
    scene.save("mine.txt", "mine\n").await;
    let sync = scene.until("sync", |sync| sync["up"] == 1).await;
    assert_eq!(text(&sync, "state"), "offline");
    assert!(sync["offline_since"].is_string(), "{sync}");
    assert_eq!(text(&sync["paths"][0], "path"), "mine.txt");
    let run = json!({ "target": { "kind": "command", "line": "true" } });
    let run = scene
        .seat
        .say("POST", &format!("/workspaces/{}/runs", scene.id), run)
        .await;
    assert_eq!(run.code(), "unreachable");
    scene.server_comes().await;
    let theirs = scene
        .ana
        .write_file(scene.workspace, "theirs.txt", None, "theirs\n".into())
        .await;
    theirs.unwrap();
    scene.seat.gateway.retry();
    scene.at_server("mine.txt", "mine\n").await;
    let path = scene.seat.path("tides/theirs.txt");
    scene.seat.until_read(&path, "theirs\n").await;
    let sync = scene
        .until("sync", |sync| sync["state"] == "online" && sync["up"] == 0)
        .await;
    assert!(sync["in_step_at"].is_string(), "{sync}");
    assert_eq!(sync["conflicts"], 0);
}

#[tokio::test]
async fn what_does_not_go_together_is_listed_with_its_beginning_and_resolved() {
    let mut scene = Scene::new().await;
    scene.server_goes().await;
    scene.save("a.txt", "mine\n").await;
    scene.server_comes().await;
    let tree = scene.ana.tree(scene.workspace).await.unwrap();
    let base = tree.entries[0].hash;
    scene
        .ana
        .write_file(scene.workspace, "a.txt", base.as_ref(), "theirs\n".into())
        .await
        .unwrap();
    scene.seat.gateway.retry();
    let all = scene
        .until("conflicts", |all| all["conflicts"] != json!([]))
        .await;
    let conflict = &all["conflicts"][0];
    let copy = text(conflict, "copy").to_owned();
    assert_eq!(
        (text(conflict, "path"), &conflict["base"]),
        ("a.txt", &true.into())
    );
    assert_eq!(
        std::fs::read(scene.seat.path("tides").join(&copy)).unwrap(),
        b"mine\n"
    );
    let escaped = copy.replace(' ', "%20");
    let begin = scene
        .seat
        .ask(
            "GET",
            &format!("/workspaces/{}/conflicts/base?copy={escaped}", scene.id),
        )
        .await;
    assert_eq!((begin.status, &*begin.body), (200, b"one\n".as_slice()));
    let none = scene
        .seat
        .ask(
            "GET",
            &format!("/workspaces/{}/conflicts/base?copy=a.txt", scene.id),
        )
        .await;
    assert_eq!(none.code(), "not_found");
    // How it stands is told a moment later than the conflict itself.
    scene
        .until("sync", |all| {
            let notices = all["notices"].as_array().into_iter().flatten();
            let mut codes = notices.map(|one| &one["code"]);
            all["conflicts"] == 1 && codes.any(|code| code == "conflict_copy")
        })
        .await;

    scene.save("a.txt", "theirs and mine\n").await;
    let path = format!("/workspaces/{}/conflicts/resolve", scene.id);
    let resolved = json!({ "copy": copy, "keep_copy": false });
    assert_eq!(
        scene.seat.say("POST", &path, resolved.clone()).await.status,
        204
    );
    assert_eq!(scene.ask("conflicts").await["conflicts"], json!([]));
    assert!(!scene.seat.path("tides").join(&copy).exists());
    assert_eq!(
        scene.seat.say("POST", &path, resolved).await.code(),
        "not_found"
    );
    scene.at_server("a.txt", "theirs and mine\n").await;
}

/// The server's file is changed elsewhere, and that is taken back here.
async fn takes_back_what_came_in(scene: &mut Scene) {
    let tree = scene.ana.tree(scene.workspace).await.expect("a tree");
    let base = tree.entries[0].hash;
    scene
        .ana
        .write_file(scene.workspace, "a.txt", base.as_ref(), "two\n".into())
        .await
        .expect("written");
    let path = scene.seat.path("tides/a.txt");
    scene.seat.until_read(&path, "two\n").await;
    let sync = scene
        .until("sync", |sync| {
            sync["arrivals"]
                .as_array()
                .is_some_and(|all| !all.is_empty())
        })
        .await;
    let arrival = sync["arrivals"][0]["id"].as_u64().expect("a number");
    let undo = format!("/workspaces/{}/sync/arrivals/{arrival}/undo", scene.id);
    let undone = scene.seat.ask("POST", &undo).await.done();
    assert_eq!(
        (&undone["many"], &undone["left"]),
        (&1.into(), &json!([])),
        "{undone}"
    );
    assert_eq!(std::fs::read(&path).expect("a file"), b"one\n");
    scene.at_server("a.txt", "one\n").await;
}

#[tokio::test]
async fn what_came_in_is_taken_back_as_an_edit_made_here() {
    let mut scene = Scene::new().await;
    takes_back_what_came_in(&mut scene).await;
    let unknown = format!("/workspaces/{}/sync/arrivals/999/undo", scene.id);
    assert_eq!(scene.seat.ask("POST", &unknown).await.code(), "not_found");
}

/// A person's clock is years from the server's, which shows this.
async fn works_years_from(server: OffsetDateTime) {
    let clock = Clock::Manual(Arc::new(Mutex::new(server)));
    let mut scene = Scene::with(Lab::with_clock(clock).await).await;
    takes_back_what_came_in(&mut scene).await;
    // Edits of both sides meet, as they are, after a time without the server.
    scene.server_goes().await;
    scene.save("mine.txt", "mine\n").await;
    scene.server_comes().await;
    let theirs = scene
        .ana
        .write_file(scene.workspace, "theirs.txt", None, "theirs\n".into());
    theirs.await.expect("written");
    scene.seat.gateway.retry();
    scene.at_server("mine.txt", "mine\n").await;
    let path = scene.seat.path("tides/theirs.txt");
    scene.seat.until_read(&path, "theirs\n").await;
    let sync = scene
        .until("sync", |sync| sync["state"] == "online" && sync["up"] == 0)
        .await;
    assert_eq!(sync["conflicts"], 0, "{sync}");
    // The device is signed in for as long as the server's clock says, and signs in again after that.
    scene.lab.clock.advance(time::Duration::days(3_650));
    assert_eq!(scene.seat.ask("GET", "/workspaces").await.status, 401);
    scene.seat.stands(ConnectionState::Idle).await;
    scene.seat.sign_in("ana").await.done();
    scene.seat.stands(ConnectionState::Online).await;
    scene.ana = signed_in_again(&scene.lab, "ana").await;
    scene.save("after.txt", "after\n").await;
    scene.at_server("after.txt", "after\n").await;
}

#[tokio::test]
async fn a_clock_that_is_far_ahead_of_the_server_s_changes_nothing() {
    works_years_from(datetime!(1999-12-31 23:59 UTC)).await;
}

#[tokio::test]
async fn a_clock_that_is_far_behind_the_server_s_changes_nothing() {
    works_years_from(datetime!(2088-08-08 08:08 UTC)).await;
}

#[tokio::test]
async fn many_deletions_wait_for_a_word_and_can_be_brought_back() {
    let mut scene = Scene::new().await;
    for n in 0..40 {
        std::fs::write(scene.seat.path(&format!("tides/{n}.txt")), "kept\n").unwrap();
    }
    scene
        .until("sync", |sync| {
            sync["up"] == 0 && sync["revision"].as_u64() > Some(1)
        })
        .await;
    scene.at_server("39.txt", "kept\n").await;
    delete_all(&mut scene).await;
    let back = format!("/workspaces/{}/sync/bring-back", scene.id);
    assert_eq!(scene.seat.ask("POST", &back).await.status, 204);
    let settled = |sync: &Value| {
        let moving = [&sync["up"], &sync["down"]];
        !sync["held"].is_object() && moving.iter().all(|many| **many == 0)
    };
    let sync = scene.until("sync", settled).await;
    assert!(!is_told(&sync), "nothing is kept for a word: {sync}");
    let last = scene.seat.path("tides/39.txt");
    scene.seat.until_read(&last, "kept\n").await;
    // And again, with the other word.
    delete_all(&mut scene).await;
    let confirm = format!("/workspaces/{}/sync/confirm", scene.id);
    assert_eq!(scene.seat.ask("POST", &confirm).await.status, 204);
    let sync = scene.until("sync", settled).await;
    assert!(!is_told(&sync), "nothing is kept for a word: {sync}");
}

/// Deletes forty files, which are then held, and a person is told so.
async fn delete_all(scene: &mut Scene) {
    for n in 0..40 {
        // The first may have gone out before any was held.
        std::fs::remove_file(scene.seat.path(&format!("tides/{n}.txt"))).ok();
    }
    let held = |sync: &Value| sync["held"].is_object() && is_told(sync);
    let sync = scene.until("sync", held).await;
    assert!(sync["held"]["many"].as_u64() > Some(10), "{sync}");
}

fn is_told(sync: &Value) -> bool {
    let mut notices = sync["notices"].as_array().into_iter().flatten();
    notices.any(|notice| notice["code"] == "many_deleted")
}
