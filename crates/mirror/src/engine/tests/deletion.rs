//! Mass deletions: when they are told of, and that they wait where a person is to be asked. And what is none: the end of
//! the folder itself.
use super::deaf::{Deaf, deleted};
use super::*;
use crate::watch::Touch;

/// Thirty files, of which two thirds stand in a folder that one rename takes away.
pub(super) async fn fill(lab: &mut Lab) {
    lab.list(1, &[("a.txt", "a")]).await;
    let folder = v1::Change {
        node: Some(wire::to_wire(&Node::Folder)),
        last_of_revision: false,
        ..change(2, "d", None)
    };
    let inside = (0..20).map(|n| change(2, &format!("d/f{n:02}.txt"), Some("x")));
    let beside = (0..8).map(|n| change(2, &format!("g{n}.txt"), Some("x")));
    lab.hub(changes(
        [folder].into_iter().chain(inside).chain(beside).collect(),
    ))
    .await;
    lab.applied(2).await;
    // No look at what was just written is under way, which could see the folder leave piece by piece.
    assert!(lab.flush(2).await.is_empty());
}

fn take_away(lab: &Lab) {
    std::fs::rename(lab.file("d"), lab.folder.path().join("away")).unwrap();
}

fn bring_back(lab: &Lab) {
    std::fs::rename(lab.folder.path().join("away"), lab.file("d")).unwrap();
}

fn told(held: bool) -> Notice {
    let (many, of) = (21, 30);
    let held = if held { many } else { 0 };
    Notice::Deleted { many, of, held }
}

fn paths(proposed: &[(String, Option<v1::Node>)]) -> Vec<&str> {
    proposed.iter().map(|(path, _)| path.as_str()).collect()
}

#[tokio::test]
async fn it_is_told_and_done() {
    let mut lab = Lab::open().await;
    fill(&mut lab).await;
    take_away(&lab);
    assert_eq!(lab.flush(3).await.len(), 21);
    assert_eq!(lab.notice().await, told(false));
}

#[tokio::test]
async fn one_that_is_seen_piece_by_piece_is_told_too() {
    let mut lab = Lab::open().await;
    let names: Vec<_> = (0..30).map(|n| format!("f{n:02}.txt")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "x")).collect();
    lab.list(1, &files).await;
    for (turn, name) in (2..).zip(&names[..16]) {
        std::fs::remove_file(lab.file(name)).unwrap();
        assert_eq!(lab.flush(turn).await.len(), 1);
    }
    let (many, of, held) = (16, 30, 0);
    assert_eq!(lab.notice().await, Notice::Deleted { many, of, held });
    assert!(lab.notices.try_recv().is_err(), "once");
}

#[tokio::test]
async fn where_a_person_is_asked_it_waits_for_the_word_and_holds_up_nothing_else() {
    let mut lab = Lab::asking().await;
    fill(&mut lab).await;
    take_away(&lab);
    lab.write("new.txt", "n");
    assert_eq!(paths(&lab.flush(3).await), ["new.txt"]);
    assert_eq!(lab.notice().await, told(true));
    // Neither a look at everything nor another deletion lets it pass, or tells of it again.
    std::fs::remove_file(lab.file("new.txt")).unwrap();
    assert!(lab.flush(4).await.is_empty());
    assert!(lab.notices.try_recv().is_err());
    lab.engine.tell(Input::Confirm).await.unwrap();
    let proposed = lab.flush(5).await;
    assert_eq!(proposed.len(), 22);
    assert!(proposed.iter().all(|(_, node)| node.is_none()));
    assert!(lab.flush(6).await.is_empty());
}

#[tokio::test]
async fn a_word_counts_for_what_was_asked_alone() {
    let mut lab = Lab::asking().await;
    fill(&mut lab).await;
    // Nobody has asked yet; it is heard before anything goes.
    lab.engine.tell(Input::Confirm).await.unwrap();
    lab.flush(3).await;
    take_away(&lab);
    assert!(lab.flush(3).await.is_empty());
    assert_eq!(lab.notice().await, told(true));
    // What came back is not deleted, and what is deleted later is asked for again.
    bring_back(&lab);
    assert!(lab.flush(4).await.is_empty());
    lab.engine.tell(Input::Confirm).await.unwrap();
    lab.flush(4).await;
    take_away(&lab);
    assert!(lab.flush(5).await.is_empty());
    assert_eq!(lab.notice().await, told(true), "of this one, too");
}

#[tokio::test]
async fn the_word_outlives_the_connection() {
    let mut lab = Lab::asking().await;
    fill(&mut lab).await;
    take_away(&lab);
    assert!(lab.flush(3).await.is_empty());
    lab.engine.tell(Input::Disconnected(LINK)).await.unwrap();
    lab.engine.tell(Input::Confirm).await.unwrap();
    lab.reconnect().await;
    lab.hub(greeting("e", false)).await;
    assert_eq!(lab.flush(4).await.len(), 21);
}

#[tokio::test]
async fn what_the_hub_changes_meanwhile_comes_back() {
    let mut lab = Lab::asking().await;
    fill(&mut lab).await;
    take_away(&lab);
    assert!(lab.flush(3).await.is_empty());
    lab.hub(changes(vec![change(4, "d/f00.txt", Some("edited"))]))
        .await;
    lab.applied(4).await;
    assert_eq!(lab.read("d/f00.txt"), "edited");
    lab.engine.tell(Input::Confirm).await.unwrap();
    let proposed = lab.flush(5).await;
    assert_eq!(proposed.len(), 19);
    assert_eq!(lab.read("d/f00.txt"), "edited");
}

#[tokio::test]
async fn what_goes_with_the_folder_itself_is_deleted_nowhere() {
    let stood = ["a.txt", "b.txt"].map(|name| change(1, name, Some("x")));
    let mut lab = Deaf::listed(stood.into()).await;
    std::fs::remove_file(lab.file("a.txt")).unwrap();
    lab.state.mark([(lab.file("a.txt"), Touch::Any)]);
    lab.state.look();
    // The rest went between that look and what follows from it.
    std::fs::remove_dir_all(lab.file("")).unwrap();
    lab.state.act().await;
    assert_eq!(deleted(lab.proposed()), [] as [&str; 0]);
    assert_eq!(deleted(lab.look_at_everything().await), [] as [&str; 0]);
    assert!(lab.state.sight.root_unknown);
}
