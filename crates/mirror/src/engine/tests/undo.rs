//! What came from the hub is taken back, as one edit of this side.
use std::io::Write as _;

use super::super::burst::Bursts;
use super::person::path;
use super::*;
use crate::arrival::NotUndone;
use crate::local::{Expect, LocalAct, LocalOperation};

fn folder(revision: u64, path: &str) -> v1::Change {
    v1::Change {
        node: Some(wire::to_wire(&Node::Folder)),
        last_of_revision: false,
        ..change(revision, path, None)
    }
}

/// One burst: a file changes, one comes in a new folder, one goes.
async fn arrive(lab: &mut Lab) {
    lab.list(1, &[("changed.txt", "before"), ("gone.txt", "gone")])
        .await;
    lab.hub(changes(vec![
        change(2, "changed.txt", Some("after")),
        change(2, "gone.txt", None),
        folder(2, "new"),
        change(2, "new/n.txt", Some("n")),
    ]))
    .await;
    lab.applied(2).await;
    // Twice in one burst: what stood before it counts.
    lab.hub(changes(vec![change(3, "changed.txt", Some("after that"))]))
        .await;
    lab.applied(3).await;
}

#[tokio::test]
async fn a_burst_is_taken_back_whole_also_after_a_restart() {
    let mut lab = Lab::asking().await;
    arrive(&mut lab).await;
    lab.engine.stop().await;
    let mut lab = Lab::with(lab.folder, Brake::Ask).await;
    lab.hub(greeting("e", false)).await;
    let arrivals = lab.engine.arrivals().await.unwrap();
    assert_eq!(arrivals.len(), 1, "not what came first");
    assert_eq!(
        arrivals[0].paths,
        ["changed.txt", "gone.txt", "new", "new/n.txt"].map(path)
    );
    let undone = lab.engine.undo(arrivals[0].id).await.unwrap();
    assert_eq!((undone.many, undone.left), (4, Vec::new()));
    assert_eq!(lab.read("changed.txt"), "before");
    assert_eq!(lab.read("gone.txt"), "gone");
    assert!(!lab.file("new").exists());
    let mut told = lab.flush_of(4).await;
    told.sort();
    assert_eq!(told, ["changed.txt", "gone.txt", "new", "new/n.txt"]);
    assert!(lab.engine.arrivals().await.unwrap().is_empty());
    let again = lab.engine.undo(arrivals[0].id).await.unwrap_err();
    assert_eq!(again.code(), Code::NotFound);
}

#[tokio::test]
async fn what_changed_since_stays_and_is_told() {
    let mut lab = Lab::asking().await;
    arrive(&mut lab).await;
    lab.write("changed.txt", "mine");
    lab.write("new/mine.txt", "mine");
    let id = lab.engine.arrivals().await.unwrap()[0].id;
    let undone = lab.engine.undo(id).await.unwrap();
    let stays = |name| NotUndone {
        path: path(name),
        code: Code::Stale,
    };
    assert_eq!(undone.left, [stays("new"), stays("changed.txt")]);
    assert_eq!(undone.many, 2);
    assert_eq!(lab.read("changed.txt"), "mine");
    assert_eq!(lab.read("new/mine.txt"), "mine");
    assert!(!lab.file("new/n.txt").exists());
    assert_eq!(lab.read("gone.txt"), "gone");
}

#[tokio::test]
async fn a_deletion_by_hand_can_be_restored_and_is_no_arrival() {
    let mut lab = Lab::asking().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let before = *lab.engine.moved().borrow();
    let operation = LocalOperation {
        path: path("a.txt"),
        expect: Expect::Any,
        act: LocalAct::Delete,
    };
    lab.engine.commit(vec![operation], true).await.unwrap();
    assert!(lab.engine.arrivals().await.unwrap().is_empty());
    assert_eq!(lab.flush_of(2).await, ["a.txt"]);
    lab.engine
        .restore(before, Some(path("a.txt")))
        .await
        .unwrap();
    assert_eq!(lab.read("a.txt"), "a");
    assert_eq!(lab.flush_of(3).await, ["a.txt"]);
}

fn link(revision: u64, path: &str, target: &str) -> v1::Change {
    let target = target.to_owned();
    v1::Change {
        node: Some(wire::to_wire(&Node::Symlink { target })),
        ..change(revision, path, None)
    }
}

const FILES: &[(&str, &str)] = &[("folder", "one"), ("link", "two")];

/// One burst: of two files, one becomes a folder with a file in it, the other a link.
async fn kinds_change(lab: &mut Lab) -> u64 {
    lab.hub(changes(vec![
        folder(2, "folder"),
        change(2, "folder/in.txt", Some("in")),
        link(2, "link", "folder"),
    ]))
    .await;
    lab.applied(2).await;
    lab.engine.arrivals().await.unwrap()[0].id
}

#[tokio::test]
async fn a_file_comes_back_where_a_folder_or_a_link_took_its_place() {
    let mut lab = Lab::asking().await;
    lab.list(1, FILES).await;
    let id = kinds_change(&mut lab).await;
    let undone = lab.engine.undo(id).await.unwrap();
    assert_eq!((undone.many, undone.left), (3, Vec::new()));
    assert_eq!(lab.read("folder"), "one");
    assert_eq!(lab.read("link"), "two");
    assert!(lab.file("link").symlink_metadata().unwrap().is_file());
    let mut told = lab.flush_of(3).await;
    told.sort();
    told.dedup();
    assert_eq!(told, ["folder", "folder/in.txt", "link"]);
}

#[tokio::test]
async fn a_folder_that_gave_way_for_nothing_stands_again() {
    let mut lab = Lab::asking().await;
    lab.list(1, FILES).await;
    let mut program = std::fs::File::options()
        .append(true)
        .open(lab.file("folder"))
        .unwrap();
    let id = kinds_change(&mut lab).await;
    // What was displaced is written to: its bytes come to sight as a copy, and what stood before is kept nowhere.
    program.write_all(b" late").unwrap();
    while !matches!(lab.notice().await, Notice::Copied { .. }) {}
    let undone = lab.engine.undo(id).await.unwrap();
    let forgotten = NotUndone {
        path: path("folder"),
        code: Code::ContentMissing,
    };
    assert_eq!(undone.left, [forgotten]);
    assert!(lab.file("folder").is_dir());
    assert_eq!(lab.read("link"), "two");
}

#[tokio::test]
async fn what_cannot_come_back_leaves_what_took_its_place_and_says_why() {
    let mut lab = Lab::asking().await;
    lab.list(1, FILES).await;
    let id = kinds_change(&mut lab).await;
    // What was kept is gone.
    let private = lab.folder.path().join("state").join("files/tmp");
    for entry in std::fs::read_dir(private).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let undone = lab.engine.undo(id).await.unwrap();
    let forgotten = |name| NotUndone {
        path: path(name),
        code: Code::ContentMissing,
    };
    assert_eq!(undone.left, [forgotten("folder"), forgotten("link")]);
    assert!(lab.file("folder").is_dir());
    assert_eq!(
        lab.file("link").read_link().unwrap().to_str(),
        Some("folder")
    );
}

#[tokio::test]
async fn what_a_hub_takes_before_all_that_it_has_came_is_taken_back() {
    let mut lab = Lab::asking().await;
    lab.write("mine.txt", "mine");
    lab.hub(greeting("e", true)).await;
    let mut never = change(1, "never.txt", Some("never"));
    never.inline = None;
    lab.hub(listing(1, vec![never])).await;
    let propose = lab.proposed().await;
    assert_eq!(propose.operations[0].path, "mine.txt");
    lab.accept(&propose, 2).await;
    lab.hub(changes(vec![change(3, "mine.txt", None)])).await;
    let mut moved = lab.engine.moved();
    let gone = moved.wait_for(|_| !lab.file("mine.txt").exists());
    drop(tokio::time::timeout(BOUND, gone).await.unwrap());
    let arrivals = lab.engine.arrivals().await.unwrap();
    assert_eq!(arrivals[0].paths, [path("mine.txt")]);
    let undone = lab.engine.undo(arrivals[0].id).await.unwrap();
    assert_eq!((undone.many, undone.left), (1, Vec::new()));
    assert_eq!(lab.read("mine.txt"), "mine");
}

#[test]
fn a_clock_that_is_wrong_once_forgets_nothing_that_can_be_taken_back() {
    let step = serde_json::json!({ "before": null, "after": null, "kept": "k-1-1", "bytes": 1 });
    let burst = serde_json::json!({
        "id": 1, "at_ms": 1, "origin": "Hub", "count": 0, "steps": { "a.txt": step }, "bytes": 1,
    });
    let read = |record: Vec<u8>| Bursts::read(std::iter::once(record));
    let mut bursts = read(serde_json::to_vec(&burst).unwrap());
    assert!(bursts.names().contains("k-1-1"));
    let (_, record) = bursts.changed().pop().unwrap();
    let record = record.unwrap();
    let again = read(record.clone());
    assert!(again.names().contains("k-1-1") && !again.is_changed());
    // A week later it goes.
    let mut old: serde_json::Value = serde_json::from_slice(&record).unwrap();
    old["old_ms"] = 1.into();
    let mut bursts = read(serde_json::to_vec(&old).unwrap());
    assert!(bursts.names().is_empty());
    assert_eq!(bursts.dropped(), ["k-1-1"]);
}
