//! What the hub tells, and what the disk shows of it.
use super::*;

pub(super) fn folder(revision: u64, path: &str) -> v1::Change {
    let node = Some(wire::to_wire(&Node::Folder));
    v1::Change {
        node,
        ..change(revision, path, None)
    }
}

#[tokio::test]
async fn half_a_revision_is_not_shown() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let first = v1::Change {
        last_of_revision: false,
        ..change(2, "b.txt", Some("b"))
    };
    lab.hub(changes(vec![first])).await;
    // An answer names a revision, too; it is not one that the disk shows.
    lab.write("own.txt", "own");
    let propose = lab.proposed().await;
    lab.accept(&propose, 3).await;
    assert_eq!(*lab.engine.applied().borrow(), 1);
    lab.hub(changes(vec![change(2, "c.txt", Some("c"))])).await;
    lab.applied(2).await;
    assert_eq!(*lab.engine.applied().borrow(), 2);
    // The flush names the newest revision that has it all.
    let (answer, flushed) = oneshot::channel();
    lab.engine.tell(Input::Flush(answer)).await.unwrap();
    assert_eq!(flushed.await.unwrap(), 3);
}

#[tokio::test]
async fn a_broken_connection_begins_again_at_the_last_whole_revision() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let first = v1::Change {
        last_of_revision: false,
        ..change(2, "b.txt", Some("b"))
    };
    lab.hub(changes(vec![first])).await;
    lab.reconnect().await;
    let spoke_frame::Frame::Hello(hello) = lab.next().await else {
        panic!("the first frame is a hello")
    };
    assert_eq!(hello.revision, 1);
}

#[tokio::test]
async fn an_older_change_after_a_newer_answer_changes_nothing() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("a.txt", "mine");
    let propose = lab.proposed().await;
    lab.accept(&propose, 4).await;
    lab.hub(changes(vec![change(2, "a.txt", Some("before"))]))
        .await;
    lab.applied(2).await;
    assert_eq!(lab.read("a.txt"), "mine");
    lab.hub(changes(vec![change(3, "a.txt", Some("a"))])).await;
    lab.hub(changes(vec![change(4, "a.txt", Some("mine"))]))
        .await;
    lab.applied(4).await;
    assert_eq!(lab.read("a.txt"), "mine");
}

#[tokio::test]
async fn a_change_that_does_not_get_to_the_disk_is_not_shown() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.hub(changes(vec![link(2, "way", "/out")])).await;
    lab.hub(changes(vec![change(3, "a.txt", Some("a3"))])).await;
    let file = lab.file("a.txt");
    while std::fs::read_to_string(&file).unwrap() != "a3" {
        tokio::task::yield_now().await;
    }
    assert_eq!(*lab.engine.applied().borrow(), 1);
    lab.hub(changes(vec![change(4, "way", Some("x"))])).await;
    lab.applied(4).await;
    assert_eq!(lab.read("way"), "x");
}

#[tokio::test]
async fn contents_are_asked_for_a_few_at_a_time() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let bare = |n: u64| v1::Change {
        inline: None,
        last_of_revision: n == 99,
        ..change(2, &format!("f{n:02}"), Some(&format!("content {n}")))
    };
    lab.hub(changes((0..100).map(bare).collect())).await;
    let mut served = 0;
    while served < 100 {
        let asked = lab.needed().await;
        assert!(asked.len() <= 8, "{}", asked.len());
        for hash in asked {
            served += 1;
            let n = (0..100).find(|n| {
                let of = ContentHash::of(format!("content {n}").as_bytes());
                slipway_proto::convert::hash_bytes(&of) == hash
            });
            lab.blob(format!("content {}", n.unwrap()).as_bytes(), false)
                .await;
        }
    }
    lab.applied(2).await;
    assert_eq!(lab.read("f42"), "content 42");
}

#[tokio::test]
async fn edits_of_both_sides_are_joined_and_proposed_on_top_of_the_hubs() {
    let base = "1\n2\n3\n4\n5\n";
    let mut lab = Lab::open().await;
    lab.list(1, &[("main.py", base)]).await;
    lab.write("main.py", "one\n2\n3\n4\n5\n");
    let propose = lab.proposed().await;
    let theirs = "1\n2\n3\n4\nfive\n";
    let mut stale = v1::Outcome {
        current: Some(wire::to_wire(&node(theirs))),
        ..v1::Outcome::default()
    };
    stale.set_result(v1::outcome::Result::Stale);
    lab.answer(&propose, 2, stale).await;
    let mut needed = lab.needed().await.len();
    while needed < 2 {
        needed += lab.needed().await.len();
    }
    lab.blob(theirs.as_bytes(), false).await;
    lab.blob(base.as_bytes(), false).await;
    let joined = lab.proposed().await;
    let operation = &joined.operations[0];
    let wanted = "one\n2\n3\n4\nfive\n";
    assert_eq!(operation.inline.as_deref(), Some(wanted.as_bytes()));
    assert_eq!(operation.expect, Some(wire::to_wire(&node(theirs))));
    assert_eq!(lab.read("main.py"), wanted);
    assert!(matches!(lab.notice().await, Notice::Merged(_)));
    lab.accept(&joined, 3).await;
    let told = vec![
        change(2, "main.py", Some(theirs)),
        change(3, "main.py", Some(wanted)),
    ];
    lab.hub(changes(told)).await;
    lab.applied(3).await;
    assert_eq!(lab.read("main.py"), wanted);
}

#[tokio::test]
async fn a_copy_whose_name_is_taken_gets_another() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.bin", "\0base")]).await;
    let hash = ContentHash::of(b"\0mine");
    let path = slipway_core::path::RelPath::parse("a.bin").unwrap();
    let taken = slipway_sync::conflict::copy_path(&path, "session", &hash, 0);
    lab.write(taken.as_str(), "something else");
    lab.write("a.bin", "\0mine");
    lab.flush(2).await;
    lab.write("a.bin", "\0mine");
    let told = vec![change(3, "a.bin", Some("\0theirs"))];
    lab.write("a.bin", "\0mine again");
    lab.hub(changes(told)).await;
    lab.flush(4).await;
    let of = |text: &[u8]| {
        slipway_sync::conflict::copy_path(&path, "session", &ContentHash::of(text), 0)
    };
    let bytes = std::fs::read(lab.file("a.bin")).unwrap();
    assert!(bytes == b"\0theirs" || bytes == b"\0mine again");
    if bytes == b"\0theirs" {
        assert_eq!(
            std::fs::read(lab.file(of(b"\0mine again").as_str())).unwrap(),
            b"\0mine again"
        );
    }
    assert_eq!(lab.read(taken.as_str()), "something else");
}

#[tokio::test]
async fn a_deleted_folder_goes_with_its_caches_and_stays_gone() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let made = vec![
        folder(2, "app"),
        folder(2, "app/src"),
        change(2, "app/src/m.py", Some("m")),
    ];
    lab.hub(changes(made)).await;
    lab.applied(2).await;
    std::fs::create_dir(lab.file("app/src/__pycache__")).unwrap();
    lab.write("app/src/__pycache__/m.pyc", "cache");
    let gone = vec![
        change(3, "app/src/m.py", None),
        change(3, "app/src", None),
        change(3, "app", None),
    ];
    lab.hub(changes(gone)).await;
    lab.applied(3).await;
    assert!(!lab.file("app").exists());
    assert!(lab.flush(4).await.is_empty());
}

#[tokio::test]
async fn a_deleted_folder_keeps_what_does_not_sync_and_is_not_brought_back() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let made = vec![folder(2, "app"), change(2, "app/m.py", Some("m"))];
    lab.hub(changes(made)).await;
    lab.applied(2).await;
    std::fs::create_dir(lab.file("app/.venv")).unwrap();
    lab.write("app/.venv/keep", "k");
    let gone = vec![change(3, "app/m.py", None), change(3, "app", None)];
    lab.hub(changes(gone)).await;
    lab.applied(3).await;
    assert!(lab.file("app/.venv/keep").exists() && !lab.file("app/m.py").exists());
    assert!(lab.flush(4).await.is_empty());
}

#[tokio::test]
async fn a_file_takes_the_name_of_a_folder_that_holds_something_new() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let made = vec![folder(2, "thing"), change(2, "thing/x", Some("x"))];
    lab.hub(changes(made)).await;
    lab.applied(2).await;
    std::fs::create_dir(lab.file("thing/.venv")).unwrap();
    lab.write("thing/.venv/keep", "k");
    let told = vec![
        change(3, "thing/x", None),
        change(3, "thing", None),
        change(3, "thing", Some("a file")),
    ];
    lab.hub(changes(told)).await;
    lab.applied(3).await;
    assert_eq!(lab.read("thing"), "a file");
    let copies = std::fs::read_dir(lab.file("."))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    assert_eq!(
        copies
            .filter(|path| path.join(".venv/keep").exists())
            .count(),
        1
    );
}

#[tokio::test]
async fn a_folder_that_is_deleted_here_while_something_comes_into_it_stays_for_that() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.hub(changes(vec![
        folder(2, "app"),
        change(2, "app/old", Some("o")),
    ]))
    .await;
    lab.applied(2).await;
    std::fs::remove_dir_all(lab.file("app")).unwrap();
    lab.hub(changes(vec![change(3, "app/new", Some("n"))]))
        .await;
    lab.hub(hub_frame::Frame::Flush(v1::Flush { token: 7 }))
        .await;
    let mut gone = Vec::new();
    loop {
        match lab.next().await {
            spoke_frame::Frame::Flushed(_) => break,
            spoke_frame::Frame::Propose(propose) => {
                // As the hub does: a folder with something in it is not deleted.
                let outcomes = propose.operations.iter().map(|operation| {
                    let mut outcome = v1::Outcome::default();
                    if operation.path == "app" && operation.node.is_none() {
                        outcome.current = Some(wire::to_wire(&Node::Folder));
                        outcome.set_result(v1::outcome::Result::Stale);
                    } else {
                        outcome.set_result(v1::outcome::Result::Applied);
                    }
                    outcome
                });
                let outcomes = outcomes.collect();
                let (batch, revision) = (propose.batch, 4);
                lab.hub(hub_frame::Frame::Result(v1::ProposeResult {
                    batch,
                    revision,
                    outcomes,
                    made: 0,
                }))
                .await;
                gone.extend(
                    propose
                        .operations
                        .into_iter()
                        .map(|operation| operation.path),
                );
            }
            _ => {}
        }
    }
    assert_eq!(lab.read("app/new"), "n");
    assert!(gone.iter().any(|path| path == "app/old"));
}

#[tokio::test]
async fn contents_go_to_the_hub_one_after_another() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    for n in 0..70_u8 {
        std::fs::write(lab.file(&format!("big{n}.bin")), vec![n; 300 * 1024]).unwrap();
    }
    let propose = lab.proposed().await;
    let hashes: Vec<_> = propose
        .operations
        .iter()
        .map(|operation| operation.node.as_ref().unwrap().hash.clone())
        .collect();
    let many = hashes.len();
    lab.hub(hub_frame::Frame::Need(v1::Need {
        hashes: hashes.clone(),
        ..v1::Need::default()
    }))
    .await;
    let mut whole = Vec::new();
    let mut under_way: Option<(Bytes, u64)> = None;
    while whole.len() < many {
        let frame = lab.blobs.recv().await.unwrap().frame;
        let Some(spoke_bulk::Frame::Blob(blob)) = frame else {
            panic!("a piece of a content");
        };
        assert!(!blob.missing);
        let (hash, offset) = under_way.take().unwrap_or((blob.hash.clone(), 0));
        assert_eq!(
            (&hash, offset),
            (&blob.hash, blob.offset),
            "one at a time, piece by piece"
        );
        if blob.last {
            whole.push(hash);
        } else {
            under_way = Some((hash, offset + blob.data.len() as u64));
        }
    }
    assert_eq!(whole, hashes);
}

#[tokio::test]
async fn an_older_change_after_a_newer_answer_changes_nothing_on_the_next_connection_either() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("a.txt", "mine");
    let propose = lab.proposed().await;
    lab.accept(&propose, 3).await;
    lab.reconnect().await;
    lab.hub(greeting("e", false)).await;
    lab.hub(changes(vec![change(2, "a.txt", Some("before"))]))
        .await;
    lab.applied(2).await;
    assert_eq!(lab.read("a.txt"), "mine");
    lab.hub(changes(vec![change(3, "a.txt", Some("mine"))]))
        .await;
    lab.applied(3).await;
    assert_eq!(lab.read("a.txt"), "mine");
}

#[tokio::test]
async fn a_content_that_is_lost_with_the_private_folder_is_asked_for_again() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let bare = v1::Change {
        inline: None,
        ..change(2, "b.txt", Some("content"))
    };
    lab.hub(changes(vec![bare])).await;
    lab.needed().await;
    std::fs::remove_dir_all(lab.folder.path().join("state/files")).unwrap();
    lab.blob(b"content", false).await;
    lab.needed().await;
    lab.blob(b"content", false).await;
    lab.applied(2).await;
    assert_eq!(lab.read("b.txt"), "content");
}
