//! A person's own work through the engine: on a folder without any hub, and on the way to one.
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use slipway_core::path::RelPath;

use super::alone::Alone;
use super::deaf::Deaf;
use super::*;
use crate::engine::person::Work;
use crate::local::{By, Expect, LocalAct, LocalError, LocalOperation, LocalOutcome, Source};

mod hub;

pub(super) fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

fn content(text: &str) -> Expect {
    Expect::Content(ContentHash::of(text.as_bytes()))
}

fn write(name: &str, text: &str, expect: Expect) -> LocalOperation {
    LocalOperation {
        path: path(name),
        expect,
        act: LocalAct::Write {
            content: Source::Inline(bytes(text)),
            executable: None,
        },
    }
}

#[tokio::test]
async fn a_folder_without_any_hub_is_read_and_written() {
    let alone = Alone::open();
    let made = alone.write("src/main.py", "one", Expect::Absent).await;
    let made = made.unwrap();
    assert_eq!(alone.text("src/main.py").unwrap(), "one");
    let written = alone.engine.write(
        path("src/main.py"),
        bytes("two"),
        content("one"),
        Some(true),
    );
    let written = written.await.unwrap();
    assert!(written.count > made);
    assert_eq!(written.entry.count, written.count);
    let mode = std::fs::metadata(alone.file("src/main.py")).unwrap().mode();
    assert_eq!(mode & 0o111, 0o111);
    let read = alone.engine.read(&path("src/main.py")).await.unwrap();
    assert_eq!((&read.bytes[..], read.executable), (&b"two"[..], true));
    // It stays executable when nothing is said about it.
    alone
        .write("src/main.py", "three", content("two"))
        .await
        .unwrap();
    let read = alone.engine.read(&path("src/main.py")).await.unwrap();
    assert_eq!((&read.bytes[..], read.executable), (&b"three"[..], true));
    assert_eq!(alone.names().await, ["src", "src/main.py"]);
    let again = alone.write("src/main.py", "three", Expect::Absent).await;
    assert!(again.is_ok(), "exactly this stands there");
}

#[tokio::test]
async fn nothing_is_overwritten_that_was_not_read() {
    let alone = Alone::open();
    alone.write("a.txt", "one", Expect::Absent).await.unwrap();
    std::fs::write(alone.file("a.txt"), "another program's").unwrap();
    let Err(LocalError::Stale(Some(current))) = alone.write("a.txt", "two", content("one")).await
    else {
        panic!("something else stands there");
    };
    assert_eq!(current.hash(), Some(ContentHash::of(b"another program's")));
    assert_eq!(alone.text("a.txt").unwrap(), "another program's");
    let taken = alone.write("a.txt", "two", Expect::Absent).await;
    assert!(matches!(taken, Err(LocalError::Stale(Some(_)))));
    std::fs::remove_file(alone.file("a.txt")).unwrap();
    let gone = alone.write("a.txt", "two", content("one")).await;
    assert_eq!(gone, Err(LocalError::Stale(None)));
    assert!(alone.write("a.txt", "two", Expect::Any).await.is_ok());
}

#[tokio::test]
async fn what_is_not_done_says_why() {
    let alone = Alone::open();
    for (name, text) in [("file.txt", "f"), ("folder/inside.txt", "i")] {
        alone.write(name, text, Expect::Absent).await.unwrap();
    }
    symlink("/", alone.file("out")).unwrap();
    let code = async |name: &str| {
        let written = alone.write(name, "x", Expect::Any).await;
        written.map_err(|error| error.code())
    };
    for (name, why) in [
        ("node_modules/x.js", Code::PathIgnored),
        ("a.txt~", Code::PathIgnored),
        ("FILE.txt", Code::PathCaseClash),
        ("Folder/other.txt", Code::PathCaseClash),
        ("file.txt/below", Code::PathNotFolder),
        ("out/etc/passwd", Code::PathNotFolder),
        ("folder", Code::PathExists),
    ] {
        assert_eq!(code(name).await, Err(why), "{name}");
    }
    let large = Bytes::from(vec![0; slipway_core::limits::FILE_BYTES_MAX as usize + 1]);
    let large = alone
        .engine
        .write(path("l"), large, Expect::Any, None)
        .await;
    assert_eq!(large.unwrap_err(), LocalError::TooLarge);
    let moved = |from: &str| LocalAct::MoveFrom(path(from));
    for (name, act, why) in [
        ("folder/in/itself", moved("folder"), Code::PathInvalid),
        ("file.txt", moved("folder"), Code::PathExists),
        ("x", moved("missing"), Code::Stale),
        ("file.txt", LocalAct::Folder, Code::PathExists),
        (
            "l",
            LocalAct::Link {
                target: "../x".into(),
            },
            Code::LinkEscapes,
        ),
        (
            "l",
            LocalAct::Write {
                content: Source::Held(ContentHash::of(b"nobody has it")),
                executable: None,
            },
            Code::ContentMissing,
        ),
    ] {
        let outcome = alone.one(name, Expect::Any, act).await;
        let error = LocalError::of(outcome).unwrap_err();
        assert_eq!(error.code(), why, "{name}: {error}");
    }
    assert_eq!(
        alone.engine.read(&path("folder")).await,
        Err(LocalError::NotFile)
    );
    assert_eq!(
        alone.engine.read(&path("x")).await,
        Err(LocalError::NotFound)
    );
    assert_eq!(
        alone.engine.read(&path("out")).await,
        Err(LocalError::NotFile)
    );
    assert_eq!(
        alone.engine.read(&path("out/etc/passwd")).await,
        Err(LocalError::NotFound)
    );
}

#[tokio::test]
async fn folders_move_and_go_whole_and_come_back() {
    let alone = Alone::open();
    for name in ["a/one.txt", "a/deep/two.txt", "b.txt"] {
        alone.write(name, name, Expect::Absent).await.unwrap();
    }
    // What does not sync goes along.
    std::fs::create_dir(alone.file("a/node_modules")).unwrap();
    std::fs::write(alone.file("a/node_modules/x"), "x").unwrap();
    let inode = std::fs::metadata(alone.file("a/deep/two.txt"))
        .unwrap()
        .ino();
    let moved = alone
        .one("c/d", Expect::Folder, LocalAct::MoveFrom(path("a")))
        .await;
    assert_eq!(moved, LocalOutcome::Applied);
    let after = std::fs::metadata(alone.file("c/d/deep/two.txt")).unwrap();
    assert_eq!(after.ino(), inode, "the same file");
    assert!(!alone.file("a").exists());
    assert_eq!(
        alone.names().await,
        [
            "b.txt",
            "c",
            "c/d",
            "c/d/deep",
            "c/d/deep/two.txt",
            "c/d/one.txt"
        ]
    );
    // What a program writes in its new place is seen, at once when somebody asks.
    std::fs::write(alone.file("c/d/one.txt"), "by a program").unwrap();
    let entry = alone.engine.entry(path("c/d/one.txt")).await.unwrap();
    assert_eq!(
        entry.unwrap().hash(),
        Some(ContentHash::of(b"by a program"))
    );
    let before = *alone.engine.moved().borrow();
    let gone = alone.one("c/d", Expect::Any, LocalAct::Delete).await;
    assert_eq!(gone, LocalOutcome::Applied);
    let gone = alone.one("b.txt", content("b.txt"), LocalAct::Delete).await;
    assert_eq!(gone, LocalOutcome::Applied);
    let gone = alone.one("b.txt", Expect::Any, LocalAct::Delete).await;
    assert_eq!(gone, LocalOutcome::Converged);
    assert_eq!(alone.names().await, ["c"]);
    // Also after a restart.
    alone.engine.stop().await;
    let alone = Alone::on(alone.folder);
    let back = alone
        .engine
        .restore(before, Some(path("c/d")))
        .await
        .unwrap();
    assert_eq!(back.outcomes, [LocalOutcome::Applied]);
    assert_eq!(alone.text("c/d/one.txt").unwrap(), "by a program");
    assert_eq!(alone.text("c/d/node_modules/x").unwrap(), "x");
    assert!(!alone.file("b.txt").exists(), "only what was asked for");
    alone.engine.restore(before, None).await.unwrap();
    assert_eq!(alone.text("b.txt").unwrap(), "b.txt");
    assert_eq!(alone.names().await.len(), 6);
}

#[tokio::test]
async fn a_commit_that_does_not_pass_whole_does_nothing() {
    let alone = Alone::open();
    for (name, text) in [("a.txt", "a"), ("b.txt", "b"), ("d/x.txt", "x"), ("e", "e")] {
        alone.write(name, text, Expect::Absent).await.unwrap();
    }
    symlink("a.txt", alone.file("link")).unwrap();
    let before = tree(&alone.file(""));
    let at = |name: &str, act| LocalOperation {
        path: path(name),
        expect: Expect::Any,
        act,
    };
    let operations = vec![
        write("a.txt", "changed", content("a")),
        write("a.txt", "changed twice", content("changed")),
        write("new/n.txt", "n", Expect::Absent),
        at("new/m.txt", LocalAct::MoveFrom(path("new/n.txt"))),
        at("f", LocalAct::MoveFrom(path("d"))),
        at("b.txt", LocalAct::Delete),
        at("f", LocalAct::Delete),
        at("link", LocalAct::Delete),
        at("made", LocalAct::Folder),
        write("e", "changed", content("something else")),
    ];
    let done = alone.engine.commit(operations.clone(), true).await.unwrap();
    let (last, rest) = done.outcomes.split_last().unwrap();
    assert!(matches!(last, LocalOutcome::Stale(Some(_))), "{last:?}");
    for outcome in rest {
        assert_eq!(*outcome, LocalOutcome::Rejected(LocalError::NothingDone));
    }
    assert_eq!(tree(&alone.file("")), before);
    let link = std::fs::read_link(alone.file("link")).unwrap();
    assert_eq!(link, PathBuf::from("a.txt"));
    assert_eq!(
        alone.names().await,
        ["a.txt", "b.txt", "d", "d/x.txt", "e", "link"]
    );
    // Not to be had whole, it is had in part.
    let done = alone.engine.commit(operations, false).await.unwrap();
    let applied = done
        .outcomes
        .iter()
        .filter(|one| **one == LocalOutcome::Applied);
    assert_eq!(applied.count(), 9);
    assert_eq!(
        alone.names().await,
        ["a.txt", "e", "made", "new", "new/m.txt"]
    );
}

#[tokio::test]
async fn what_a_program_wrote_meanwhile_is_not_taken_back() {
    let mut lab = Deaf::listed(vec![change(1, "a.txt", Some("a"))]).await;
    let mut work = Work::default();
    for (name, expect) in [("a.txt", content("a")), ("new.txt", Expect::Absent)] {
        let operation = write(name, "changed", expect);
        let done = lab.state.one(&operation, &mut work);
        assert_eq!(done, LocalOutcome::Applied);
        std::fs::write(lab.file(name), "a program's").unwrap();
    }
    lab.state.take_back(&mut work);
    lab.state.finish(work);
    for name in ["a.txt", "new.txt"] {
        let stands = std::fs::read_to_string(lab.file(name)).unwrap();
        assert_eq!(stands, "a program's", "{name}");
    }
    // What was there before has no place left but beside it.
    let all = tree(&lab.file(""));
    assert!(all.values().any(|text| text == "a"), "{all:?}");
}

/// Everything below a folder, with what it says.
fn tree(root: &std::path::Path) -> std::collections::BTreeMap<PathBuf, String> {
    let mut all = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            all.extend(tree(&entry.path()));
            all.insert(entry.path(), String::new());
        } else {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            all.insert(entry.path(), text);
        }
    }
    all
}

#[tokio::test]
async fn a_copy_takes_the_content_of_what_stands_there() {
    let alone = Alone::open();
    alone.write("a.txt", "text", Expect::Absent).await.unwrap();
    let act = LocalAct::Write {
        content: Source::Held(ContentHash::of(b"text")),
        executable: Some(false),
    };
    let copied = alone.one("b/c.txt", Expect::Absent, act).await;
    assert_eq!(copied, LocalOutcome::Applied);
    assert_eq!(alone.text("b/c.txt").unwrap(), "text");
}

#[tokio::test]
async fn who_shows_the_folder_hears_of_every_change_with_who_made_it() {
    let alone = Alone::open();
    let mut moved = alone.engine.moved();
    let begin = alone.engine.tree().await.unwrap().count;
    alone.write("a.txt", "a", Expect::Absent).await.unwrap();
    moved.wait_for(|now| *now > begin).await.unwrap();
    std::fs::write(alone.file("b.txt"), "b").unwrap();
    let find = async {
        loop {
            let changes = alone.engine.changes(begin).await.unwrap().unwrap();
            if changes.changes.iter().any(|one| one.path == path("b.txt")) {
                return changes;
            }
            moved.changed().await.unwrap();
        }
    };
    let found = tokio::time::timeout(BOUND, find).await.unwrap();
    let told: Vec<_> = found
        .changes
        .iter()
        .map(|change| (change.path.as_str(), change.by))
        .collect();
    assert_eq!(told, [("a.txt", By::Person), ("b.txt", By::Disk)]);
    let rename = LocalAct::MoveFrom(path("a.txt"));
    alone.one("c.txt", Expect::Any, rename).await;
    let later = alone.engine.changes(found.count).await.unwrap().unwrap();
    let told: Vec<_> = later
        .changes
        .iter()
        .map(|change| {
            (
                change.path.as_str(),
                change.entry.is_some(),
                change.from.clone(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [("a.txt", false, None), ("c.txt", true, Some(path("a.txt")))]
    );
    let count = alone.engine.tree().await.unwrap().count;
    alone.engine.stop().await;
    let alone = Alone::on(alone.folder);
    assert!(alone.engine.tree().await.unwrap().count > count);
    assert_eq!(alone.engine.changes(begin).await.unwrap(), None);
}

#[tokio::test]
async fn a_folder_that_may_not_be_written_is_told_as_such() {
    if rustix::process::geteuid().is_root() {
        // Root writes everywhere.
        return;
    }
    let alone = Alone::open();
    std::fs::set_permissions(alone.file(""), std::fs::Permissions::from_mode(0o555)).unwrap();
    let refused = alone.write("a.txt", "x", Expect::Any).await.unwrap_err();
    assert_eq!(refused.code(), Code::DiskForbidden);
}
