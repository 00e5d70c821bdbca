//! What a change of ours took away is nobody's deletion, whatever became of what was to come there.
use super::deaf::{Deaf, paths};
use super::hub::folder;
use super::*;

#[tokio::test]
async fn what_moved_to_a_copy_is_not_ours_when_somebody_makes_it_again() {
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
