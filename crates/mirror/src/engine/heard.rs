//! What was heard of the hub: who it is, how far its journal is known, and whether it may be told anything.
use std::collections::{BTreeMap, HashMap};

use slipway_core::path::RelPath;
use slipway_proto::{PROTOCOL, v1};
use slipway_sync::node::Node;

use crate::base::{Agreed, Meta};

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

/// What was heard of the hub.
#[derive(Debug)]
pub(super) struct Heard {
    /// Which past its revisions are of; empty: none is known.
    pub(super) epoch: String,
    /// The newest revision of which every change was heard.
    pub(super) revision: u64,
    /// The newest that it was ever seen at.
    pub(super) seen: u64,
    /// The newest of which it told when it was made.
    pub(super) moment: Option<v1::Moment>,
    /// What was seen when the base was read.
    pub(super) seen_before: u64,
    /// The newest that it named in an answer.
    pub(super) committed: u64,
    /// Paths of which an answer told more than the changes heard so far, with the answer's revision.
    pub(super) ahead: HashMap<RelPath, u64>,
    /// A full listing is arriving: what it does not name is gone.
    pub(super) listing: Option<BTreeMap<RelPath, Node>>,
    /// It has said hello and its tree is known.
    pub(super) in_step: bool,
    /// A connection ended before the disk showed everything that it had told.
    pub(super) behind: bool,
    pub(super) catch: Catch,
    /// It says what its tree comes to.
    pub(super) tells_digest: bool,
    /// It takes a batch in several frames.
    pub(super) gathers: bool,
    /// What was heard of its tree is to be held against that.
    pub(super) to_compare: bool,
}

impl Heard {
    /// As a base remembers it, which lacks what was heard last if the engine did not stop.
    pub(super) fn of(agreed: &Agreed) -> Self {
        let seen = agreed.seen.max(agreed.revision);
        Self {
            epoch: agreed.epoch.clone(),
            revision: agreed.revision,
            seen,
            moment: agreed.moment,
            seen_before: seen,
            committed: agreed.revision,
            ahead: HashMap::new(),
            listing: None,
            in_step: false,
            behind: false,
            catch: match agreed.boot.is_empty() {
                true => Catch::Up,
                false => Catch::Ask,
            },
            tells_digest: false,
            gathers: false,
            to_compare: false,
        }
    }

    /// How a connection begins.
    pub(super) fn hello(&self) -> v1::SpokeHello {
        v1::SpokeHello {
            protocol: PROTOCOL,
            epoch: self.epoch.clone(),
            revision: self.revision,
            seen: self.seen,
            moment: self.moment,
            // Which workspace and which replica is known to who dials.
            ..v1::SpokeHello::default()
        }
    }

    /// What a base is to remember of it.
    pub(super) fn meta<'a>(&'a self, boot: &'a str) -> Meta<'a> {
        Meta {
            epoch: &self.epoch,
            revision: self.revision,
            seen: self.seen,
            moment: self.moment,
            boot,
        }
    }

    /// The connection is over.
    pub(super) fn hung_up(&mut self) {
        self.in_step = false;
        self.listing = None;
        if self.catch == Catch::Asked {
            self.catch = Catch::Ask;
        }
    }

    /// It is another hub than the one that was known, or that one as it was before.
    pub(super) fn becomes_another(&mut self) {
        (self.committed, self.seen, self.moment) = (0, 0, None);
    }

    /// It told when it made a revision.
    pub(super) fn was_made(&mut self, revision: u64, made: u64) {
        if made > 0 && self.moment.is_none_or(|known| known.revision < revision) {
            self.moment = Some(v1::Moment { revision, made });
        }
    }

    /// It answered a batch.
    pub(super) fn answered(&mut self, result: &v1::ProposeResult) {
        if self.catch == Catch::Asked {
            self.catch = Catch::UpTo(result.revision);
        }
        self.committed = self.committed.max(result.revision);
        self.seen = self.seen.max(result.revision);
        self.was_made(result.revision, result.made);
    }

    /// Nothing more is known of a path than its changes tell, up to the revision that was heard.
    pub(super) fn catches_up(&mut self) {
        self.seen = self.seen.max(self.revision);
        let known = self.revision;
        self.ahead.retain(|_, revision| *revision > known);
    }
}
