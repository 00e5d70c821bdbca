//! The hub of a simulated world: a tree, a journal and contents, as the real one behaves; and chance.
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::v1::{hub_frame, outcome};
use slipway_proto::{convert, v1};
use slipway_sync::node::Node;

use super::PATHS;
use crate::wire;

/// Chance from a seed (splitmix).
pub(super) struct Chance(pub(super) u64);

impl Chance {
    pub(super) fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
    }
    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.next(many) == 0
    }
    pub(super) fn path(&mut self) -> RelPath {
        RelPath::parse(PATHS[self.next(PATHS.len())]).unwrap()
    }
}

/// The hub as it should be: a tree, a journal, contents.
#[derive(Default)]
pub(super) struct Hub {
    pub(super) tree: BTreeMap<RelPath, Node>,
    journal: Vec<(u64, RelPath, Option<Node>)>,
    pub(super) head: u64,
    pub(super) contents: BTreeMap<Vec<u8>, Bytes>,
    sent: u64,
    /// This connection was greeted: before that nothing is told of.
    pub(super) greeted: bool,
    /// Contents that the spoke was asked for.
    pub(super) awaited: BTreeSet<Vec<u8>>,
}

impl Hub {
    pub(super) fn set(&mut self, path: &RelPath, node: Option<Node>) {
        match &node {
            Some(node) => drop(self.tree.insert(path.clone(), node.clone())),
            None => drop(self.tree.remove(path)),
        }
        self.journal.push((self.head, path.clone(), node));
    }

    pub(super) fn below(&self, folder: &RelPath) -> Vec<RelPath> {
        let below = self.tree.keys().filter(|path| path.is_below(folder));
        below.cloned().collect()
    }

    /// Puts or deletes in the revision that is being made; false if that makes no sense.
    pub(super) fn change(&mut self, path: &RelPath, node: Option<Node>) -> bool {
        let is_folder = |node: Option<&Node>| node.is_some_and(Node::is_folder);
        let current = self.tree.get(path);
        match &node {
            None => {
                for below in self.below(path).into_iter().rev() {
                    self.set(&below, None);
                }
            }
            Some(new) => {
                let above: Vec<_> = path.ancestors().collect();
                if current.is_some() && is_folder(current) != new.is_folder()
                    || above
                        .iter()
                        .any(|folder| self.tree.get(folder).is_some_and(|node| !node.is_folder()))
                {
                    return false;
                }
                for folder in above.into_iter().rev() {
                    if !self.tree.contains_key(&folder) {
                        self.set(&folder, Some(Node::Folder));
                    }
                }
            }
        }
        self.set(path, node);
        true
    }

    /// What a person does.
    pub(super) fn edit(&mut self, changes: Vec<(RelPath, Option<Node>)>) {
        self.head += 1;
        let before = self.journal.len();
        for (path, node) in changes {
            if self.tree.get(&path) != node.as_ref() {
                self.change(&path, node);
            }
        }
        if self.journal.len() == before {
            self.head -= 1;
        }
    }

    pub(super) fn commit(&mut self, propose: &v1::Propose) -> v1::ProposeResult {
        self.head += 1;
        let before = self.journal.len();
        let outcomes = propose
            .operations
            .iter()
            .map(|operation| self.one(operation))
            .collect();
        if self.journal.len() == before {
            self.head -= 1;
        }
        let (batch, revision) = (propose.batch, self.head);
        v1::ProposeResult {
            batch,
            revision,
            outcomes,
        }
    }

    /// Takes what comes along with a batch, or by chance as if it were too large for that; what it lacks then.
    pub(super) fn lacks(&mut self, propose: &v1::Propose, chance: &mut Chance) -> Vec<Bytes> {
        let mut lacking = Vec::new();
        for operation in &propose.operations {
            let (Some(bytes), Some(node)) = (&operation.inline, &operation.node) else {
                continue;
            };
            assert_eq!(convert::hash_bytes(&ContentHash::of(bytes)), node.hash);
            if self.contents.contains_key(node.hash.as_ref()) {
                continue;
            }
            if !chance.one_in(4) && !self.awaited.contains(node.hash.as_ref()) {
                self.contents.insert(node.hash.to_vec(), bytes.clone());
            } else if self.awaited.insert(node.hash.to_vec()) {
                lacking.push(node.hash.clone());
            }
        }
        lacking
    }

    /// A content that was asked for is over.
    pub(super) fn takes(&mut self, blob: &v1::Blob) -> v1::Arrived {
        assert!(self.awaited.remove(blob.hash.as_ref()), "it was asked for");
        let is_whole = convert::hash_bytes(&ContentHash::of(&blob.data)) == blob.hash;
        let held = !blob.missing && is_whole;
        if held {
            self.contents.insert(blob.hash.to_vec(), blob.data.clone());
        }
        let hash = blob.hash.clone();
        v1::Arrived { hash, held }
    }

    pub(super) fn one(&mut self, operation: &v1::Operation) -> v1::Outcome {
        let path = RelPath::parse(&operation.path).unwrap();
        let node = operation
            .node
            .as_ref()
            .map(|node| wire::from_wire(node).unwrap());
        let expect = operation
            .expect
            .as_ref()
            .map(|node| wire::from_wire(node).unwrap());
        let current = self.tree.get(&path).cloned();
        let mut outcome = v1::Outcome::default();
        let same = match (&expect, &current) {
            (Some(Node::File { hash: a, .. }), Some(Node::File { hash: b, .. })) => a == b,
            (expect, current) => expect == current,
        };
        let is_full = node.is_none() && !self.below(&path).is_empty();
        let hash = node.as_ref().and_then(Node::hash);
        let lacks = |hash| {
            !self
                .contents
                .contains_key(&convert::hash_bytes(&hash).to_vec())
        };
        if hash.is_some_and(lacks) {
            outcome.set_result(outcome::Result::NeedsContent);
        } else if current == node {
            outcome.set_result(outcome::Result::Converged);
        } else if !same || is_full {
            outcome.current = current.as_ref().map(wire::to_wire);
            outcome.set_result(outcome::Result::Stale);
        } else if self.change(&path, node) {
            outcome.set_result(outcome::Result::Applied);
        } else {
            let mut above = path.ancestors().filter_map(|folder| self.tree.get(&folder));
            let is_below_a_file = above.any(|node| !node.is_folder());
            let code = if is_below_a_file {
                Code::PathNotFolder
            } else {
                Code::PathExists
            };
            outcome.code = code.as_str().into();
            outcome.set_result(outcome::Result::Rejected);
        }
        outcome
    }

    /// The journal after what was sent, in frames cut anywhere.
    pub(super) fn frames(&mut self, chance: &mut Chance) -> Vec<hub_frame::Frame> {
        if !self.greeted {
            return Vec::new();
        }
        let rows: Vec<_> = self
            .journal
            .iter()
            .filter(|(revision, ..)| *revision > self.sent)
            .collect();
        let next = rows.iter().skip(1).map(|row| Some(row.0)).chain([None]);
        let all: Vec<_> = rows
            .iter()
            .zip(next)
            .map(|((revision, path, node), next)| v1::Change {
                last_of_revision: next != Some(*revision),
                ..self.told(*revision, path, node.as_ref(), chance)
            })
            .collect();
        self.sent = self.head;
        let mut frames = Vec::new();
        let mut rest = all;
        while !rest.is_empty() {
            let later = rest.split_off((1 + chance.next(4)).min(rest.len()));
            frames.push(hub_frame::Frame::Changes(v1::Changes {
                changes: std::mem::replace(&mut rest, later),
                listed: None,
            }));
        }
        frames
    }

    pub(super) fn told(
        &self,
        revision: u64,
        path: &RelPath,
        node: Option<&Node>,
        chance: &mut Chance,
    ) -> v1::Change {
        let hash = node
            .and_then(Node::hash)
            .map(|hash| convert::hash_bytes(&hash).to_vec());
        let inline = hash.and_then(|hash| self.contents.get(&hash).cloned());
        v1::Change {
            revision,
            path: path.to_string(),
            node: node.map(wire::to_wire),
            inline: inline.filter(|_| !chance.one_in(3)),
            last_of_revision: false,
        }
    }

    pub(super) fn greet(
        &mut self,
        hello: &v1::SpokeHello,
        chance: &mut Chance,
    ) -> Vec<hub_frame::Frame> {
        self.greeted = true;
        let full = hello.epoch != "e" || hello.revision == 0 || hello.revision > self.head;
        let greeting = v1::HubHello {
            epoch: "e".into(),
            full,
            ..v1::HubHello::default()
        };
        let mut frames = vec![hub_frame::Frame::Hello(greeting)];
        if full {
            let all: Vec<_> = self
                .tree
                .iter()
                .map(|(path, node)| self.told(self.head, path, Some(node), chance))
                .collect();
            self.sent = self.head;
            for changes in all.chunks(3) {
                frames.push(hub_frame::Frame::Changes(v1::Changes {
                    changes: changes.to_vec(),
                    listed: None,
                }));
            }
            frames.push(hub_frame::Frame::Changes(v1::Changes {
                changes: Vec::new(),
                listed: Some(self.head),
            }));
        } else {
            self.sent = hello.revision;
            frames.extend(self.frames(chance));
        }
        frames
    }
}
