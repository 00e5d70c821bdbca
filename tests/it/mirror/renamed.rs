//! What is renamed in a folder keeps its history at the server; an edit of it from elsewhere stays where it was made.
use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_mirror::follow::Standing;
use slipway_mirror::notice::Notice;

use super::folder::Folder;
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

#[tokio::test]
async fn a_file_that_is_renamed_in_a_folder_keeps_its_history() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let here = Folder::open(&ana, workspace);
    here.write("notes/tides.txt", "one\n");
    here.flush().await;
    here.write("notes/tides.txt", "two\n");
    here.flush().await;
    std::fs::rename(here.path("notes/tides.txt"), here.path("notes/sea.txt")).unwrap();
    here.flush().await;
    std::fs::rename(here.path("notes"), here.path("docs")).unwrap();
    here.flush().await;
    let history = ana.history(workspace, "docs/sea.txt").await.unwrap();
    let told: Vec<_> = history
        .versions
        .iter()
        .map(|version| {
            let from = version.change.from.as_ref();
            (version.change.path.as_str(), from.map(|from| from.as_str()))
        })
        .collect();
    assert_eq!(
        told,
        [
            ("docs/sea.txt", Some("notes/sea.txt")),
            ("notes/sea.txt", Some("notes/tides.txt")),
            ("notes/tides.txt", None),
            ("notes/tides.txt", None),
        ]
    );
}

#[tokio::test]
async fn a_rename_here_and_an_edit_elsewhere_are_both_kept() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let mut here = Folder::open(&ana, workspace);
    here.write("tides.txt", "one\n");
    here.flush().await;
    lab.stop().await;
    here.stands(|standing| matches!(standing, Standing::Offline { .. }))
        .await;
    std::fs::rename(here.path("tides.txt"), here.path("sea.txt")).unwrap();
    lab.restart(true).await;
    let ana = lab.again(&ana);
    let over = ContentHash::of(b"one\n");
    let edit = Bytes::from("edited\n");
    ana.write_file(workspace, "tides.txt", Some(&over), edit)
        .await
        .unwrap();
    here.dials(&ana);
    let told = tokio::time::timeout(PATIENCE, here.notices.recv()).await;
    let told = told.expect("in time").unwrap();
    let path = RelPath::parse("tides.txt").unwrap();
    assert_eq!(told, Notice::Restored(path));
    here.flush().await;
    let tree = here.tree();
    let both = [("sea.txt", "one\n"), ("tides.txt", "edited\n")];
    let both = both.map(|(path, text)| (path.to_owned(), text.to_owned()));
    assert_eq!(tree, both.into());
    let history = ana.history(workspace, "sea.txt").await.unwrap();
    assert_eq!(history.versions.len(), 1, "the other one goes on");
}
