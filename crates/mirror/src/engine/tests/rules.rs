//! The workspace's own rules: when they count, and that nothing goes that they leave out, whoever wrote them.
use std::os::unix::fs::PermissionsExt as _;

use slipway_core::path::RelPath;

use super::deaf::{Deaf, deleted, paths};
use super::view::shows;
use super::*;
use crate::engine::around::Surroundings;
use crate::local::{Expect, LocalAct, LocalOperation, Source};

/// A folder in step, in which something stays out.
async fn with_a_secret() -> Lab {
    let mut lab = Lab::asking().await;
    lab.list(1, &[(".slipwayignore", "secret/\n"), ("a.txt", "a")])
        .await;
    std::fs::create_dir(lab.file("secret")).unwrap();
    lab.write("secret/key", "mine alone");
    assert!(lab.flush_of(1).await.is_empty());
    lab
}

async fn rules_come(lab: &mut Lab, revision: u64, text: Option<&str>) {
    lab.hub(changes(vec![change(revision, ".slipwayignore", text)]))
        .await;
    lab.applied(revision).await;
}

#[tokio::test]
async fn what_was_left_out_stays_out_until_somebody_changes_the_rules_here() {
    let mut lab = with_a_secret().await;
    rules_come(&mut lab, 2, Some("!secret/\n")).await;
    assert_eq!(lab.notice().await, Notice::RulesHeld);
    assert!(lab.flush_of(2).await.is_empty());
    rules_come(&mut lab, 3, None).await;
    assert!(lab.flush_of(3).await.is_empty());
    lab.engine.stop().await;
    let mut lab = Lab::with(lab.folder, Brake::Ask).await;
    lab.hub(greeting("e", false)).await;
    assert!(lab.flush_of(3).await.is_empty(), "after a restart, too");
    lab.write(".slipwayignore", "# nothing\n");
    let mut told = lab.flush_of(4).await;
    told.sort();
    assert_eq!(told, [".slipwayignore", "secret", "secret/key"]);
}

#[tokio::test]
async fn rules_that_leave_out_more_count_at_once() {
    let mut lab = with_a_secret().await;
    rules_come(&mut lab, 2, Some("secret/\ndata/\n")).await;
    std::fs::create_dir(lab.file("data")).unwrap();
    lab.write("data/x", "x");
    lab.write("b.txt", "b");
    assert_eq!(lab.flush_of(3).await, ["b.txt"]);
    assert!(lab.notices.try_recv().is_err());
    // And what they left out stays out as well.
    rules_come(&mut lab, 4, Some("")).await;
    assert_eq!(lab.notice().await, Notice::RulesHeld);
    assert!(lab.flush_of(4).await.is_empty());
}

#[tokio::test]
async fn the_first_rules_of_a_folder_count_whatever_they_let_in() {
    let mut lab = Lab::asking().await;
    lab.list(
        1,
        &[(".slipwayignore", "!*.swp\n"), ("a.swp", "kept on purpose")],
    )
    .await;
    assert_eq!(lab.read("a.swp"), "kept on purpose");
}

#[tokio::test]
async fn rules_that_cannot_be_followed_take_the_place_of_none_whoever_wrote_them() {
    // All lines that there were, and more than can be built: together they would leave out nothing.
    let pattern = "*?".repeat(2_000) + "\n";
    let heavy = format!("secret/\n{}", pattern.repeat(60));
    for (text, error) in [
        (heavy, RulesError::TooMuch),
        // Cut where it may be read no more, this would let in what it leaves out.
        ("!secret/\n#".repeat(30_000), RulesError::TooLong),
    ] {
        let mut lab = with_a_secret().await;
        rules_come(&mut lab, 2, Some(&text)).await;
        assert_eq!(lab.notice().await, Notice::RulesRefused(error));
        assert!(lab.flush_of(2).await.is_empty(), "they came");
        lab.engine.stop().await;
        let mut lab = Lab::with(lab.folder, Brake::Ask).await;
        lab.hub(greeting("e", false)).await;
        assert!(lab.flush_of(2).await.is_empty(), "after a restart, too");
        lab.write(".slipwayignore", &format!("{text}\n# mine"));
        assert_eq!(lab.flush_of(3).await, [".slipwayignore"], "chosen");
        lab.write(".slipwayignore", "");
        let mut told = lab.flush_of(4).await;
        told.sort();
        assert_eq!(told, [".slipwayignore", "secret", "secret/key"]);
    }
}

/// A folder in step in which something stays out, looked at step by step.
async fn deaf_with_a_secret() -> Deaf {
    let rules = change(1, ".slipwayignore", Some("secret/\n"));
    let mut lab = Deaf::listed(vec![rules]).await;
    std::fs::create_dir(lab.file("secret")).unwrap();
    std::fs::write(lab.file("secret/key"), "mine alone").unwrap();
    assert!(lab.look("secret").await.is_none());
    lab
}

fn leaves_out_the_secret(lab: &Deaf) -> bool {
    let secret = RelPath::parse("secret").unwrap();
    lab.state.rules.ignores(&secret, true)
}

#[tokio::test(start_paused = true)]
async fn the_moment_in_which_an_editor_saves_the_rules_lets_nothing_out() {
    let mut lab = deaf_with_a_secret().await;
    let rules = lab.file(".slipwayignore");
    for (text, revision) in [("secret/\n# more\n", 2), ("secret/\n# most\n", 3)] {
        match revision {
            2 => std::fs::write(&rules, "").unwrap(),
            _ => std::fs::remove_file(&rules).unwrap(),
        }
        assert!(lab.look(".slipwayignore").await.is_none());
        assert!(lab.look_at_everything().await.is_none());
        std::fs::write(&rules, text).unwrap();
        let told = lab.look(".slipwayignore").await.unwrap();
        assert_eq!(paths(&told), [".slipwayignore"]);
        lab.accept(&told, revision).await;
        assert!(lab.look_at_everything().await.is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn rules_that_stay_away_let_out_what_they_left_out() {
    for is_gone in [false, true] {
        let mut lab = deaf_with_a_secret().await;
        match is_gone {
            true => std::fs::remove_file(lab.file(".slipwayignore")).unwrap(),
            false => std::fs::write(lab.file(".slipwayignore"), "").unwrap(),
        }
        assert!(lab.look(".slipwayignore").await.is_none());
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        let told = lab.look(".slipwayignore").await.unwrap();
        let mut told = paths(&told);
        told.sort_unstable();
        assert_eq!(told, [".slipwayignore", "secret", "secret/key"]);
    }
}

#[tokio::test]
async fn rules_that_a_person_saves_through_the_engine_count_at_once() {
    let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("a"))]).await;
    let save = LocalOperation {
        path: RelPath::parse(".slipwayignore").unwrap(),
        expect: Expect::Absent,
        act: LocalAct::Write {
            content: Source::Inline(Bytes::from_static(b"secret/\n")),
            executable: None,
        },
    };
    lab.state.commit(&[save], true);
    std::fs::create_dir(lab.file("secret")).unwrap();
    std::fs::write(lab.file("secret/key"), "mine alone").unwrap();
    lab.state.act().await;
    assert_eq!(paths(&lab.proposed().unwrap()), [".slipwayignore"]);
    assert!(lab.look("secret/key").await.is_none());
}

#[tokio::test]
async fn the_first_rules_of_a_folder_that_cannot_be_followed_leave_out_everything() {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir_all(work.join("secret")).unwrap();
    std::fs::write(work.join("secret/key"), "mine alone").unwrap();
    let text = format!("secret/\n{}", "x".repeat(10_000));
    std::fs::write(work.join(".slipwayignore"), text).unwrap();
    let mut lab = Lab::with(folder, Brake::Ask).await;
    let told = lab.notice().await;
    assert_eq!(told, Notice::RulesUnknown(RulesError::LineTooLong(2)));
    lab.hub(greeting("e", true)).await;
    let listed = vec![change(1, "a.txt", Some("a"))];
    lab.hub(listing(1, listed)).await;
    assert_eq!(lab.flush_of(2).await, [".slipwayignore"]);
    lab.write(".slipwayignore", "secret/\n");
    let asked = lab.needed().await;
    assert_eq!(
        asked,
        [Bytes::copy_from_slice(ContentHash::of(b"a").as_bytes())]
    );
}

#[tokio::test]
async fn rules_of_the_hub_under_a_bit_of_this_side_let_nothing_in() {
    let mut lab = deaf_with_a_secret().await;
    lab.state.brake = Brake::Ask;
    let file = lab.file(".slipwayignore");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    assert!(lab.look(".slipwayignore").await.is_some());
    let rules = change(2, ".slipwayignore", Some("!secret/\n"));
    lab.hub(changes(vec![rules])).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "!secret/\n");
    lab.look_at_everything().await;
    assert!(leaves_out_the_secret(&lab));
}

#[tokio::test(start_paused = true)]
async fn rules_of_the_hub_that_came_before_a_crash_are_nobodys_choice() {
    let folder = deaf_with_a_secret().await.killed().await;
    let asking = |folder| Deaf::with(folder, Surroundings::deaf(), Brake::Ask);
    let mut lab = asking(folder);
    lab.connect().await;
    lab.hub(greeting("e", false)).await;
    lab.hub(changes(vec![change(2, ".slipwayignore", Some(""))]))
        .await;
    assert_eq!(std::fs::read(lab.file(".slipwayignore")).unwrap(), b"");
    let mut lab = asking(lab.crashed());
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert!(lab.look(".slipwayignore").await.is_none());
    assert!(leaves_out_the_secret(&lab));
}

#[tokio::test]
async fn rules_that_were_here_at_the_first_start_count_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("work")).unwrap();
    std::fs::write(folder.path().join("work/.slipwayignore"), "secret/\n").unwrap();
    let asking = |folder| Deaf::with(folder, Surroundings::deaf(), Brake::Ask);
    let lab = asking(folder);
    let mut lab = asking(lab.crashed());
    lab.connect().await;
    lab.hub(greeting("e", true)).await;
    let theirs = vec![change(1, ".slipwayignore", Some(""))];
    lab.hub(listing(1, theirs)).await;
    assert_eq!(std::fs::read(lab.file(".slipwayignore")).unwrap(), b"");
    assert!(leaves_out_the_secret(&lab));
}

#[tokio::test(start_paused = true)]
async fn a_pipe_in_place_of_the_rules_is_waited_for_by_nobody() {
    let mut lab = deaf_with_a_secret().await;
    std::fs::remove_file(lab.file(".slipwayignore")).unwrap();
    let (root, kind) = (rustix::fs::CWD, rustix::fs::FileType::Fifo);
    let pipe = lab.file(".slipwayignore");
    rustix::fs::mknodat(root, pipe, kind, rustix::fs::Mode::RWXU, 0).unwrap();
    let told = lab.look(".slipwayignore").await;
    assert_eq!(deleted(told), [".slipwayignore"]);
    assert_eq!(lab.state.sight.held.next(), None);
    assert!(lab.look("secret").await.is_none(), "they count on");
}

/// What `path` is told to be blocked by, alone.
async fn has_no_place(lab: &mut Lab, path: &str) {
    let told = lab.notice().await;
    let Notice::Blocked {
        code: Code::PathTaken,
        path: first,
        ..
    } = &told
    else {
        panic!("another notice: {told:?}")
    };
    assert_eq!(first.as_str(), path);
    let mut view = lab.engine.view().await.unwrap();
    let blocked = shows(&mut view, |view| view.blocked > 0).await;
    assert_eq!(blocked.waiting_down, 0, "nothing moves");
}

#[tokio::test]
async fn what_has_its_name_taken_by_what_stays_out_is_told_once_and_comes_when_that_is_gone() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    std::fs::create_dir(lab.file("node_modules")).unwrap();
    lab.write("node_modules/kept.js", "made by a tool");
    lab.hub(changes(vec![link(2, "node_modules", "a.txt")]))
        .await;
    // Nothing waits for it, a run neither.
    lab.applied(2).await;
    has_no_place(&mut lab, "node_modules").await;
    lab.reconnect().await;
    lab.hub(greeting("e", false)).await;
    assert!(lab.flush_of(2).await.is_empty());
    assert!(lab.notices.try_recv().is_err(), "told once");
    assert_eq!(lab.read("node_modules/kept.js"), "made by a tool");
    let mut view = lab.engine.view().await.unwrap();
    std::fs::rename(lab.file("node_modules"), lab.file("venv")).unwrap();
    shows(&mut view, |view| view.blocked == 0).await;
    assert_eq!(lab.read("node_modules"), "a");
}

#[tokio::test]
async fn so_is_what_lies_below_such_a_name_or_where_a_pipe_stands() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.write("x.pyc", "a cache");
    let folder = v1::Change {
        node: Some(wire::to_wire(&Node::Folder)),
        ..change(2, "x.pyc", None)
    };
    lab.hub(changes(vec![folder, change(2, "x.pyc/in.txt", Some("in"))]))
        .await;
    lab.applied(2).await;
    has_no_place(&mut lab, "x.pyc").await;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        lab.file("b.txt"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    lab.hub(changes(vec![change(3, "b.txt", Some("b"))])).await;
    lab.applied(3).await;
    has_no_place(&mut lab, "b.txt").await;
    let mut view = lab.engine.view().await.unwrap();
    std::fs::remove_file(lab.file("x.pyc")).unwrap();
    std::fs::remove_file(lab.file("b.txt")).unwrap();
    // Contents that had no place were not kept.
    let mut needed = 0;
    while needed < 2 {
        needed += lab.needed().await.len();
        lab.blob(b"in", false).await;
        lab.blob(b"b", false).await;
    }
    shows(&mut view, |view| view.blocked == 0).await;
    assert_eq!(
        (lab.read("x.pyc/in.txt"), lab.read("b.txt")),
        ("in".into(), "b".into())
    );
}

#[tokio::test]
async fn what_makes_way_for_what_stays_out_is_gone_and_what_the_rules_leave_out_is_not_blocked() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a"), ("node_modules", "a file")])
        .await;
    std::fs::remove_file(lab.file("node_modules")).unwrap();
    std::fs::create_dir(lab.file("node_modules")).unwrap();
    assert_eq!(lab.flush_of(2).await, ["node_modules"], "deleted");
    lab.hub(changes(vec![link(3, "node_modules", "a.txt")]))
        .await;
    has_no_place(&mut lab, "node_modules").await;
    let mut view = lab.engine.view().await.unwrap();
    lab.write(".slipwayignore", "node_modules\n");
    shows(&mut view, |view| view.blocked == 0).await;
}

#[tokio::test]
async fn what_a_rule_lets_in_stays_when_the_folder_around_it_is_deleted() {
    let node = Some(wire::to_wire(&Node::Folder));
    let folder = v1::Change {
        node,
        ..change(1, "pkg", None)
    };
    let rules = change(1, ".slipwayignore", Some("!node_modules\n"));
    let mut lab = Deaf::listed(vec![rules, folder, change(1, "pkg/a.txt", Some("a"))]).await;
    std::fs::create_dir(lab.file("pkg/node_modules")).unwrap();
    std::fs::write(lab.file("pkg/node_modules/y"), "patched by hand").unwrap();
    let gone = ["pkg/a.txt", "pkg"].map(|path| change(2, path, None));
    lab.hub(changes(gone.into())).await;
    assert!(!lab.file("pkg/a.txt").exists());
    let kept = std::fs::read(lab.file("pkg/node_modules/y")).unwrap();
    assert_eq!(kept, b"patched by hand");
}
