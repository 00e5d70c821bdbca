//! A disk whose events are lost: only looks tell what is on it.
use slipway_core::path::RelPath;

use super::deaf::{Deaf, deleted, paths};
use super::*;
use crate::watch::Touch;

#[tokio::test]
async fn a_hub_that_does_not_listen_is_listened_to() {
    let mut deaf = Deaf::listed(Vec::new()).await;
    // More than there is room for to tell that they are on the disk.
    let told = async {
        for revision in 2..200 {
            let text = revision.to_string();
            let change = change(revision, "a.txt", Some(&text));
            deaf.hub(changes(vec![change])).await;
        }
    };
    let told = tokio::time::timeout(BOUND, told).await;
    told.expect("all of it is taken");
    while deaf.frames.try_recv().is_ok() {}
    // Heard by the loop itself, when its time comes.
    let at = deaf.state.wake_at().unwrap();
    deaf.state.wake(at);
    deaf.state.act().await;
    let last = deaf.frames.try_recv().unwrap().frame;
    let applied = v1::Applied { revision: 199 };
    assert_eq!(last, Some(spoke_frame::Frame::Applied(applied)));
}

#[tokio::test]
async fn a_file_is_seen_with_the_folders_that_no_event_told_of_and_missed_with_them() {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::create_dir_all(lab.file("d/e")).unwrap();
    std::fs::write(lab.file("d/e/z.txt"), "z").unwrap();
    let propose = lab.look("d/e/z.txt").await.unwrap();
    assert_eq!(paths(&propose), ["d", "d/e", "d/e/z.txt"]);
    lab.accept(&propose, 2).await;
    std::fs::remove_dir_all(lab.file("d")).unwrap();
    let proposed = lab.look_at_everything().await;
    assert_eq!(deleted(proposed), ["d/e/z.txt", "d/e", "d"]);
}

#[tokio::test]
async fn what_went_with_a_folder_that_the_hub_deleted_too_is_seen_to_have_gone() {
    let mut lab = Deaf::listed(vec![hub::folder(1, "d")]).await;
    std::fs::write(lab.file("d/x.txt"), "x").unwrap();
    let propose = lab.look("d/x.txt").await.unwrap();
    std::fs::remove_dir_all(lab.file("d")).unwrap();
    lab.hub(changes(vec![change(2, "d", None)])).await;
    // The hub took the file in a folder of its own.
    lab.accept(&propose, 3).await;
    lab.hub(changes(vec![
        hub::folder(3, "d"),
        change(3, "d/x.txt", Some("x")),
    ]))
    .await;
    assert!(!lab.file("d/x.txt").exists());
    // By the next look, which is none at everything.
    lab.state.look();
    let waiting: Vec<_> = lab
        .state
        .proposals
        .waiting
        .iter()
        .map(RelPath::as_str)
        .collect();
    assert_eq!(waiting, ["d", "d/x.txt"]);
}

#[tokio::test]
async fn a_folder_that_went_because_the_hub_deleted_it_is_nobodys_deletion_when_the_hub_makes_it_again()
 {
    let mut lab = Deaf::listed(vec![hub::folder(1, "d")]).await;
    std::fs::write(lab.file("d/x.txt"), "x").unwrap();
    let propose = lab.look("d/x.txt").await.unwrap();
    std::fs::remove_file(lab.file("d/x.txt")).unwrap();
    lab.hub(changes(vec![change(2, "d", None)])).await;
    assert!(!lab.file("d").exists());
    // The hub took the file in a folder of its own.
    lab.accept(&propose, 3).await;
    lab.hub(changes(vec![
        hub::folder(3, "d"),
        change(3, "d/x.txt", Some("x")),
    ]))
    .await;
    assert_eq!(deleted(lab.look_at_everything().await), ["d/x.txt"]);
    assert!(lab.file("d").is_dir());
}

#[tokio::test]
async fn a_folder_that_a_batch_deleted_and_made_again_for_a_file_in_it_is_known() {
    let mut lab = Deaf::listed(vec![change(1, "d", Some("a file"))]).await;
    std::fs::remove_file(lab.file("d")).unwrap();
    lab.state.mark([(lab.file("d"), Touch::Any)]);
    lab.state.look();
    std::fs::create_dir(lab.file("d")).unwrap();
    std::fs::write(lab.file("d/z.txt"), "z").unwrap();
    let propose = lab.look("d/z.txt").await.unwrap();
    assert_eq!(paths(&propose), ["d", "d", "d/z.txt"], "deleted and made");
    lab.accept(&propose, 2).await;
    let first = |change| v1::Change {
        last_of_revision: false,
        ..change
    };
    lab.hub(changes(vec![
        first(change(2, "d", None)),
        first(hub::folder(2, "d")),
        change(2, "d/z.txt", Some("z")),
    ]))
    .await;
    std::fs::remove_dir_all(lab.file("d")).unwrap();
    assert_eq!(deleted(lab.look_at_everything().await), ["d/z.txt", "d"]);
}

#[tokio::test]
async fn a_flush_waits_for_the_file_that_a_folder_made_way_for() {
    let mut lab = Deaf::listed(vec![hub::folder(1, "d")]).await;
    std::fs::remove_dir(lab.file("d")).unwrap();
    std::fs::write(lab.file("d"), "first").unwrap();
    let (answer, mut flushed) = oneshot::channel();
    lab.state.take(Input::Flush(answer)).await;
    // Written again before it is sent, and what was read is not kept: only the folder's end can be told of.
    std::fs::write(lab.file("d"), "first and second").unwrap();
    lab.state.contents.fresh.clear();
    lab.state.act().await;
    let propose = lab.proposed().unwrap();
    assert_eq!(deleted(Some(propose.clone())), ["d"]);
    lab.accept(&propose, 2).await;
    assert!(flushed.try_recv().is_err());
    let propose = lab.look_at_everything().await.unwrap();
    lab.accept(&propose, 3).await;
    assert_eq!(flushed.try_recv(), Ok(3));
}

#[tokio::test]
async fn what_a_hub_that_was_set_back_no_longer_has_is_not_waited_for() {
    let mut lab = Deaf::listed(Vec::new()).await;
    lab.hub(changes(vec![link(2, "way", "/out")])).await;
    assert!(!lab.state.shows_all(), "it leads out");
    lab.disconnect().await;
    // Its time to be tried again comes while there is no hub.
    lab.state.wake(Instant::now() + Duration::from_secs(60));
    lab.connect().await;
    lab.hub(greeting("set back", true)).await;
    lab.hub(listing(1, Vec::new())).await;
    assert!(lab.state.shows_all());
}

#[tokio::test]
async fn what_somebody_makes_that_an_unheard_batch_was_to_make_is_theirs() {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::create_dir(lab.file("d")).unwrap();
    assert_eq!(paths(&lab.look("d").await.unwrap()), ["d"]);
    lab.disconnect().await;
    // The batch never came to the hub.
    std::fs::remove_dir(lab.file("d")).unwrap();
    std::fs::write(lab.file("a.txt"), "a").unwrap();
    lab.connect().await;
    lab.hub(greeting("e", false)).await;
    let propose = lab.proposed().unwrap();
    assert_eq!(paths(&propose), ["a.txt"]);
    lab.accept(&propose, 2).await;
    lab.hub(changes(vec![change(2, "a.txt", Some("a"))])).await;
    lab.hub(changes(vec![hub::folder(3, "d")])).await;
    assert!(lab.file("d").is_dir());
    assert_eq!(deleted(lab.look_at_everything().await), [] as [&str; 0]);
}

#[tokio::test]
async fn a_root_that_is_away_shows_nothing() {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::rename(lab.file(""), lab.folder.path().join("away")).unwrap();
    lab.state.look();
    lab.hub(changes(vec![hub::folder(2, "d")])).await;
    assert_eq!(lab.state.reports.told, Some(1));
    std::fs::rename(lab.folder.path().join("away"), lab.file("")).unwrap();
    lab.look_at_everything().await;
    assert_eq!(lab.state.reports.told, Some(2));
    assert!(lab.file("d").is_dir());
}

#[tokio::test]
async fn a_file_that_moves_to_a_path_that_waits_its_turn_goes_when_it_comes() {
    let listed = vec![change(1, "a.txt", Some("a")), change(1, "log", Some("0"))];
    let mut lab = Deaf::listed(listed).await;
    for revision in 2..4 {
        std::fs::write(lab.file("log"), revision.to_string()).unwrap();
        let propose = lab.look("log").await.unwrap();
        lab.accept(&propose, revision).await;
    }
    std::fs::rename(lab.file("a.txt"), lab.file("log")).unwrap();
    assert_eq!(lab.look("log").await, None, "it changes all the time");
    assert_eq!(lab.look("a.txt").await, None, "nor does it go");
    let propose = lab.look_at_everything().await.unwrap();
    assert_eq!(paths(&propose), ["a.txt", "log"]);
}

#[tokio::test]
async fn a_folder_that_moves_does_so_in_one_batch_without_its_contents() {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::create_dir(lab.file("d")).unwrap();
    for number in 0..60_u8 {
        let content = [number; 100_000];
        std::fs::write(lab.file(&format!("d/{number}")), content).unwrap();
    }
    lab.state.mark([(lab.file("d"), Touch::Any)]);
    lab.state.look();
    let mut proposed = 0;
    lab.state.act().await;
    while let Some(propose) = lab.proposed() {
        proposed += propose.operations.len();
        lab.accept(&propose, 2).await;
    }
    assert_eq!(proposed, 61);
    std::fs::rename(lab.file("d"), lab.file("e")).unwrap();
    let propose = lab.look_at_everything().await.unwrap();
    assert_eq!(propose.operations.len(), 2 * 61);
    let mut operations = propose.operations.iter();
    assert!(operations.all(|operation| operation.inline.is_none()));
}

#[tokio::test]
async fn what_comes_into_sight_again_is_decided_though_it_is_as_it_was() {
    let listed = vec![hub::folder(1, "d"), change(1, "d/a.txt", Some("one"))];
    let mut lab = Deaf::listed(listed).await;
    lab.state.sight.unknown.extend(RelPath::parse("d"));
    lab.hub(changes(vec![change(2, "d/a.txt", None)])).await;
    assert!(lab.file("d/a.txt").exists(), "nobody knows what is there");
    assert_eq!(lab.look("d").await, None);
    assert!(!lab.file("d/a.txt").exists());
}

#[tokio::test]
async fn a_file_whose_copy_is_there_already_is_swapped_for_the_hubs() {
    let mine = "\0mine";
    let copy = slipway_sync::conflict::copy_path(
        &RelPath::parse("a.bin").unwrap(),
        "session",
        &ContentHash::of(mine.as_bytes()),
        0,
    );
    let mut lab = Deaf::listed(vec![change(1, copy.as_str(), Some(mine))]).await;
    std::fs::write(lab.file("a.bin"), mine).unwrap();
    lab.state.mark([(lab.file("a.bin"), Touch::Any)]);
    lab.state.look();
    lab.hub(changes(vec![change(2, "a.bin", Some("\0theirs"))]))
        .await;
    assert_eq!(std::fs::read(lab.file("a.bin")).unwrap(), b"\0theirs");
    // What was displaced is kept for a while: nothing was removed first.
    let tmp = lab.folder.path().join("state/files/tmp");
    let kept = std::fs::read_dir(tmp)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    let kept: Vec<_> = kept.filter_map(|name| name.into_string().ok()).collect();
    assert!(kept.iter().all(|name| name.starts_with("x-")), "{kept:?}");
    assert_eq!(kept.len(), 1);
}

#[tokio::test]
async fn what_the_hub_made_again_is_not_deleted_by_one_that_was_killed_after_it_had_gone() {
    let listed = vec![change(1, "a.txt", Some("a")), change(1, "b.txt", Some("b"))];
    let folder = Deaf::listed(listed).await.killed().await;
    // It had heard that the hub deleted this, and did not live to store that.
    std::fs::remove_file(folder.path().join("work/a.txt")).unwrap();
    let mut lab = Deaf::on(folder);
    lab.connect().await;
    lab.hub(greeting("e", false)).await;
    let asks = lab.proposed().unwrap();
    assert_eq!(asks.operations, []);
    lab.accept(&asks, 3).await;
    assert_eq!(lab.proposed(), None, "more is to be heard first");
    lab.hub(changes(vec![
        change(2, "a.txt", None),
        change(3, "a.txt", Some("a")),
    ]))
    .await;
    assert_eq!(lab.proposed(), None);
    assert!(lab.file("a.txt").exists());
    // What a program deletes is proposed.
    std::fs::remove_file(lab.file("b.txt")).unwrap();
    assert_eq!(deleted(lab.look("b.txt").await), ["b.txt"]);
}

#[tokio::test]
async fn one_that_was_killed_says_nothing_of_its_disk_before_it_has_caught_up() {
    let listed = vec![change(1, "a.txt", Some("a"))];
    let folder = Deaf::listed(listed).await.killed().await;
    let mut lab = Deaf::on(folder);
    lab.connect().await;
    lab.hub(greeting("e", false)).await;
    assert!(!lab.state.shows_all());
    let asks = lab.proposed().unwrap();
    assert_eq!(asks.operations, []);
    lab.accept(&asks, 1).await;
    assert!(lab.state.shows_all());
}

#[tokio::test]
async fn nor_is_it_when_everything_is_listed() {
    let listed = vec![change(1, "a.txt", Some("a")), change(1, "b.txt", Some("b"))];
    let folder = Deaf::listed(listed).await.killed().await;
    for name in ["a.txt", "b.txt"] {
        std::fs::remove_file(folder.path().join("work").join(name)).unwrap();
    }
    let mut lab = Deaf::on(folder);
    lab.connect().await;
    lab.hub(greeting("e", true)).await;
    let listed = vec![change(3, "a.txt", Some("a")), change(1, "b.txt", Some("b"))];
    lab.hub(listing(3, listed)).await;
    assert!(lab.file("a.txt").exists());
    assert_eq!(deleted(lab.proposed()), ["b.txt"], "that was here");
}

#[tokio::test]
async fn a_file_that_is_being_written_when_the_engine_starts_is_neither_gone_nor_empty() {
    let listed = vec![change(1, "a.txt", Some("a"))];
    let folder = Deaf::listed(listed).await.killed().await;
    std::fs::write(folder.path().join("work/a.txt"), "").unwrap();
    let mut lab = Deaf::on(folder);
    lab.connect().await;
    lab.hub(greeting("e", false)).await;
    let asks = lab.proposed().unwrap();
    lab.accept(&asks, 1).await;
    assert_eq!(lab.proposed(), None, "truncated a moment ago");
    std::fs::write(lab.file("a.txt"), "a and more").unwrap();
    let propose = lab.look("a.txt").await.unwrap();
    assert_eq!(paths(&propose), ["a.txt"]);
    assert!(propose.operations[0].expect.is_some(), "as an edit");
}
