//! What the hub is to be told and in which batches: what waits, what is on its way, and what it may have taken though its
//! answer got lost.
use std::collections::{BTreeSet, HashMap};

use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_sync::node::Node;
use tokio::time::Instant;

use super::pace::Pace;
use crate::base::{decode, encode};

/// Of what was not answered when the engine stopped.
pub(super) const RECORD: &str = "unanswered/";

/// What a frame of a batch comes to, about.
const FRAME_BYTES: usize = 256 << 10;

/// A batch as it is sent: in small frames to a hub that gathers them, else in one.
pub(super) fn frames(
    batch: u64,
    operations: Vec<v1::Operation>,
    gathers: bool,
) -> impl Iterator<Item = v1::Propose> {
    let mut rest = Some(operations);
    std::iter::from_fn(move || {
        let mut operations = rest.take()?;
        let mut bytes = 0;
        let is_full = |operation: &v1::Operation| {
            let full = bytes >= FRAME_BYTES;
            bytes += weight(operation);
            full
        };
        if gathers && let Some(cut) = operations.iter().position(is_full) {
            rest = Some(operations.split_off(cut));
        }
        Some(v1::Propose {
            batch,
            operations,
            more: rest.is_some(),
        })
    })
}

/// What an operation takes on the wire, about.
fn weight(operation: &v1::Operation) -> usize {
    let content = operation.inline.as_ref().map_or(0, bytes::Bytes::len);
    let nodes = operation.expect.iter().chain(&operation.node);
    let targets: usize = nodes.map(|node| node.link_target.len()).sum();
    let from = operation.from.as_ref().map_or(0, String::len);
    content + operation.path.len() + targets + from
}

/// What the hub is to be told, and what it was told.
#[derive(Debug, Default)]
pub(super) struct Proposals {
    /// Paths that changed here.
    pub(super) waiting: BTreeSet<RelPath>,
    /// Those of them, and maybe some more, at which the hub has something that is to go.
    pub(super) leaving: BTreeSet<RelPath>,
    /// The same, at which the hub has a file that is to have another content.
    pub(super) replaced: BTreeSet<RelPath>,
    pub(super) pace: Pace,
    /// On its way; one at a time.
    pub(super) outstanding: Option<Outstanding>,
    pub(super) unanswered: Unanswered,
    /// The number of the last batch.
    pub(super) last: u64,
}

impl Proposals {
    /// Of an engine that follows on one that left this unanswered.
    pub(super) fn after(unanswered: &[(String, Vec<u8>)]) -> Self {
        Self {
            unanswered: Unanswered::read(unanswered),
            ..Self::default()
        }
    }

    /// When something that waits for its turn is to be proposed.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.outstanding.is_some() {
            return None;
        }
        let (paced, now) = (self.waiting.iter(), Instant::now());
        let times = paced.filter_map(|path| self.pace.earliest(path));
        // What is due already waits for something else.
        times.filter(|at| *at > now).min()
    }

    /// What is on its way.
    pub(super) fn on_their_way(&self) -> impl Iterator<Item = &(RelPath, Option<Node>)> {
        self.outstanding.iter().flat_map(|batch| &batch.operations)
    }

    /// Whether the hub may have been told of this or of what is below it, and did not answer yet.
    pub(super) fn may_have_told(&self, path: &RelPath) -> bool {
        let on_their_way = self.on_their_way().map(|(told, _)| told);
        on_their_way
            .chain(self.unanswered.put.keys())
            .any(|told| told == path || told.is_below(path))
    }

    /// A change of ours took this away meanwhile: that it is not there is nobody's deletion.
    pub(super) fn take_away<'a>(&mut self, paths: impl IntoIterator<Item = &'a RelPath>) {
        for path in paths {
            self.unanswered.take(path);
            if let Some(outstanding) = &mut self.outstanding {
                outstanding.taken.insert(path.clone());
            }
        }
    }

    /// Somebody else changed a path: if what is on its way is heard of there from now on, that is theirs as well.
    pub(super) fn changed_by_others(&mut self, path: &RelPath) {
        if let Some(outstanding) = &mut self.outstanding
            && outstanding.operations.iter().any(|(told, _)| told == path)
        {
            outstanding.taken.insert(path.clone());
        }
    }

    /// Whether the hub took what is on its way is not answered any more.
    pub(super) fn hung_up(&mut self) {
        if let Some(batch) = self.outstanding.take() {
            self.unanswered.lost(batch);
        }
    }
}

/// A batch that the hub has not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Outstanding {
    pub(super) number: u64,
    pub(super) operations: Vec<(RelPath, Option<Node>)>,
    /// What makes way for another kind, which a later batch brings.
    pub(super) halves: BTreeSet<RelPath>,
    /// A change of ours took these away meanwhile, so that it is nobody's deletion that they are not there, or others changed
    /// them.
    pub(super) taken: BTreeSet<RelPath>,
}

impl Outstanding {
    /// What it puts where, as far as that still stands there.
    pub(super) fn brought(self) -> impl Iterator<Item = (RelPath, Node)> {
        let told = self.told();
        told.filter_map(|(path, node)| Some((path, node?)))
    }

    /// The same, with what it deletes.
    fn told(self) -> impl Iterator<Item = (RelPath, Option<Node>)> {
        let taken = self.taken;
        let told = self.operations.into_iter();
        told.filter(move |(path, _)| !taken.contains(path))
    }

    /// Whether it puts this at a path, or deletes what is there.
    pub(super) fn brings(&self, path: &RelPath, node: Option<&Node>) -> bool {
        let mut operations = self.operations.iter();
        !self.taken.contains(path)
            && operations.any(|(other, brought)| other == path && brought.as_ref() == node)
    }
}

/// What batches put where, or deleted, whose answers got lost with their connection.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    put: HashMap<RelPath, Option<Node>>,
    /// What is not heard of up to this revision did not come to the hub: a later batch was answered with it.
    end: Option<u64>,
}

impl Unanswered {
    /// What was not answered when the engine stopped.
    pub(super) fn read(stored: &[(String, Vec<u8>)]) -> Self {
        let one = |(key, bytes): &(String, Vec<u8>)| {
            let path = RelPath::parse(key.strip_prefix(RECORD)?).ok()?;
            let node = match bytes.is_empty() {
                true => None,
                false => Some(decode(bytes)?),
            };
            Some((path, node))
        };
        Self {
            put: stored.iter().filter_map(one).collect(),
            end: None,
        }
    }

    /// As it is stored when the engine stops, by paths.
    pub(super) fn records(&self) -> impl Iterator<Item = (&RelPath, String, Vec<u8>)> {
        let put = self.put.iter();
        put.map(|(path, node)| {
            let bytes = node.as_ref().map(encode).unwrap_or_default();
            (path, format!("{RECORD}{path}"), bytes)
        })
    }

    /// The answer to a batch got lost.
    pub(super) fn lost(&mut self, batch: Outstanding) {
        self.put.extend(batch.told());
        self.end = None;
    }

    /// What it put at a path, of which something is heard now, or that it deleted it.
    pub(super) fn take(&mut self, path: &RelPath) -> Option<Option<Node>> {
        self.put.remove(path)
    }

    /// A later batch was answered with a revision.
    pub(super) fn end_with(&mut self, revision: u64) {
        self.end.get_or_insert(revision);
    }

    /// Everything up to a revision was heard.
    pub(super) fn heard(&mut self, revision: u64) {
        if self.end.is_some_and(|end| end <= revision) {
            self.put.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(many: usize) -> Vec<v1::Operation> {
        let operation = |number| v1::Operation {
            path: format!("f{number}"),
            inline: Some(vec![0; 100 << 10].into()),
            ..v1::Operation::default()
        };
        (0..many).map(operation).collect()
    }

    #[test]
    fn a_batch_goes_in_frames_to_a_hub_that_gathers_them() {
        let sent: Vec<_> = frames(7, operations(8), true).collect();
        let many: Vec<_> = sent
            .iter()
            .map(|frame| (frame.batch, frame.operations.len(), frame.more))
            .collect();
        assert_eq!(many, [(7, 3, true), (7, 3, true), (7, 2, false)]);
        let all: Vec<_> = sent
            .into_iter()
            .flat_map(|frame| frame.operations)
            .collect();
        assert_eq!(all, operations(8));
    }

    #[test]
    fn a_batch_goes_in_one_frame_to_any_other_hub() {
        let sent: Vec<_> = frames(7, operations(8), false).collect();
        assert_eq!((sent.len(), sent[0].more), (1, false));
    }

    #[test]
    fn an_empty_batch_is_a_frame() {
        assert_eq!(frames(7, Vec::new(), true).count(), 1);
    }
}
