//! Tells the hub what changed here: one batch at a time, in a safe order, contents along where they are small.
use std::collections::BTreeSet;
use std::io::Read as _;

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::limits::{FILE_BYTES_MAX, INLINE_CONTENT_BYTES_MAX};
use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::outcome::Result as Outcome;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_sync::node::Node;
use slipway_sync::order::{Step, order};
use tokio::time::Instant;

use super::state::{Outstanding, State};
use crate::wire;

/// Operations of one batch.
const BATCH_OPERATIONS: usize = 1_000;
/// Contents, names and targets of one batch: the hub takes frames of 8 MiB.
const BATCH_BYTES: u64 = 1 << 20;

/// One operation of a batch. A path that changes its kind is two: what was goes, what is comes.
struct Change {
    path: RelPath,
    node: Option<Node>,
    expect: Option<Node>,
}

impl Change {
    /// What it takes on the wire without its content, about.
    fn bytes(&self) -> u64 {
        let target = |node: &Option<Node>| match node {
            Some(Node::Symlink { target }) => target.len(),
            _ => 0,
        };
        (self.path.as_str().len() + target(&self.node) + target(&self.expect)) as u64
    }
}

impl Step for Change {
    fn path(&self) -> &RelPath {
        &self.path
    }
    fn deletes(&self) -> bool {
        self.node.is_none()
    }
}

impl State {
    /// The disk changed at a path, so that the hub is to be told.
    pub(super) fn offer(&mut self, path: &RelPath) {
        let local = self.local.get(path).cloned();
        if self.troubles.is_refused(path, local.as_ref()) || self.is_arriving(path) {
            return;
        }
        let code = match &local {
            Some(Node::File { size, .. }) if *size > FILE_BYTES_MAX => Some(Code::FileTooLarge),
            Some(Node::File { hash, .. })
                if self
                    .prints
                    .get(path)
                    .is_some_and(|known| known.print.stand_in() == *hash) =>
            {
                Some(Code::FileUnreadable)
            }
            _ => None,
        };
        match code {
            Some(code) => self.not_taken(path, local, code),
            None => drop(self.to_propose.insert(path.clone())),
        }
    }

    /// When something that waits for its turn is to be proposed.
    pub(super) fn next_proposal(&self) -> Option<Instant> {
        if self.outstanding.is_some() || !self.in_step {
            return None;
        }
        let paced = self.to_propose.iter();
        paced.filter_map(|path| self.pace.earliest(path)).min()
    }

    /// Sends the next batch if none is on its way.
    pub(super) async fn propose(&mut self) {
        if self.outstanding.is_some() || self.to_propose.is_empty() || self.link.is_none() {
            return;
        }
        let changes = self.changes_to_propose();
        let now = Instant::now();
        let (mut operations, mut sent, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut changes = changes.into_iter();
        for change in changes.by_ref() {
            let Ok(inline) = self.content_inline(&change) else {
                // It changed since it was looked at: it is looked at again first.
                self.dirty.insert(change.path);
                self.look_soon();
                continue;
            };
            bytes += change.bytes() + inline.as_ref().map_or(0, |inline| inline.len() as u64);
            self.pace.proposed(&change.path, now);
            operations.push(v1::Operation {
                path: change.path.to_string(),
                expect: change.expect.as_ref().map(wire::to_wire),
                node: change.node.as_ref().map(wire::to_wire),
                inline,
            });
            sent.push((change.path, change.node));
            if operations.len() >= BATCH_OPERATIONS || bytes >= BATCH_BYTES {
                break;
            }
        }
        self.to_propose.extend(changes.map(|change| change.path));
        if operations.is_empty() {
            return;
        }
        self.batch += 1;
        let is_half = |(path, node): &&(RelPath, Option<Node>)| {
            let made = || {
                sent.iter()
                    .any(|(made, node)| made == path && node.is_some())
            };
            node.is_none() && self.local.contains_key(path) && !made()
        };
        let halves = sent.iter().filter(is_half);
        self.outstanding = Some(Outstanding {
            number: self.batch,
            halves: halves.map(|(path, _)| path.clone()).collect(),
            operations: sent,
        });
        let propose = v1::Propose {
            batch: self.batch,
            operations,
        };
        self.send(Frame::Propose(propose)).await;
    }

    /// What may be proposed now, in a safe order. The rest waits for its time, or is settled again when it can.
    fn changes_to_propose(&mut self) -> Vec<Change> {
        let now = Instant::now();
        let flushing = !self.flushes.is_empty();
        let (ready, later) = std::mem::take(&mut self.to_propose)
            .into_iter()
            .partition(|path| flushing || self.pace.earliest(path).is_none_or(|at| at <= now));
        self.to_propose = later;
        let mut ready: BTreeSet<RelPath> = ready;
        self.mind_the_brake(&mut ready);
        let goes = |path: &RelPath| {
            let (local, remote) = (self.local.get(path), self.remote.get(path));
            let is_folder = |node: Option<&Node>| node.is_some_and(Node::is_folder);
            remote.is_some() && (local.is_none() || is_folder(local) != is_folder(remote))
        };
        let going: BTreeSet<_> = ready.iter().filter(|path| goes(path)).cloned().collect();
        let mut changes = Vec::new();
        for path in ready {
            let node = self.local.get(&path).cloned();
            let hub_has = self.remote.get(&path);
            if going.contains(&path) {
                let is_folder = hub_has.is_some_and(Node::is_folder);
                if is_folder && !self.hub_has_below_only(&path, &going) {
                    // It is settled again when what lies in it is gone.
                    continue;
                }
                changes.push(Change {
                    expect: self.base.get(&path).cloned(),
                    node: None,
                    path: path.clone(),
                });
                if node.is_some() {
                    changes.push(Change {
                        expect: None,
                        node,
                        path,
                    });
                }
            } else {
                let expect = self.base.get(&path).filter(|_| hub_has.is_some()).cloned();
                changes.push(Change { expect, node, path });
            }
        }
        order(&mut changes);
        changes
    }

    /// The content of a small file; an error when it is not what was seen.
    fn content_inline(&self, change: &Change) -> std::io::Result<Option<Bytes>> {
        let Some(Node::File { hash, size, .. }) = &change.node else {
            return Ok(None);
        };
        if *size > INLINE_CONTENT_BYTES_MAX {
            return Ok(None);
        }
        let mut content = Vec::new();
        self.disk
            .root()
            .read(&change.path)?
            .take(INLINE_CONTENT_BYTES_MAX + 1)
            .read_to_end(&mut content)?;
        if ContentHash::of(&content) == *hash {
            Ok(Some(content.into()))
        } else {
            Err(std::io::ErrorKind::InvalidData.into())
        }
    }

    /// The hub's answer to a batch.
    pub(super) fn proposed(&mut self, result: v1::ProposeResult) {
        let Some(mut outstanding) = self
            .outstanding
            .take_if(|batch| batch.number == result.batch)
        else {
            return;
        };
        // What stood before may have made way already.
        let answers = outstanding.operations.iter().zip(&result.outcomes);
        let lacking = answers.filter(|(_, outcome)| outcome.result() == Outcome::NeedsContent);
        let later = lacking.map(|((path, _), _)| path.clone());
        outstanding.halves.extend(later);
        let now = Instant::now();
        let mut touched = BTreeSet::new();
        for ((path, node), outcome) in outstanding.operations.into_iter().zip(result.outcomes) {
            match outcome.result() {
                Outcome::Applied | Outcome::Converged => {
                    touched.extend(self.answered(&path, node.clone(), result.revision));
                    let stands = node.is_some();
                    self.agree(&path, node);
                    if stands {
                        self.stands_in_folders(&path, result.revision, &mut touched);
                    }
                    if stands || !outstanding.halves.contains(&path) {
                        self.committed_at(&path, result.batch);
                    }
                }
                Outcome::Stale => {
                    if let Ok(current) = outcome.current.as_ref().map(wire::from_wire).transpose() {
                        touched.extend(self.answered(&path, current, result.revision));
                    }
                    self.pace.in_vain(&path, now);
                }
                Outcome::NeedsContent => {
                    let hash = node.as_ref().and_then(Node::hash);
                    let waits =
                        hash.is_some_and(|hash| self.contents.waits_for_arrival(&path, hash));
                    if !waits {
                        self.in_vain(&path);
                    }
                }
                Outcome::Rejected | Outcome::Unspecified => {
                    let code = Code::parse(&outcome.code).unwrap_or(Code::Internal);
                    self.not_taken(&path, node, code);
                    if !self.troubles.is_in_the_way(&path) {
                        self.committed_at(&path, result.batch);
                    }
                }
            }
            touched.insert(path);
        }
        self.committed = self.committed.max(result.revision);
        self.settle_all(touched);
    }

    /// The content of a path changed while it was sent, or could not be read: it is looked at again first.
    pub(super) fn in_vain(&mut self, path: &RelPath) {
        self.pace.in_vain(path, Instant::now());
        self.dirty.insert(path.clone());
        self.look_soon();
    }

    /// What a batch put at a path stands in folders, here as at the hub, which made those that it lacked: also one that
    /// the batch deleted before.
    fn stands_in_folders(
        &mut self,
        path: &RelPath,
        revision: u64,
        touched: &mut BTreeSet<RelPath>,
    ) {
        let is_folder = |node: Option<&Node>| node.is_some_and(Node::is_folder);
        for folder in path.ancestors() {
            if !is_folder(self.base.get(&folder)) || !is_folder(self.remote.get(&folder)) {
                self.answered(&folder, Some(Node::Folder), revision);
                self.agree(&folder, Some(Node::Folder));
                touched.insert(folder);
            }
        }
    }
}
