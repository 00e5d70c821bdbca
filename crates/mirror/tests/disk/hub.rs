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

    /// The connection ends when so many more frames came.
    pub(crate) fn end_after(&self, frames: u64) {
        self.inner().frames_left = Some(frames);
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
        let mut connection = Connection {
            hub: self,
            sent: None,
            flush: 0,
            arriving: None,
        };
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

/// A content that comes piece by piece.
struct Arriving {
    hash: Bytes,
    bytes: Vec<u8>,
    /// A range of what is not here.
    lacks: bool,
}

struct Connection<'a> {
    hub: &'a Hub,
    /// The revision up to which the engine was told; `None` before its hello.
    sent: Option<u64>,
    flush: u64,
    arriving: Option<Arriving>,
}

type Goes = Option<()>;

impl Connection<'_> {
    async fn say(&self, frame: hub_frame::Frame, ends: &Ends) -> Goes {
        let frame = v1::HubFrame { frame: Some(frame) };
        ends.to_control.send(frame).await.ok()
    }

    /// What came of a content is held.
    fn breaks_off(&mut self) {
        if let Some(Arriving {
            hash,
            bytes,
            lacks: false,
        }) = self.arriving.take()
        {
            let mut inner = self.hub.inner();
            let (begin, size) = (ContentHash::of(&bytes), bytes.len() as u64);
            inner.contents.insert(begin, bytes.into());
            let hash = convert::hash(&hash).unwrap();
            inner.begun.insert(hash, (begin, size));
            inner.breaks += 1;
        }
    }

    /// Counts down to the end.
    fn goes_on(&self) -> Goes {
        let mut inner = self.hub.inner();
        match &mut inner.frames_left {
            Some(0) => {
                inner.frames_left = None;
                None
            }
            Some(left) => {
                *left -= 1;
                Some(())
            }
            None => Some(()),
        }
    }

    async fn hear(&mut self, frame: spoke_frame::Frame, ends: &Ends) -> Goes {
        match frame {
            spoke_frame::Frame::Hello(hello) => {
                assert_eq!(hello.protocol, PROTOCOL);
                self.greet(&hello, ends).await?;
            }
            spoke_frame::Frame::Propose(propose) => self.proposed(&propose, ends).await?,
            spoke_frame::Frame::Need(need) => {
                for hash in need.hashes {
                    self.send_content(hash, ends).await?;
                }
            }
            spoke_frame::Frame::Applied(applied) => self.hub.inner().applied = applied.revision,
            spoke_frame::Frame::Flushed(flushed) => self.hub.inner().flushed = flushed.token,
            // It does not offer to.
            spoke_frame::Frame::Compare(_) => panic!("nobody asks"),
        }
        self.goes_on()
    }

    async fn greet(&mut self, hello: &v1::SpokeHello, ends: &Ends) -> Goes {
        let (head, all) = {
            let inner = self.hub.inner();
            let all: Vec<_> = inner.tree.clone().into_iter().collect();
            (inner.head, all)
        };
        let full = hello.epoch != "e" || hello.revision == 0 || hello.revision > head;
        let greeting = v1::HubHello {
            epoch: "e".into(),
            full,
            ranges: true,
            ..v1::HubHello::default()
        };
        self.say(hub_frame::Frame::Hello(greeting), ends).await?;
        self.sent = Some(hello.revision);
        if full {
            self.sent = Some(head);
            let row = |(path, node): (RelPath, Node)| Row {
                revision: head,
                path,
                node: Some(node),
            };
            let changes = v1::Changes {
                changes: self.told(all.into_iter().map(row)),
                listed: Some(head),
            };
            self.say(hub_frame::Frame::Changes(changes), ends).await?;
        }
        Some(())
    }

    fn told(&self, rows: impl Iterator<Item = Row>) -> Vec<v1::Change> {
        let inner = self.hub.inner();
        let mut changes: Vec<_> = rows
            .map(|row| {
                let hash = row.node.as_ref().and_then(Node::hash);
                let inline = hash.and_then(|hash| inner.contents.get(&hash).cloned());
                v1::Change {
                    revision: row.revision,
                    path: row.path.to_string(),
                    node: row.node.as_ref().map(wire::to_wire),
                    inline: inline.filter(|bytes| bytes.len() < 64 * 1024),
                    last_of_revision: false,
                }
            })
            .collect();
        for n in 0..changes.len() {
            let next = changes.get(n + 1).map(|next| next.revision);
            changes[n].last_of_revision = next != Some(changes[n].revision);
        }
        changes
    }

    /// Tells what the engine does not know yet.
    async fn tell(&mut self, asked: Wanted, ends: &Ends) -> Goes {
        let Some(sent) = self.sent else {
            return Some(());
        };
        let (head, rows) = {
            let inner = self.hub.inner();
            let rows = inner.journal.iter().filter(|row| row.revision > sent);
            (inner.head, rows.cloned().collect::<Vec<_>>())
        };
        if !rows.is_empty() {
            let changes = self.told(rows.into_iter());
            let listed = None;
            let changes = hub_frame::Frame::Changes(v1::Changes { changes, listed });
            self.say(changes, ends).await?;
        }
        self.sent = Some(head);
        if asked.flush > self.flush && asked.flush > self.hub.inner().flushed {
            let token = asked.flush;
            self.say(hub_frame::Frame::Flush(v1::Flush { token }), ends)
                .await?;
        }
        self.flush = asked.flush;
        Some(())
    }

    async fn proposed(&self, propose: &v1::Propose, ends: &Ends) -> Goes {
        let (lacking, result) = {
            let mut inner = self.hub.inner();
            let mut lacking = Vec::new();
            for operation in &propose.operations {
                let hash = operation.node.as_ref().map(|node| &node.hash);
                let Some(Ok(hash)) = hash.map(|hash| convert::hash(hash)) else {
                    continue;
                };
                let is_file = operation.node.as_ref().unwrap().kind() == v1::Kind::File;
                if let Some(bytes) = &operation.inline {
                    assert_eq!(ContentHash::of(bytes), hash);
                    inner.contents.insert(hash, bytes.clone());
                } else if is_file && !inner.contents.contains_key(&hash) {
                    lacking.push(convert::hash_bytes(&hash));
                }
            }
            inner.head += 1;
            let before = inner.journal.len();
            let outcomes = propose.operations.iter();
            let outcomes = outcomes.map(|operation| inner.one(operation)).collect();
            if inner.journal.len() == before {
                inner.head -= 1;
            }
            let (batch, revision) = (propose.batch, inner.head);
            let result = v1::ProposeResult {
                batch,
                revision,
                outcomes,
            };
            (lacking, result)
        };
        // What is committed stays, also when nobody hears of it.
        self.goes_on()?;
        let asked: HashSet<_> = lacking.iter().cloned().collect();
        if !asked.is_empty() {
            let begun = |hash: &Bytes| {
                let known = convert::hash(hash).unwrap();
                let (begin, size) = self.hub.inner().begun.remove(&known)?;
                Some(v1::Begun {
                    hash: hash.clone(),
                    begin: convert::hash_bytes(&begin),
                    size,
                })
            };
            let begun = asked.iter().filter_map(begun).collect();
            let hashes = asked.into_iter().collect();
            let need = v1::Need {
                hashes,
                begun,
                ..v1::Need::default()
            };
            self.say(hub_frame::Frame::Need(need), ends).await?;
        }
        self.say(hub_frame::Frame::Result(result), ends).await
    }

    async fn send_content(&self, hash: Bytes, ends: &Ends) -> Goes {
        let known = convert::hash(&hash).unwrap();
        let bytes = self.hub.inner().contents.get(&known).cloned();
        let missing = bytes.is_none();
        let bytes = bytes.unwrap_or_default();
        let mut offset = 0;
        loop {
            let end = bytes.len().min(offset + BULK_FRAME_BYTES_MAX);
            let last = end == bytes.len();
            let blob = v1::Blob {
                hash: hash.clone(),
                offset: offset as u64,
                data: bytes.slice(offset..end),
                last,
                missing,
                ..v1::Blob::default()
            };
            let frame = Some(hub_bulk::Frame::Blob(blob));
            ends.to_bulk.send(v1::HubBulk { frame }).await.ok()?;
            if last {
                return Some(());
            }
            offset = end;
        }
    }

    async fn blob(&mut self, blob: v1::Blob, ends: &Ends) -> Goes {
        let arriving = self.arriving.get_or_insert_with(|| Arriving {
            hash: blob.hash.clone(),
            bytes: Vec::new(),
            lacks: false,
        });
        assert_eq!(
            (&arriving.hash, arriving.bytes.len() as u64),
            (&blob.hash, blob.offset),
            "one content after another"
        );
        {
            let mut inner = self.hub.inner();
            inner.received += blob.data.len() as u64;
            let begin = usize::try_from(blob.from_offset).unwrap();
            let end = begin + usize::try_from(blob.from_size).unwrap();
            let from = convert::hash(&blob.from);
            match from.map(|from| inner.contents.get(&from)) {
                Err(_) => arriving.bytes.extend_from_slice(&blob.data),
                Ok(Some(from)) => arriving.bytes.extend_from_slice(&from[begin..end]),
                Ok(None) => {
                    arriving.bytes.resize(arriving.bytes.len() + end - begin, 0);
                    arriving.lacks = true;
                }
            }
        }
        if blob.last {
            let Arriving { hash, bytes, lacks } = self.arriving.take()?;
            let known = convert::hash(&hash).unwrap();
            let held = !blob.missing && !lacks && ContentHash::of(&bytes) == known;
            if held {
                self.hub.inner().contents.insert(known, bytes.into());
            }
            let arrived = v1::Arrived { hash, held };
            self.say(hub_frame::Frame::Arrived(arrived), ends).await?;
        }
        self.goes_on()
    }
}
