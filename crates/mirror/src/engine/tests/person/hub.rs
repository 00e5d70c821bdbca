//! A person's own work on its way to a hub.
use std::os::unix::fs::symlink;

use super::*;

#[tokio::test]
async fn a_hub_that_comes_later_is_offered_everything() {
    let alone = Alone::open();
    alone.write("a/b.txt", "b", Expect::Absent).await.unwrap();
    std::fs::write(alone.file("by-a-program.txt"), "p").unwrap();
    alone.engine.stop().await;
    let mut lab = Lab::on(alone.folder).await;
    lab.hub(greeting("e", true)).await;
    lab.hub(listing(1, Vec::new())).await;
    let mut proposed = Vec::new();
    while proposed.len() < 3 {
        let propose = lab.proposed().await;
        lab.accept(&propose, 2).await;
        let operations = propose.operations.into_iter();
        proposed.extend(operations.map(|one| (one.path, one.inline)));
    }
    proposed.sort();
    let inline = |text: &str| Some(Bytes::from(text.to_owned()));
    assert_eq!(
        proposed,
        [
            ("a".to_owned(), None),
            ("a/b.txt".to_owned(), inline("b")),
            ("by-a-program.txt".to_owned(), inline("p"))
        ]
    );
}

#[tokio::test]
async fn a_save_is_on_the_wire_at_once() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "0")]).await;
    let mut shortest = Duration::MAX;
    for n in 1..20 {
        let expect = content(&(n - 1).to_string());
        let begin = Instant::now();
        let written = lab
            .engine
            .write(path("a.txt"), bytes(&n.to_string()), expect, None);
        written.await.unwrap();
        let propose = lab.proposed().await;
        shortest = shortest.min(begin.elapsed());
        assert_eq!(propose.operations[0].inline, Some(bytes(&n.to_string())));
        lab.accept(&propose, n + 1).await;
    }
    // The shortest of many: the machine may do something else meanwhile. A look waits for 12 ms.
    assert!(shortest < Duration::from_millis(5), "{shortest:?}");
}

#[tokio::test]
async fn what_a_person_deletes_by_hand_is_not_asked_about_again() {
    let mut lab = Lab::asking().await;
    super::deletion::fill(&mut lab).await;
    let operation = LocalOperation {
        path: path("d"),
        expect: Expect::Folder,
        act: LocalAct::Delete,
    };
    lab.engine.commit(vec![operation], false).await.unwrap();
    let propose = lab.proposed().await;
    assert_eq!(propose.operations.len(), 21);
    assert!(propose.operations.iter().all(|one| one.node.is_none()));
    assert!(lab.notices.try_recv().is_err());
}

#[tokio::test]
async fn a_folder_that_is_gone_says_nothing_about_what_was_in_it() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a"), ("b.txt", "b")]).await;
    let away = lab.folder.path().join("away");
    std::fs::rename(lab.file(""), &away).unwrap();
    symlink(
        lab.folder.path().join("state"),
        lab.folder.path().join("work"),
    )
    .unwrap();
    let refused = lab
        .engine
        .write(path("a.txt"), bytes("x"), Expect::Any, None);
    let refused = refused.await.unwrap_err();
    assert_eq!(refused.code(), Code::FolderGone);
    assert!(lab.flush_of(2).await.is_empty());
    assert!(matches!(lab.notice().await, Notice::Gone(_)));
    std::fs::remove_file(lab.folder.path().join("work")).unwrap();
    std::fs::create_dir(lab.folder.path().join("work")).unwrap();
    assert!(lab.flush_of(3).await.is_empty());
    std::fs::remove_dir(lab.folder.path().join("work")).unwrap();
    std::fs::rename(&away, lab.folder.path().join("work")).unwrap();
    lab.write("a.txt", "changed");
    assert_eq!(lab.flush_of(4).await, ["a.txt"]);
}
