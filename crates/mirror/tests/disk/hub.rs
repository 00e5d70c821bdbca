//! A hub in memory, as far as an engine can tell it from the real one. It can be told to end a connection after so many
//! frames, in the middle of anything: what it committed stays, what it would have answered is lost.
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::limits::BULK_FRAME_BYTES_MAX;
use slipway_core::path::RelPath;
use slipway_mirror::wire;
use slipway_proto::v1::{self, hub_bulk, hub_frame, outcome, spoke_bulk, spoke_frame};
use slipway_proto::{PROTOCOL, convert};
use slipway_sync::node::Node;
use tokio::sync::{mpsc, watch};

mod connection;
use connection::Connection;

/// A wait for a condition, bounded so that a failure ends.
const BOUND: Duration = Duration::from_secs(20);

/// The four ends of one connection, on the hub's side.
pub(crate) struct Ends {
    pub(crate) from_control: mpsc::Receiver<v1::SpokeFrame>,
    pub(crate) from_bulk: mpsc::Receiver<v1::SpokeBulk>,
    pub(crate) to_control: mpsc::Sender<v1::HubFrame>,
    pub(crate) to_bulk: mpsc::Sender<v1::HubBulk>,
}

/// One row of the journal.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) revision: u64,
    pub(crate) path: RelPath,
    pub(crate) node: Option<Node>,
}

#[derive(Default)]
pub(crate) struct Inner {
    pub(crate) tree: BTreeMap<RelPath, Node>,
    pub(crate) journal: Vec<Row>,
    pub(crate) head: u64,
    pub(crate) contents: HashMap<ContentHash, Bytes>,
    /// What the engine says that its disk shows.
    applied: u64,
    flushed: u64,
    /// What came of contents that broke off, with its size.
    begun: HashMap<ContentHash, (ContentHash, u64)>,
    /// Contents that broke off.
    pub(crate) breaks: u64,
    /// Bytes of contents that came beside batches.
    pub(crate) received: u64,
    /// And that went out beside changes.
    pub(crate) sent: u64,
    /// Frames until the connection ends.
    frames_left: Option<u64>,
}

/// What the hub is asked besides frames.
#[derive(Clone, Copy, Default)]
struct Wanted {
    head: u64,
    flush: u64,
}

#[derive(Clone, Default)]
pub(crate) struct Hub {
    inner: Arc<Mutex<Inner>>,
    wanted: watch::Sender<Wanted>,
    /// Moves with every answer of the engine.
    heard: watch::Sender<u64>,
}

impl Hub {
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    /// A person's change.
    pub(crate) fn edit(&self, path: &RelPath, text: Option<Bytes>) {
        let mut inner = self.inner();
        let node = text.map(|text| inner.hold(text));
        inner.head += 1;
        if !inner.change(path, node) {
            inner.head -= 1;
        }
        let head = inner.head;
        drop(inner);
        self.wanted.send_modify(|wanted| wanted.head = head);
    }

    /// The content of a file at the hub.
    pub(crate) fn content(&self, path: &RelPath) -> Option<Bytes> {
        let inner = self.inner();
        let hash = inner.tree.get(path)?.hash()?;
        inner.contents.get(&hash).cloned()
    }

    /// The connection ends when so many more frames came, or pieces of contents went out.
    pub(crate) fn end_after(&self, frames: u64) {
        self.inner().frames_left = Some(frames);
    }

    /// Waits until a content broke off.
    pub(crate) async fn breaks(&self) {
        let mut heard = self.heard.subscribe();
        let broke = heard.wait_for(|_| self.inner().breaks > 0);
        let broke = tokio::time::timeout(BOUND, broke).await;
        broke.expect("it breaks off within the bound").unwrap();
    }

    /// Waits until disk and hub have told each other everything.
    pub(crate) async fn rest(&self) {
        let rest = async {
            loop {
                let head = self.inner().head;
                self.flush().await;
                let mut heard = self.heard.subscribe();
                heard
                    .wait_for(|_| self.inner().applied >= head)
                    .await
                    .unwrap();
                if self.inner().head == head {
                    return;
                }
            }
        };
        let done = tokio::time::timeout(BOUND, rest).await;
        done.expect("it comes to rest within the bound");
    }

    async fn flush(&self) {
        let mut token = 0;
        self.wanted.send_modify(|wanted| {
            wanted.flush += 1;
            token = wanted.flush;
        });
        let mut heard = self.heard.subscribe();
        let flushed = heard.wait_for(|_| self.inner().flushed >= token);
        flushed.await.unwrap();
    }

    /// Speaks with one engine until either side ends.
    pub(crate) async fn serve(&self, mut ends: Ends) {
        let mut wanted = self.wanted.subscribe();
        let mut connection = Connection::of(self);
        // One that was cut before its first word.
        self.inner().applied = 0;
        loop {
            let done = tokio::select! {
                frame = ends.from_control.recv() => match frame.and_then(|frame| frame.frame) {
                    Some(frame) => connection.hear(frame, &ends).await,
                    None => None,
                },
                frame = ends.from_bulk.recv() => match frame.and_then(|frame| frame.frame) {
                    Some(spoke_bulk::Frame::Blob(blob)) => connection.blob(blob, &ends).await,
                    _ => None,
                },
                _ = wanted.changed() => Some(()),
            };
            let asked = *wanted.borrow_and_update();
            if done.is_none() || connection.tell(asked, &ends).await.is_none() {
                connection.breaks_off();
                self.heard.send_modify(|heard| *heard += 1);
                return;
            }
            self.heard.send_modify(|heard| *heard += 1);
        }
    }
}

impl Inner {
    pub(crate) fn hold(&mut self, text: Bytes) -> Node {
        let hash = ContentHash::of(&text);
        let size = text.len() as u64;
        self.contents.insert(hash, text);
        Node::File {
            hash,
            size,
            executable: false,
        }
    }

    fn set(&mut self, path: &RelPath, node: Option<Node>) {
        match &node {
            Some(node) => drop(self.tree.insert(path.clone(), node.clone())),
            None => drop(self.tree.remove(path)),
        }
        let (revision, path) = (self.head, path.clone());
        self.journal.push(Row {
            revision,
            path,
            node,
        });
    }

    fn below(&self, folder: &RelPath) -> Vec<RelPath> {
        let below = self.tree.keys().filter(|path| path.is_below(folder));
        below.cloned().collect()
    }

    /// Puts or deletes in the revision that is being made; false if that makes no sense.
    fn change(&mut self, path: &RelPath, node: Option<Node>) -> bool {
        let current = self.tree.get(path);
        let Some(new) = node else {
            if current.is_none() {
                return false;
            }
            for below in self.below(path).into_iter().rev() {
                self.set(&below, None);
            }
            self.set(path, None);
            return true;
        };
        let above: Vec<_> = path.ancestors().collect();
        let in_the_way = |folder| self.tree.get(folder).is_some_and(|node| !node.is_folder());
        let is_other = current.is_some_and(|current| current.is_folder() != new.is_folder());
        if current == Some(&new) || is_other || above.iter().any(in_the_way) {
            return false;
        }
        for folder in above.into_iter().rev() {
            if !self.tree.contains_key(&folder) {
                self.set(&folder, Some(Node::Folder));
            }
        }
        self.set(path, Some(new));
        true
    }

    fn one(&mut self, operation: &v1::Operation) -> v1::Outcome {
        let node =
            |node: &Option<v1::Node>| node.as_ref().map(|node| wire::from_wire(node).unwrap());
        let path = RelPath::parse(&operation.path).unwrap();
        let (node, expect) = (node(&operation.node), node(&operation.expect));
        let current = self.tree.get(&path).cloned();
        let is_expected = match (&expect, &current) {
            (Some(Node::File { hash: a, .. }), Some(Node::File { hash: b, .. })) => a == b,
            (expect, current) => expect == current,
        };
        let is_full = node.is_none() && !self.below(&path).is_empty();
        let hash = node.as_ref().and_then(Node::hash);
        let mut outcome = v1::Outcome::default();
        if hash.is_some_and(|hash| !self.contents.contains_key(&hash)) {
            outcome.set_result(outcome::Result::NeedsContent);
        } else if current == node {
            outcome.set_result(outcome::Result::Converged);
        } else if !is_expected || is_full {
            outcome.current = current.as_ref().map(wire::to_wire);
            outcome.set_result(outcome::Result::Stale);
        } else if self.change(&path, node) {
            outcome.set_result(outcome::Result::Applied);
        } else {
            outcome.code = Code::PathNotFolder.to_string();
            outcome.set_result(outcome::Result::Rejected);
        }
        outcome
    }
}
