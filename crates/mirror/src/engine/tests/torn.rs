//! What a loss of power left of files.
use std::os::unix::fs::PermissionsExt as _;

use slipway_core::path::RelPath;

use super::deaf::Deaf;
use super::*;
use crate::engine::heard::Catch;

/// The name came back after a loss of power, with a part of its content, before anything was agreed on there.
fn left(lab: &mut Deaf, part: &str) {
    std::fs::write(lab.file("a.txt"), part).unwrap();
    lab.state
        .trees
        .base
        .remove(&RelPath::parse("a.txt").unwrap());
    lab.state.hub.in_step = false;
    lab.state.sight.everything = true;
    lab.state.look();
    lab.state.suspect_files(true, Vec::new());
    // The look sees them, as the first one does.
    lab.state.suspect_seen();
}

#[tokio::test]
async fn what_a_loss_of_power_left_of_a_file_that_had_moved_to_a_copy_is_no_edit() {
    let (whole, copy) = ("mine, and more of it", "a (conflict session 0123ab).txt");
    let listed = vec![
        change(1, "a.txt", Some("theirs")),
        change(1, copy, Some(whole)),
    ];
    let mut lab = Deaf::listed(listed).await;
    left(&mut lab, "mine, and");
    lab.state.hub.in_step = true;
    assert_eq!(lab.look_at_everything().await, None);
    lab.blob("theirs").await;
    lab.blob(whole).await;
    lab.blob("theirs").await;
    assert_eq!(lab.proposed(), None);
    assert_eq!(std::fs::read(lab.file("a.txt")).unwrap(), b"theirs");
}

#[tokio::test]
async fn who_allows_one_to_be_executed_wrote_nothing() {
    let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("whole, and more"))]).await;
    left(&mut lab, "whole, and");
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(lab.file("a.txt"), mode).unwrap();
    lab.state.hub.in_step = true;
    assert_eq!(lab.look_at_everything().await, None);
    lab.blob("whole, and more").await;
    let names = std::fs::read_dir(lab.file("")).unwrap();
    assert_eq!(names.count(), 1, "nothing was copied");
    assert_eq!(
        std::fs::read(lab.file("a.txt")).unwrap(),
        b"whole, and more"
    );
}

#[tokio::test]
async fn a_flush_waits_until_what_may_be_in_parts_is_judged_and_told() {
    let mut lab = Deaf::listed(Vec::new()).await;
    left(&mut lab, "mine, and whole");
    lab.state.hub.in_step = true;
    lab.state.hub.catch = Catch::Ask;
    let (answer, mut flushed) = oneshot::channel();
    lab.tell(Input::Flush(answer)).await;
    let asked = lab.proposed().unwrap();
    assert!(asked.operations.is_empty(), "where the hub stands");
    assert!(flushed.try_recv().is_err());
    lab.accept(&asked, 1).await;
    let told = lab.proposed().unwrap();
    assert_eq!(told.operations[0].path, "a.txt");
    assert!(flushed.try_recv().is_err());
    lab.accept(&told, 2).await;
    assert_eq!(flushed.try_recv(), Ok(2));
}

#[tokio::test]
async fn what_was_left_of_a_file_does_not_come_back_when_what_came_is_taken_back() {
    let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("whole, and more"))]).await;
    lab.state.undo = true;
    left(&mut lab, "whole, and");
    lab.state.hub.in_step = true;
    assert_eq!(lab.look_at_everything().await, None);
    lab.blob("whole, and more").await;
    assert_eq!(
        std::fs::read(lab.file("a.txt")).unwrap(),
        b"whole, and more"
    );
    assert!(lab.state.bursts.arrivals().is_empty());
}
