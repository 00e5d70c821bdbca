//! Carries bytes. What comes is asked for a few contents at a time (`receive`); ours go out one after another, from a
//! thread that may wait. What needs one of ours is proposed again once that has arrived: nothing else waits for it.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::io::{self, Read as _};

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_sync::node::Node;

use super::beside::Outgoing;
use super::fresh::Fresh;
use super::incoming::Incoming;
use super::state::State;
use crate::disk::{Disk, DiskError};
use begun::Begun;

mod begun;
mod receive;

/// Contents on their way in both directions.
#[derive(Default)]
pub(super) struct Contents {
    /// Came along with the changes that are being taken.
    inline: HashMap<ContentHash, Bytes>,
    /// Private files of contents that came and that somebody wants.
    arrived: BTreeMap<ContentHash, String>,
    wanted: HashMap<ContentHash, BTreeSet<RelPath>>,
    wants: BTreeMap<RelPath, Vec<ContentHash>>,
    to_ask: VecDeque<ContentHash>,
    asked: BTreeMap<ContentHash, Incoming>,
    /// Broke off before.
    begun: Begun,
    /// Did not come out of what the disk has: all of them is to be sent.
    whole: HashSet<ContentHash>,
    /// The hub said that it does not have them.
    missing: HashSet<ContentHash>,
    /// Ours that the hub asked for and has not told the end of, with the paths that were proposed in vain without it.
    offered: BTreeMap<ContentHash, BTreeSet<RelPath>>,
    /// To what sends ours.
    outgoing: Option<Outgoing>,
    /// Ours that were read and go along with what is proposed.
    pub(super) fresh: Fresh,
}

impl Contents {
    pub(super) fn connect(&mut self, outgoing: Option<Outgoing>) {
        self.outgoing = outgoing;
    }

    pub(super) fn disconnect(&mut self, disk: &mut Disk) {
        let private = disk.private();
        for scratch in self.arrived.values() {
            private.discard(scratch);
        }
        let mut begun = std::mem::take(&mut self.begun);
        begun.keep(std::mem::take(&mut self.asked), private);
        *self = Self {
            begun,
            ..Self::default()
        };
    }

    /// Nothing goes on from here.
    pub(super) fn end(&mut self, disk: &mut Disk) {
        self.disconnect(disk);
        self.begun.retain(|_| false, disk.private());
    }

    pub(super) fn inline(&mut self, hash: ContentHash, bytes: Bytes) {
        self.inline.insert(hash, bytes);
    }

    pub(super) fn forget_inline(&mut self) {
        self.inline.clear();
    }

    /// A path needs a content.
    pub(super) fn want(&mut self, path: &RelPath, hash: ContentHash) {
        let wants = self.wants.entry(path.clone()).or_default();
        if !wants.contains(&hash) {
            wants.push(hash);
        }
        let paths = self.wanted.entry(hash).or_default();
        let is_new = paths.is_empty();
        paths.insert(path.clone());
        if is_new && !self.asked.contains_key(&hash) && !self.arrived.contains_key(&hash) {
            self.to_ask.push_back(hash);
        }
    }

    /// A path needs nothing any more.
    pub(super) fn unwant(&mut self, path: &RelPath) {
        for hash in self.wants.remove(path).unwrap_or_default() {
            if let Some(paths) = self.wanted.get_mut(&hash) {
                paths.remove(path);
                if paths.is_empty() {
                    self.wanted.remove(&hash);
                }
            }
        }
    }

    /// Whether a path needs a content that is not here yet.
    pub(super) fn is_wanted_by(&self, path: &RelPath) -> bool {
        self.wants.contains_key(path)
    }

    /// Paths that need a content.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &RelPath> {
        self.wants.keys()
    }

    /// A path was proposed in vain without a content of ours; false if that is not on its way.
    pub(super) fn waits_for_arrival(&mut self, path: &RelPath, hash: ContentHash) -> bool {
        let waiting = self.offered.get_mut(&hash);
        waiting.map(|paths| paths.insert(path.clone())).is_some()
    }

    /// Paths that were proposed in vain without a content that is on its way, maybe no longer theirs.
    pub(super) fn offering(&self) -> impl Iterator<Item = &RelPath> {
        self.offered.values().flatten()
    }

    /// How much of a content has come, while it does.
    pub(super) fn come(&self, hash: ContentHash) -> Option<u64> {
        self.asked.get(&hash).map(Incoming::bytes)
    }

    /// Of all that are on their way here.
    pub(super) fn bytes_come(&self) -> u64 {
        self.asked.values().map(Incoming::bytes).sum()
    }

    /// Whether the hub asked for a content of ours and has not told the end of it.
    pub(super) fn is_offered(&self, hash: ContentHash) -> bool {
        self.offered.contains_key(&hash)
    }

    /// Whether nothing is wanted.
    pub(super) fn is_complete(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether the hub said that it has no such content.
    pub(super) fn is_missing(&self, hash: ContentHash) -> bool {
        self.missing.contains(&hash)
    }

    /// Drops what arrived and nobody wants any more.
    pub(super) fn tidy(&mut self, disk: &mut Disk) {
        let wanted = &self.wanted;
        for (_, scratch) in self
            .arrived
            .extract_if(.., |hash, _| !wanted.contains_key(hash))
        {
            disk.private().discard(&scratch);
        }
    }
}

impl State {
    /// A private file with a content for a path, or `None` after noting that it is wanted.
    pub(super) fn content(
        &mut self,
        path: &RelPath,
        hash: ContentHash,
    ) -> Result<Option<String>, DiskError> {
        if let Some(bytes) = self.contents.inline.get(&hash) {
            return Ok(Some(self.disk.private().write(bytes)?));
        }
        self.forget_if_gone(hash);
        let others = self.contents.wanted.get(&hash);
        let shared = others.is_some_and(|paths| paths.iter().any(|other| other != path));
        if shared && let Some(scratch) = self.contents.arrived.get(&hash) {
            return Ok(Some(self.disk.private().copy(scratch)?));
        }
        if let Some(scratch) = self.contents.arrived.remove(&hash) {
            return Ok(Some(scratch));
        }
        if self.contents.missing.remove(&hash) {
            // Asked for again at the next try.
            return Err(io::Error::from(io::ErrorKind::NotFound).into());
        }
        self.contents.want(path, hash);
        Ok(None)
    }

    /// A content that came is asked for again if a program removed the private folder with it.
    fn forget_if_gone(&mut self, hash: ContentHash) {
        let private = self.disk.private();
        let is_gone = |scratch: &String| private.read(scratch).is_err();
        if self.contents.arrived.get(&hash).is_some_and(is_gone) {
            self.contents.arrived.remove(&hash);
            self.contents.to_ask.push_back(hash);
        }
    }

    /// A content that could not be placed stays for the next try.
    pub(super) fn put_back(&mut self, path: &RelPath, hash: ContentHash, scratch: String) {
        if let Some(other) = self.contents.arrived.insert(hash, scratch) {
            self.disk.private().discard(&other);
        }
        self.contents.want(path, hash);
    }

    /// The bytes of a content, or `None` after noting that it is wanted.
    pub(super) fn bytes(&mut self, path: &RelPath, hash: ContentHash) -> Option<Bytes> {
        if let Some(bytes) = self.contents.inline.get(&hash) {
            return Some(bytes.clone());
        }
        if let Some(text) = self.text(hash) {
            return Some(text);
        }
        self.forget_if_gone(hash);
        // It is asked for again if another content of this path comes later.
        self.contents.want(path, hash);
        let scratch = self.contents.arrived.get(&hash)?;
        let mut bytes = Vec::new();
        let mut file = self.disk.private().read(scratch).ok()?;
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes.into())
    }

    /// Sends contents that the hub asked for: of what is proposed to it now, and of nothing else.
    pub(super) fn send_contents(&mut self, hashes: &[Bytes]) {
        let on_its_way = self.proposals.on_their_way();
        let mut places: HashMap<ContentHash, &RelPath> = on_its_way
            .filter_map(|(path, node)| Some((node.as_ref().and_then(Node::hash)?, path)))
            .collect();
        let Some(outgoing) = &self.contents.outgoing else {
            return;
        };
        for wire_hash in hashes {
            let Ok(hash) = convert::hash(wire_hash) else {
                continue;
            };
            if let Some(place) = places.remove(&hash) {
                self.contents.offered.entry(hash).or_default();
                outgoing.send((wire_hash.clone(), place.clone()));
            }
        }
    }

    /// Whether a path waits, as it is now, for a content of ours to arrive at the hub.
    pub(super) fn is_arriving(&self, path: &RelPath) -> bool {
        let hash = self.trees.local.get(path).and_then(Node::hash);
        let waiting = hash.and_then(|hash| self.contents.offered.get(&hash));
        waiting.is_some_and(|paths| paths.contains(path))
    }

    /// A content of ours is over: what needs it is proposed again, or looked at again if it was not what it should be.
    pub(super) fn arrived(&mut self, arrived: &v1::Arrived) {
        let Ok(hash) = convert::hash(&arrived.hash) else {
            return;
        };
        let paths = self.contents.offered.remove(&hash).unwrap_or_default();
        self.remember_parts(hash, arrived.held);
        for path in &paths {
            match arrived.held {
                true => self.proposals.pace.goes_on(path),
                false => self.in_vain(path),
            }
        }
        self.settle_all(paths);
    }
}
