//! The hub of a simulated world: a tree, its journal and its contents, told and asked by the frames of the wire. It judges a
//! batch as the real one does, operation by operation, by what is expected at each path.
use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::digest::Digest;
use slipway_proto::v1::{hub_frame, outcome};
use slipway_proto::{convert, v1};
use slipway_sync::node::Node;

use super::tape::Tape;
use crate::wire;

pub(super) type Tree = BTreeMap<RelPath, Node>;

/// Everything that a backup of a hub holds.
#[derive(Clone, Default)]
pub(super) struct Hub {
    pub(super) epoch: u32,
    pub(super) head: u64,
    pub(super) tree: Tree,
    journal: Vec<(u64, RelPath, Option<Node>)>,
    /// When each revision was made.
    made: BTreeMap<u64, u64>,
    /// Goes on, also when all else is set back.
    pub(super) now: u64,
    pub(super) contents: BTreeMap<ContentHash, Bytes>,
}

/// How far one connection of a replica is.
#[derive(Clone, Default)]
pub(super) struct Cursor {
    greeted: bool,
    sent: u64,
    /// Contents that were asked for on it.
    awaited: BTreeSet<ContentHash>,
}

fn is_folder(node: Option<&Node>) -> bool {
    node.is_some_and(Node::is_folder)
}

impl Hub {
    fn set(&mut self, path: &RelPath, node: Option<Node>) {
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

    /// The bytes of what stands at a path, if it is a file.
    pub(super) fn bytes(&self, path: &RelPath) -> Option<&Bytes> {
        self.contents.get(&self.tree.get(path)?.hash()?)
    }

    /// Whether some file of the tree has these bytes.
    pub(super) fn shows(&self, bytes: &[u8]) -> bool {
        let hash = ContentHash::of(bytes);
        self.tree.values().any(|node| node.hash() == Some(hash))
    }

    /// Every content that ever stood somewhere.
    pub(super) fn history(&self) -> impl Iterator<Item = &Bytes> {
        let hashes = self
            .journal
            .iter()
            .filter_map(|(.., node)| node.as_ref()?.hash());
        hashes.filter_map(|hash| self.contents.get(&hash))
    }

    /// The tree as it was at a revision.
    pub(super) fn at(&self, revision: u64) -> Tree {
        let mut tree = Tree::new();
        for (_, path, node) in self.journal.iter().filter(|(made, ..)| *made <= revision) {
            match node {
                Some(node) => drop(tree.insert(path.clone(), node.clone())),
                None => drop(tree.remove(path)),
            }
        }
        tree
    }

    /// When a revision was made; 0: there is none.
    fn made_at(&self, revision: u64) -> u64 {
        self.made.get(&revision).copied().unwrap_or(0)
    }

    /// The revision in which a path became what it is.
    fn made(&self, path: &RelPath) -> u64 {
        let mut rows = self.journal.iter().rev();
        rows.find(|(_, at, _)| at == path)
            .map_or(0, |(made, ..)| *made)
    }

    /// Everything that ever stood at a path from a revision on.
    pub(super) fn since(&self, revision: u64, path: &RelPath) -> Vec<Option<Node>> {
        let first = self.at(revision).get(path).cloned();
        let later = self
            .journal
            .iter()
            .filter(|(made, at, _)| *made > revision && at == path);
        [first]
            .into_iter()
            .chain(later.map(|(.., node)| node.clone()))
            .collect()
    }

    /// Another name that insensitive volumes would take for this one.
    fn clash(&self, path: &RelPath) -> bool {
        let whole = path.ancestors().chain([path.clone()]);
        whole.into_iter().any(|path| {
            let key = path.fold_key();
            self.tree
                .keys()
                .any(|other| *other != path && other.fold_key() == key)
        })
    }

    /// Puts or deletes in the revision that is being made; tells why not.
    pub(super) fn change(&mut self, path: &RelPath, node: Option<Node>) -> Result<(), Code> {
        match &node {
            None => {
                for below in self.below(path).into_iter().rev() {
                    self.set(&below, None);
                }
            }
            Some(new) => {
                let above: Vec<_> = path.ancestors().collect();
                let stands =
                    |folder: &RelPath| self.tree.get(folder).is_some_and(|node| !node.is_folder());
                if above.iter().any(stands) {
                    return Err(Code::PathNotFolder);
                }
                let current = self.tree.get(path);
                if current.is_some() && is_folder(current) != new.is_folder() {
                    return Err(Code::PathExists);
                }
                if current.is_none() && self.clash(path) {
                    return Err(Code::PathCaseClash);
                }
                if matches!(new, Node::Symlink { target } if target.starts_with('/')) {
                    return Err(Code::LinkEscapes);
                }
                for folder in above.into_iter().rev() {
                    if !self.tree.contains_key(&folder) {
                        self.set(&folder, Some(Node::Folder));
                    }
                }
            }
        }
        if self.tree.get(path) != node.as_ref() {
            self.set(path, node);
        }
        Ok(())
    }

    /// Does something as one revision, which is none if nothing came of it.
    pub(super) fn revision<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        self.head += 1;
        let before = self.journal.len();
        let done = work(self);
        if self.journal.len() == before {
            self.head -= 1;
        } else {
            self.now += 1;
            self.made.insert(self.head, self.now);
        }
        done
    }

    pub(super) fn commit(&mut self, propose: &v1::Propose) -> v1::ProposeResult {
        let outcomes = self.revision(|hub| {
            let operations = propose.operations.iter();
            operations.map(|operation| hub.one(operation)).collect()
        });
        let (batch, revision) = (propose.batch, self.head);
        let made = self.made_at(revision);
        v1::ProposeResult {
            batch,
            revision,
            outcomes,
            made,
        }
    }

    fn one(&mut self, operation: &v1::Operation) -> v1::Outcome {
        let mut outcome = v1::Outcome::default();
        let reject = |code: Code| v1::Outcome {
            code: code.as_str().into(),
            result: outcome::Result::Rejected.into(),
            ..v1::Outcome::default()
        };
        let Ok(path) = RelPath::parse(&operation.path) else {
            return reject(Code::PathInvalid);
        };
        let [node, expect] = [&operation.node, &operation.expect]
            .map(|node| node.as_ref().and_then(|node| wire::from_wire(node).ok()));
        let current = self.tree.get(&path).cloned();
        let same = match (&expect, &current) {
            (Some(Node::File { hash: a, .. }), Some(Node::File { hash: b, .. })) => a == b,
            (expect, current) => expect == current,
        };
        let is_full = node.is_none() && !self.below(&path).is_empty();
        let lacks = |hash| !self.contents.contains_key(&hash);
        if node.as_ref().and_then(Node::hash).is_some_and(lacks) {
            outcome.set_result(outcome::Result::NeedsContent);
        } else if current == node {
            outcome.set_result(outcome::Result::Converged);
        } else if !same || is_full {
            outcome.current = current.as_ref().map(wire::to_wire);
            outcome.set_result(outcome::Result::Stale);
        } else {
            match self.change(&path, node) {
                Ok(()) => outcome.set_result(outcome::Result::Applied),
                Err(code) => return reject(code),
            }
        }
        outcome
    }

    /// Takes what comes along with a batch, or by chance as if it were too large for that; tells what it lacks then.
    pub(super) fn lacks(
        &mut self,
        propose: &v1::Propose,
        cursor: &mut Cursor,
        tape: &mut Tape,
    ) -> Vec<Bytes> {
        let mut lacking = Vec::new();
        for operation in &propose.operations {
            let Some(bytes) = &operation.inline else {
                continue;
            };
            let hash = ContentHash::of(bytes);
            if self.contents.contains_key(&hash) {
                continue;
            }
            if !tape.one_in(4) && !cursor.awaited.contains(&hash) {
                self.contents.insert(hash, bytes.clone());
            } else if cursor.awaited.insert(hash) {
                lacking.push(convert::hash_bytes(&hash));
            }
        }
        lacking
    }

    /// A content that was asked for is over.
    pub(super) fn takes(&mut self, blob: &v1::Blob, cursor: &mut Cursor) -> v1::Arrived {
        let hash = ContentHash::of(&blob.data);
        let held = !blob.missing && convert::hash_bytes(&hash) == blob.hash;
        if let Ok(asked) = convert::hash(&blob.hash) {
            cursor.awaited.remove(&asked);
        }
        if held {
            self.contents.insert(hash, blob.data.clone());
        }
        v1::Arrived {
            hash: blob.hash.clone(),
            held,
        }
    }

    /// The journal after what was sent, in frames cut anywhere.
    pub(super) fn news(&self, cursor: &mut Cursor, tape: &mut Tape) -> Vec<hub_frame::Frame> {
        if !cursor.greeted {
            return Vec::new();
        }
        let rows: Vec<_> = self
            .journal
            .iter()
            .filter(|(made, ..)| *made > cursor.sent)
            .collect();
        let next = rows.iter().skip(1).map(|row| Some(row.0)).chain([None]);
        let mut rest: Vec<_> = rows
            .iter()
            .zip(next)
            .map(|((revision, path, node), next)| v1::Change {
                last_of_revision: next != Some(*revision),
                made: self.made_at(*revision),
                ..self.told(*revision, path, node.as_ref(), tape)
            })
            .collect();
        cursor.sent = self.head;
        let mut frames = Vec::new();
        while !rest.is_empty() {
            let later = rest.split_off((4 - tape.below(4)).min(rest.len()));
            frames.push(changes(std::mem::replace(&mut rest, later)));
        }
        frames
    }

    fn told(
        &self,
        revision: u64,
        path: &RelPath,
        node: Option<&Node>,
        tape: &mut Tape,
    ) -> v1::Change {
        let bytes = node
            .and_then(Node::hash)
            .and_then(|hash| self.contents.get(&hash).cloned());
        v1::Change {
            revision,
            path: path.to_string(),
            node: node.map(wire::to_wire),
            inline: bytes.filter(|_| !tape.one_in(3)),
            last_of_revision: false,
            made: 0,
        }
    }

    /// What the tree comes to.
    pub(super) fn digest(&self) -> hub_frame::Frame {
        let mut digest = Digest::default();
        for (path, node) in &self.tree {
            digest.add(path.as_str(), &wire::to_wire(node));
        }
        let sum = digest.to_bytes();
        let revision = self.head;
        hub_frame::Frame::Digest(v1::Digest { revision, sum })
    }

    pub(super) fn greet(
        &mut self,
        hello: &v1::SpokeHello,
        cursor: &mut Cursor,
        tape: &mut Tape,
    ) -> Vec<hub_frame::Frame> {
        cursor.greeted = true;
        let is_other = |known: v1::Moment| self.made_at(known.revision) != known.made;
        let knows_more = hello.seen > self.head || hello.moment.is_some_and(is_other);
        if hello.epoch == format!("epoch {}", self.epoch) && knows_more {
            // It was set back: the replica knows of revisions that it does not, or knows others.
            self.epoch += 1;
        }
        let epoch = format!("epoch {}", self.epoch);
        let full = hello.epoch != epoch || hello.revision == 0;
        let link_id = String::new();
        let greeting = v1::HubHello {
            epoch,
            full,
            link_id,
            compares: true,
            ..v1::HubHello::default()
        };
        let mut frames = vec![hub_frame::Frame::Hello(greeting)];
        if !full {
            cursor.sent = hello.revision;
            frames.extend(self.news(cursor, tape));
            return frames;
        }
        let tree = self.tree.iter();
        let all: Vec<_> = tree
            .map(|(path, node)| self.told(self.made(path), path, Some(node), tape))
            .collect();
        cursor.sent = self.head;
        let (revision, made) = (self.head, self.made_at(self.head));
        let listing = |changes, listed| {
            let moment = Some(v1::Moment { revision, made });
            hub_frame::Frame::Changes(v1::Changes {
                changes,
                listed,
                moment,
            })
        };
        frames.extend(all.chunks(3).map(|some| listing(some.to_vec(), None)));
        frames.push(listing(Vec::new(), Some(revision)));
        frames
    }
}

fn changes(changes: Vec<v1::Change>) -> hub_frame::Frame {
    hub_frame::Frame::Changes(v1::Changes {
        changes,
        ..v1::Changes::default()
    })
}
