//! One engine on a real folder against a hub that the test plays by hand.
use std::time::Duration;

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_proto::v1::{hub_bulk, hub_frame, spoke_bulk, spoke_frame};
use slipway_sync::ignore::RulesError;
use slipway_sync::node::Node;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::notice::Notice;
use crate::wire;
use lab::*;

mod alone;
mod answers;
mod arrival;
mod begun;
mod compare;
mod deaf;
mod deletion;
mod disk;
mod flush;
mod hub;
mod lab;
mod listing;
mod moves;
mod named;
mod person;
mod plenty;
mod rules;
mod taken;
mod torn;
mod undo;
mod unheard;
mod view;

#[tokio::test]
async fn what_the_hub_has_comes_to_the_disk_and_changes_follow() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("main.py", "one")]).await;
    assert_eq!(std::fs::read_to_string(lab.file("main.py")).unwrap(), "one");
    lab.hub(changes(vec![change(2, "main.py", Some("two"))]))
        .await;
    lab.applied(2).await;
    assert_eq!(std::fs::read_to_string(lab.file("main.py")).unwrap(), "two");
    lab.hub(changes(vec![change(3, "main.py", None)])).await;
    lab.applied(3).await;
    assert!(!lab.file("main.py").exists());
}

#[tokio::test]
async fn what_a_program_writes_is_proposed_with_what_stood_there() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("main.py", "one")]).await;
    std::fs::write(lab.file("main.py"), "changed").unwrap();
    let propose = lab.proposed().await;
    assert_eq!(propose.operations.len(), 1);
    let operation = &propose.operations[0];
    assert_eq!(
        (operation.path.as_str(), operation.inline.as_deref()),
        ("main.py", Some(b"changed".as_slice()))
    );
    assert_eq!(operation.expect, Some(wire::to_wire(&node("one"))));
}

#[tokio::test]
async fn files_in_fresh_nested_folders_are_found_and_ignored_ones_are_not() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("keep.txt", "k")]).await;
    std::fs::create_dir_all(lab.file("a/b/c")).unwrap();
    std::fs::write(lab.file("a/b/c/deep.txt"), "deep").unwrap();
    std::fs::create_dir_all(lab.file("node_modules/x")).unwrap();
    std::fs::write(lab.file("node_modules/x/index.js"), "no").unwrap();
    let mut seen = Vec::new();
    while !seen.iter().any(|path| path == "a/b/c/deep.txt") {
        let propose = lab.proposed().await;
        lab.accept(&propose, 2).await;
        seen.extend(
            propose
                .operations
                .into_iter()
                .map(|operation| operation.path),
        );
    }
    assert!(
        seen.iter().all(|path| !path.starts_with("node_modules")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_file_changed_on_both_sides_loses_nothing() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("main.py", "one")]).await;
    std::fs::write(lab.file("main.py"), "mine").unwrap();
    let propose = lab.proposed().await;
    let mut outcome = v1::Outcome {
        current: Some(wire::to_wire(&node("theirs"))),
        ..v1::Outcome::default()
    };
    outcome.set_result(v1::outcome::Result::Stale);
    lab.answer(&propose, 2, outcome).await;
    // The base's content is asked for, and there is none: no merge.
    lab.needed().await;
    lab.blob(b"one", true).await;
    lab.hub(changes(vec![change(2, "main.py", Some("theirs"))]))
        .await;
    lab.applied(2).await;
    assert_eq!(lab.read("main.py"), "theirs");
    let copy = lab.proposed().await;
    assert!(
        copy.operations[0]
            .path
            .starts_with("main (conflict session "),
        "{:?}",
        copy.operations[0].path
    );
    assert_eq!(
        copy.operations[0].inline.as_deref(),
        Some(b"mine".as_slice())
    );
}

#[tokio::test]
async fn a_restart_goes_on_where_it_was_and_proposes_what_happened_meanwhile() {
    let mut lab = Lab::open().await;
    lab.list(3, &[("a.txt", "a"), ("b.txt", "b")]).await;
    lab.engine.stop().await;
    std::fs::remove_file(lab.file("a.txt")).unwrap();
    let mut lab = Lab::on(lab.folder).await;
    let spoke_frame::Frame::Hello(hello) = lab.next().await else {
        panic!("the first frame is a hello")
    };
    assert_eq!((hello.epoch.as_str(), hello.revision), ("e", 3));
    lab.hub(greeting("e", false)).await;
    let propose = lab.proposed().await;
    assert_eq!(
        (
            propose.operations[0].path.as_str(),
            &propose.operations[0].node
        ),
        ("a.txt", &None)
    );
}

#[tokio::test]
async fn another_epoch_deletes_nothing() {
    let mut lab = Lab::open().await;
    lab.list(3, &[("a.txt", "a")]).await;
    lab.engine.stop().await;
    let mut lab = Lab::on(lab.folder).await;
    lab.hub(greeting("restored", true)).await;
    lab.hub(listing(1, Vec::new())).await;
    let propose = lab.proposed().await;
    assert_eq!(propose.operations[0].path, "a.txt");
    assert!(lab.file("a.txt").exists());
}

#[tokio::test]
async fn the_first_who_listens_hears_what_a_crash_left() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("a.txt", "a")]).await;
    lab.engine.stop().await;
    // It was killed when a person's file was out of sight.
    let left = lab.folder.path().join("state/files/tmp/x-1");
    std::fs::write(left, "written by hand").unwrap();
    let mut lab = Lab::on(lab.folder).await;
    let folder = lab.folder.path().join("state/files/recovered");
    assert_eq!(lab.notice().await, Notice::Recovered { many: 1, folder });
    // Once: who listens later hears of later.
    assert!(lab.engine.notices().try_recv().is_err());
}
