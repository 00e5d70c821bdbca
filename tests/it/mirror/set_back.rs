//! A server whose database was set back to a backup: what it lacks now was not deleted by anybody.
use bytes::Bytes;
use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;
use slipway_mirror::follow::Standing;

use super::folder::Folder;
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

/// A folder that has two files, of which the database that was put back knows the first alone.
async fn ahead_of_its_server() -> (Lab, Client, WorkspaceId, Folder) {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let folder = Folder::open(&ana, workspace);
    folder.write("monday.txt", "kept\n");
    let before = folder.flush().await;
    lab.stop().await;
    lab.back_up().await;
    lab.restart(true).await;
    folder.dials(&lab.again(&ana));
    folder.write("tuesday.txt", "not in the backup\n");
    // The flush may be one of the connection that has ended.
    while folder.flush().await <= before {}
    lab.stop().await;
    folder
        .stands(|standing| matches!(standing, Standing::Offline { .. }))
        .await;
    lab.set_back().await;
    lab.restart(true).await;
    let ana = lab.again(&ana);
    (lab, ana, workspace, folder)
}

/// Waits until folder and server both have all of it.
async fn have(folder: &Folder, ana: &Client, workspace: WorkspaceId, wanted: &[&str]) {
    folder.until(|tree| tree.keys().eq(wanted)).await;
    let held = async || {
        let tree = ana.tree(workspace).await.expect("a tree");
        let names = tree.entries.iter().map(|entry| entry.path.as_str());
        names.eq(wanted.iter().copied())
    };
    // Each answer of the folder is a moment in which the server may have it.
    let offered = async {
        while !held().await {
            folder.flush().await;
        }
    };
    tokio::time::timeout(PATIENCE, offered)
        .await
        .expect("in time");
    for name in wanted {
        let held = ana.read_file(workspace, name).await.expect("it is there");
        assert_eq!(String::from_utf8_lossy(&held), folder.read(name));
    }
}

#[tokio::test]
async fn what_a_backup_lacks_is_offered_again() {
    let (_lab, ana, workspace, folder) = ahead_of_its_server().await;
    folder.dials(&ana);
    folder
        .stands(|standing| *standing == Standing::Online)
        .await;
    have(&folder, &ana, workspace, &["monday.txt", "tuesday.txt"]).await;
}

#[tokio::test]
async fn so_it_is_when_the_server_has_gone_on_since() {
    let (_lab, ana, workspace, folder) = ahead_of_its_server().await;
    // By its revisions it is the server that the folder knows.
    for name in ["a.txt", "b.txt", "c.txt"] {
        let written = ana.write_file(workspace, name, None, Bytes::from_static(b"new\n"));
        written.await.expect("written");
    }
    folder.dials(&ana);
    let wanted = ["a.txt", "b.txt", "c.txt", "monday.txt", "tuesday.txt"];
    have(&folder, &ana, workspace, &wanted).await;
}

#[tokio::test]
async fn what_it_made_since_takes_the_place_of_nothing() {
    let (_lab, ana, workspace, folder) = ahead_of_its_server().await;
    // The last one is a change of what the folder has and this server never had.
    for name in ["a.txt", "b.txt", "tuesday.txt"] {
        let written = ana.write_file(workspace, name, None, Bytes::from_static(b"new\n"));
        written.await.expect("written");
    }
    folder.dials(&ana);
    folder
        .until(|tree| {
            let has = |text| tree.values().any(|held| held == text);
            tree.contains_key("b.txt") && has("new\n") && has("not in the backup\n")
        })
        .await;
    assert_eq!(folder.read("tuesday.txt"), "new\n");
}
