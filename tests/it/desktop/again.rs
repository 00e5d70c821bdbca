//! A folder that is gone for good comes from its server again.
use std::path::PathBuf;

use bytes::Bytes;
use serde_json::json;

use super::folder::{opened, stands, text};
use super::signed_in;
use crate::journey::Journey as _;
use crate::lab::PATIENCE;

#[tokio::test]
async fn a_folder_that_was_deleted_comes_from_its_server_again() {
    let (mut lab, ana, mut seat) = signed_in().await;
    let workspace = ana.empty_workspace().await;
    let stored = ana.write_file(workspace, "a.txt", None, "one\n".into());
    stored.await.expect("written");
    let clone = json!({ "workspace": workspace });
    let cloned = seat.say("POST", "/desktop/clone", clone).await.done();
    let id = text(&cloned, "id").to_owned();
    let folder = PathBuf::from(text(&cloned, "folder"));
    let file = folder.join("a.txt");
    seat.until_read(&file, "one\n").await;
    stands(&mut seat, &id, "online").await;
    let before = ana.tree(workspace).await.expect("a tree").revision;

    std::fs::remove_dir_all(&folder).expect("removed");
    stands(&mut seat, &id, "broken").await;
    let again = format!("/desktop/workspaces/{id}/again");
    // What stands there is somebody's.
    std::fs::create_dir(&folder).expect("a folder");
    let refused = seat.ask("POST", &again).await;
    assert_eq!(refused.code(), "folder_unusable");
    std::fs::remove_dir(&folder).expect("removed");
    let made = seat.ask("POST", &again).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.done();
    assert_eq!(
        text(&made, "id"),
        id,
        "what the page keeps of it stays its own"
    );
    assert_eq!(made["folder"], cloned["folder"]);
    seat.until_read(&file, "one\n").await;
    stands(&mut seat, &id, "online").await;
    let after = ana.tree(workspace).await.expect("a tree").revision;
    assert_eq!(after, before, "nobody changed anything");
    assert_eq!(seat.ask("POST", &again).await.status, 200, "it is there");

    // And goes on from there.
    let any = [("if-match", "*")];
    let path = format!("/workspaces/{id}/files/a.txt");
    let saved = seat.send("PUT", &path, &any, Bytes::from_static(b"two\n"));
    assert_eq!(saved.await.status, 200);
    let written = async {
        let mut events = ana.subscribe(Some(workspace)).await.expect("events");
        while ana.read_file(workspace, "a.txt").await.ok().as_deref() != Some(b"two\n") {
            let event = futures_util::StreamExt::next(&mut events).await;
            event.expect("events").expect("an event");
        }
    };
    let written = tokio::time::timeout(PATIENCE, written).await;
    written.expect("in time");

    // Without the server nothing could come.
    std::fs::remove_dir_all(&folder).expect("removed");
    lab.stop().await;
    assert_eq!(seat.ask("POST", &again).await.code(), "unreachable");
    assert!(!folder.exists());
}

#[tokio::test]
async fn a_folder_that_no_server_knows_comes_from_nowhere() {
    let (_lab, _ana, seat) = signed_in().await;
    let id = opened(&seat, "mine").await;
    std::fs::remove_dir_all(seat.path("mine")).expect("removed");
    let again = format!("/desktop/workspaces/{id}/again");
    assert_eq!(seat.ask("POST", &again).await.code(), "only_here");
    assert!(!seat.path("mine").exists());
}
