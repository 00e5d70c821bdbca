//! How the folder stands, as it is shown; and conflicts, as long as they are open.
use std::sync::Arc;

use super::person::path;
use super::*;
use crate::local::{Expect, LocalAct, LocalOperation};
use crate::view::{PathState, View};

pub(super) async fn shows(
    view: &mut watch::Receiver<Arc<View>>,
    is: impl Fn(&View) -> bool,
) -> Arc<View> {
    let found = tokio::time::timeout(BOUND, view.wait_for(|view| is(view))).await;
    Arc::clone(&found.expect("within the bound").unwrap())
}

#[tokio::test]
async fn what_waits_is_shown_until_it_is_over() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let mut view = lab.engine.view().await.unwrap();
    let rest = shows(&mut view, |view| view.in_step_at.is_some()).await;
    assert!(rest.connected && rest.paths.is_empty() && rest.looked_at.is_some());
    lab.engine.tell(Input::Disconnected(LINK)).await.unwrap();
    lab.write("a.txt", "offline");
    let offline = shows(&mut view, |view| view.waiting_up == 1).await;
    assert!(!offline.connected);
    assert_eq!(offline.bytes_up, 7);
    let [waiting] = &offline.paths[..] else {
        panic!("one path, not {:?}", offline.paths)
    };
    assert_eq!(
        (&waiting.path, waiting.state, waiting.size),
        (&path("a.txt"), PathState::Waiting, 7)
    );
    lab.reconnect().await;
    lab.hub(greeting("e", false)).await;
    let propose = lab.proposed().await;
    shows(&mut view, |view| {
        view.paths.first().map(|path| path.state) == Some(PathState::Sending)
    })
    .await;
    lab.accept(&propose, 2).await;
    shows(&mut view, |view| view.connected && view.waiting_up == 0).await;
    // A content that does not come along is waited for.
    let large = v1::Change {
        inline: None,
        ..change(3, "b.txt", Some("from the hub"))
    };
    lab.hub(changes(vec![large])).await;
    let coming = shows(&mut view, |view| view.waiting_down == 1).await;
    assert_eq!(coming.bytes_down, 12);
    lab.needed().await;
    let half = v1::Blob {
        hash: slipway_proto::convert::hash_bytes(&ContentHash::of(b"from the hub")),
        data: Bytes::from_static(b"from "),
        ..v1::Blob::default()
    };
    lab.bulk(half).await;
    let half = shows(&mut view, |view| view.bytes_down == 7).await;
    assert_eq!(half.paths[0].state, PathState::Receiving);
    assert_eq!((half.paths[0].size, half.paths[0].done), (12, 5));
    lab.bulk(v1::Blob {
        hash: slipway_proto::convert::hash_bytes(&ContentHash::of(b"from the hub")),
        data: Bytes::from_static(b"the hub"),
        offset: 5,
        last: true,
        ..v1::Blob::default()
    })
    .await;
    shows(&mut view, |view| view.waiting_down == 0).await;
}

#[tokio::test]
async fn what_the_hub_refuses_is_shown_as_blocked_and_does_not_wait() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let mut view = lab.engine.view().await.unwrap();
    lab.write("b.txt", "b");
    let propose = lab.proposed().await;
    let mut refused = v1::Outcome {
        code: Code::WorkspaceFull.to_string(),
        ..v1::Outcome::default()
    };
    refused.set_result(v1::outcome::Result::Rejected);
    lab.answer(&propose, 1, refused).await;
    let blocked = shows(&mut view, |view| view.blocked == 1).await;
    assert_eq!(blocked.waiting_up, 0);
    assert_eq!(
        blocked.paths[0].state,
        PathState::Blocked(Code::WorkspaceFull)
    );
}

#[tokio::test]
async fn held_deletions_are_shown() {
    let mut lab = Lab::asking().await;
    let names: Vec<_> = (0..30).map(|n| format!("f{n:02}.txt")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    lab.list(1, &files).await;
    let mut view = lab.engine.view().await.unwrap();
    for name in &names[..25] {
        std::fs::remove_file(lab.file(name)).unwrap();
    }
    let held = shows(&mut view, |view| view.held.is_some()).await;
    let held = held.held.as_ref().unwrap();
    assert!(held.many > 15 && held.first.len() <= 20, "{held:?}");
    lab.engine.tell(Input::Confirm).await.unwrap();
    shows(&mut view, |view| view.held.is_none()).await;
}

/// Both sides changed a file, and the hub has no base to merge with.
async fn conflict(lab: &mut Lab) -> RelPath {
    lab.list(1, &[("main.py", "one")]).await;
    lab.write("main.py", "mine");
    let propose = lab.proposed().await;
    let mut stale = v1::Outcome {
        current: Some(wire::to_wire(&node("theirs"))),
        ..v1::Outcome::default()
    };
    stale.set_result(v1::outcome::Result::Stale);
    lab.answer(&propose, 2, stale).await;
    lab.needed().await;
    lab.blob(b"one", true).await;
    lab.hub(changes(vec![change(2, "main.py", Some("theirs"))]))
        .await;
    let copy = lab.proposed().await;
    lab.accept(&copy, 3).await;
    path(&copy.operations[0].path)
}

use slipway_core::path::RelPath;

#[tokio::test]
async fn a_conflict_is_open_until_its_copy_goes() {
    let mut lab = Lab::open().await;
    let copy = conflict(&mut lab).await;
    for _ in 0..2 {
        let open = lab.engine.conflicts().await.unwrap();
        let [open] = &open[..] else {
            panic!("one conflict, not {open:?}")
        };
        assert_eq!((&open.path, &open.copy), (&path("main.py"), &copy));
        assert_eq!(open.base, Some(ContentHash::of(b"one")));
        assert_eq!(
            (&open.mine, &open.theirs),
            (&node("mine"), &Some(node("theirs")))
        );
        assert!(open.here && open.at.is_some());
        lab.engine.stop().await;
        lab = Lab::on(lab.folder).await;
    }
    let name = lab.file(copy.as_str());
    std::fs::rename(name, lab.file("solved.py")).unwrap();
    let gone = lab.engine.entry(copy).await.unwrap();
    assert_eq!(gone, None);
    assert!(lab.engine.conflicts().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_copy_of_another_replica_is_the_same_conflict() {
    let mut lab = Lab::open().await;
    let copy = "main (conflict laptop 3fa9c1).py";
    lab.list(1, &[("main.py", "theirs"), (copy, "mine")]).await;
    let open = lab.engine.conflicts().await.unwrap();
    let [open] = &open[..] else {
        panic!("one conflict, not {open:?}")
    };
    assert_eq!((open.path.as_str(), open.copy.as_str()), ("main.py", copy));
    assert!(!open.here && open.base.is_none());
    assert_eq!(open.mine, node("mine"));
    assert_eq!(open.theirs, Some(node("theirs")));
}

#[tokio::test]
async fn a_conflict_of_a_folder_and_a_file_says_which_is_which() {
    let mut lab = Lab::open().await;
    let folder = v1::Change {
        node: Some(wire::to_wire(&Node::Folder)),
        ..change(1, "out", None)
    };
    lab.hub(greeting("e", true)).await;
    lab.hub(listing(1, vec![folder])).await;
    lab.applied(1).await;
    // The hub has not heard of it when it puts a file there.
    lab.write("out/new.txt", "mine");
    lab.hub(changes(vec![change(2, "out", Some("a file"))]))
        .await;
    lab.flush(3).await;
    let open = lab.engine.conflicts().await.unwrap();
    let [open] = &open[..] else {
        panic!("one conflict, not {open:?}")
    };
    assert_eq!(open.mine, Node::Folder);
    assert_eq!(open.theirs, Some(node("a file")));
}

#[tokio::test]
async fn what_a_save_overwrites_is_at_hand_for_a_merge() {
    let mut lab = Lab::open().await;
    let text = |first: &str, last: &str| format!("{first}\nb\nc\nd\n{last}\n");
    lab.list(1, &[("main.py", &text("a", "e"))]).await;
    lab.engine.tell(Input::Disconnected(LINK)).await.unwrap();
    let written = lab.engine.write(
        path("main.py"),
        Bytes::from(text("mine", "e")),
        Expect::Any,
        None,
    );
    written.await.unwrap();
    let base = ContentHash::of(text("a", "e").as_bytes());
    let kept = lab.engine.base_content(base).await.unwrap();
    assert_eq!(kept, Some(Bytes::from(text("a", "e"))));
    lab.engine.stop().await;
    let mut lab = Lab::on(lab.folder).await;
    lab.hub(greeting("e", false)).await;
    // The hub is not asked for what both began with.
    lab.hub(changes(vec![change(
        2,
        "main.py",
        Some(&text("a", "theirs")),
    )]))
    .await;
    loop {
        match lab.next().await {
            spoke_frame::Frame::Need(need) => panic!("asked for {need:?}"),
            spoke_frame::Frame::Propose(propose)
                if propose.operations[0].inline == Some(Bytes::from(text("mine", "theirs"))) =>
            {
                break;
            }
            spoke_frame::Frame::Propose(propose) => {
                let mut stale = v1::Outcome {
                    current: Some(wire::to_wire(&node(&text("a", "theirs")))),
                    ..v1::Outcome::default()
                };
                stale.set_result(v1::outcome::Result::Stale);
                lab.answer(&propose, 2, stale).await;
            }
            _ => {}
        }
    }
    let forgotten = ContentHash::of(b"never seen");
    assert_eq!(lab.engine.base_content(forgotten).await.unwrap(), None);
    let operation = LocalOperation {
        path: path("main.py"),
        expect: Expect::Any,
        act: LocalAct::Delete,
    };
    lab.engine.commit(vec![operation], false).await.unwrap();
}
