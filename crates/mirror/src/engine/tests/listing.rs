//! A hub that lists everything: what it does not name is gone there.
use super::deaf::{Deaf, deleted, paths};
use super::hub::folder;
use super::*;

/// The engine is connected again, to a hub that is about to list everything.
async fn greeted(lab: &mut Deaf) {
    lab.disconnect().await;
    lab.connect().await;
    lab.hub(greeting("e", true)).await;
}

#[tokio::test]
async fn what_stands_in_place_of_a_folder_takes_its_place_when_all_is_listed() {
    let stood = vec![folder(1, "d"), change(1, "d/a.txt", Some("a"))];
    let mut lab = Deaf::listed(stood).await;
    greeted(&mut lab).await;
    lab.hub(changes(vec![change(2, "d", Some("a file"))])).await;
    lab.hub(listing(2, Vec::new())).await;
    lab.blob("a file").await;
    assert!(lab.file("d").is_file());
    assert_eq!(lab.look_at_everything().await, None, "nothing was copied");
}

/// An engine that made a folder and told a hub, which has it and did not answer.
async fn unanswered() -> Deaf {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::create_dir(lab.file("d")).unwrap();
    assert_eq!(paths(&lab.look("d").await.unwrap()), ["d"]);
    lab.hub(changes(vec![folder(2, "d")])).await;
    lab
}

/// The hub has the folder again, which somebody else made.
async fn is_theirs(lab: &mut Deaf) {
    lab.hub(changes(vec![folder(4, "d")])).await;
    assert_eq!(deleted(lab.look_at_everything().await), [] as [&str; 0]);
    assert!(lab.file("d").is_dir());
}

#[tokio::test]
async fn what_is_made_again_after_it_was_not_listed_is_no_longer_ours() {
    let mut lab = unanswered().await;
    greeted(&mut lab).await;
    lab.hub(listing(3, Vec::new())).await;
    assert!(!lab.file("d").exists());
    is_theirs(&mut lab).await;
}

#[tokio::test]
async fn nor_is_it_where_a_program_deleted_ours_before() {
    let mut lab = unanswered().await;
    std::fs::remove_dir(lab.file("d")).unwrap();
    greeted(&mut lab).await;
    lab.hub(listing(3, Vec::new())).await;
    is_theirs(&mut lab).await;
}

#[tokio::test]
async fn nor_is_it_to_the_third_where_the_second_was_killed_after_it_had_gone() {
    let killed = unanswered().await.killed().await;
    // It had heard that the hub deleted this, and did not live to store that.
    std::fs::remove_dir(killed.path().join("work/d")).unwrap();
    let mut lab = Deaf::on(killed);
    greeted(&mut lab).await;
    lab.hub(listing(4, vec![folder(4, "d")])).await;
    assert_eq!(deleted(lab.proposed()), [] as [&str; 0]);
    assert!(lab.file("d").is_dir());
}
