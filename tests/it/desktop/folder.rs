//! Folders of this machine as workspaces: opened, made, cloned, uploaded, forgotten and refused.
use serde_json::{Value, json};
use slipway_api::desktop::{ConnectionState, Told};
use slipway_api::workspace::Template;

use super::seat::Seat;
use super::signed_in;
use crate::journey::Journey as _;

/// The text of a field.
pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {value}"))
}

/// Opens a folder in which a file lies; its id.
pub(super) async fn opened(seat: &Seat, name: &str) -> String {
    std::fs::create_dir_all(seat.path(name)).expect("a folder");
    std::fs::write(seat.path(name).join("a.txt"), "one\n").expect("written");
    let opened = seat
        .say(
            "POST",
            "/desktop/open",
            json!({ "folder": seat.path(name) }),
        )
        .await;
    text(&opened.done(), "id").to_owned()
}

/// Waits until a workspace stands so.
pub(super) async fn stands(seat: &mut Seat, id: &str, state: &str) -> Value {
    loop {
        let all = seat.ask("GET", "/desktop/workspaces").await.done();
        let all = all["workspaces"].as_array().expect("a list").clone();
        let found = all
            .into_iter()
            .find(|one| one["id"] == id)
            .expect("it is known");
        if found["sync"]["state"] == state {
            return found;
        }
        seat.until_told(|told| matches!(told, Told::Sync { .. } | Told::Workspaces))
            .await;
    }
}

#[tokio::test]
async fn a_folder_with_files_is_opened_without_a_server_and_found_again() {
    let mut seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    let known = stands(&mut seat, &id, "local").await;
    assert_eq!(
        (text(&known, "name"), &known["there"]),
        ("mine", &true.into())
    );
    assert_eq!(opened(&seat, "mine").await, id, "it is the same one");
    let one = seat.ask("GET", &format!("/workspaces/{id}")).await.done();
    assert_eq!(
        (text(&one, "id"), text(&one, "name")),
        (id.as_str(), "mine")
    );
    for (method, path) in [
        ("GET", "session"),
        ("GET", "history?path=a.txt"),
        ("GET", "tasks"),
    ] {
        let refused = seat.ask(method, &format!("/workspaces/{id}/{path}")).await;
        assert_eq!(refused.code(), "only_here", "{path}");
    }
    seat.again().await;
    stands(&mut seat, &id, "local").await;
    let renamed = seat
        .say(
            "PATCH",
            &format!("/workspaces/{id}"),
            json!({ "name": "yours" }),
        )
        .await;
    assert_eq!(text(&renamed.done(), "name"), "yours");
    assert_eq!(
        seat.ask("DELETE", &format!("/desktop/workspaces/{id}"))
            .await
            .status,
        204
    );
    let all = seat.ask("GET", "/desktop/workspaces").await.done();
    assert_eq!(all["workspaces"], json!([]));
    assert_eq!(std::fs::read(seat.path("mine/a.txt")).unwrap(), b"one\n");
}

#[tokio::test]
async fn a_folder_that_is_just_being_opened_can_be_forgotten() {
    let mut seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    for number in 0..2_000 {
        let file = seat.path("mine").join(format!("{number}.txt"));
        std::fs::write(file, "one\n").expect("written");
    }
    seat.again().await;
    let (sync, one) = (
        format!("/workspaces/{id}/sync"),
        format!("/desktop/workspaces/{id}"),
    );
    let (_, gone) = tokio::join!(seat.ask("GET", &sync), seat.ask("DELETE", &one));
    assert_eq!(gone.status, 204, "{gone:?}");
}

#[tokio::test]
async fn what_cannot_be_a_workspace_is_refused_in_words() {
    let seat = Seat::new().await;
    opened(&seat, "outer").await;
    std::fs::create_dir(seat.path("outer/inner")).unwrap();
    std::os::unix::fs::symlink(seat.path("outer"), seat.path("link")).unwrap();
    for (folder, words) in [
        ("outer/inner", "lies inside"),
        ("outer/a.txt", "is not a folder"),
        ("missing", "is not a folder"),
        ("link", "is a link"),
        ("", "holds"),
        ("../state/slipway", "state folder"),
    ] {
        let wanted = json!({ "folder": seat.path(folder) });
        let refused = seat.say("POST", "/desktop/open", wanted).await;
        assert_eq!(refused.code(), "folder_unusable", "{folder}");
        let detail = refused.json();
        assert!(
            text(&detail, "detail").contains(words),
            "{folder}: {detail}"
        );
    }
    let relative = seat
        .say("POST", "/desktop/open", json!({ "folder": "outer" }))
        .await;
    assert_eq!(relative.code(), "folder_unusable");
}

#[tokio::test]
async fn a_folder_that_is_replaced_is_told_and_never_mixed_up() {
    let mut seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    stands(&mut seat, &id, "local").await;
    std::fs::rename(seat.path("mine"), seat.path("away")).unwrap();
    // It is watched: nobody has to ask.
    let sync = format!("/workspaces/{id}/sync");
    while text(&seat.ask("GET", &sync).await.done(), "state") != "broken" {
        seat.until_told(|told| matches!(told, Told::Sync { .. }))
            .await;
    }
    std::fs::create_dir(seat.path("mine")).unwrap();
    let gone = seat.ask("GET", &format!("/workspaces/{id}/tree")).await;
    assert_eq!(gone.code(), "folder_unusable");
    let known = stands(&mut seat, &id, "broken").await;
    assert_eq!(known["there"], false);
    std::fs::remove_dir(seat.path("mine")).unwrap();
    std::fs::rename(seat.path("away"), seat.path("mine")).unwrap();
    assert_eq!(
        seat.ask("GET", &format!("/workspaces/{id}/tree"))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_new_workspace_has_its_templates_files_and_a_name_that_a_folder_may_have() {
    let seat = Seat::new().await;
    let made = json!({ "name": "tides", "template": "python" });
    let made = seat
        .say("POST", "/desktop/workspaces", made.clone())
        .await
        .done();
    assert_eq!(text(&made, "folder"), seat.path("tides").to_str().unwrap());
    assert!(seat.path("tides/data/tides.csv").exists());
    let again = json!({ "name": "tides", "template": "empty" });
    assert_eq!(
        seat.say("POST", "/desktop/workspaces", again).await.code(),
        "folder_unusable"
    );
    for name in ["", "a/b", "..", "con"] {
        let odd = json!({ "name": name, "template": "empty" });
        let refused = seat.say("POST", "/desktop/workspaces", odd).await;
        assert_eq!(refused.code(), "invalid_request", "{name}");
    }
}

#[tokio::test]
async fn a_workspace_is_cloned_once_and_edits_go_both_ways() {
    let (_lab, ana, mut seat) = signed_in().await;
    let workspace = ana.empty_workspace().await;
    ana.write_file(workspace, "a.txt", None, "one\n".into())
        .await
        .unwrap();
    let clone = json!({ "workspace": workspace });
    let cloned = seat.say("POST", "/desktop/clone", clone.clone()).await;
    assert_eq!(cloned.status, 201, "{cloned:?}");
    let cloned = cloned.done();
    let id = text(&cloned, "id").to_owned();
    assert_ne!(id, workspace.to_string());
    let again = seat.say("POST", "/desktop/clone", clone).await.done();
    assert_eq!(text(&again, "id"), id);
    stands(&mut seat, &id, "online").await;
    let folder = std::path::PathBuf::from(text(&cloned, "folder"));
    seat.until_read(&folder.join("a.txt"), "one\n").await;
    // What was is the server's to tell.
    let first = format!("/workspaces/{id}/files/a.txt?revision=1");
    let first = seat.ask("GET", &first).await;
    assert!(first.etag.is_some() && first.body == "one\n", "{first:?}");
    // What is asked of the server carries the id of this machine.
    let one = seat.ask("GET", &format!("/workspaces/{id}")).await.done();
    assert_eq!(text(&one, "id"), id);
    assert_eq!(
        seat.ask("GET", &format!("/workspaces/{id}/session"))
            .await
            .done(),
        Value::Null
    );
    let unknown = json!({ "workspace": "0199aaaa-0000-7000-8000-000000000001" });
    assert_eq!(
        seat.say("POST", "/desktop/clone", unknown).await.code(),
        "not_found"
    );
}

#[tokio::test]
async fn a_workspace_of_this_machine_is_uploaded_with_all_it_has() {
    let (_lab, ana, mut seat) = signed_in().await;
    let id = opened(&seat, "mine").await;
    let uploaded = seat
        .say("POST", &format!("/workspaces/{id}/upload"), json!({}))
        .await
        .done();
    let remote = uploaded["remote"]["workspace"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    stands(&mut seat, &id, "online").await;
    let written = async {
        let mut events = ana.subscribe(Some(remote)).await.unwrap();
        while ana.read_file(remote, "a.txt").await.ok().as_deref() != Some(b"one\n") {
            futures_util::StreamExt::next(&mut events)
                .await
                .expect("events")
                .unwrap();
        }
    };
    tokio::time::timeout(crate::lab::PATIENCE, written)
        .await
        .expect("in time");
    assert_eq!(ana.workspace(remote).await.unwrap().name, "mine");
    // Once is enough; and the name is taken for another.
    let again = seat
        .say("POST", &format!("/workspaces/{id}/upload"), json!({}))
        .await
        .done();
    assert_eq!(again["remote"], uploaded["remote"]);
    ana.create_workspace("taken", Template::Empty)
        .await
        .unwrap();
    let other = opened(&seat, "taken").await;
    let refused = seat
        .say("POST", &format!("/workspaces/{other}/upload"), json!({}))
        .await;
    assert_eq!(refused.code(), "workspace_name_taken");
    let named = json!({ "name": "not taken" });
    let named = seat
        .say("POST", &format!("/workspaces/{other}/upload"), named)
        .await;
    assert_eq!(text(&named.done(), "name"), "not taken");
    // What was opened lately is in step also when nobody looks.
    seat.again().await;
    seat.stands(ConnectionState::Online).await;
    stands(&mut seat, &id, "online").await;
}

#[tokio::test]
async fn the_command_line_works_on_the_same_folders_beside_the_app() {
    let (_lab, ana, mut seat) = signed_in().await;
    let workspace = ana.empty_workspace().await;
    let clone = json!({ "workspace": workspace });
    let cloned = seat.say("POST", "/desktop/clone", clone).await.done();
    let id = text(&cloned, "id").to_owned();
    stands(&mut seat, &id, "online").await;
    opened(&seat, "mine").await;
    let (code, folders, _) = seat.command(&["status"]).await;
    assert_eq!(code, 0);
    let mut states: Vec<_> = folders
        .iter()
        .map(|folder| {
            (
                text(&folder["folder"], "name"),
                text(&folder["stand"], "state"),
            )
        })
        .collect();
    states.sort_unstable();
    assert_eq!(states, [("mine", "local"), ("tides", "connected")]);
    let dir = seat.path("tides");
    let (code, _, told) = seat
        .command(&["mirror", "tides", dir.to_str().unwrap()])
        .await;
    assert!(code == 7 && told.contains("folder_in_use"), "{told}");
    let dir = seat.path("mine");
    let (code, _, told) = seat
        .command(&["mirror", "tides", dir.to_str().unwrap()])
        .await;
    assert!(code == 7 && told.contains("folder_taken"), "{told}");
}

#[tokio::test]
async fn a_folder_that_the_command_line_keeps_is_told_and_left_to_it() {
    let (_lab, ana, mut seat) = signed_in().await;
    ana.empty_workspace().await;
    let dir = seat.path("kept");
    let mut mirror = seat.begin(&["mirror", "tides", dir.to_str().unwrap()]);
    mirror
        .until(|told| told["stand"]["state"] == "connected")
        .await;
    let all = seat.ask("GET", "/desktop/workspaces").await.done();
    let kept = &all["workspaces"][0];
    assert_eq!(text(&kept["sync"], "state"), "online");
    assert!(
        text(&kept["sync"], "reason").contains("slipway mirror"),
        "{kept}"
    );
    let id = text(kept, "id").to_owned();
    let refused = seat.ask("GET", &format!("/workspaces/{id}/tree")).await;
    assert_eq!(refused.code(), "folder_unusable");
    let refused = refused.json();
    assert!(
        text(&refused, "detail").contains("another process"),
        "{refused}"
    );
    mirror.end().await;
    let tree = seat.ask("GET", &format!("/workspaces/{id}/tree")).await;
    assert_eq!(tree.status, 200);
    stands(&mut seat, &id, "online").await;
}
