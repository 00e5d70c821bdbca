//! A repository is checked out between branches while the other side edits.
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use bytes::Bytes;
use slipway_core::path::RelPath;

use super::{Seat, tree, tree_of};

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@localhost"])
        .args(["-c", "core.autocrlf=false", "-c", "commit.gpgsign=false"])
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}

/// Two branches: files that are the same in both, that differ, that one lacks, and a folder that has another name.
fn repository(seat: &Seat) {
    let root = seat.file("");
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    for n in 0..150 {
        seat.write(&format!("same/f{n:03}.txt"), &format!("same {n}\n"));
        seat.write(
            &format!("differs/d{}/f{n:03}.txt", n % 7),
            &format!("main {n}\n"),
        );
        seat.write(&format!("old/f{n:03}.txt"), &format!("moves {n}\n"));
    }
    git(&root, &["add", "--all"]);
    git(&root, &["commit", "--quiet", "--message=main"]);
    git(&root, &["checkout", "--quiet", "-b", "other"]);
    git(&root, &["mv", "old", "new"]);
    for n in 0..150 {
        let name = format!("differs/d{}/f{n:03}.txt", n % 7);
        match n % 3 {
            0 => seat.write(&name, &format!("other {n}\n")),
            1 => std::fs::remove_file(seat.file(&name)).unwrap(),
            _ => seat.write(&format!("more/g{n}.txt"), "more\n"),
        }
    }
    git(&root, &["add", "--all"]);
    git(&root, &["commit", "--quiet", "--message=other"]);
    git(&root, &["checkout", "--quiet", "main"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkout_and_the_edits_of_the_other_side_do_not_disturb_each_other() {
    let seat = Seat::open();
    repository(&seat);
    seat.hub.rest().await;
    let root = seat.file("");
    let mut edited = BTreeSet::new();
    for (turn, branch) in ["other", "main", "other"].into_iter().enumerate() {
        let checkout = {
            let root = root.clone();
            std::thread::spawn(move || git(&root, &["checkout", "--quiet", branch]))
        };
        for n in 0..20 {
            let name = format!("same/f{:03}.txt", turn * 20 + n);
            let text = Bytes::from(format!("edited {turn} {n}\n"));
            let path = RelPath::parse(&name).unwrap();
            seat.hub.edit(&path, Some(text));
            edited.insert(name);
            tokio::task::yield_now().await;
        }
        tokio::task::spawn_blocking(|| checkout.join().unwrap())
            .await
            .unwrap();
        seat.hub.rest().await;
        let disk = tree(&root);
        assert_eq!(disk, tree_of(&seat.hub), "{branch}");
        let status = git(&root, &["status", "--porcelain", "--untracked-files=all"]);
        let changed: BTreeSet<_> = status.lines().map(|line| line[3..].to_owned()).collect();
        assert_eq!(
            changed, edited,
            "{branch}: nothing but the other side's edits"
        );
        assert!(!disk.keys().any(|name| name.contains("(conflict")));
    }
}
