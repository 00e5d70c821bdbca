//! Tells the hub what changed here: one batch at a time, in a safe order, contents along where they are small.
use std::io::Read as _;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::limits::{BULK_FRAME_BYTES_MAX, INLINE_CONTENT_BYTES_MAX};
use slipway_core::path::RelPath;
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_proto::v1::outcome::Result as Outcome;
use slipway_proto::v1::spoke_bulk;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_sync::node::Node;
use slipway_sync::order::{Step, order};

use super::{Outstanding, State};
use crate::wire;

/// Operations of one batch.
const BATCH_OPERATIONS: usize = 1_000;
/// Contents of one batch.
const BATCH_BYTES: u64 = 1 << 20;

struct Change {
    path: RelPath,
    node: Option<Node>,
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
    /// Sends the next batch if none is on its way.
    pub(super) async fn propose(&mut self) {
        if self.outstanding.is_some() || self.to_propose.is_empty() || self.link.is_none() {
            return;
        }
        let mut changes: Vec<_> = std::mem::take(&mut self.to_propose)
            .into_iter()
            .map(|path| Change {
                node: self.local.get(&path).cloned(),
                path,
            })
            .collect();
        order(&mut changes);
        let (mut operations, mut sent, mut bytes) = (Vec::new(), Vec::new(), 0);
        let mut changes = changes.into_iter();
        for change in changes.by_ref() {
            let Ok(inline) = self.inline(&change) else {
                // It changed since it was looked at: it is looked at again first.
                self.dirty.insert(change.path);
                self.look_at
                    .get_or_insert_with(|| tokio::time::Instant::now() + super::QUIET);
                continue;
            };
            bytes += inline.as_ref().map_or(0, |inline| inline.len() as u64);
            operations.push(v1::Operation {
                path: change.path.to_string(),
                expect: self
                    .base
                    .get(&change.path)
                    .filter(|_| self.remote.contains_key(&change.path))
                    .map(wire::to_wire),
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
        self.outstanding = Some(Outstanding {
            number: self.batch,
            operations: sent,
        });
        self.send(Frame::Propose(v1::Propose {
            batch: self.batch,
            operations,
            atomic: false,
        }))
        .await;
    }

    /// The content of a small file; an error when it is not what was seen.
    fn inline(&self, change: &Change) -> std::io::Result<Option<Bytes>> {
        let Some(Node::File { hash, size, .. }) = &change.node else {
            return Ok(None);
        };
        if *size > INLINE_CONTENT_BYTES_MAX {
            return Ok(None);
        }
        let mut content = Vec::new();
        self.disk
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
    pub(super) async fn proposed(&mut self, result: v1::ProposeResult) {
        let Some(outstanding) = self
            .outstanding
            .take_if(|batch| batch.number == result.batch)
        else {
            return;
        };
        let mut refused = Vec::new();
        for ((path, node), outcome) in outstanding.operations.into_iter().zip(result.outcomes) {
            match outcome.result() {
                Outcome::Applied | Outcome::Converged => {
                    match &node {
                        Some(node) => drop(self.remote.insert(path.clone(), node.clone())),
                        None => drop(self.remote.remove(&path)),
                    }
                    self.agree(&path, node);
                    self.settle(&path);
                }
                Outcome::Stale => {
                    match outcome.current.as_ref().map(wire::from_wire) {
                        Some(Ok(current)) => drop(self.remote.insert(path.clone(), current)),
                        Some(Err(_)) => {}
                        None => drop(self.remote.remove(&path)),
                    }
                    self.settle(&path);
                }
                // The hub asks for it by a frame of its own; the path is proposed again when it has it.
                Outcome::NeedsContent => drop(self.to_propose.insert(path)),
                Outcome::Rejected | Outcome::Unspecified => {
                    self.refused.insert(path.clone(), node);
                    refused.push(v1::Blocked {
                        path: path.to_string(),
                        code: outcome.code,
                    });
                }
            }
        }
        self.revision = self.revision.max(result.revision);
        for blocked in refused {
            self.send(Frame::Blocked(blocked)).await;
        }
    }

    /// Sends contents that the hub asked for, from a thread that may wait for it.
    pub(super) fn send_contents(&mut self, hashes: &[Bytes]) {
        let Some(link) = self.link.clone() else {
            return;
        };
        for wire_hash in hashes {
            let Ok(hash) = convert::hash(wire_hash) else {
                continue;
            };
            let file = self
                .local
                .iter()
                .find(|(_, node)| node.hash() == Some(hash))
                .and_then(|(path, _)| self.disk.read(path).ok());
            let (bulk, wire_hash) = (link.bulk.clone(), wire_hash.clone());
            tokio::task::spawn_blocking(move || send_content(&bulk, &wire_hash, file));
        }
    }
}

fn send_content(
    bulk: &tokio::sync::mpsc::Sender<v1::SpokeBulk>,
    hash: &Bytes,
    file: Option<std::fs::File>,
) {
    let piece = |offset, data: Vec<u8>, last, missing| v1::SpokeBulk {
        frame: Some(spoke_bulk::Frame::Blob(v1::Blob {
            hash: hash.clone(),
            offset,
            data: data.into(),
            last,
            missing,
        })),
    };
    let Some(mut file) = file else {
        // The connection may be gone, which the hub sees by itself.
        bulk.blocking_send(piece(0, Vec::new(), true, true)).ok();
        return;
    };
    let mut offset = 0;
    loop {
        let mut data = Vec::with_capacity(BULK_FRAME_BYTES_MAX);
        let read = (&mut file)
            .take(BULK_FRAME_BYTES_MAX as u64)
            .read_to_end(&mut data);
        let last = read.as_ref().is_ok_and(|many| *many < BULK_FRAME_BYTES_MAX);
        let missing = read.is_err();
        let many = data.len() as u64;
        if bulk
            .blocking_send(piece(offset, data, last || missing, missing))
            .is_err()
            || last
            || missing
        {
            return;
        }
        offset += many;
    }
}
