//! More that is new than one look reads: the hub hears of the first of it while the rest is looked at.
use super::deaf::{Deaf, paths};
use super::*;
use crate::watch::Touch;

/// One whose looks read so many new files.
async fn reading(many: usize, changes: Vec<v1::Change>) -> Deaf {
    let mut lab = Deaf::listed(changes).await;
    lab.state.new_at_once = many;
    lab
}

/// The look that goes on comes to its next end; tells the batch that follows.
async fn next(lab: &mut Deaf) -> Option<v1::Propose> {
    assert!(lab.state.sight.goes_on());
    let at = lab.state.wake_at().unwrap();
    assert!(at <= Instant::now(), "nothing is waited for");
    lab.state.wake(at);
    lab.state.act().await;
    lab.proposed()
}

fn write(lab: &Deaf, names: &[&str]) {
    for name in names {
        let file = lab.file(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, name).unwrap();
    }
}

#[tokio::test]
async fn the_hub_hears_of_the_first_before_the_last_is_looked_at() {
    let mut lab = reading(2, Vec::new()).await;
    write(&lab, &["n/a", "n/b", "n/c", "n/d/e", "n/d/f"]);
    let mut seen = Vec::new();
    let mut batch = lab.look("n").await;
    for revision in 2.. {
        let propose = batch.expect("a batch for each look");
        assert!(propose.operations.len() <= 4, "two files and their folders");
        seen.extend(paths(&propose).into_iter().map(str::to_owned));
        lab.accept(&propose, revision).await;
        if !lab.state.sight.goes_on() {
            break;
        }
        batch = next(&mut lab).await;
    }
    let at = |path: &str| seen.iter().position(|other| other == path);
    assert!(at("n") < at("n/d") && at("n/d") < at("n/d/e"), "{seen:?}");
    seen.sort();
    assert_eq!(
        seen,
        ["n", "n/a", "n/b", "n/c", "n/d", "n/d/e", "n/d/f"],
        "each once"
    );
}

#[tokio::test]
async fn what_moved_goes_in_one_batch_though_it_is_found_last() {
    let mut lab = reading(1, vec![hub::folder(1, "n"), change(1, "n/b", Some("n/b"))]).await;
    write(&lab, &["m/a", "m/c", "m/d"]);
    std::fs::rename(lab.file("n/b"), lab.file("m/b")).unwrap();
    lab.state
        .mark([(lab.file("n/b"), Touch::Any), (lab.file("m"), Touch::Any)]);
    lab.state.look();
    lab.state.act().await;
    let mut batch = lab.proposed();
    while lab.state.sight.goes_on() {
        assert_eq!(batch, None, "what goes may come where was not looked yet");
        batch = next(&mut lab).await;
    }
    let propose = batch.unwrap();
    let moved = propose.operations.iter();
    let moved: Vec<_> = moved
        .filter(|operation| operation.path.ends_with("/b"))
        .map(|operation| (operation.node.is_some(), operation.inline.is_some()))
        .collect();
    assert_eq!(moved, [(false, false), (true, false)]);
}

#[tokio::test]
async fn a_flush_waits_for_all_of_it() {
    let mut lab = reading(1, Vec::new()).await;
    write(&lab, &["n/a", "n/b", "n/c"]);
    let propose = lab.look_at_everything().await.unwrap();
    assert_eq!(paths(&propose), ["n", "n/a", "n/b", "n/c"]);
}

#[tokio::test]
async fn a_person_waits_for_no_other_look() {
    let mut lab = reading(1, Vec::new()).await;
    write(&lab, &["n/a", "n/b", "n/c"]);
    lab.look("n").await;
    let late = slipway_core::path::RelPath::parse("n/c").unwrap();
    assert!(lab.state.standing(&late, false).unwrap().is_some());
}
