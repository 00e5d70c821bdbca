//! What outlives a crash. The base is stored after the files that it tells of are durable, so that it may lag the
//! disk and never lead it; a displaced file goes only when nobody writes to it any more.
use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_sync::conflict::copy_path;
use slipway_sync::node::Node;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::conflict::TURNS_MAX;
use super::state::State;
use crate::base::{Base, BaseError};
use crate::disk::{DiskError, Displaced, Root};
use crate::notice::Notice;

/// From the first change until the base is stored.
const STORE_AFTER: Duration = Duration::from_millis(800);
/// After a failure.
const STORE_AGAIN: Duration = Duration::from_secs(2);
/// A program that opened a file before it was displaced has this long to finish writing.
const LATE: Duration = Duration::from_secs(2);

/// What is to be stored, one version of it.
struct Rows {
    nodes: Vec<(RelPath, Option<Node>)>,
    epoch: String,
    revision: u64,
}

/// The stored base and what it lacks.
pub(super) struct Keep {
    store: Arc<Base>,
    unstored: BTreeSet<RelPath>,
    due: Option<Instant>,
    /// Being stored on a thread of its own: waiting for a disk must not delay anything else.
    storing: Option<oneshot::Receiver<Result<(), (Rows, BaseError)>>>,
}

/// How a store ended; the paths of one that failed.
pub(super) struct Stored(Result<(), Vec<RelPath>>);

impl Keep {
    pub(super) fn new(store: Arc<Base>) -> Self {
        Self {
            store,
            unstored: BTreeSet::new(),
            due: None,
            storing: None,
        }
    }

    /// The base changed at a path.
    pub(super) fn changed(&mut self, path: &RelPath) {
        self.unstored.insert(path.clone());
        self.due_in(STORE_AFTER);
    }

    fn due_in(&mut self, pause: Duration) {
        self.due.get_or_insert_with(|| Instant::now() + pause);
    }

    /// When to store; one at a time.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.storing.is_none())
    }

    /// Resolves when nothing is being stored.
    #[cfg(test)]
    pub(super) async fn settled(&mut self) {
        if self.storing.is_some() {
            drop(self.stored().await);
        }
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
            Ok(Err((rows, error))) => {
                tracing::warn!(%error, "Cannot store the base; what it lacks is compared again after a restart");
                Err(rows.nodes.into_iter().map(|(path, _)| path).collect())
            }
            // The runtime is ending.
            Err(_) => Ok(()),
        })
    }
}

fn write(store: &Base, root: &Root, rows: Rows) -> Result<(), (Rows, BaseError)> {
    let files = rows.nodes.iter().filter(|(_, node)| node.is_some());
    let files: Vec<_> = files.map(|(path, _)| path).collect();
    if let Err(error) = root.make_durable(files.into_iter()) {
        return Err((rows, BaseError::from(redb::StorageError::Io(error))));
    }
    let nodes = rows.nodes.iter().map(|(path, node)| (path, node.as_ref()));
    store
        .write(nodes, &rows.epoch, rows.revision)
        .map_err(|error| (rows, error))
}

impl State {
    fn is_agreed_on(&self) -> bool {
        self.shows_all() && self.apart.is_empty() && self.ahead.is_empty()
    }

    fn rows(&mut self) -> Rows {
        self.keep.due = None;
        let unstored = std::mem::take(&mut self.keep.unstored);
        let node = |path: RelPath| {
            let node = self.base.get(&path).cloned();
            (path, node)
        };
        Rows {
            nodes: unstored.into_iter().map(node).collect(),
            epoch: self.epoch.clone(),
            // A revision is agreed on only when the base has all of it and nothing beyond: else everything is listed
            // again, since the hub would not tell twice of what the base lacks.
            revision: if self.is_agreed_on() {
                self.revision
            } else {
                0
            },
        }
    }

    /// Begins to store the base.
    pub(super) fn store(&mut self) {
        let rows = self.rows();
        let (store, root) = (Arc::clone(&self.keep.store), self.disk.root().clone());
        let storing = self.beside.run(move || write(&store, &root, rows));
        self.keep.storing = Some(storing);
    }

    pub(super) fn stored(&mut self, Stored(done): Stored) {
        if let Err(paths) = done {
            self.keep.unstored.extend(paths);
            self.keep.due_in(STORE_AGAIN);
        }
    }

    /// Stores the base before the end.
    pub(super) async fn store_now(&mut self) {
        if self.keep.storing.is_some() {
            let done = self.keep.stored().await;
            self.stored(done);
        }
        let rows = self.rows();
        if let Err((_, error)) = write(&self.keep.store, self.disk.root(), rows) {
            tracing::warn!(%error, "Cannot store the base; everything is compared again at the next start");
        }
    }

    /// Keeps what a change displaced until nobody writes to it; what was not expected comes back to sight at once.
    pub(super) fn keep_displaced(&mut self) {
        let now = Instant::now();
        for displaced in self.disk.take_displaced() {
            match displaced.print {
                Some(_) => self.trash.0.push_back((now + LATE, displaced)),
                None => self.rescue(&displaced),
            }
        }
    }

    /// Drops displaced files whose time is over, unless they were written to.
    pub(super) fn empty_trash(&mut self, now: Instant) {
        while let Some((_, displaced)) = self.trash.0.pop_front_if(|(at, _)| *at <= now) {
            let written = displaced
                .print
                .is_none_or(|print| self.disk.private().was_written(&displaced.name, &print));
            if written {
                self.rescue(&displaced);
            } else {
                self.disk.private().discard(&displaced.name);
            }
        }
    }

    /// Brings a displaced file back to sight, as a copy: its bytes are nowhere else.
    fn rescue(&mut self, displaced: &Displaced) {
        let hash = self.disk.private().hash(&displaced.name);
        let hash = hash.unwrap_or_else(|| ContentHash::of(displaced.path.as_str().as_bytes()));
        for turn in 0..TURNS_MAX {
            let copy = copy_path(&displaced.path, &self.name, &hash, turn);
            match self.disk.bring_back(&displaced.name, &copy) {
                Ok(()) => {
                    self.dirty.insert(copy.clone());
                    self.look_soon();
                    let path = displaced.path.clone();
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

/// Displaced files in the order in which they were displaced.
#[derive(Debug, Default)]
pub(super) struct Trash(VecDeque<(Instant, Displaced)>);

impl Trash {
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.front().map(|(at, _)| *at)
    }
}
