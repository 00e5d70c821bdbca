//! News of the hub that come twice, late or before their answer.
use super::hub::folder;
use super::*;

#[tokio::test]
async fn what_was_told_already_is_not_taken_for_news() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "one")]).await;
    lab.hub(changes(vec![change(2, "a.txt", Some("two"))]))
        .await;
    lab.hub(changes(vec![change(3, "a.txt", Some("three"))]))
        .await;
    // Another part of the hub tells it again.
    lab.hub(changes(vec![change(2, "a.txt", Some("two"))]))
        .await;
    lab.hub(changes(vec![change(4, "b.txt", Some("b"))])).await;
    lab.applied(4).await;
    assert_eq!(lab.read("a.txt"), "three");
}

#[tokio::test]
async fn an_edit_that_follows_on_one_whose_answer_is_late_is_no_conflict() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.bin", "\0base")]).await;
    lab.write("a.bin", "\0first");
    let first = lab.proposed().await;
    lab.write("a.bin", "\0second");
    // The journal tells of the first edit before the answer does.
    lab.hub(changes(vec![change(2, "a.bin", Some("\0first"))]))
        .await;
    lab.accept(&first, 2).await;
    let second = lab.proposed().await;
    let operation = &second.operations[0];
    assert_eq!(operation.path, "a.bin");
    assert_eq!(operation.expect, Some(wire::to_wire(&node("\0first"))));
    assert_eq!(operation.inline.as_deref(), Some(b"\0second".as_slice()));
}

#[tokio::test]
async fn what_moved_to_a_copy_while_it_was_proposed_is_not_deleted_at_the_hub() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("b.txt", "mine");
    let propose = lab.proposed().await;
    // A folder took the name, and went again before the file came.
    lab.hub(changes(vec![folder(2, "b.txt")])).await;
    lab.hub(changes(vec![change(3, "b.txt", None)])).await;
    assert!(matches!(lab.notice().await, Notice::Copied { .. }));
    lab.accept(&propose, 4).await;
    let told = vec![change(4, "b.txt", Some("mine"))];
    lab.hub(changes(told)).await;
    let proposed = lab.flush(5).await;
    let deleted = proposed
        .iter()
        .any(|(path, node)| path == "b.txt" && node.is_none());
    assert!(!deleted, "{proposed:?}");
    assert_eq!(lab.read("b.txt"), "mine");
}

#[tokio::test]
async fn a_hub_that_was_set_back_under_its_old_name_deletes_nothing() {
    let mut lab = Lab::open().await;
    lab.list(3, &[("a.txt", "a")]).await;
    lab.hub(changes(vec![change(4, "new.txt", Some("new"))]))
        .await;
    lab.applied(4).await;
    lab.engine.stop().await;
    let mut lab = Lab::on(lab.folder).await;
    // Its backup is of before: the hello names a revision that it does not know.
    lab.hub(greeting("e", true)).await;
    lab.hub(listing(3, vec![change(3, "a.txt", Some("a"))]))
        .await;
    let propose = lab.proposed().await;
    assert_eq!(propose.operations[0].path, "new.txt");
    assert_eq!(lab.read("new.txt"), "new");
}

#[tokio::test]
async fn an_edit_that_follows_on_one_whose_answer_got_lost_is_no_conflict() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.bin", "\0base")]).await;
    lab.write("a.bin", "\0first");
    lab.proposed().await;
    lab.reconnect().await;
    lab.write("a.bin", "\0second");
    // The hub took it: the journal tells so after the connection was made again.
    lab.hub(greeting("e", false)).await;
    lab.hub(changes(vec![change(2, "a.bin", Some("\0first"))]))
        .await;
    loop {
        let propose = lab.proposed().await;
        let operation = &propose.operations[0];
        assert_eq!(operation.path, "a.bin");
        if operation.expect == Some(wire::to_wire(&node("\0first"))) {
            assert_eq!(operation.inline.as_deref(), Some(b"\0second".as_slice()));
            return;
        }
        // Proposed before the journal was heard.
        let mut stale = v1::Outcome {
            current: Some(wire::to_wire(&node("\0first"))),
            ..v1::Outcome::default()
        };
        stale.set_result(v1::outcome::Result::Stale);
        lab.answer(&propose, 2, stale).await;
    }
}

#[tokio::test]
async fn an_edit_after_a_stop_that_came_before_the_answer_is_no_conflict() {
    let mut lab = Lab::open().await;
    lab.list(1, &[]).await;
    lab.write("a.bin", "\0first");
    lab.proposed().await;
    lab.engine.stop().await;
    lab.write("a.bin", "\0second");
    let mut lab = Lab::on(lab.folder).await;
    lab.hub(greeting("e", true)).await;
    lab.hub(listing(2, vec![change(2, "a.bin", Some("\0first"))]))
        .await;
    let operation = lab.proposed().await.operations.remove(0);
    assert_eq!(operation.path, "a.bin");
    assert_eq!(operation.expect, Some(wire::to_wire(&node("\0first"))));
    assert_eq!(operation.inline.as_deref(), Some(b"\0second".as_slice()));
}

#[tokio::test]
async fn a_listing_of_another_hub_that_broke_off_begins_anew() {
    let mut lab = Lab::open().await;
    lab.list(3, &[("a.txt", "a")]).await;
    lab.reconnect().await;
    lab.hello().await;
    lab.hub(greeting("another", true)).await;
    lab.reconnect().await;
    let hello = lab.hello().await;
    assert_eq!((hello.epoch.as_str(), hello.revision), ("another", 0));
}

#[tokio::test]
async fn a_hub_that_was_set_back_while_it_listed_is_told_what_it_had() {
    let mut lab = Lab::open().await;
    lab.list(1, &[]).await;
    lab.hub(greeting("another", true)).await;
    lab.hub(changes(vec![change(7, "a.txt", Some("a"))])).await;
    while !lab.file("a.txt").exists() {
        tokio::task::yield_now().await;
    }
    lab.reconnect().await;
    let hello = lab.hello().await;
    assert_eq!((hello.revision, hello.seen), (0, 7));
}

#[tokio::test]
async fn a_hub_is_told_when_it_made_what_the_replica_knows() {
    let mut lab = Lab::open().await;
    lab.list(1, &[]).await;
    let made = |revision, made| v1::Change {
        made,
        ..change(revision, "a.txt", Some("a"))
    };
    lab.hub(changes(vec![made(2, 20)])).await;
    lab.applied(2).await;
    lab.reconnect().await;
    let moment = |revision, made| Some(v1::Moment { revision, made });
    assert_eq!(lab.hello().await.moment, moment(2, 20));
    // What is told twice is not news, and a new epoch begins without any.
    lab.hub(greeting("e", false)).await;
    lab.hub(changes(vec![made(2, 21)])).await;
    lab.reconnect().await;
    assert_eq!(lab.hello().await.moment, moment(2, 20));
    lab.hub(greeting("another", true)).await;
    lab.reconnect().await;
    assert_eq!(lab.hello().await.moment, None);
    // A listing tells before it has ended.
    lab.hub(greeting("another", true)).await;
    let begun = v1::Changes {
        changes: vec![change(7, "b.txt", Some("b"))],
        listed: None,
        moment: moment(8, 80),
    };
    lab.hub(hub_frame::Frame::Changes(begun)).await;
    lab.reconnect().await;
    let hello = lab.hello().await;
    assert_eq!((hello.seen, hello.moment), (7, moment(8, 80)));
}
