//! Hears the hub. Its tree is known from three kinds of news: the listing, the journal's changes in order, and answers
//! to proposals, which may come before the changes that they are part of.
use std::collections::{BTreeMap, BTreeSet};

use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::convert;
use slipway_proto::digest::Digest;
use slipway_proto::v1;
use slipway_proto::v1::hub_frame;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_sync::node::Node;

use super::link::FlushAnswer;
use super::state::State;
use crate::wire;

impl State {
    pub(super) async fn hub_frame(&mut self, frame: v1::HubFrame) {
        match frame.frame {
            Some(hub_frame::Frame::Hello(hello)) => self.hub_hello(hello),
            Some(hub_frame::Frame::Changes(changes)) => self.changes(changes),
            Some(hub_frame::Frame::Result(result)) => self.proposed(result),
            Some(hub_frame::Frame::Need(need)) => {
                for begun in &need.begun {
                    let hashes = (convert::hash(&begun.hash), convert::hash(&begun.begin));
                    if let (Ok(content), Ok(begin)) = hashes {
                        self.parts.begun(content, begin, begun.size);
                    }
                }
                self.send_contents(&need.hashes);
            }
            Some(hub_frame::Frame::Arrived(arrived)) => self.arrived(&arrived),
            Some(hub_frame::Frame::Flush(flush)) => self.flush(FlushAnswer::Hub(flush.token)),
            Some(hub_frame::Frame::Digest(digest)) => self.compared(&digest),
            None => {}
        }
    }

    fn hub_hello(&mut self, hello: v1::HubHello) {
        self.parts.greeted(hello.ranges);
        self.hub_compares = hello.compares;
        if hello.full {
            self.ahead.clear();
            // Another epoch: the base no longer says what the hub once had, so it may delete nothing.
            if hello.epoch != self.epoch {
                for path in std::mem::take(&mut self.base).into_keys() {
                    self.keep.changed(&path);
                    self.compare_disk(&path);
                }
                self.committed = 0;
            }
            self.bursts.first = self.base.is_empty();
            self.listing = Some(BTreeMap::new());
        } else {
            self.in_step = true;
            self.compares = true;
            self.everything = true;
            self.look();
        }
        self.epoch = hello.epoch;
    }

    /// Asks what the hub's tree comes to, when it is time to and the journal alone can tell what it has.
    pub(super) async fn compare_with_hub(&mut self) {
        if self.hub_compares && self.compares && self.is_hub_known() {
            self.compares = false;
            let revision = self.revision;
            self.send(Frame::Compare(v1::Compare { revision })).await;
        }
    }

    fn is_hub_known(&self) -> bool {
        self.in_step && self.ahead.is_empty() && self.outstanding.is_none()
    }

    /// Holds the hub's tree against what was heard of it. News since then have their own time.
    fn compared(&mut self, theirs: &v1::Digest) {
        if theirs.revision != self.revision || !self.is_hub_known() {
            return;
        }
        let mut ours = Digest::default();
        for (path, node) in &self.remote {
            ours.add(path.as_str(), &wire::to_wire(node));
        }
        if ours.to_bytes() != theirs.sum {
            tracing::warn!(
                revision = theirs.revision,
                "The hub has another tree than it told of; everything is compared"
            );
            self.epoch.clear();
            self.disconnected();
        }
    }

    fn changes(&mut self, changes: v1::Changes) {
        if !self.in_step && self.listing.is_none() {
            // Before the hello they continue nothing.
            return;
        }
        let mut touched = BTreeSet::new();
        for change in changes.changes {
            let (revision, last) = (change.revision, change.last_of_revision);
            self.change(change, &mut touched);
            // Half a revision is none: only its last change makes it known.
            if self.listing.is_none() && last {
                self.revision = self.revision.max(revision);
            }
        }
        if let Some(listed) = changes.listed
            && let Some(listing) = self.listing.take()
        {
            touched.extend(
                self.remote
                    .keys()
                    .filter(|path| !listing.contains_key(*path))
                    .cloned(),
            );
            self.remote = listing;
            for path in &touched {
                self.compare(path);
            }
            self.revision = listed;
            self.in_step = true;
            self.everything = true;
            self.settle_all(touched);
            self.look();
        } else {
            self.settle_all(touched);
        }
        let known = self.revision;
        self.ahead.retain(|_, revision| *revision > known);
        self.contents.forget_inline();
    }

    /// Takes one change into the hub's tree.
    fn change(&mut self, change: v1::Change, touched: &mut BTreeSet<RelPath>) {
        let node = change.node.as_ref().map(wire::from_wire).transpose();
        let (Ok(path), Ok(node)) = (RelPath::parse(&change.path), node) else {
            return;
        };
        if let (Some(bytes), Some(hash)) = (change.inline, node.as_ref().and_then(Node::hash))
            && ContentHash::of(&bytes) == hash
        {
            self.contents.inline(hash, bytes);
        }
        if let Some(listing) = &mut self.listing
            && let Some(node) = &node
        {
            listing.insert(path.clone(), node.clone());
        }
        let is_news = self
            .ahead
            .get(&path)
            .is_none_or(|answered| *answered < change.revision);
        if is_news {
            touched.extend(self.hub_has(&path, node));
        }
        touched.insert(path);
    }

    /// The hub's tree has this at a path. Answers the folder above if it waits for what lay in it to go.
    fn hub_has(&mut self, path: &RelPath, node: Option<Node>) -> Option<RelPath> {
        let is_removal = node.is_none();
        let before = match node {
            Some(node) => self.remote.insert(path.clone(), node),
            None => self.remote.remove(path),
        };
        self.compare(path);
        let gone = is_removal && before.is_some();
        let parent = path.parent().filter(|_| gone)?;
        let waits = !self.local.get(&parent).is_some_and(Node::is_folder);
        waits.then_some(parent)
    }

    /// The answer to a batch told of a path, as of a revision; nothing new if that was heard already.
    pub(super) fn answered(
        &mut self,
        path: &RelPath,
        node: Option<Node>,
        revision: u64,
    ) -> Option<RelPath> {
        if revision <= self.revision {
            return None;
        }
        self.ahead.insert(path.clone(), revision);
        self.hub_has(path, node)
    }
}
