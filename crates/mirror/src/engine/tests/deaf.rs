//! An engine that no event reaches, driven step by step.
use super::*;
use crate::engine::around::Surroundings;
use crate::watch::Touch;

/// The loop's state, which the test drives step by step.
pub(super) struct Deaf {
    pub(super) folder: TempDir,
    pub(super) state: State,
    pub(super) frames: mpsc::Receiver<v1::SpokeFrame>,
}

impl Deaf {
    /// In step with a hub that lists these.
    pub(super) async fn listed(changes: Vec<v1::Change>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let mut deaf = Self::on(folder);
        deaf.connect().await;
        deaf.hub(greeting("e", true)).await;
        deaf.hub(listing(1, changes)).await;
        deaf
    }

    pub(super) fn on(folder: TempDir) -> Self {
        Self::among(folder, Surroundings::deaf())
    }

    pub(super) fn among(folder: TempDir, around: Surroundings) -> Self {
        Self::with(folder, around, Brake::Tell)
    }

    pub(super) fn with(folder: TempDir, around: Surroundings, brake: Brake) -> Self {
        let settings = Settings {
            root: folder.path().join("work"),
            state: folder.path().join("state"),
            name: "session".into(),
            fresh_id: "root-1".into(),
            brake,
            undo: false,
        };
        let (applied, notices) = (watch::channel(0).0, broadcast::channel(64).0);
        let state = State::with(settings, around, applied, notices).unwrap();
        let frames = mpsc::channel(1).1;
        Self {
            folder,
            state,
            frames,
        }
    }

    /// The engine ends without a stop, with what it stored before.
    pub(super) fn crashed(self) -> TempDir {
        let Self { folder, state, .. } = self;
        drop(state);
        folder
    }

    /// The engine is killed when it has stored all that it knew until now.
    pub(super) async fn killed(mut self) -> TempDir {
        self.state.store_now().await;
        // That was a stop, so another one begins.
        drop(self.state);
        Self::on(self.folder).folder
    }

    pub(super) async fn connect(&mut self) {
        let (control, frames) = mpsc::channel(64);
        let (id, bulk) = (LINK, mpsc::channel(64).0);
        self.frames = frames;
        self.tell(Input::Connected(Link { id, control, bulk }))
            .await;
    }

    pub(super) async fn disconnect(&mut self) {
        self.tell(Input::Disconnected(LINK)).await;
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    pub(super) async fn tell(&mut self, input: Input) {
        self.state.take(input).await;
        self.state.act().await;
    }

    pub(super) async fn hub(&mut self, frame: hub_frame::Frame) {
        let frame = v1::HubFrame { frame: Some(frame) };
        self.tell(Input::Hub(LINK, frame)).await;
    }

    pub(super) async fn blob(&mut self, text: &str) {
        let blob = v1::Blob {
            hash: slipway_proto::convert::hash_bytes(&ContentHash::of(text.as_bytes())),
            data: Bytes::copy_from_slice(text.as_bytes()),
            last: true,
            ..v1::Blob::default()
        };
        let frame = Some(hub_bulk::Frame::Blob(blob));
        self.tell(Input::Bulk(LINK, v1::HubBulk { frame })).await;
    }

    /// Looks at a path; tells the batch that follows.
    pub(super) async fn look(&mut self, path: &str) -> Option<v1::Propose> {
        self.state.mark([(self.file(path), Touch::Any)]);
        self.state.look();
        self.state.act().await;
        self.proposed()
    }

    /// Looks at everything, as a flush does, for which nothing waits for its turn.
    pub(super) async fn look_at_everything(&mut self) -> Option<v1::Propose> {
        self.tell(Input::Flush(oneshot::channel().0)).await;
        self.proposed()
    }

    pub(super) fn proposed(&mut self) -> Option<v1::Propose> {
        while let Ok(frame) = self.frames.try_recv() {
            if let Some(spoke_frame::Frame::Propose(propose)) = frame.frame {
                return Some(propose);
            }
        }
        None
    }

    /// The hub takes a whole batch.
    pub(super) async fn accept(&mut self, propose: &v1::Propose, revision: u64) {
        self.hub(taken(propose, revision)).await;
    }
}

pub(super) fn paths(propose: &v1::Propose) -> Vec<&str> {
    let operations = propose.operations.iter();
    operations
        .map(|operation| operation.path.as_str())
        .collect()
}

pub(super) fn deleted(propose: Option<v1::Propose>) -> Vec<String> {
    let operations = propose.into_iter().flat_map(|propose| propose.operations);
    let deleted = operations.filter(|operation| operation.node.is_none());
    deleted.map(|operation| operation.path).collect()
}
