//! What the hub gives up at one path is at another by then, there as here.
use super::deaf::{Deaf, paths};
use super::hub::folder;
use super::*;
use crate::watch::Touch;

/// A change whose content is on its way.
fn announced(revision: u64, path: &str, text: &str) -> v1::Change {
    v1::Change {
        inline: None,
        ..change(revision, path, Some(text))
    }
}

/// In step with a hub that lists these and a log, which a program writes to all the time.
async fn logging(mut listed: Vec<v1::Change>) -> Deaf {
    listed.push(change(1, "log", Some("0")));
    let mut lab = Deaf::listed(listed).await;
    for revision in 2..4 {
        std::fs::write(lab.file("log"), revision.to_string()).unwrap();
        let propose = lab.look("log").await.unwrap();
        lab.accept(&propose, revision).await;
    }
    lab
}

fn rename(lab: &Deaf, from: &str, to: &str) {
    std::fs::rename(lab.file(from), lab.file(to)).unwrap();
}

async fn look(lab: &mut Deaf, names: &[&str]) -> Option<v1::Propose> {
    let touched = names.iter().map(|name| (lab.file(name), Touch::Any));
    lab.state.mark(touched.collect::<Vec<_>>());
    lab.state.look();
    lab.state.act().await;
    lab.proposed()
}

#[tokio::test]
async fn what_makes_way_for_another_content_does_so_when_it_may_come_elsewhere() {
    let mut lab = logging(vec![change(1, "a.txt", Some("a"))]).await;
    rename(&lab, "a.txt", "log");
    std::fs::write(lab.file("a.txt"), "new").unwrap();
    let batch = look(&mut lab, &["a.txt", "log"]).await;
    assert_eq!(batch, None, "the log changes all the time");
    let propose = lab.look_at_everything().await.unwrap();
    assert_eq!(paths(&propose), ["a.txt", "log"]);
    assert_eq!(propose.operations[1].inline, None, "the hub has it");
}

#[tokio::test]
async fn it_comes_in_the_batch_in_which_it_makes_way() {
    let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("a"))]).await;
    rename(&lab, "a.txt", "z.txt");
    for number in 0..30_u8 {
        std::fs::write(lab.file(&format!("b{number}")), [number; 100_000]).unwrap();
    }
    std::fs::write(lab.file("a.txt"), [b'a'; 100_000]).unwrap();
    let mut propose = lab.look_at_everything().await.unwrap();
    while !paths(&propose).contains(&"a.txt") {
        lab.accept(&propose, 2).await;
        propose = lab.proposed().unwrap();
    }
    let told = paths(&propose);
    assert!(told.contains(&"z.txt"), "{told:?}");
    lab.accept(&propose, 3).await;
    assert!(lab.proposed().is_some(), "not all that is new had room");
}

#[tokio::test]
async fn what_comes_where_another_has_to_stay_stays_too() {
    let listed = vec![change(1, "a.txt", Some("a")), change(1, "b.txt", Some("b"))];
    let mut lab = logging(listed).await;
    rename(&lab, "b.txt", "log");
    rename(&lab, "a.txt", "b.txt");
    let batch = look(&mut lab, &["a.txt", "b.txt", "log"]).await;
    assert_eq!(batch, None, "the log changes all the time");
    let propose = lab.look_at_everything().await.unwrap();
    assert_eq!(paths(&propose), ["a.txt", "b.txt", "log"]);
}

#[tokio::test]
async fn the_hub_keeps_what_has_moved_to_where_two_changes_are_to_be_joined() {
    let listed = vec![change(1, "a.txt", Some("a")), change(1, "b.txt", Some("b"))];
    let mut lab = Deaf::listed(listed).await;
    lab.hub(changes(vec![announced(2, "b.txt", "theirs")]))
        .await;
    rename(&lab, "a.txt", "b.txt");
    assert_eq!(look(&mut lab, &["a.txt", "b.txt"]).await, None);
    lab.blob("b").await;
    lab.blob("theirs").await;
    assert_eq!(std::fs::read(lab.file("b.txt")).unwrap(), b"theirs");
    let propose = lab.look_at_everything().await.unwrap();
    let told = propose.operations.iter();
    let told: Vec<_> = told
        .map(|told| (told.path.contains("conflict"), told.node.is_some()))
        .collect();
    assert_eq!(told, [(false, false), (true, true)], "{propose:?}");
}

#[tokio::test]
async fn the_hub_is_told_nothing_while_what_moved_to_a_copy_was_not_looked_at() {
    let listed = vec![folder(1, "d"), change(1, "d/a.txt", Some("a"))];
    let mut lab = Deaf::listed(listed).await;
    rename(&lab, "d", "e");
    std::fs::create_dir(lab.file("d")).unwrap();
    std::fs::write(lab.file("d/a.txt"), "new").unwrap();
    lab.hub(changes(vec![change(2, "e", Some("theirs"))])).await;
    assert!(lab.file("e").is_dir(), "it was there first");
    assert_eq!(look(&mut lab, &["d", "e"]).await, None);
    assert!(lab.file("e").is_file(), "the folder moved to a copy");
    lab.state.look();
    lab.state.act().await;
    let propose = lab.proposed().unwrap();
    let told = paths(&propose);
    assert!(told.contains(&"d/a.txt"), "{told:?}");
    assert!(told.iter().any(|path| path.ends_with(")/a.txt")));
}

#[tokio::test]
async fn what_moved_to_where_the_hub_had_it_too_is_kept_when_that_moves_it_back() {
    let listed = vec![change(1, "a.txt", Some("a")), change(1, "b.txt", Some("b"))];
    let mut lab = Deaf::listed(listed).await;
    lab.hub(changes(vec![announced(2, "b.txt", "c")])).await;
    // Here the two change places, and so they do there.
    std::fs::write(lab.file("a.txt"), "b").unwrap();
    std::fs::write(lab.file("b.txt"), "a").unwrap();
    assert_eq!(look(&mut lab, &["a.txt", "b.txt"]).await, None);
    let there = vec![announced(3, "a.txt", "c"), change(3, "b.txt", Some("a"))];
    lab.hub(changes(there)).await;
    let back = vec![change(4, "a.txt", Some("a")), announced(4, "b.txt", "c")];
    lab.hub(changes(back)).await;
    lab.blob("c").await;
    assert_eq!(std::fs::read(lab.file("b.txt")).unwrap(), b"c");
    let propose = lab.look_at_everything().await.unwrap();
    let [a, copy] = &propose.operations[..] else {
        panic!("{propose:?}");
    };
    assert_eq!(
        (a.path.as_str(), a.inline.as_deref()),
        ("a.txt", Some(&b"b"[..]))
    );
    let hash = slipway_proto::convert::hash_bytes(&ContentHash::of(b"a"));
    assert_eq!(copy.node.as_ref().map(|node| &node.hash), Some(&hash));
}

/// Which files a batch tells of where they stood before.
fn origins(propose: &v1::Propose) -> Vec<(&str, &str)> {
    let operations = propose.operations.iter();
    let told = operations.filter_map(|told| Some((told.path.as_str(), told.from.as_deref()?)));
    told.collect()
}

#[tokio::test]
async fn of_files_that_move_it_is_told_where_they_stood() {
    let listed = vec![
        folder(1, "d"),
        change(1, "d/a.txt", Some("a")),
        change(1, "d/b.txt", Some("b")),
        change(1, "d/empty", Some("")),
        change(1, "log", Some("l")),
    ];
    let mut lab = Deaf::listed(listed).await;
    rename(&lab, "d", "e");
    rename(&lab, "log", "log.1");
    std::fs::write(lab.file("log"), "new").unwrap();
    let propose = lab.look_at_everything().await.unwrap();
    let moved = [("e/a.txt", "d/a.txt"), ("e/b.txt", "d/b.txt")];
    let mut told = origins(&propose);
    told.sort_unstable();
    assert_eq!(told, [moved[0], moved[1], ("log.1", "log")]);
}

#[tokio::test]
async fn of_files_that_are_alike_nobody_says_which_one_moved() {
    for (stood, stand) in [
        (&["a", "b"][..], &["x", "y"][..]),
        (&["a", "b"], &["x"]),
        (&["a"], &["x", "y"]),
    ] {
        let listed = stood.iter().map(|path| change(1, path, Some("same")));
        let mut lab = Deaf::listed(listed.collect()).await;
        for path in stood {
            std::fs::remove_file(lab.file(path)).unwrap();
        }
        for path in stand {
            std::fs::write(lab.file(path), "same").unwrap();
        }
        let propose = lab.look_at_everything().await.unwrap();
        assert_eq!(propose.operations.len(), stood.len() + stand.len());
        assert_eq!(origins(&propose), [], "{stood:?} {stand:?}");
    }
}

#[tokio::test]
async fn what_was_read_of_a_file_that_moved_is_not_kept() {
    let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("a"))]).await;
    rename(&lab, "a.txt", "b.txt");
    let propose = look(&mut lab, &["a.txt", "b.txt"]).await.unwrap();
    lab.accept(&propose, 2).await;
    let hash = ContentHash::of(b"a");
    assert_eq!(lab.state.contents.fresh.take(hash), None);
}

/// How the hub tells of a batch whose answer was not heard.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Told {
    BeforeTheAnswer,
    OnTheNextConnection,
    InAListing,
    AfterAStop,
}

#[tokio::test]
async fn what_moved_and_is_back_before_the_hub_tells_of_it_stays() {
    for told in [
        Told::BeforeTheAnswer,
        Told::OnTheNextConnection,
        Told::InAListing,
        Told::AfterAStop,
    ] {
        let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("a"))]).await;
        rename(&lab, "a.txt", "b.txt");
        let propose = look(&mut lab, &["a.txt", "b.txt"]).await.unwrap();
        assert_eq!(paths(&propose), ["a.txt", "b.txt"]);
        if told == Told::AfterAStop {
            lab.state.store_now().await;
            rename(&lab, "b.txt", "a.txt");
            lab = Deaf::on(lab.crashed());
        } else {
            rename(&lab, "b.txt", "a.txt");
            assert_eq!(look(&mut lab, &["a.txt", "b.txt"]).await, None);
        }
        if told != Told::BeforeTheAnswer {
            lab.disconnect().await;
            lab.connect().await;
            lab.hub(greeting("e", told == Told::InAListing)).await;
        }
        let there = match told {
            Told::InAListing => listing(2, vec![change(2, "b.txt", Some("a"))]),
            _ => changes(vec![
                change(2, "a.txt", None),
                change(2, "b.txt", Some("a")),
            ]),
        };
        lab.hub(there).await;
        let stays = std::fs::read(lab.file("a.txt"));
        assert_eq!(stays.ok().as_deref(), Some(&b"a"[..]), "{told:?}");
    }
}

#[tokio::test]
async fn what_others_made_again_meanwhile_goes_when_they_delete_it() {
    let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("a"))]).await;
    std::fs::remove_file(lab.file("a.txt")).unwrap();
    let propose = lab.look("a.txt").await.unwrap();
    assert_eq!(paths(&propose), ["a.txt"]);
    lab.hub(changes(vec![change(2, "a.txt", Some("theirs"))]))
        .await;
    assert!(lab.file("a.txt").exists());
    lab.hub(changes(vec![change(3, "a.txt", None)])).await;
    assert!(!lab.file("a.txt").exists());
}

#[tokio::test]
async fn what_others_put_back_to_what_is_on_its_way_comes_like_any_other() {
    let mut lab = Deaf::listed(Vec::new()).await;
    std::fs::write(lab.file("a.txt"), "one").unwrap();
    let propose = lab.look("a.txt").await.unwrap();
    assert_eq!(paths(&propose), ["a.txt"]);
    for (revision, text) in [(2, "one"), (3, "two"), (4, "one")] {
        lab.hub(changes(vec![change(revision, "a.txt", Some(text))]))
            .await;
        let shown = std::fs::read_to_string(lab.file("a.txt")).unwrap();
        assert_eq!(shown, text);
    }
    lab.accept(&propose, 4).await;
    assert_eq!(
        lab.look_at_everything().await,
        None,
        "nothing is to be told"
    );
}
