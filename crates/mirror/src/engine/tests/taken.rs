//! What a change of ours took away is nobody's deletion, whatever became of what was to come there.
use std::sync::Arc;

use super::deaf::{Deaf, deleted, paths};
use super::hub::folder;
use super::*;
use crate::engine::around::Surroundings;
use crate::volume::simulated::{Entry, Make, SimVolume};

#[tokio::test]
async fn what_made_way_for_what_could_not_come_comes_again() {
    let (folder, volume) = (
        tempfile::tempdir().unwrap(),
        SimVolume::new(Make::default()),
    );
    let whole = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let way = whole("work/way");
    for name in ["work", "state"] {
        volume.inner().make_all(&whole(name)).unwrap();
    }
    let around = Surroundings {
        volume: Arc::new(volume.clone()),
        ..Surroundings::deaf()
    };
    let mut lab = Deaf::among(folder, around);
    lab.connect().await;
    lab.hub(greeting("e", true)).await;
    lab.hub(listing(1, vec![link(1, "way", "a")])).await;
    volume.inner().full = true;
    lab.hub(changes(vec![link(2, "way", "b")])).await;
    assert_eq!(volume.inner().entry(&way), None);
    volume.inner().full = false;
    lab.hub(changes(vec![link(3, "way", "a")])).await;
    assert_eq!(deleted(lab.look_at_everything().await), [] as [&str; 0]);
    assert_eq!(volume.inner().entry(&way), Some(Entry::Link("a".into())));
}

#[tokio::test]
async fn what_moved_to_a_copy_with_its_folder_comes_again() {
    let stood = vec![folder(1, "d"), change(1, "d/a.txt", Some("a"))];
    let mut lab = Deaf::listed(stood).await;
    std::fs::write(lab.file("d/a.txt"), "mine").unwrap();
    assert_eq!(paths(&lab.look("d/a.txt").await.unwrap()), ["d/a.txt"]);
    lab.hub(changes(vec![
        change(2, "d/a.txt", None),
        change(2, "d", None),
        change(2, "d", Some("a file")),
    ]))
    .await;
    assert!(lab.file("d").is_file());
    lab.hub(changes(vec![
        change(3, "d", None),
        folder(3, "d"),
        change(3, "d/a.txt", Some("a")),
    ]))
    .await;
    assert_eq!(std::fs::read(lab.file("d/a.txt")).unwrap(), b"a");
}

#[tokio::test]
async fn nor_is_it_ours_when_somebody_makes_it_again() {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::create_dir_all(lab.file("d/e")).unwrap();
    assert_eq!(paths(&lab.look("d").await.unwrap()), ["d", "d/e"]);
    lab.disconnect().await;
    lab.connect().await;
    lab.hub(greeting("e", true)).await;
    lab.hub(listing(2, vec![change(2, "d", Some("a file"))]))
        .await;
    assert!(lab.file("d").is_file());
    lab.hub(changes(vec![change(3, "d", None)])).await;
    lab.hub(changes(vec![folder(4, "d"), folder(4, "d/e")]))
        .await;
    assert!(lab.file("d/e").is_dir());
}
