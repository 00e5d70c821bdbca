//! Batches on their way: what the hub has not answered yet, and what it may have taken though its answer got lost.
use std::collections::{BTreeSet, HashMap};

use slipway_core::path::RelPath;
use slipway_sync::node::Node;

use crate::base::{decode, encode};

/// Of what was not answered when the engine stopped.
pub(super) const RECORD: &str = "unanswered/";

/// A batch that the hub has not answered yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Outstanding {
    pub(super) number: u64,
    pub(super) operations: Vec<(RelPath, Option<Node>)>,
    /// What makes way for another kind, which a later batch brings.
    pub(super) halves: BTreeSet<RelPath>,
    /// A change of ours took these away meanwhile: that they are not there is nobody's deletion.
    pub(super) taken: BTreeSet<RelPath>,
}

impl Outstanding {
    /// What it puts where, as far as that still stands there.
    pub(super) fn brought(self) -> impl Iterator<Item = (RelPath, Node)> {
        let taken = self.taken;
        let brought = self.operations.into_iter();
        brought.filter_map(move |(path, node)| {
            Some((path, node?)).filter(|(path, _)| !taken.contains(path))
        })
    }

    /// Whether it puts this at a path.
    pub(super) fn brings(&self, path: &RelPath, node: Option<&Node>) -> bool {
        let mut operations = self.operations.iter();
        !self.taken.contains(path)
            && operations.any(|(other, brought)| other == path && brought.as_ref() == node)
    }
}

/// How far the hub is to be heard before it is told anything. After an end without a stop the base may lack what was done
/// last: what the hub deleted and made again since then would be taken for a deletion here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Catch {
    /// Everything was heard that matters.
    Up,
    /// Where the hub stands is to be asked, by an empty batch.
    Ask,
    /// It is being asked.
    Asked,
    /// Up to this revision.
    UpTo(u64),
}

/// What batches put where whose answers got lost with their connection.
#[derive(Debug, Default)]
pub(super) struct Unanswered {
    put: HashMap<RelPath, Node>,
    /// What is not heard of up to this revision did not come to the hub: a later batch was answered with it.
    end: Option<u64>,
}

impl Unanswered {
    /// What was not answered when the engine stopped.
    pub(super) fn read(stored: &[(String, Vec<u8>)]) -> Self {
        let one = |(key, bytes): &(String, Vec<u8>)| {
            let path = RelPath::parse(key.strip_prefix(RECORD)?).ok()?;
            Some((path, decode(bytes)?))
        };
        Self {
            put: stored.iter().filter_map(one).collect(),
            end: None,
        }
    }

    /// As it is stored when the engine stops, by paths.
    pub(super) fn records(&self) -> impl Iterator<Item = (&RelPath, String, Vec<u8>)> {
        let put = self.put.iter();
        put.map(|(path, node)| (path, format!("{RECORD}{path}"), encode(node)))
    }

    /// The answer to a batch got lost.
    pub(super) fn lost(&mut self, batch: Outstanding) {
        self.put.extend(batch.brought());
        self.end = None;
    }

    /// What it put at a path, of which something is heard now.
    pub(super) fn take(&mut self, path: &RelPath) -> Option<Node> {
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
