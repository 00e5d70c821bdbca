//! One replica of a simulated world: an engine on its volume, and the wire between it and the hub.
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::hub_frame::Frame;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::actors::{OUTSIDE, ROOT};
use super::check::Wrong;
use super::desktop::Runs;
use super::gremlin::{Gremlin, Shared, crash};
use super::hub::{Cursor, Tree};
use super::tape::Tape;
use super::told::Words;
use crate::engine::around::Surroundings;
use crate::engine::beside::{Beside, Queue};
use crate::engine::state::State;
use crate::engine::{Brake, Input, Link, LinkId, Settings};
use crate::volume::Knows;
use crate::volume::simulated::{Loss, Make, SimVolume, Spelling};
use crate::watch::{Ear, Watch};

/// Frames that wait: more than a step of an engine sends, since nobody takes them meanwhile.
const FRAMES: usize = 4_096;

/// Entries of which most going is a mass deletion in a world, which has a dozen.
const TRACKED_MIN: usize = 4;

/// A flush that was not answered yet.
pub(super) struct Asked {
    pub(super) answer: oneshot::Receiver<u64>,
    /// Versions that the disk held when it began.
    pub(super) versions: BTreeSet<String>,
}

pub(super) struct Replica {
    pub(super) number: usize,
    pub(super) volume: SimVolume,
    pub(super) runs: Runs,
    /// Deletions that have a person's word.
    pub(super) words: Words,
    pub(super) state: Option<State>,
    life: u64,
    pub(super) queue: Queue,
    pub(super) ear: Ear,
    link: u64,
    pub(super) connected: bool,
    pub(super) frames: mpsc::Receiver<v1::SpokeFrame>,
    pub(super) blobs: mpsc::Receiver<v1::SpokeBulk>,
    pub(super) cursor: Cursor,
    pub(super) to_spoke: VecDeque<Frame>,
    pub(super) bulk: VecDeque<Bytes>,
    /// Batches of connections that are over, which the hub looks at later.
    pub(super) belated: VecDeque<v1::Propose>,
    pub(super) asked: Option<Asked>,
    /// Revisions that it told to be shown, and the folders that it could not look into then, with what had no place.
    told: BTreeMap<u64, BTreeSet<RelPath>>,
    /// What it told the hub and may not.
    pub(super) told_wrong: Option<Wrong>,
    /// It found that the hub has another tree than it told of.
    pub(super) differs: bool,
    /// The last batch of this life that was looked at.
    judged: u64,
    pub(super) shared: Shared,
}

impl Replica {
    pub(super) fn new(number: usize, make: Make, runs: Runs, shared: &Shared) -> Self {
        let volume = SimVolume::new(make);
        {
            let mut inner = volume.inner();
            let made = [ROOT, "/state", OUTSIDE].map(|folder| inner.make_all(folder));
            assert!(made.iter().all(Result::is_ok), "a fresh volume has room");
            let outside = inner.write(&format!("{OUTSIDE}/secret"), b"nobody's business\n");
            assert!(outside.is_ok(), "a fresh volume has room");
            inner.write_back();
        }
        let shared = shared.clone();
        volume.set_mischief(Box::new(Gremlin {
            shared: shared.clone(),
            replica: number,
            knows: make.knows,
        }));
        Self {
            number,
            volume,
            runs,
            words: Words::new(),
            state: None,
            life: 0,
            queue: Queue::default(),
            ear: Ear::default(),
            link: 0,
            connected: false,
            frames: mpsc::channel(1).1,
            blobs: mpsc::channel(1).1,
            cursor: Cursor::default(),
            to_spoke: VecDeque::new(),
            bulk: VecDeque::new(),
            belated: VecDeque::new(),
            asked: None,
            told: BTreeMap::new(),
            told_wrong: None,
            differs: false,
            judged: 0,
            shared,
        }
    }

    /// Starts the engine, if it can.
    pub(super) fn start(&mut self) {
        self.ear = Ear::default();
        self.queue = Queue::default();
        self.judged = 0;
        let volume = self.volume.reborn();
        self.life = self.volume.inner().life();
        let is_desktop = self.runs != Runs::Agent;
        let settings = Settings {
            root: ROOT.into(),
            state: "/state".into(),
            name: format!("replica {}", self.number),
            fresh_id: format!("root-{}-{}", self.number, self.life),
            brake: if is_desktop { Brake::Ask } else { Brake::Tell },
            undo: is_desktop,
        };
        let around = Surroundings {
            volume: Arc::new(volume.clone()),
            watch: Watch::with(Some(Box::new(volume)), self.ear.clone()),
            beside: Beside::Queue(self.queue.clone()),
            new_at_once: 2,
            tracked_min: TRACKED_MIN,
        };
        let (applied, notices) = (watch::channel(0).0, broadcast::channel(64).0);
        match State::with(settings, around, applied, notices) {
            Ok(state) => self.state = Some(state),
            Err(error) => {
                let number = self.number;
                self.shared
                    .lock()
                    .tell(|| format!("replica {number} does not start: {error}"));
            }
        }
        self.mind_the_end();
    }

    /// Ends the engine as it is; or the computer.
    pub(super) fn crash(&mut self, loss: Loss) {
        crash(
            &mut self.shared.lock(),
            self.number,
            &mut self.volume.inner(),
            loss,
        );
        self.mind_the_end();
    }

    /// Whether the engine came to its end in the last step: then nothing is left of it.
    pub(super) fn mind_the_end(&mut self) {
        if self.volume.inner().life() != self.life {
            self.state = None;
            self.queue = Queue::default();
            self.asked = None;
            self.hang_up();
        }
    }

    /// Everything on the wire is lost, but what a server took from it and has yet to look at.
    pub(super) fn hang_up(&mut self) {
        while let Ok(frame) = self.frames.try_recv() {
            if let Some(v1::spoke_frame::Frame::Propose(propose)) = frame.frame
                && self.shared.lock().tape.one_in(3)
            {
                self.belated.push_back(propose);
            }
        }
        self.connected = false;
        self.told.clear();
        self.to_spoke.clear();
        self.bulk.clear();
        self.cursor = Cursor::default();
        (self.frames, self.blobs) = (mpsc::channel(1).1, mpsc::channel(1).1);
    }

    pub(super) async fn disconnect(&mut self) {
        self.hang_up();
        let link = LinkId(self.link);
        self.turn(Some(Input::Disconnected(link))).await;
    }

    pub(super) async fn connect(&mut self) {
        if self.state.is_none() {
            return;
        }
        self.hang_up();
        self.connected = true;
        self.link += 1;
        let (control, frames) = mpsc::channel(FRAMES);
        let (bulk, blobs) = mpsc::channel(FRAMES);
        (self.frames, self.blobs) = (frames, blobs);
        let id = LinkId(self.link);
        self.turn(Some(Input::Connected(Link { id, control, bulk })))
            .await;
    }

    /// One turn of the engine's loop, with what it is told.
    pub(super) async fn turn(&mut self, input: Option<Input>) {
        let Some(state) = &mut self.state else { return };
        if let Some(input) = input {
            state.take(input).await;
        }
        state.hear();
        tokio::select! {
            biased;
            stored = state.keep.stored() => state.stored(stored),
            () = std::future::ready(()) => {}
        }
        state.wake(Instant::now());
        state.act().await;
        let batch = state
            .proposals
            .outstanding
            .as_ref()
            .map_or(0, |batch| batch.number);
        self.words
            .retain(|path| !state.trees.local.contains_key(path));
        if batch > self.judged {
            self.judged = batch;
            self.told_wrong = super::told::new_batch(state, self.number, &self.words);
        }
        if let Some(revision) = state.reports.told {
            let unseen = || {
                state
                    .sight
                    .unknown
                    .iter()
                    .chain(no_place(state))
                    .cloned()
                    .collect()
            };
            self.told.entry(revision).or_insert_with(unseen);
        }
        let hung_up = self.connected && state.link.is_none();
        self.mind_the_end();
        if hung_up && self.connected {
            self.differs = true;
            self.hang_up();
        }
    }

    pub(super) async fn hears(&mut self, frame: Frame) {
        let frame = v1::HubFrame { frame: Some(frame) };
        self.turn(Some(Input::Hub(LinkId(self.link), frame))).await;
    }

    pub(super) async fn hears_bulk(&mut self, blob: v1::Blob) {
        let frame = Some(v1::hub_bulk::Frame::Blob(blob));
        let input = Input::Bulk(LinkId(self.link), v1::HubBulk { frame });
        self.turn(Some(input)).await;
    }

    /// Does something that waits beside the loop.
    pub(super) async fn work(&mut self) -> bool {
        let Some(work) = self.queue.next() else {
            return false;
        };
        work();
        self.mind_the_end();
        self.turn(None).await;
        true
    }

    /// What is still to be done, if anything.
    pub(super) fn is_busy_with(&self) -> Option<String> {
        let Some(state) = &self.state else {
            return Some("nothing: it does not run".into());
        };
        let on_the_wire = !self.frames.is_empty()
            || !self.blobs.is_empty()
            || !self.to_spoke.is_empty()
            || !self.bulk.is_empty();
        let is_busy = on_the_wire
            || !self.queue.is_empty()
            || !self.connected
            || !state.proposals.waiting.is_empty()
            || state.proposals.outstanding.is_some()
            || !state.sight.dirty.is_empty()
            || state.sight.goes_on()
            || !state.deletions.held().is_empty()
            || !state.keep.is_stored()
            || !state.shows_all();
        is_busy.then(|| {
            format!(
                "to propose {:?}, under way {:?}, dirty {:?}, not applied {:?}, wanted {}, stored {}, wire {on_the_wire}",
                state.proposals.waiting,
                state.proposals.outstanding.as_ref().map(|batch| &batch.operations),
                state.sight.dirty,
                state.troubles.holding_up().collect::<Vec<_>>(),
                !state.contents.is_complete(),
                state.keep.is_stored(),
            )
        })
    }

    /// What it could not look into when it told first that it shows a revision, and what it cannot now; and what had no
    /// place.
    pub(super) fn unseen_at(&self, revision: u64) -> BTreeSet<RelPath> {
        let then = self.told.get(&revision).into_iter().flatten();
        let Known {
            unknown, no_place, ..
        } = self.known();
        then.cloned().chain(unknown).chain(no_place).collect()
    }

    /// What the engine knows.
    pub(super) fn known(&self) -> Known {
        let Some(state) = &self.state else {
            return Known::default();
        };
        Known {
            base: state.trees.base.clone(),
            local: state.trees.local.clone(),
            revision: state.hub.revision,
            unknown: state.sight.unknown.clone(),
            refused: state.troubles.refused().next().is_some(),
            no_place: no_place(state).cloned().collect(),
        }
    }
}

/// What an engine knows of the world.
#[derive(Default)]
pub(super) struct Known {
    pub(super) base: Tree,
    pub(super) local: Tree,
    pub(super) revision: u64,
    /// Whether the hub refuses something of it.
    pub(super) refused: bool,
    /// Folders that it cannot look into.
    pub(super) unknown: BTreeSet<RelPath>,
    /// What cannot come because something else has its name, as a person was told.
    pub(super) no_place: BTreeSet<RelPath>,
}

fn no_place(state: &State) -> impl Iterator<Item = &RelPath> {
    let blocked = state.troubles.blocked();
    let no_place = blocked.filter(|(_, code)| *code == Code::PathTaken);
    no_place.map(|(path, _)| path)
}

/// A volume of some kind.
pub(super) fn make(tape: &mut Tape, alike: bool) -> Make {
    let spellings = [Spelling::Exact, Spelling::Decomposed, Spelling::Insensitive];
    Make {
        spelling: if alike {
            *tape.pick(&spellings)
        } else {
            Spelling::Exact
        },
        stamp_ns: [1, 1, 20_000_000, 2_000_000_000][tape.below(4)],
        watches_max: [1_000, 1_000, 1_000, 2][tape.below(4)],
        attributes: !tape.one_in(6),
        apart: tape.one_in(4),
        knows: Knows::SOME[tape.below(8).saturating_sub(3)],
    }
}
