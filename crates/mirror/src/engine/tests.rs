//! One engine on a real folder against a hub that the test plays by hand.
use std::time::Duration;

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_proto::v1::{hub_bulk, hub_frame, spoke_bulk, spoke_frame};
use slipway_sync::node::Node;
use tempfile::TempDir;
use tokio::time::Instant;

use super::*;
use crate::notice::Notice;
use crate::wire;

mod answers;
mod arrival;
mod compare;
mod deletion;
mod disk;
mod flush;
mod hub;
mod person;
mod rules;
mod undo;
mod unheard;
mod view;

/// The hub's end, and the folder.
struct Lab {
    folder: TempDir,
    engine: Engine,
    frames: mpsc::Receiver<v1::SpokeFrame>,
    blobs: mpsc::Receiver<v1::SpokeBulk>,
    notices: broadcast::Receiver<Notice>,
}

const LINK: LinkId = LinkId(1);

/// A wait for a condition, bounded so that a failure ends.
const BOUND: Duration = Duration::from_secs(10);

impl Lab {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on(folder).await
    }

    /// A replica that asks before mass deletions.
    async fn asking() -> Self {
        Self::with(tempfile::tempdir().unwrap(), Brake::Ask).await
    }

    async fn on(folder: TempDir) -> Self {
        Self::with(folder, Brake::Tell).await
    }

    async fn with(folder: TempDir, brake: Brake) -> Self {
        let root = folder.path().join("work");
        std::fs::create_dir_all(&root).unwrap();
        let settings = Settings {
            root,
            state: folder.path().join("state"),
            name: "session".into(),
            fresh_id: "root-1".into(),
            undo: brake == Brake::Ask,
            brake,
        };
        let engine = Engine::start(settings).unwrap();
        let notices = engine.notices();
        let (control, frames) = mpsc::channel(64);
        let (bulk, blobs) = mpsc::channel(64);
        let id = LINK;
        engine
            .tell(Input::Connected(Link { id, control, bulk }))
            .await
            .unwrap();
        Self {
            folder,
            engine,
            frames,
            blobs,
            notices,
        }
    }

    /// The same replica after the connection broke.
    async fn reconnect(&mut self) {
        self.engine.tell(Input::Disconnected(LINK)).await.unwrap();
        let (control, frames) = mpsc::channel(64);
        let (bulk, blobs) = mpsc::channel(64);
        let id = LINK;
        let link = Link { id, control, bulk };
        self.engine.tell(Input::Connected(link)).await.unwrap();
        (self.frames, self.blobs) = (frames, blobs);
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    async fn blob(&self, text: &[u8], missing: bool) {
        let blob = v1::Blob {
            hash: slipway_proto::convert::hash_bytes(&ContentHash::of(text)),
            data: if missing {
                Bytes::new()
            } else {
                Bytes::copy_from_slice(text)
            },
            last: true,
            missing,
            ..v1::Blob::default()
        };
        self.bulk(blob).await;
    }

    async fn bulk(&self, blob: v1::Blob) {
        let frame = Some(hub_bulk::Frame::Blob(blob));
        let input = Input::Bulk(LINK, v1::HubBulk { frame });
        self.engine.tell(input).await.unwrap();
    }

    async fn notice(&mut self) -> Notice {
        let told = tokio::time::timeout(BOUND, self.notices.recv()).await;
        told.expect("a notice within the bound").unwrap()
    }

    async fn needed(&mut self) -> Vec<Bytes> {
        loop {
            if let spoke_frame::Frame::Need(need) = self.next().await {
                return need.hashes;
            }
        }
    }

    /// Flushes and tells what was proposed until the answer, as paths with what they became.
    async fn flush(&mut self, revision: u64) -> Vec<(String, Option<v1::Node>)> {
        let flush = v1::Flush { token: 7 };
        self.hub(hub_frame::Frame::Flush(flush)).await;
        let mut seen = Vec::new();
        loop {
            match self.next().await {
                spoke_frame::Frame::Flushed(flushed) => {
                    assert!(flushed.revision >= revision || seen.is_empty());
                    return seen;
                }
                spoke_frame::Frame::Propose(propose) => {
                    self.accept(&propose, revision).await;
                    seen.extend(
                        propose
                            .operations
                            .into_iter()
                            .map(|done| (done.path, done.node)),
                    );
                }
                // Of what the test does not send by itself this hub has nothing.
                spoke_frame::Frame::Need(need) => {
                    for hash in need.hashes {
                        self.bulk(v1::Blob {
                            hash,
                            last: true,
                            missing: true,
                            ..v1::Blob::default()
                        })
                        .await;
                    }
                }
                _ => {}
            }
        }
    }

    /// The same, paths alone.
    async fn flush_of(&mut self, revision: u64) -> Vec<String> {
        let proposed = self.flush(revision).await.into_iter();
        proposed.map(|(path, _)| path).collect()
    }

    /// Answers a batch: all of it is applied.
    async fn accept(&self, propose: &v1::Propose, revision: u64) {
        let mut applied = v1::Outcome::default();
        applied.set_result(v1::outcome::Result::Applied);
        self.answer(propose, revision, applied).await;
    }

    async fn answer(&self, propose: &v1::Propose, revision: u64, outcome: v1::Outcome) {
        let result = v1::ProposeResult {
            batch: propose.batch,
            revision,
            outcomes: vec![outcome; propose.operations.len()],
            made: 0,
        };
        self.hub(hub_frame::Frame::Result(result)).await;
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    async fn hub(&self, frame: hub_frame::Frame) {
        self.engine
            .tell(Input::Hub(LINK, v1::HubFrame { frame: Some(frame) }))
            .await
            .unwrap();
    }

    /// Greets with a full listing of these files at a revision.
    async fn list(&mut self, revision: u64, files: &[(&str, &str)]) {
        self.hub(greeting("e", true)).await;
        let files = files.iter();
        let listed = files.map(|(path, text)| change(revision, path, Some(text)));
        self.hub(listing(revision, listed.collect())).await;
        self.applied(revision).await;
    }

    async fn next(&mut self) -> spoke_frame::Frame {
        let frame = tokio::time::timeout(BOUND, self.frames.recv())
            .await
            .expect("a frame within the bound");
        frame
            .and_then(|frame| frame.frame)
            .expect("a frame with a body")
    }

    async fn applied(&mut self, revision: u64) {
        loop {
            if let spoke_frame::Frame::Applied(applied) = self.next().await
                && applied.revision >= revision
            {
                return;
            }
        }
    }

    async fn hello(&mut self) -> v1::SpokeHello {
        loop {
            if let spoke_frame::Frame::Hello(hello) = self.next().await {
                return hello;
            }
        }
    }

    async fn proposed(&mut self) -> v1::Propose {
        loop {
            if let spoke_frame::Frame::Propose(propose) = self.next().await {
                return propose;
            }
        }
    }
}

fn node(text: &str) -> Node {
    Node::File {
        hash: ContentHash::of(text.as_bytes()),
        size: text.len() as u64,
        executable: false,
    }
}

fn change(revision: u64, path: &str, text: Option<&str>) -> v1::Change {
    v1::Change {
        revision,
        path: path.into(),
        node: text.map(|text| wire::to_wire(&node(text))),
        inline: text.map(|text| Bytes::from(text.to_owned())),
        last_of_revision: true,
        made: 0,
    }
}

fn link(revision: u64, path: &str, target: &str) -> v1::Change {
    let target = target.into();
    v1::Change {
        node: Some(wire::to_wire(&Node::Symlink { target })),
        ..change(revision, path, None)
    }
}

fn greeting(epoch: &str, full: bool) -> hub_frame::Frame {
    hub_frame::Frame::Hello(v1::HubHello {
        epoch: epoch.to_owned(),
        full,
        ..v1::HubHello::default()
    })
}

fn changes(changes: Vec<v1::Change>) -> hub_frame::Frame {
    hub_frame::Frame::Changes(v1::Changes {
        changes,
        ..v1::Changes::default()
    })
}

fn listing(revision: u64, changes: Vec<v1::Change>) -> hub_frame::Frame {
    hub_frame::Frame::Changes(v1::Changes {
        changes,
        listed: Some(revision),
        ..v1::Changes::default()
    })
}

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
