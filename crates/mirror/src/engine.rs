//! The engine of one replica: a single loop that owns all state, on a thread of its own, so that a disk that is
//! slow never delays a terminal. `scan` sees the disk, `remote` applies the hub, `propose` tells the hub.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_sync::ignore::Rules;
use slipway_sync::node::Node;
use slipway_sync::reconcile::{Decision, reconcile};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::base::{Base, BaseError};
use crate::disk::{Disk, Fingerprint, root_id};
use crate::watch::{Hint, Watch};

mod propose;
mod remote;
mod scan;

/// Version of the sync protocol.
pub const PROTOCOL: u32 = 1;
/// Changes gather this long: an editor's save is several events.
const QUIET: Duration = Duration::from_millis(12);
/// A file that is being written is held at most this long.
const HOLD_MAX: Duration = Duration::from_millis(120);
/// From the last change until the base is stored.
const STORE_AFTER: Duration = Duration::from_millis(800);
/// A look at everything, for what no event told.
const AUDIT: Duration = Duration::from_secs(600);
/// The same while some folders are not watched.
const AUDIT_PARTIAL: Duration = Duration::from_secs(2);
/// Inputs that wait; beyond it the hub's stream is held back.
const INPUTS_MAX: usize = 64;

/// What the engine is told.
#[derive(Debug)]
pub enum Input {
    /// A hub is connected: frames go out by these.
    Connected(Link),
    /// The hub is gone.
    Disconnected,
    /// A frame of the control stream.
    Hub(v1::HubFrame),
    /// A frame of the bulk stream.
    Bulk(v1::HubBulk),
    /// Commit what the disk holds; answered with the revision.
    Flush(oneshot::Sender<u64>),
    /// Store the base and end.
    Stop(oneshot::Sender<()>),
}

/// The way to a hub.
#[derive(Clone, Debug)]
pub struct Link {
    /// Control frames.
    pub control: mpsc::Sender<v1::SpokeFrame>,
    /// Contents.
    pub bulk: mpsc::Sender<v1::SpokeBulk>,
}

/// Where a replica lies.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its files.
    pub root: PathBuf,
    /// Its state, outside of the files.
    pub state: PathBuf,
    /// Its name in conflict copies.
    pub name: String,
    /// An id for a root that has none yet.
    pub fresh_id: String,
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Its files.
    #[error("open the replica's files")]
    Disk(#[from] std::io::Error),
    /// Its state.
    #[error(transparent)]
    Base(#[from] BaseError),
}

/// A running engine.
#[derive(Clone, Debug)]
pub struct Engine {
    inputs: mpsc::Sender<Input>,
    applied: watch::Receiver<u64>,
}

impl Engine {
    /// Opens a replica and starts its loop.
    ///
    /// # Errors
    /// When its files or state cannot be opened.
    pub fn start(settings: Settings) -> Result<Self, EngineError> {
        let (inputs, receiver) = mpsc::channel(INPUTS_MAX);
        let (revision, applied) = watch::channel(0);
        let mut state = State::open(settings, revision)?;
        let thread = std::thread::Builder::new().name("replica".to_owned());
        thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            match runtime {
                Ok(runtime) => {
                    let done = runtime.block_on(state.run(receiver));
                    // The base is closed before anyone hears of the end, so that the next engine finds it free.
                    drop(state);
                    if let Some(done) = done {
                        // Nobody may wait for it.
                        done.send(()).ok();
                    }
                }
                Err(error) => tracing::error!(%error, "The replica's loop cannot start"),
            }
        })?;
        Ok(Self { inputs, applied })
    }

    /// Tells the engine something; waits while it is busy.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn tell(&self, input: Input) -> Result<(), EngineEnded> {
        self.inputs.send(input).await.map_err(|_| EngineEnded)
    }

    /// The revision that the disk shows, moving.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.clone()
    }

    /// Stores the base and ends the loop.
    pub async fn stop(&self) {
        let (done, stopped) = oneshot::channel();
        if self.tell(Input::Stop(done)).await.is_ok() {
            // It ended by itself otherwise.
            stopped.await.ok();
        }
    }
}

/// The engine has ended.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("reach the replica's loop")]
pub struct EngineEnded;

/// A batch that the hub has not answered yet.
struct Outstanding {
    number: u64,
    operations: Vec<(RelPath, Option<Node>)>,
}

/// A content that arrives in pieces.
struct Incoming {
    scratch: String,
    file: std::fs::File,
    hasher: slipway_core::hash::ContentHasher,
}

/// A flush that waits.
struct Flush {
    answer: FlushAnswer,
}

enum FlushAnswer {
    Agent(oneshot::Sender<u64>),
    Hub(u64),
}

/// Everything that the loop owns.
struct State {
    disk: Disk,
    watch: Watch,
    rules: Rules,
    store: Base,
    name: String,
    replica_id: String,
    base: BTreeMap<RelPath, Node>,
    local: BTreeMap<RelPath, Node>,
    remote: BTreeMap<RelPath, Node>,
    prints: HashMap<RelPath, Fingerprint>,
    /// Changed in the base since it was stored.
    unstored: HashSet<RelPath>,
    store_at: Option<Instant>,
    epoch: String,
    /// Of the remote tree.
    revision: u64,
    /// A full listing is arriving: what it does not name is gone.
    listing: Option<BTreeMap<RelPath, Node>>,
    link: Option<Link>,
    /// The hub has said hello and its tree is known.
    in_step: bool,
    dirty: BTreeSet<RelPath>,
    everything: bool,
    look_at: Option<Instant>,
    held: HashMap<RelPath, Instant>,
    contents: HashMap<ContentHash, Bytes>,
    wanted: HashMap<ContentHash, BTreeSet<RelPath>>,
    incoming: HashMap<ContentHash, Incoming>,
    to_propose: BTreeSet<RelPath>,
    outstanding: Option<Outstanding>,
    batch: u64,
    /// Paths that the hub refused, with what it refused.
    refused: HashMap<RelPath, Option<Node>>,
    flushes: Vec<Flush>,
    applied: watch::Sender<u64>,
    audit_at: Instant,
}

impl State {
    fn open(settings: Settings, applied: watch::Sender<u64>) -> Result<Self, EngineError> {
        let disk = Disk::open(&settings.root)?;
        let id = root_id(&settings.root, &settings.fresh_id)?;
        std::fs::create_dir_all(&settings.state)?;
        let store = Base::open(&settings.state.join(format!("{id}.base")))?;
        let agreed = store.read()?;
        let mut state = Self {
            disk,
            watch: Watch::new(),
            rules: Rules::new(""),
            store,
            name: settings.name,
            replica_id: id,
            remote: agreed.nodes.clone(),
            base: agreed.nodes,
            local: BTreeMap::new(),
            prints: HashMap::new(),
            unstored: HashSet::new(),
            store_at: None,
            epoch: agreed.epoch,
            revision: agreed.revision,
            listing: None,
            link: None,
            in_step: false,
            dirty: BTreeSet::new(),
            everything: true,
            look_at: None,
            held: HashMap::new(),
            contents: HashMap::new(),
            wanted: HashMap::new(),
            incoming: HashMap::new(),
            to_propose: BTreeSet::new(),
            outstanding: None,
            batch: 0,
            refused: HashMap::new(),
            flushes: Vec::new(),
            applied,
            audit_at: Instant::now() + AUDIT,
        };
        state.look();
        Ok(state)
    }

    async fn run(&mut self, mut inputs: mpsc::Receiver<Input>) -> Option<oneshot::Sender<()>> {
        loop {
            let wake_at = [self.look_at, self.store_at, Some(self.audit_at)]
                .into_iter()
                .flatten()
                .min();
            tokio::select! {
                biased;
                input = inputs.recv() => match input {
                    Some(Input::Stop(done)) => {
                        self.store();
                        return Some(done);
                    }
                    Some(input) => self.take(input).await,
                    None => {
                        self.store();
                        return None;
                    }
                },
                () = self.watch.heard() => self.hear(),
                () = until(wake_at) => self.wake(),
            }
            self.act().await;
        }
    }

    async fn take(&mut self, input: Input) {
        match input {
            Input::Connected(link) => {
                self.link = Some(link);
                self.in_step = false;
                self.outstanding = None;
                let hello = v1::SpokeHello {
                    protocol: PROTOCOL,
                    replica_id: self.replica_id.clone(),
                    epoch: self.epoch.clone(),
                    revision: self.revision,
                    case_sensitive: true,
                };
                self.send(Frame::Hello(hello)).await;
            }
            Input::Disconnected => self.disconnected(),
            Input::Hub(frame) => self.hub_frame(frame).await,
            Input::Bulk(frame) => self.bulk_frame(frame),
            Input::Flush(answer) => self.flush(FlushAnswer::Agent(answer)),
            Input::Stop(_) => {}
        }
    }

    fn disconnected(&mut self) {
        self.link = None;
        self.in_step = false;
        self.outstanding = None;
        self.listing = None;
        self.wanted.clear();
        for (_, incoming) in self.incoming.drain() {
            self.disk.discard(&incoming.scratch);
        }
        // A dropped answer says: not now.
        self.flushes.clear();
    }

    fn flush(&mut self, answer: FlushAnswer) {
        self.flushes.push(Flush { answer });
        self.everything = true;
        self.look();
    }

    fn hear(&mut self) {
        match self.watch.take() {
            Some(Hint::Everything) => self.everything = true,
            Some(Hint::Paths(paths)) => self.mark(&paths),
            None => return,
        }
        self.look_at.get_or_insert_with(|| Instant::now() + QUIET);
    }

    fn wake(&mut self) {
        let now = Instant::now();
        if self.audit_at <= now {
            self.everything = true;
            self.look_at = Some(now);
            self.audit_at = now
                + if self.watch.is_partial() {
                    AUDIT_PARTIAL
                } else {
                    AUDIT
                };
        }
        if self.look_at.is_some_and(|at| at <= now) {
            self.look();
        }
        if self.store_at.is_some_and(|at| at <= now) {
            self.store();
        }
    }

    /// What follows from any input: proposals, answers to flushes, the word that a revision is on the disk.
    async fn act(&mut self) {
        if !self.in_step {
            return;
        }
        self.propose().await;
        self.tell_applied().await;
        if self.outstanding.is_none()
            && self.to_propose.is_empty()
            && self.dirty.is_empty()
            && !self.everything
        {
            for flush in std::mem::take(&mut self.flushes) {
                match flush.answer {
                    // The asker may have gone.
                    FlushAnswer::Agent(answer) => drop(answer.send(self.revision)),
                    FlushAnswer::Hub(token) => {
                        self.send(Frame::Flushed(v1::Flushed {
                            token,
                            revision: self.revision,
                        }))
                        .await;
                    }
                }
            }
        }
    }

    async fn tell_applied(&mut self) {
        if self.listing.is_some()
            || !self.wanted.is_empty()
            || *self.applied.borrow() == self.revision
        {
            return;
        }
        self.applied.send_replace(self.revision);
        self.send(Frame::Applied(v1::Applied {
            revision: self.revision,
        }))
        .await;
    }

    async fn send(&mut self, frame: Frame) {
        if let Some(link) = &self.link
            && link
                .control
                .send(v1::SpokeFrame { frame: Some(frame) })
                .await
                .is_err()
        {
            self.disconnected();
        }
    }

    /// Compares the three trees at a path and does what follows on this side.
    fn settle(&mut self, path: &RelPath) {
        if !self.in_step && self.listing.is_none() {
            return;
        }
        let (base, local, remote) = (
            self.base.get(path),
            self.local.get(path),
            self.remote.get(path),
        );
        match reconcile(base, local, remote) {
            Decision::Nothing => {}
            Decision::Adopt => {
                let agreed = self.local.get(path).cloned();
                self.agree(path, agreed);
            }
            Decision::Propose | Decision::ProposeAnew => {
                let local = self.local.get(path).cloned();
                if self.refused.get(path) != Some(&local) {
                    self.refused.remove(path);
                    self.to_propose.insert(path.clone());
                }
            }
            Decision::Apply | Decision::Restore => self.apply(path),
            Decision::Conflict => self.make_copy(path),
        }
    }

    /// Hub and disk have the same at a path.
    fn agree(&mut self, path: &RelPath, node: Option<Node>) {
        match node {
            Some(node) => drop(self.base.insert(path.clone(), node)),
            None => drop(self.base.remove(path)),
        }
        self.unstored.insert(path.clone());
        self.store_at = Some(Instant::now() + STORE_AFTER);
    }

    fn store(&mut self) {
        self.store_at = None;
        let changed = self.unstored.iter().map(|path| (path, self.base.get(path)));
        // A revision is agreed on only when nothing of it is still on its way.
        let revision = if self.wanted.is_empty() && self.listing.is_none() {
            self.revision
        } else {
            0
        };
        match self.store.write(changed, &self.epoch, revision) {
            Ok(()) => self.unstored.clear(),
            Err(error) => {
                tracing::warn!(%error, "Cannot store the base; what it lacks is compared again after a restart");
                self.store_at = Some(Instant::now() + AUDIT_PARTIAL);
            }
        }
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
