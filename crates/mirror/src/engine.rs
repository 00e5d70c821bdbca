//! The engine of one replica: a single loop that owns all state, on a thread of its own, so that a disk that is
//! slow never delays a terminal. Its borders are here; the loop is in `state`.
//!
//! What is known: `tree` has the three trees, `sight` what of the disk is to be looked at and `mark` what the watcher tells
//! of it, `heard` how far the hub was heard, `batch` what it is to be told and was, `reports` what others were told of the
//! disk.
//!
//! What is done: `scan` sees the disk, `later` what is new in parts, `fresh` keeps what it read of it, `link` holds the
//! connection, `remote` hears the hub, `settle` decides at one path, `apply` and `conflict` bring the hub's state to the
//! disk, `propose` tells the hub and `moves` what only moved, `contents` carries bytes, one by one `incoming` and `send`,
//! `parts` knows what of them the hub has, `pace` holds back what changes all the time, `keep` makes agreements durable, and
//! `beside` is where waiting is done.
//!
//! What is out of the way: `rules` knows what stays out, `deletion` minds mass deletions, `contest` what two programs take
//! back from each other, `odd` and `spelling` names that are not alike everywhere, `torn` what a loss of power left,
//! `trouble` what cannot be done now; `misjudged` has the mistakes of others, for tests.
//!
//! `ask` is what a person asks, `person` does their work on the disk, `ledger` counts what changed, `view` tells how it
//! stands, `copies` are open conflicts, `texts` what their sides began with, `burst` keeps what `undo` takes back.
//!
//! `state` is the loop over all of it, `around` what it stands in: the system, or a simulation of it.
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slipway_proto::v1;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::files::Files;
use crate::notice::Notice;
use crate::store::StoreError;
use ask::Ask;
use state::State;

mod apply;
mod around;
pub mod ask;
mod batch;
mod beside;
mod burst;
mod conflict;
mod contents;
mod contest;
mod copies;
mod deletion;
mod fresh;
mod heard;
mod incoming;
mod keep;
mod later;
mod ledger;
mod link;
mod mark;
mod misjudged;
mod moves;
mod odd;
mod pace;
mod parts;
mod person;
mod propose;
mod remote;
mod reports;
mod rules;
mod scan;
mod send;
mod settle;
mod sight;
mod spelling;
mod state;
mod texts;
mod torn;
mod tree;
mod trouble;
mod undo;
mod view;

/// Inputs that wait; beyond it the hub's stream is held back.
const INPUTS_MAX: usize = 64;
/// Notices that a slow listener may be behind.
const NOTICES_MAX: usize = 64;

/// What the engine is told.
#[derive(Debug)]
pub enum Input {
    /// A hub is connected, in place of any before: frames go out by this link.
    Connected(Link),
    /// The hub of this link is gone.
    Disconnected(LinkId),
    /// A frame of the control stream.
    Hub(LinkId, v1::HubFrame),
    /// A frame of the bulk stream.
    Bulk(LinkId, v1::HubBulk),
    /// Commit what the disk holds; answered with the revision, after a reconnect if need be.
    Flush(oneshot::Sender<u64>),
    /// Tell the hub of the deletions that are held back.
    Confirm,
    /// Store the base and end.
    Stop(oneshot::Sender<()>),
}

/// Tells the frames of one connection from those of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkId(pub u64);

/// The way to a hub.
#[derive(Clone, Debug)]
pub struct Link {
    /// Which connection.
    pub id: LinkId,
    /// Control frames.
    pub control: mpsc::Sender<v1::SpokeFrame>,
    /// Contents.
    pub bulk: mpsc::Sender<v1::SpokeBulk>,
}

/// What happens before most files of a replica are deleted at the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Brake {
    /// It is told: whoever empties a session's disk is at work in it, and the history keeps everything.
    Tell,
    /// It waits for [`Input::Confirm`]: a folder of a person's computer can be emptied by many things.
    Ask,
}

/// Where a replica lies, and how it behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its files.
    pub root: PathBuf,
    /// Its state, outside of the files; best on the mount of the files, so that nothing private lies among them.
    pub state: PathBuf,
    /// Its name in conflict copies.
    pub name: String,
    /// An id for a root that has none yet.
    pub fresh_id: String,
    /// What happens before mass deletions.
    pub brake: Brake,
    /// Whether what the hub changes, and what a person deletes through the engine, can be taken back for a while. It
    /// costs room on the disk.
    pub undo: bool,
}

/// Why an engine cannot start.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Its files.
    #[error("open the replica's files")]
    Disk(#[from] std::io::Error),
    /// Its state.
    #[error(transparent)]
    Base(#[from] StoreError),
}

/// A running engine.
#[derive(Clone, Debug)]
pub struct Engine {
    inputs: mpsc::Sender<Input>,
    asks: mpsc::Sender<Ask>,
    moved: watch::Receiver<u64>,
    files: Files,
    applied: watch::Receiver<u64>,
    notices: broadcast::Sender<Notice>,
    /// Has what was told before anybody could listen.
    first: Arc<Mutex<Option<broadcast::Receiver<Notice>>>>,
}

impl Engine {
    /// Opens a replica and starts its loop.
    ///
    /// # Errors
    /// When its files or state cannot be opened.
    pub fn start(settings: Settings) -> Result<Self, EngineError> {
        let (inputs, receiver) = mpsc::channel(INPUTS_MAX);
        let (revision, applied) = watch::channel(0);
        let (notices, first) = broadcast::channel(NOTICES_MAX);
        let (asks, asked) = mpsc::channel(INPUTS_MAX);
        let mut state = State::open(settings, revision, notices.clone())?;
        let (moved, files) = (state.ledger.moved(), Files::new(state.disk.root().clone()));
        let thread = std::thread::Builder::new().name("replica".to_owned());
        thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                // The thread that stores is made at once and stays: later, programs may have taken every process that
                // a session may have.
                .max_blocking_threads(1)
                .thread_keep_alive(Duration::MAX)
                .build();
            match runtime {
                Ok(runtime) => {
                    drop(runtime.spawn_blocking(|| {}));
                    let done = runtime.block_on(state.run(receiver, asked));
                    state.contents.end(&mut state.disk);
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
        Ok(Self {
            inputs,
            asks,
            moved,
            files,
            applied,
            notices,
            first: Arc::new(Mutex::new(Some(first))),
        })
    }

    /// Tells the engine something; waits while it is busy.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn tell(&self, input: Input) -> Result<(), EngineEnded> {
        self.inputs.send(input).await.map_err(|_| EngineEnded)
    }

    /// The newest revision that the disk has shown whole, moving.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<u64> {
        self.applied.clone()
    }

    /// What a person is told from now on; the first who asks hears what was told since the start, too.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        let first = self.first.lock();
        let first = first.unwrap_or_else(PoisonError::into_inner).take();
        first.unwrap_or_else(|| self.notices.subscribe())
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

#[cfg(any(test, feature = "simulation"))]
pub mod simulation;
#[cfg(test)]
mod tests;
