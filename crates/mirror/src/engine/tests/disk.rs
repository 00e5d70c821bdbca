//! What programs do to the disk, and what the hub hears of it.
use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn paths(proposed: &[(String, Option<v1::Node>)]) -> Vec<(&str, bool)> {
    let named = proposed
        .iter()
        .map(|(path, node)| (path.as_str(), node.is_some()));
    named.collect()
}

#[tokio::test]
async fn what_becomes_ignored_stays_at_the_hub_and_on_the_disk() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let folder = change(2, "data", None);
    let folder = v1::Change {
        node: Some(wire::to_wire(&Node::Folder)),
        ..folder
    };
    lab.hub(changes(vec![folder, change(2, "data/x.csv", Some("x"))]))
        .await;
    lab.applied(2).await;
    lab.write(".slipwayignore", "data/\n");
    lab.write("data/y.csv", "y");
    assert_eq!(paths(&lab.flush(3).await), [(".slipwayignore", true)]);
    // Neither is a change of the hub's brought to it, nor does a restart see a deletion.
    lab.hub(changes(vec![change(4, "data/x.csv", Some("other"))]))
        .await;
    lab.applied(4).await;
    assert_eq!(lab.read("data/x.csv"), "x");
    assert_eq!(paths(&lab.flush(5).await), []);
    // Counted again, both sides' state is compared again.
    std::fs::remove_file(lab.file(".slipwayignore")).unwrap();
    lab.needed().await;
    lab.blob(b"other", false).await;
    let proposed = lab.flush(6).await;
    assert!(
        paths(&proposed).contains(&("data/y.csv", true)),
        "{proposed:?}"
    );
    assert_eq!(lab.read("data/x.csv"), "other");
}

#[tokio::test]
async fn an_unreadable_file_holds_nothing_up_and_is_told() {
    if rustix::process::geteuid().is_root() {
        // Root reads everything; the rest of the way is the same as for a file that is too large.
        return;
    }
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("locked.txt", "secret");
    std::fs::set_permissions(
        lab.file("locked.txt"),
        std::fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    lab.write("b.txt", "b");
    assert_eq!(paths(&lab.flush(2).await), [("b.txt", true)]);
    assert!(matches!(
        lab.notice().await,
        Notice::Blocked {
            code: Code::FileUnreadable,
            ..
        }
    ));
}

#[tokio::test]
async fn a_file_that_is_too_large_stays_here_and_what_the_hub_has_at_its_name_comes() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("big.bin", "small")]).await;
    let big = std::fs::File::create(lab.file("big.bin")).unwrap();
    big.set_len(slipway_core::limits::FILE_BYTES_MAX + 1)
        .unwrap();
    lab.write("b.txt", "b");
    assert_eq!(paths(&lab.flush(2).await), [("b.txt", true)]);
    assert!(matches!(
        lab.notice().await,
        Notice::Blocked {
            code: Code::FileTooLarge,
            ..
        }
    ));
    lab.hub(changes(vec![change(3, "big.bin", Some("hub's"))]))
        .await;
    lab.applied(3).await;
    assert_eq!(lab.read("big.bin"), "hub's");
    assert!(matches!(lab.notice().await, Notice::Copied { .. }));
}

#[tokio::test]
async fn a_hub_that_names_what_it_never_should_finds_no_place_here() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    std::fs::create_dir(lab.file(".git")).unwrap();
    lab.write(".git/config", "mine");
    lab.hub(changes(vec![
        link(2, "notes.md", "../../.ssh/authorized_keys"),
        link(2, "sub", ".git"),
        change(2, ".GIT/config", Some("theirs")),
        change(2, ".git", Some("gitdir: a")),
    ]))
    .await;
    let told = lab.notice().await;
    assert!(
        matches!(&told, Notice::Blocked { code: Code::LinkEscapes, path, .. } if path.as_str() == "notes.md"),
        "{told:?}"
    );
    assert!(!lab.file("notes.md").is_symlink());
    assert!(lab.file("sub").is_symlink(), "it leads nowhere else");
    assert!(!lab.file(".GIT").exists());
    assert_eq!(lab.read(".git/config"), "mine");
}

#[tokio::test]
async fn what_two_programs_change_back_and_forth_stays_as_it_is_here_and_is_told() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "tabs")]).await;
    lab.hub(changes(vec![change(2, "a.txt", Some("spaces"))]))
        .await;
    lab.applied(2).await;
    lab.write("a.txt", "tabs");
    let propose = lab.proposed().await;
    lab.accept(&propose, 3).await;
    lab.hub(changes(vec![change(4, "a.txt", Some("spaces"))]))
        .await;
    assert!(matches!(
        lab.notice().await,
        Notice::Blocked {
            code: Code::FileContested,
            ..
        }
    ));
    assert_eq!(lab.read("a.txt"), "tabs");
    lab.hub(changes(vec![change(5, "a.txt", Some("neither"))]))
        .await;
    lab.applied(5).await;
    assert_eq!(lab.read("a.txt"), "neither");
}

#[tokio::test]
async fn a_folder_that_was_made_anew_is_watched_again() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    for turn in 2..6 {
        std::fs::create_dir(lab.file("out")).unwrap();
        lab.write(&format!("out/one{turn}.txt"), "1");
        lab.flush(turn * 10).await;
        // Found by an event alone: nothing else looks within the bound.
        let two = format!("out/two{turn}.txt");
        lab.write(&two, "2");
        let propose = lab.proposed().await;
        assert_eq!(propose.operations[0].path, two);
        lab.accept(&propose, turn * 10 + 1).await;
        std::fs::remove_dir_all(lab.file("out")).unwrap();
        lab.flush(turn * 10 + 2).await;
    }
}

#[tokio::test]
async fn a_path_that_changes_its_kind_is_deleted_and_made() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("thing", "a file")]).await;
    std::fs::remove_file(lab.file("thing")).unwrap();
    std::fs::create_dir(lab.file("thing")).unwrap();
    lab.write("thing/inside", "x");
    let proposed = lab.flush(2).await;
    let wanted = [("thing", false), ("thing", true), ("thing/inside", true)];
    assert_eq!(paths(&proposed), wanted);
    std::fs::remove_dir_all(lab.file("thing")).unwrap();
    lab.write("thing", "a file again");
    let proposed = lab.flush(3).await;
    let wanted = [("thing/inside", false), ("thing", false), ("thing", true)];
    assert_eq!(paths(&proposed), wanted);
}

#[tokio::test]
async fn a_file_that_changes_all_the_time_does_not_hold_up_a_flush_nor_flood_the_hub() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let log = lab.file("log.txt");
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = stop.clone();
    let writer = std::thread::spawn(move || {
        let mut n = 0_u64;
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            n += 1;
            std::fs::write(&log, n.to_string()).unwrap();
        }
        n
    });
    let proposed = lab.flush(2).await;
    assert!(proposed.len() < 5, "{proposed:?}");
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    let last = writer.join().unwrap().to_string();
    // The last state always comes through.
    let wanted = wire::to_wire(&node(&last));
    let proposed = lab.flush(3).await;
    let sent = proposed.last().and_then(|(_, node)| node.clone());
    assert!(sent.is_none_or(|sent| sent == wanted));
}

#[tokio::test]
async fn what_had_no_room_is_offered_again_and_told_once() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("b.txt", "b");
    let propose = lab.proposed().await;
    let mut full = v1::Outcome {
        code: Code::WorkspaceFull.as_str().into(),
        ..v1::Outcome::default()
    };
    full.set_result(v1::outcome::Result::Rejected);
    lab.answer(&propose, 1, full).await;
    assert!(matches!(
        lab.notice().await,
        Notice::Blocked {
            code: Code::WorkspaceFull,
            ..
        }
    ));
    let again = lab.proposed().await;
    assert_eq!(again.operations[0].path, "b.txt");
    lab.accept(&again, 2).await;
    assert_eq!(paths(&lab.flush(3).await), []);
    assert!(lab.notices.try_recv().is_err());
}

#[tokio::test]
async fn a_batch_of_long_names_and_targets_fits_into_a_frame() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    let target = format!("{}a.txt", "./".repeat(2_000));
    for n in 0..1_500 {
        std::os::unix::fs::symlink(&target, lab.file(&format!("link{n:04}"))).unwrap();
    }
    let flush = v1::Flush { token: 7 };
    lab.hub(hub_frame::Frame::Flush(flush)).await;
    let mut many = 0;
    while many < 1_500 {
        let propose = lab.proposed().await;
        let bytes = propose.operations.iter().map(|operation| {
            let node = operation.node.as_ref().unwrap();
            operation.path.len() + node.link_target.len()
        });
        assert!(bytes.sum::<usize>() < 5 << 20);
        many += propose.operations.len();
        lab.accept(&propose, 2).await;
    }
}

#[tokio::test]
async fn a_folder_that_is_moved_away_is_missed_at_once() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a\n")]).await;
    let (root, aside) = (
        lab.folder.path().join("work"),
        lab.folder.path().join("aside"),
    );
    std::fs::rename(&root, &aside).unwrap();
    assert!(matches!(lab.notice().await, Notice::Gone(_)));
    std::fs::rename(&aside, &root).unwrap();
    lab.write("b.txt", "b\n");
    assert_eq!(lab.flush_of(2).await, ["b.txt"]);
}

#[tokio::test]
async fn a_name_that_no_hub_takes_is_told_and_stays_until_it_is_renamed() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a\n")]).await;
    let mut view = lab.engine.view().await.unwrap();
    lab.write("bad\nname.txt", "odd\n");
    let told = lab.notice().await.to_string();
    assert!(
        told.starts_with("\"bad\\nname.txt\": a name that"),
        "{told}"
    );
    view.wait_for(|view| view.odd == ["bad\\nname.txt"] && view.blocked == 1)
        .await
        .unwrap();
    assert!(lab.flush_of(2).await.is_empty());
    std::fs::rename(lab.file("bad\nname.txt"), lab.file("good.txt")).unwrap();
    assert_eq!(lab.flush_of(2).await, ["good.txt"]);
    view.wait_for(|view| view.odd.is_empty() && view.blocked == 0)
        .await
        .unwrap();
}
