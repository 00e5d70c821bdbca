//! One engine on a real folder, and the end of a hub that the test plays by hand.
use super::*;

/// The hub's end, and the folder.
pub(super) struct Lab {
    pub(super) folder: TempDir,
    pub(super) engine: Engine,
    pub(super) frames: mpsc::Receiver<v1::SpokeFrame>,
    pub(super) blobs: mpsc::Receiver<v1::SpokeBulk>,
    pub(super) notices: broadcast::Receiver<Notice>,
}

pub(super) const LINK: LinkId = LinkId(1);

/// A wait for a condition, bounded so that a failure ends.
pub(super) const BOUND: Duration = Duration::from_secs(10);

impl Lab {
    pub(super) async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::on(folder).await
    }

    /// A replica that asks before mass deletions.
    pub(super) async fn asking() -> Self {
        Self::with(tempfile::tempdir().unwrap(), Brake::Ask).await
    }

    pub(super) async fn on(folder: TempDir) -> Self {
        Self::with(folder, Brake::Tell).await
    }

    pub(super) async fn with(folder: TempDir, brake: Brake) -> Self {
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
    pub(super) async fn reconnect(&mut self) {
        self.engine.tell(Input::Disconnected(LINK)).await.unwrap();
        let (control, frames) = mpsc::channel(64);
        let (bulk, blobs) = mpsc::channel(64);
        let id = LINK;
        let link = Link { id, control, bulk };
        self.engine.tell(Input::Connected(link)).await.unwrap();
        (self.frames, self.blobs) = (frames, blobs);
    }

    pub(super) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.file(name), text).unwrap();
    }

    pub(super) async fn blob(&self, text: &[u8], missing: bool) {
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

    pub(super) async fn bulk(&self, blob: v1::Blob) {
        let frame = Some(hub_bulk::Frame::Blob(blob));
        let input = Input::Bulk(LINK, v1::HubBulk { frame });
        self.engine.tell(input).await.unwrap();
    }

    pub(super) async fn notice(&mut self) -> Notice {
        let told = tokio::time::timeout(BOUND, self.notices.recv()).await;
        told.expect("a notice within the bound").unwrap()
    }

    pub(super) async fn needed(&mut self) -> Vec<Bytes> {
        loop {
            if let spoke_frame::Frame::Need(need) = self.next().await {
                return need.hashes;
            }
        }
    }

    /// Flushes and tells what was proposed until the answer, as paths with what they became.
    pub(super) async fn flush(&mut self, revision: u64) -> Vec<(String, Option<v1::Node>)> {
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
    pub(super) async fn flush_of(&mut self, revision: u64) -> Vec<String> {
        let proposed = self.flush(revision).await.into_iter();
        proposed.map(|(path, _)| path).collect()
    }

    /// Answers a batch: all of it is applied.
    pub(super) async fn accept(&self, propose: &v1::Propose, revision: u64) {
        self.hub(taken(propose, revision)).await;
    }

    pub(super) async fn answer(&self, propose: &v1::Propose, revision: u64, outcome: v1::Outcome) {
        self.hub(answer(propose, revision, outcome)).await;
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub(super) async fn hub(&self, frame: hub_frame::Frame) {
        self.engine
            .tell(Input::Hub(LINK, v1::HubFrame { frame: Some(frame) }))
            .await
            .unwrap();
    }

    /// Greets with a full listing of these files at a revision.
    pub(super) async fn list(&mut self, revision: u64, files: &[(&str, &str)]) {
        self.hub(greeting("e", true)).await;
        let files = files.iter();
        let listed = files.map(|(path, text)| change(revision, path, Some(text)));
        self.hub(listing(revision, listed.collect())).await;
        self.applied(revision).await;
    }

    pub(super) async fn next(&mut self) -> spoke_frame::Frame {
        let frame = tokio::time::timeout(BOUND, self.frames.recv())
            .await
            .expect("a frame within the bound");
        frame
            .and_then(|frame| frame.frame)
            .expect("a frame with a body")
    }

    pub(super) async fn applied(&mut self, revision: u64) {
        loop {
            if let spoke_frame::Frame::Applied(applied) = self.next().await
                && applied.revision >= revision
            {
                return;
            }
        }
    }

    pub(super) async fn hello(&mut self) -> v1::SpokeHello {
        loop {
            if let spoke_frame::Frame::Hello(hello) = self.next().await {
                return hello;
            }
        }
    }

    pub(super) async fn proposed(&mut self) -> v1::Propose {
        loop {
            if let spoke_frame::Frame::Propose(propose) = self.next().await {
                return propose;
            }
        }
    }
}

pub(super) fn node(text: &str) -> Node {
    Node::File {
        hash: ContentHash::of(text.as_bytes()),
        size: text.len() as u64,
        executable: false,
    }
}

pub(super) fn change(revision: u64, path: &str, text: Option<&str>) -> v1::Change {
    v1::Change {
        revision,
        path: path.into(),
        node: text.map(|text| wire::to_wire(&node(text))),
        inline: text.map(|text| Bytes::from(text.to_owned())),
        last_of_revision: true,
        made: 0,
    }
}

pub(super) fn link(revision: u64, path: &str, target: &str) -> v1::Change {
    let target = target.into();
    v1::Change {
        node: Some(wire::to_wire(&Node::Symlink { target })),
        ..change(revision, path, None)
    }
}

pub(super) fn greeting(epoch: &str, full: bool) -> hub_frame::Frame {
    hub_frame::Frame::Hello(v1::HubHello {
        epoch: epoch.to_owned(),
        full,
        ..v1::HubHello::default()
    })
}

pub(super) fn changes(changes: Vec<v1::Change>) -> hub_frame::Frame {
    hub_frame::Frame::Changes(v1::Changes {
        changes,
        ..v1::Changes::default()
    })
}

pub(super) fn listing(revision: u64, changes: Vec<v1::Change>) -> hub_frame::Frame {
    hub_frame::Frame::Changes(v1::Changes {
        changes,
        listed: Some(revision),
        ..v1::Changes::default()
    })
}

/// Every operation of a batch has this outcome.
fn answer(propose: &v1::Propose, revision: u64, outcome: v1::Outcome) -> hub_frame::Frame {
    hub_frame::Frame::Result(v1::ProposeResult {
        batch: propose.batch,
        revision,
        outcomes: vec![outcome; propose.operations.len()],
        made: 0,
    })
}

/// The hub takes a whole batch.
pub(super) fn taken(propose: &v1::Propose, revision: u64) -> hub_frame::Frame {
    let mut applied = v1::Outcome::default();
    applied.set_result(v1::outcome::Result::Applied);
    answer(propose, revision, applied)
}
