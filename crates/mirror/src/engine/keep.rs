//! What outlives a crash. The base is stored after the files that it tells of are durable, so that it may lag the
//! disk and never lead it; a displaced file goes only when nobody writes to it any more.
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::v1::Moment;
use slipway_sync::conflict::copy_path;
use slipway_sync::node::Node;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch;
use super::conflict::TURNS_MAX;
use super::heard::Catch;
use super::rules;
use super::state::State;
use super::torn;
use crate::base::{Base, Meta};
use crate::disk::{DiskError, Displaced, Root};
use crate::notice::Notice;
use crate::planted::{self, Bug};
use crate::store::StoreError;

/// From the first change until the base is stored.
const STORE_AFTER: Duration = Duration::from_millis(800);
/// After a failure.
const STORE_AGAIN: Duration = Duration::from_secs(2);
/// A program that opened a file before it was displaced has this long to finish writing.
const LATE: Duration = Duration::from_secs(2);

/// What is to be stored, one version of it.
struct Rows {
    nodes: Vec<(RelPath, Option<Node>)>,
    records: BTreeMap<String, Option<Vec<u8>>>,
    /// Files of a person's that the base does not tell of.
    written: BTreeSet<RelPath>,
    epoch: String,
    revision: u64,
    seen: u64,
    moment: Option<Moment>,
    boot: String,
}

/// What was not stored, and why.
type Failed = Box<(Rows, StoreError)>;

/// The stored base and what it lacks.
pub(super) struct Keep {
    store: Arc<Base>,
    /// Which start of the computer this is.
    boot: String,
    unstored: BTreeSet<RelPath>,
    records: BTreeMap<String, Option<Vec<u8>>>,
    written: BTreeSet<RelPath>,
    due: Option<Instant>,
    /// Being stored on a thread of its own: waiting for a disk must not delay anything else.
    storing: Option<oneshot::Receiver<Result<(), Failed>>>,
}

/// How a store ended; the paths of one that failed.
pub(super) struct Stored(Result<(), Rows>);

impl Keep {
    pub(super) fn new(store: Arc<Base>, boot: String) -> Self {
        Self {
            store,
            boot,
            unstored: BTreeSet::new(),
            records: BTreeMap::new(),
            written: BTreeSet::new(),
            due: None,
            storing: None,
        }
    }

    /// The base changed at a path.
    pub(super) fn changed(&mut self, path: &RelPath) {
        self.unstored.insert(path.clone());
        self.due_in(STORE_AFTER);
    }

    /// A person wrote a path: its bytes are to outlive a loss of power, whether the hub hears of them soon or not.
    pub(super) fn wrote(&mut self, path: &RelPath) {
        self.written.insert(path.clone());
        self.due_in(STORE_AFTER);
    }

    /// Something else is to be remembered under a key, or not any more.
    pub(super) fn record(&mut self, key: String, bytes: Option<Vec<u8>>) {
        self.records.insert(key, bytes);
        self.due_in(STORE_AFTER);
    }

    /// What is remembered under a key.
    pub(super) fn recorded(&self, key: &str) -> Option<Vec<u8>> {
        match self.records.get(key) {
            Some(bytes) => bytes.clone(),
            None => self.store.record(key).ok()?,
        }
    }

    fn due_in(&mut self, pause: Duration) {
        self.due.get_or_insert_with(|| Instant::now() + pause);
    }

    /// Whether the stored base lacks nothing.
    #[cfg(any(test, feature = "simulation"))]
    pub(super) fn is_stored(&self) -> bool {
        self.unstored.is_empty() && self.storing.is_none()
    }

    /// Whether what was agreed on at a path is durable.
    pub(super) fn has_stored(&self, path: &RelPath) -> bool {
        self.storing.is_none() && !self.unstored.contains(path)
    }

    /// When to store; one at a time.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.storing.is_none())
    }

    /// Resolves when the base was stored; never when it is not being stored.
    pub(super) async fn stored(&mut self) -> Stored {
        let Some(storing) = &mut self.storing else {
            return std::future::pending().await;
        };
        let done = storing.await;
        self.storing = None;
        Stored(match done {
            Ok(Ok(())) => Ok(()),
            Ok(Err(failed)) => {
                let (rows, error) = *failed;
                tracing::warn!(%error, "Cannot store the base; what it lacks is compared again after a restart");
                Err(rows)
            }
            // The runtime is ending.
            Err(_) => Ok(()),
        })
    }
}

fn write(store: &Base, root: &Root, rows: Rows) -> Result<(), Failed> {
    let files = rows.nodes.iter().filter(|(_, node)| node.is_some());
    let files: Vec<_> = files.map(|(path, _)| path).chain(&rows.written).collect();
    if let Err(error) = root.make_durable(files.into_iter()) {
        return Err(Box::new((
            rows,
            StoreError::from(redb::StorageError::Io(error)),
        )));
    }
    let nodes = rows.nodes.iter().map(|(path, node)| (path, node.as_ref()));
    let records = rows.records.iter();
    let records = records.map(|(key, bytes)| (key.as_str(), bytes.as_deref()));
    let meta = Meta {
        epoch: &rows.epoch,
        revision: rows.revision,
        seen: rows.seen,
        moment: rows.moment,
        boot: &rows.boot,
    };
    let written = store.write(nodes, records, meta);
    written.map_err(|error| Box::new((rows, error)))
}

impl State {
    fn is_agreed_on(&self) -> bool {
        self.shows_all() && self.trees.apart.is_empty() && self.hub.ahead.is_empty()
            || planted::is(Bug::BaseLeads)
    }

    fn rows(&mut self) -> Rows {
        for (key, bytes) in self.bursts.changed() {
            self.keep.record(key, bytes);
        }
        self.keep.due = None;
        let unstored = std::mem::take(&mut self.keep.unstored);
        let node = |path: RelPath| {
            let node = self.trees.base.get(&path).cloned();
            (path, node)
        };
        Rows {
            nodes: unstored.into_iter().map(node).collect(),
            records: std::mem::take(&mut self.keep.records),
            written: std::mem::take(&mut self.keep.written),
            epoch: self.hub.epoch.clone(),
            seen: self.hub.seen,
            moment: self.hub.moment,
            boot: self.keep.boot.clone(),
            // A revision is agreed on only when the base has all of it and nothing beyond: else everything is listed
            // again, since the hub would not tell twice of what the base lacks.
            revision: if self.is_agreed_on() {
                self.hub.revision
            } else {
                0
            },
        }
    }

    /// Remembers in which start of the computer this engine runs, which rules count, and which files the last one left in
    /// parts; and no longer what it left unanswered, which is of before whatever this one hears and does. Before anything is
    /// done, since until then the next engine would have to find it out as this one did.
    pub(super) fn begin(&self) -> Result<(), StoreError> {
        let kinds = [rules::RECORD, torn::RECORD, batch::RECORD];
        let is_known = |key: &str| kinds.iter().any(|kind| key.starts_with(kind));
        let known = self.keep.records.iter().filter(|(key, _)| is_known(key));
        let records = known.map(|(key, bytes)| (key.as_str(), bytes.as_deref()));
        let meta = self.hub.meta(&self.keep.boot);
        self.keep.store.write(std::iter::empty(), records, meta)
    }

    /// Begins to store the base.
    pub(super) fn store(&mut self) {
        let rows = self.rows();
        let (store, root) = (Arc::clone(&self.keep.store), self.disk.root().clone());
        let storing = self.beside.run(move || write(&store, &root, rows));
        self.keep.storing = Some(storing);
    }

    pub(super) fn stored(&mut self, Stored(done): Stored) {
        if let Err(rows) = done {
            let nodes = rows.nodes.into_iter();
            self.keep.unstored.extend(nodes.map(|(path, _)| path));
            self.keep.written.extend(rows.written);
            for (key, bytes) in rows.records {
                self.keep.records.entry(key).or_insert(bytes);
            }
            self.keep.due_in(STORE_AGAIN);
        }
    }

    /// Stores the base before the end.
    pub(super) async fn store_now(&mut self) {
        if self.keep.storing.is_some() {
            let done = self.keep.stored().await;
            self.stored(done);
        }
        // After the next start it is known as ours: like the base, that may not lead the disk.
        self.proposals.hung_up();
        for (path, key, bytes) in self.proposals.unanswered.records() {
            self.keep.wrote(path);
            self.keep.record(key, Some(bytes));
        }
        // Who comes next catches up with the hub if this one has not.
        let boot = match self.hub.catch {
            Catch::Up => String::new(),
            _ => self.keep.boot.clone(),
        };
        let rows = Rows {
            boot,
            ..self.rows()
        };
        if let Err(failed) = write(&self.keep.store, self.disk.root(), rows) {
            let (_, error) = *failed;
            tracing::warn!(%error, "Cannot store the base; everything is compared again at the next start");
        }
    }

    /// Keeps what a change displaced until nobody writes to it; what was not expected comes back to sight at once.
    pub(super) fn keep_displaced(&mut self) {
        for displaced in self.disk.take_displaced() {
            self.keep_displaced_one(displaced);
        }
        self.bursts.claimed();
        if self.bursts.is_changed() {
            self.keep.due_in(STORE_AFTER);
        }
        for name in self.bursts.dropped() {
            self.disk.private().discard(&name);
        }
    }

    pub(super) fn keep_displaced_one(&mut self, displaced: Displaced) {
        let Displaced { name, path, was } = &displaced;
        let Some(was) = was else {
            return self.rescue(&displaced);
        };
        let burst = self.bursts.claims(path, name, was.print.size());
        let at = Instant::now() + LATE;
        self.trash.0.push_back(Thrown {
            at,
            displaced,
            burst,
        });
    }

    /// What a change of a path displaced just now, if it did.
    pub(super) fn just_displaced(&mut self, path: &RelPath) -> Option<Displaced> {
        let mut all = self.disk.take_displaced();
        let last = all.pop_if(|last| last.path == *path);
        for other in all {
            self.keep_displaced_one(other);
        }
        last
    }

    /// Drops displaced files whose time is over, unless they were written to.
    pub(super) fn empty_trash(&mut self, now: Instant) {
        while let Some(thrown) = self.trash.0.pop_front_if(|thrown| thrown.at <= now) {
            let Thrown {
                displaced, burst, ..
            } = thrown;
            let private = self.disk.private();
            let was_written = |was| private.was_written(&displaced.name, &was);
            let written = displaced.was.is_none_or(was_written) && !planted::is(Bug::LateWriter);
            if written {
                self.rescue(&displaced);
            }
            let kept = burst.filter(|id| self.bursts.has(*id, &displaced.path));
            let Some(id) = kept else {
                if !written {
                    self.disk.private().discard(&displaced.name);
                }
                continue;
            };
            let keep = || self.disk.private().keep_for(&displaced.name, id).ok();
            let name = (!written).then(keep).flatten();
            self.bursts.has_name(id, &displaced.path, name);
        }
    }

    /// What a private name holds of a path is nowhere else: it comes back to sight, as a copy.
    pub(super) fn rescue_named(&mut self, path: &RelPath, name: &str) {
        let all = &mut self.trash.0;
        let at = all.iter().position(|thrown| thrown.displaced.name == name);
        let burst = at.and_then(|at| all.remove(at)?.burst);
        if let Some(id) = burst.filter(|id| self.bursts.has(*id, path)) {
            self.bursts.has_name(id, path, None);
        }
        self.rescue(&Displaced {
            name: name.to_owned(),
            path: path.clone(),
            was: None,
        });
    }

    /// Brings a displaced file back to sight, as a copy: its bytes are nowhere else.
    fn rescue(&mut self, displaced: &Displaced) {
        let hash = self.disk.private().hash(&displaced.name);
        let hash = hash.unwrap_or_else(|| ContentHash::of(displaced.path.as_str().as_bytes()));
        for turn in 0..TURNS_MAX {
            let copy = copy_path(&displaced.path, &self.name, &hash, turn);
            match self.disk.bring_back(&displaced.name, &copy) {
                Ok(()) => {
                    self.sight.look_again(&copy);
                    let path = displaced.path.clone();
                    self.copy_made(&path, &copy);
                    self.notice(Notice::Copied { path, copy });
                    return;
                }
                Err(DiskError::Unexpected) => {}
                Err(error) => {
                    tracing::error!(%error, "A displaced file stays in the private folder until the next start");
                    return;
                }
            }
        }
    }
}

/// A displaced file that some program may still write to.
#[derive(Debug)]
struct Thrown {
    at: Instant,
    displaced: Displaced,
    /// Keeps it from then on.
    burst: Option<u64>,
}

/// Displaced files in the order in which they were displaced.
#[derive(Debug, Default)]
pub(super) struct Trash(VecDeque<Thrown>);

impl Trash {
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.front().map(|thrown| thrown.at)
    }
}
