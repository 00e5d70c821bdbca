//! What came from the hub is taken back, as one edit of this side.
use super::person::path;
use super::*;
use crate::arrival::Left;
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
    assert_eq!(
        undone.left,
        [
            (path("new"), Left::Full),
            (path("changed.txt"), Left::Changed)
        ]
    );
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
