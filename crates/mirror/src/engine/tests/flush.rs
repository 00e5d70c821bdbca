//! Flushes: what the disk held when one began is at the hub when it is answered.
use slipway_core::path::RelPath;

use super::deaf::{Deaf, paths};
use super::*;

#[tokio::test]
async fn a_flush_outlives_the_connection() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("b.txt", "b");
    let (answer, flushed) = oneshot::channel();
    lab.engine.tell(Input::Flush(answer)).await.unwrap();
    lab.proposed().await;
    lab.reconnect().await;
    lab.hub(greeting("e", false)).await;
    let again = lab.proposed().await;
    assert_eq!(again.operations[0].path, "b.txt");
    lab.accept(&again, 2).await;
    assert_eq!(flushed.await.unwrap(), 2);
}

/// What the hub answers to an edit that it did not expect.
fn stale(theirs: &str) -> v1::Outcome {
    let mut stale = v1::Outcome {
        current: Some(wire::to_wire(&node(theirs))),
        ..v1::Outcome::default()
    };
    stale.set_result(v1::outcome::Result::Stale);
    stale
}

/// A flush while an edit is on its way that turns out to be one of two; what is proposed until the answer.
async fn flush_over(lab: &mut Lab, theirs: &str, contents: &[&str]) -> Vec<v1::Propose> {
    let first = lab.proposed().await;
    let flush = v1::Flush { token: 7 };
    lab.hub(hub_frame::Frame::Flush(flush)).await;
    lab.answer(&first, 2, stale(theirs)).await;
    let mut proposed = vec![first];
    loop {
        match lab.next().await {
            spoke_frame::Frame::Flushed(_) => return proposed,
            spoke_frame::Frame::Propose(propose) => {
                lab.accept(&propose, 3).await;
                proposed.push(propose);
            }
            spoke_frame::Frame::Need(need) => {
                for hash in need.hashes {
                    let of = |text: &str| ContentHash::of(text.as_bytes());
                    let is_asked =
                        |text: &&&str| slipway_proto::convert::hash_bytes(&of(text)) == hash;
                    let text = contents.iter().find(is_asked).unwrap();
                    lab.blob(text.as_bytes(), false).await;
                }
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn it_waits_until_edits_of_both_sides_are_joined_and_committed() {
    let (base, theirs) = ("1\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\n");
    let mut lab = Lab::open().await;
    lab.list(1, &[("main.py", base)]).await;
    lab.write("main.py", "one\n2\n3\n4\n5\n");
    let proposed = flush_over(&mut lab, theirs, &[base, theirs]).await;
    let last = proposed.last().unwrap().operations.last().unwrap();
    assert_eq!(
        last.inline.as_deref(),
        Some(b"one\n2\n3\n4\nfive\n".as_slice())
    );
}

#[tokio::test]
async fn it_waits_until_a_conflict_copy_is_committed() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("main.py", "one\n")]).await;
    lab.write("main.py", "mine\n");
    let proposed = flush_over(&mut lab, "theirs\n", &["one\n", "theirs\n"]).await;
    let copied = proposed.iter().flat_map(|propose| &propose.operations);
    let copied = copied.filter(|operation| operation.inline.as_deref() == Some(b"mine\n"));
    assert_eq!(copied.count(), 2, "once under its name, once as the copy");
    assert_eq!(lab.read("main.py"), "theirs\n");
}

#[tokio::test]
async fn it_waits_for_what_a_file_in_the_place_of_a_folder_kept_out_and_nobody_is_told() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("b.txt", "b");
    let propose = lab.proposed().await;
    let flush = v1::Flush { token: 7 };
    lab.hub(hub_frame::Frame::Flush(flush)).await;
    let mut refused = v1::Outcome {
        code: Code::PathNotFolder.as_str().into(),
        ..v1::Outcome::default()
    };
    refused.set_result(v1::outcome::Result::Rejected);
    lab.answer(&propose, 1, refused).await;
    // It went before this replica heard of it, so nothing here changes.
    let again = loop {
        match lab.next().await {
            spoke_frame::Frame::Flushed(_) => panic!("nothing of it is committed yet"),
            spoke_frame::Frame::Propose(propose) => break propose,
            _ => {}
        }
    };
    assert_eq!(again.operations.len(), propose.operations.len());
    lab.accept(&again, 2).await;
    while !matches!(lab.next().await, spoke_frame::Frame::Flushed(_)) {}
    assert!(lab.notices.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn what_was_written_for_long_and_is_done_by_now_is_waited_for() {
    let mut lab = Deaf::listed(Vec::new()).await;
    let path = RelPath::parse("data.bin").unwrap();
    std::fs::write(lab.file("data.bin"), "all of it").unwrap();
    for _ in 0..8 {
        lab.state.sight.held.hold(&path, Instant::now());
        tokio::time::advance(Duration::from_millis(20)).await;
    }
    assert!(lab.state.sight.held.is_early(&path, Instant::now()));
    assert!(lab.look("data.bin").await.is_none(), "not yet its time");
    let told = lab.look_at_everything().await.unwrap();
    assert_eq!(paths(&told), ["data.bin"]);
}

#[tokio::test(start_paused = true)]
async fn what_was_being_written_and_went_with_its_folder_is_held_no_longer() {
    for root_too in [false, true] {
        let mut lab = Deaf::listed(Vec::new()).await;
        std::fs::create_dir(lab.file("dist.tmp")).unwrap();
        assert!(lab.look("dist.tmp").await.is_some());
        let path = RelPath::parse("dist.tmp/x").unwrap();
        lab.state.sight.held.hold(&path, Instant::now());
        let gone = if root_too { "" } else { "dist.tmp" };
        std::fs::remove_dir_all(lab.file(gone)).unwrap();
        tokio::time::advance(Duration::from_millis(50)).await;
        lab.state.wake(Instant::now());
        assert_eq!(lab.state.sight.held.next(), None);
        assert!(!lab.state.sight.held.is_fresh(&path));
    }
}
