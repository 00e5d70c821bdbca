//! Hears the hub. Its tree is known from three kinds of news: the listing, the journal's changes in order, and answers
//! to proposals, which may come before the changes that they are part of.
use std::collections::{BTreeMap, BTreeSet};

use slipway_core::hash::ContentHash;
use slipway_core::limits::WORKSPACE_ENTRIES_MAX;
use slipway_core::path::RelPath;
use slipway_proto::convert;
use slipway_proto::digest::Digest;
use slipway_proto::v1;
use slipway_proto::v1::hub_frame;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_sync::node::Node;

use super::heard::Catch;
use super::reports::FlushAnswer;
use super::state::State;
use super::tree::Apart;
use crate::notice::Notice;
use crate::planted::{self, Bug};
use crate::wire;

/// Entries of the hub's tree that are remembered. While a revision or a listing is half told, what it brings stands beside
/// what it takes: each of the two may be a whole tree.
const ENTRIES_MAX: usize = 2 * WORKSPACE_ENTRIES_MAX as usize;

impl State {
    pub(super) async fn hub_frame(&mut self, frame: v1::HubFrame) {
        match frame.frame {
            Some(hub_frame::Frame::Hello(hello)) => self.hub_hello(hello),
            Some(hub_frame::Frame::Changes(changes)) => self.changes(changes),
            Some(hub_frame::Frame::Result(result)) => self.proposed(&result),
            Some(hub_frame::Frame::Need(need)) => {
                for begun in &need.begun {
                    let hashes = (convert::hash(&begun.hash), convert::hash(&begun.begin));
                    if let (Ok(content), Ok(begin)) = hashes {
                        self.parts.begun(content, begin, begun.size);
                    }
                }
                self.send_contents(&need.hashes);
            }
            Some(hub_frame::Frame::Flush(flush)) => self.flush(FlushAnswer::Hub(flush.token)),
            Some(hub_frame::Frame::Arrived(arrived)) => self.arrived(&arrived),
            Some(hub_frame::Frame::Digest(digest)) => self.compared(&digest),
            None => {}
        }
    }

    fn hub_hello(&mut self, hello: v1::HubHello) {
        self.parts.greeted(hello.ranges);
        self.hub.tells_digest = hello.compares;
        self.hub.gathers = hello.gathers;
        if hello.full {
            self.hub.ahead.clear();
            if hello.epoch != self.hub.epoch {
                self.distrust_base();
                // Nor is anything known of its tree before it was listed, to the end.
                self.hub.revision = 0;
                self.trees.forget_hub();
            }
            self.bursts.first = self.trees.base.is_empty();
            self.hub.listing = Some(BTreeMap::new());
        } else {
            self.hub.in_step = true;
            self.hub.to_compare = true;
            self.sight.everything = true;
            self.look();
        }
        self.hub.epoch = hello.epoch;
    }

    /// This is not the hub that the base was agreed on with, or that one as it was before: what it lacks was not deleted.
    fn distrust_base(&mut self) {
        if !planted::is(Bug::OldBase) {
            for path in std::mem::take(&mut self.trees.base).into_keys() {
                self.keep.changed(&path);
                self.trees.compare(&path);
                self.trees.compare_disk(&path);
            }
        }
        self.hub.becomes_another();
    }

    /// Asks what the hub's tree comes to, when it is time to.
    pub(super) async fn compare_with_hub(&mut self) {
        if self.hub.tells_digest && self.hub.to_compare && self.hub.in_step {
            self.hub.to_compare = false;
            self.send(Frame::Compare(v1::Compare {})).await;
        }
    }

    /// Holds the hub's tree against what was heard of it.
    fn compared(&mut self, theirs: &v1::Digest) {
        if !self.hub.in_step || theirs.revision != self.hub.revision || !self.hub.ahead.is_empty() {
            // Of another time.
            return;
        }
        let mut ours = Digest::default();
        for (path, node) in &self.trees.remote {
            ours.add(path.as_str(), &wire::to_wire(node));
        }
        if ours.to_bytes() != theirs.sum {
            tracing::warn!(
                revision = theirs.revision,
                "The hub has another tree than it told of; everything is compared"
            );
            self.begin_anew();
        }
    }

    /// Ends the connection. With the next one everything is listed and compared.
    fn begin_anew(&mut self) {
        self.hub.epoch.clear();
        self.disconnected();
    }

    /// The hub told of more than any workspace has: no more is heard of it on this connection.
    fn too_much(&mut self) {
        self.begin_anew();
        self.trees.remote = self.trees.base.clone();
        self.trees.apart = Apart::default();
        self.notice(Notice::TooMuch);
    }

    fn changes(&mut self, changes: v1::Changes) {
        if !self.hub.in_step && self.hub.listing.is_none() {
            // Before the hello they continue nothing.
            return;
        }
        let mut touched = BTreeSet::new();
        let heard = self.hub.revision;
        let moment = changes.moment.unwrap_or_default();
        self.hub.was_made(moment.revision, moment.made);
        for change in changes.changes {
            let (revision, last) = (change.revision, change.last_of_revision);
            self.hub.was_made(revision, change.made);
            if self.hub.listing.is_none() && revision <= heard {
                // Told twice: what came after it is known.
                continue;
            }
            self.change(change, &mut touched);
            if self.trees.remote.len() > ENTRIES_MAX {
                return self.too_much();
            }
            // Also half a revision or a listing: what of it got to the disk is lost by a hub that is set back.
            self.hub.seen = self.hub.seen.max(revision);
            // Half a revision is none: only its last change makes it known.
            if self.hub.listing.is_none() && (last || planted::is(Bug::HalfIsWhole)) {
                self.hub.revision = self.hub.revision.max(revision);
            }
        }
        if let Some(listed) = changes.listed
            && let Some(listing) = self.hub.listing.take()
        {
            if listed < self.hub.seen {
                // Set back to a backup, which kept its name.
                self.distrust_base();
                self.hub.was_made(moment.revision, moment.made);
            }
            touched.extend(
                self.trees
                    .remote
                    .keys()
                    .filter(|path| !listing.contains_key(*path))
                    .cloned(),
            );
            self.trees.remote = listing;
            for path in &touched {
                self.trees.compare(path);
            }
            for path in &touched {
                // News like another: if it is there again, somebody put it there since.
                if !self.trees.remote.contains_key(path) && self.take_if_ours(path, None) {
                    self.agree(path, None);
                }
            }
            self.hub.revision = listed;
            self.hub.in_step = true;
            self.hub.catch = Catch::Up;
            self.sight.everything = true;
            self.settle_all(touched);
            self.look();
        } else {
            self.settle_all(touched);
        }
        self.hub.catches_up();
        self.proposals.unanswered.heard(self.hub.revision);
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
        if let Some(listing) = &mut self.hub.listing
            && let Some(node) = &node
        {
            listing.insert(path.clone(), node.clone());
        }
        let is_news = self
            .hub
            .ahead
            .get(&path)
            .is_none_or(|answered| *answered < change.revision);
        if is_news {
            let is_ours = self.take_if_ours(&path, node.as_ref());
            if is_ours {
                // Heard of before its answer: what comes later is news after it.
                self.agree(&path, node.clone());
            } else if self.trees.local.get(&path) == node.as_ref() {
                // So it is after what the disk shows already.
                self.adopt(&path, node.clone());
            } else if self.is_written_again(&path, change.revision, node.as_ref())
                || self.take_if_moved_here(&path)
            {
                self.agree(&path, None);
            }
            if !is_ours {
                self.proposals.changed_by_others(&path);
            }
            touched.extend(self.hub_has(&path, node));
        }
        touched.insert(path);
    }

    /// Whether the hub has again what the base says, and had something else since the base was stored: an engine that did not
    /// stop may have brought that to the disk, so that what the disk shows is nobody's edit.
    fn is_written_again(&self, path: &RelPath, revision: u64, node: Option<&Node>) -> bool {
        self.hub.catch != Catch::Up
            && self.hub.listing.is_some()
            && revision > self.hub.seen_before
            && self.trees.base.get(path) == node
    }

    /// Takes this as answered. Tells whether it is what this replica put there, or deleted, by a batch whose answer was not
    /// heard yet or got lost: what is there again by now came since.
    pub(super) fn take_if_ours(&mut self, path: &RelPath, node: Option<&Node>) -> bool {
        let put = self.proposals.unanswered.take(path);
        let is_lost = put.is_some_and(|put| put.as_ref() == node);
        let outstanding = self.proposals.outstanding.as_ref();
        is_lost || outstanding.is_some_and(|batch| batch.brings(path, node))
    }

    /// The hub's tree has this at a path. Answers the folder above if it waits for what lay in it to go.
    fn hub_has(&mut self, path: &RelPath, node: Option<Node>) -> Option<RelPath> {
        let is_removal = node.is_none();
        let before = match node {
            Some(node) => self.trees.remote.insert(path.clone(), node),
            None => self.trees.remote.remove(path),
        };
        self.trees.compare(path);
        let gone = is_removal && before.is_some();
        if gone {
            self.sight.dirty.extend(self.troubles.made_way(path));
            self.sight.look_soon();
        }
        let parent = path.parent().filter(|_| gone)?;
        let waits = !self.trees.local.get(&parent).is_some_and(Node::is_folder);
        waits.then_some(parent)
    }

    /// The answer to a batch told of a path, as of a revision; nothing new if that was heard already.
    pub(super) fn answered(
        &mut self,
        path: &RelPath,
        node: Option<Node>,
        revision: u64,
    ) -> Option<RelPath> {
        if revision <= self.hub.revision {
            return None;
        }
        self.hub.ahead.insert(path.clone(), revision);
        self.hub_has(path, node)
    }

    /// What a batch put at a path stands in folders, here as at the hub, which made those that it lacked: also one that
    /// the batch deleted before, and not those that a change of ours took away here meanwhile.
    pub(super) fn stands_in_folders(
        &mut self,
        path: &RelPath,
        revision: u64,
        taken: &BTreeSet<RelPath>,
        touched: &mut BTreeSet<RelPath>,
    ) {
        let is_folder = |node: Option<&Node>| node.is_some_and(Node::is_folder);
        for folder in path.ancestors() {
            if !is_folder(self.trees.base.get(&folder))
                || !is_folder(self.trees.remote.get(&folder))
            {
                self.answered(&folder, Some(Node::Folder), revision);
                if !taken.contains(&folder) {
                    self.agree(&folder, Some(Node::Folder));
                }
                touched.insert(folder);
            }
        }
    }
}
