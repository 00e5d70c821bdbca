//! A folder with its engine, connected as the desktop connects one; and what tests do with it.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use slipway_api::account::SignIn;
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::{Id as _, ReplicaId, WorkspaceId};
use slipway_core::secret::Secret;
use slipway_mirror::disk::root::identity;
use slipway_mirror::engine::{Brake, Engine, Input, Settings};
use slipway_mirror::follow::{Follow, Incoming, Outgoing, Reason, Standing};
use slipway_mirror::notice::Notice;
use slipway_proto::v1;
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

use super::age::{Age, Odd};
use crate::lab::{Lab, PATIENCE};

pub(crate) struct Folder {
    dir: tempfile::TempDir,
    pub(crate) engine: Engine,
    pub(crate) notices: broadcast::Receiver<Notice>,
    follow: Follow,
    way: Arc<Way>,
}

/// How a folder reaches its server.
struct Way {
    client: Mutex<Client>,
    workspace: WorkspaceId,
    replica: ReplicaId,
    /// Of which version folder and hub take each other.
    age: Age,
    odd: Odd,
    /// Pieces of contents that come before the line breaks, if it is to.
    left: Mutex<Option<usize>>,
    broken: Notify,
    /// Bytes of contents that went this way, and that came.
    sent: AtomicU64,
    got: AtomicU64,
}

fn reason(error: &ClientError) -> Reason {
    Reason {
        code: error.code(),
        message: error.to_string(),
    }
}

impl Way {
    async fn dial(self: Arc<Self>, outgoing: Outgoing) -> Result<Incoming, Reason> {
        let client = self.client.lock().expect("no holder panics").clone();
        let (says, said) = mpsc::channel(1);
        let (through, passed) = mpsc::channel(1);
        let (workspace, replica) = (self.workspace, self.replica);
        tokio::spawn(Arc::clone(&self).say(outgoing.control, says));
        tokio::spawn(Arc::clone(&self).pass(outgoing.bulk, through));
        let link = client
            .sync(workspace, replica, said, passed)
            .await
            .map_err(|error| reason(&error))?;
        let ended = async move { reason(&link.ended.await.unwrap_or(ClientError::Gone)) };
        let (counted, bulk) = mpsc::channel(1);
        let (heard, control) = mpsc::channel(1);
        tokio::spawn(Arc::clone(&self).count(link.bulk, counted));
        tokio::spawn(self.hear(link.control, heard));
        Ok(Incoming {
            control,
            bulk,
            ended: Box::pin(ended),
        })
    }

    async fn say(
        self: Arc<Self>,
        mut frames: mpsc::Receiver<v1::SpokeFrame>,
        says: mpsc::Sender<v1::SpokeFrame>,
    ) {
        while let Some(frame) = frames.recv().await {
            for frame in self.age.said(frame, &self.odd) {
                if says.send(frame).await.is_err() {
                    return;
                }
            }
        }
    }

    /// Hands on what is heard until the line breaks; without its reader the link ends.
    async fn hear(
        self: Arc<Self>,
        mut frames: mpsc::Receiver<v1::HubFrame>,
        heard: mpsc::Sender<v1::HubFrame>,
    ) {
        let hand_on = async {
            while let Some(frame) = frames.recv().await {
                for frame in self.age.heard(frame) {
                    if heard.send(frame).await.is_err() {
                        return;
                    }
                }
            }
        };
        tokio::select! {
            () = hand_on => {}
            () = self.broken.notified() => {}
        }
    }

    /// Whether one more piece comes before the line breaks.
    fn comes(&self) -> bool {
        let mut left = self.left.lock().expect("no holder panics");
        let breaks = *left == Some(0);
        *left = left.and_then(|left| left.checked_sub(1));
        !breaks
    }

    async fn count(
        self: Arc<Self>,
        mut blobs: mpsc::Receiver<v1::HubBulk>,
        counted: mpsc::Sender<v1::HubBulk>,
    ) {
        while let Some(blob) = blobs.recv().await {
            if !self.comes() {
                return self.broken.notify_one();
            }
            if let Some(v1::hub_bulk::Frame::Blob(blob)) = &blob.frame {
                let many = blob.data.len() as u64;
                self.got.fetch_add(many, Ordering::Relaxed);
            }
            for blob in self.age.came(blob) {
                if counted.send(blob).await.is_err() {
                    return;
                }
            }
        }
    }

    async fn pass(
        self: Arc<Self>,
        mut blobs: mpsc::Receiver<v1::SpokeBulk>,
        through: mpsc::Sender<v1::SpokeBulk>,
    ) {
        while let Some(blob) = blobs.recv().await {
            if let Some(v1::spoke_bulk::Frame::Blob(blob)) = &blob.frame {
                let many = blob.data.len() as u64;
                self.sent.fetch_add(many, Ordering::Relaxed);
            }
            for blob in self.age.went(blob, &self.odd) {
                if through.send(blob).await.is_err() {
                    return;
                }
            }
        }
    }
}

impl Folder {
    /// An empty folder that begins to follow a workspace.
    pub(crate) fn open(client: &Client, workspace: WorkspaceId) -> Self {
        Self::of(Age::Same, client, workspace)
    }

    /// The same, of another version than its hub.
    pub(super) fn of(age: Age, client: &Client, workspace: WorkspaceId) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let root = dir.path().join("work");
        std::fs::create_dir(&root).expect("a folder");
        let fresh = ReplicaId::from_parts(1, *salt(&dir));
        let id = identity(&root, &fresh.to_string()).expect("an identity");
        let engine = Engine::start(Settings {
            root,
            state: dir.path().join("state"),
            name: "laptop".to_owned(),
            fresh_id: id.clone(),
            brake: Brake::Ask,
            undo: true,
        })
        .expect("an engine");
        let way = Arc::new(Way {
            client: Mutex::new(client.clone()),
            workspace,
            replica: id.parse().expect("a UUID"),
            age,
            odd: Odd::default(),
            left: Mutex::new(None),
            broken: Notify::new(),
            sent: AtomicU64::new(0),
            got: AtomicU64::new(0),
        });
        let dialled = Arc::clone(&way);
        Self {
            dir,
            notices: engine.notices(),
            follow: Follow::start(engine.clone(), move |outgoing| {
                Arc::clone(&dialled).dial(outgoing)
            }),
            engine,
            way,
        }
    }

    /// Dials by another client from now on, at once.
    pub(crate) fn dials(&self, client: &Client) {
        *self.way.client.lock().expect("no holder panics") = client.clone();
        self.follow.ask();
    }

    /// The line breaks after so many more pieces of contents that come; it does so once.
    pub(crate) fn breaks_after(&self, pieces: usize) {
        *self.way.left.lock().expect("no holder panics") = Some(pieces);
    }

    /// Whether it is still to break.
    pub(crate) fn is_to_break(&self) -> bool {
        self.way.left.lock().expect("no holder panics").is_some()
    }

    /// Bytes of contents that went to the hub beside batches.
    pub(crate) fn sent(&self) -> u64 {
        self.way.sent.load(Ordering::Relaxed)
    }

    /// Bytes of contents that came from the hub beside changes.
    pub(crate) fn got(&self) -> u64 {
        self.way.got.load(Ordering::Relaxed)
    }

    /// How much was said that the hub would not understand if it were of the age that it is taken for.
    pub(super) fn odd(&self) -> u64 {
        self.way.odd.many()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("work").join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text")
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder above")).expect("a folder");
        std::fs::write(path, text).expect("written");
    }

    pub(crate) fn remove(&self, name: &str) {
        std::fs::remove_file(self.path(name)).expect("a file");
    }

    /// Every text below the folder.
    pub(crate) fn tree(&self) -> BTreeMap<String, String> {
        let root = self.path("");
        let mut all = BTreeMap::new();
        collect(&root, &root, &mut all);
        all
    }

    /// Commits what the folder holds; the revision that has it.
    pub(crate) async fn flush(&self) -> u64 {
        let (answer, flushed) = oneshot::channel();
        self.engine
            .tell(Input::Flush(answer))
            .await
            .expect("it runs");
        let flushed = tokio::time::timeout(PATIENCE, flushed).await;
        flushed.expect("in time").expect("an answer")
    }

    /// Waits until the folder shows a revision.
    pub(crate) async fn shows(&self, revision: u64) {
        let mut applied = self.engine.applied();
        let shown = applied.wait_for(|shown| *shown >= revision);
        let shown = tokio::time::timeout(PATIENCE, shown).await;
        shown.expect("in time").expect("it runs");
    }

    /// Waits until the folder's files are as wanted; it is looked at whenever the engine did, and after each revision that
    /// it shows.
    pub(crate) async fn until(&self, wanted: impl Fn(&BTreeMap<String, String>) -> bool) {
        let (mut applied, mut moved) = (self.engine.applied(), self.engine.moved());
        let waited = async {
            applied.borrow_and_update();
            moved.borrow_and_update();
            while !wanted(&self.tree()) {
                let changed = tokio::select! {
                    changed = applied.changed() => changed,
                    changed = moved.changed() => changed,
                };
                changed.expect("it runs");
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waited).await;
        let standing = self.follow.standing().borrow().clone();
        assert!(waited.is_ok(), "in time: {:?}, {standing:?}", self.tree());
    }

    /// Waits until it stands so with the connection.
    pub(crate) async fn stands(&self, so: impl Fn(&Standing) -> bool) -> Standing {
        let mut standing = self.follow.standing();
        let found = tokio::time::timeout(PATIENCE, standing.wait_for(so)).await;
        found.expect("in time").expect("it is followed").clone()
    }

    /// Waits for a refusal; its code.
    pub(crate) async fn is_refused(&self) -> Code {
        let refused = |standing: &Standing| matches!(standing, Standing::Refused { .. });
        match self.stands(refused).await {
            Standing::Refused { code, .. } => code,
            other => panic!("{other:?}"),
        }
    }
}

/// A temporary folder's name is chance enough for an id.
fn salt(dir: &tempfile::TempDir) -> &[u8; 10] {
    let name = dir.path().as_os_str().as_encoded_bytes();
    name.last_chunk().expect("ten characters")
}

fn collect(root: &Path, folder: &Path, all: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // Where the mount has no attributes, a folder keeps its identity inside.
        if path.ends_with(".slipway") {
            continue;
        }
        if path.is_dir() {
            collect(root, &path, all);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path
                .strip_prefix(root)
                .expect("below it")
                .to_str()
                .expect("UTF-8");
            all.insert(name.to_owned(), text);
        }
    }
}

/// Another device of an account of this lab.
pub(crate) async fn signed_in_again(lab: &Lab, name: &str) -> Client {
    let sign_in = SignIn {
        email: format!("{name}@example.org"),
        password: Secret::new("quiet tide at seven bells"),
        device: None,
    };
    let client = Client::new(lab.base()).expect("a client");
    client.sign_in(&sign_in).await.expect("signed in").0
}
