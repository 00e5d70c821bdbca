//! What others are told of the disk: which revision it shows, and, to who asked for a flush, that what it held is committed.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::spoke_frame::Frame;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use super::Link;
use super::heard::Catch;
use super::state::State;

/// Frames besides those that tell what the disk shows that can be on their way: a hello, a batch, an answer to a flush,
/// and the contents that are asked for. They always have room, since the hub may listen only after it was listened to.
const OTHERS_MAX: usize = 12;
/// When there was no room to tell what the disk shows.
const TELL_AGAIN: Duration = Duration::from_millis(20);

/// A flush that waits.
struct Flush {
    answer: FlushAnswer,
    /// What the look after its arrival found and is not committed yet, each with the first batch whose answer ends the
    /// waiting for it; `None` before that look.
    pending: Option<BTreeMap<RelPath, u64>>,
}

pub(super) enum FlushAnswer {
    Agent(oneshot::Sender<u64>),
    Hub(u64),
}

/// What others were told, and who waits for an answer.
pub(super) struct Reports {
    flushes: Vec<Flush>,
    /// What this connection was told to be on the disk.
    pub(super) told: Option<u64>,
    /// When to try again to tell it.
    again: Option<Instant>,
    applied: watch::Sender<u64>,
}

impl Reports {
    pub(super) const fn new(applied: watch::Sender<u64>) -> Self {
        Self {
            flushes: Vec::new(),
            told: None,
            again: None,
            applied,
        }
    }

    /// When there is something to tell.
    pub(super) const fn next(&self) -> Option<Instant> {
        self.again
    }

    /// Whether somebody waits for a flush.
    pub(super) const fn is_flushing(&self) -> bool {
        !self.flushes.is_empty()
    }

    /// Whether somebody waits for what the next look finds.
    pub(super) fn wait_for_a_look(&self) -> bool {
        self.flushes.iter().any(|flush| flush.pending.is_none())
    }

    /// The connection is over. Flushes of the hub were of it; those of the agent wait for the next one.
    pub(super) fn hung_up(&mut self) {
        (self.told, self.again) = (None, None);
        self.flushes.retain(
            |flush| matches!(&flush.answer, FlushAnswer::Agent(answer) if !answer.is_closed()),
        );
        for flush in &mut self.flushes {
            flush.pending = None;
        }
    }

    /// Flushes that wait for one of these paths wait for what the next look finds.
    fn has_moved(&mut self, moved: &BTreeSet<RelPath>) {
        for flush in &mut self.flushes {
            let waits =
                |pending: &mut BTreeMap<_, _>| moved.iter().any(|path| pending.contains_key(path));
            flush.pending.take_if(waits);
        }
    }

    /// A batch brought a path to where nothing of it as it was then is under way: no flush that began before waits on.
    pub(super) fn committed_at(&mut self, path: &RelPath, batch: u64) {
        for flush in &mut self.flushes {
            if let Some(pending) = &mut flush.pending
                && pending.get(path).is_some_and(|first| *first <= batch)
            {
                pending.remove(path);
            }
        }
    }
}

impl State {
    /// Looks at everything, rather than trust that all was heard: decision 18.
    pub(super) fn flush(&mut self, answer: FlushAnswer) {
        self.reports.flushes.push(Flush {
            answer,
            pending: None,
        });
        self.sight.everything = true;
        self.look();
    }

    /// Whether the disk shows everything up to the revision that was heard.
    pub(super) fn shows_all(&self) -> bool {
        !self.hub.behind
            && !self.sight.root_unknown
            && self.hub.listing.is_none()
            // What was done last before an end without a stop may be stored nowhere, and on the disk by half.
            && self.hub.catch == Catch::Up
            && self.contents.is_complete()
            && self.troubles.holding_up().next().is_none()
    }

    pub(super) async fn tell_applied(&mut self) {
        // With a look at everything every path was settled on this connection.
        self.hub.behind &= self.sight.everything;
        self.reports.again = None;
        if !self.shows_all() || self.reports.told == Some(self.hub.revision) {
            return;
        }
        self.bursts.first = false;
        self.settle_rules();
        let revision = self.hub.revision;
        self.reports.applied.send_if_modified(|shown| {
            let is_news = *shown != revision;
            *shown = revision;
            is_news
        });
        let full = |link: &Link| link.control.capacity() < OTHERS_MAX;
        if self.link.as_ref().is_some_and(full) {
            self.reports.again = Some(Instant::now() + TELL_AGAIN);
            return;
        }
        self.reports.told = Some(revision);
        self.send(Frame::Applied(v1::Applied { revision })).await;
    }

    pub(super) async fn answer_flushes(&mut self) {
        let revision = self.hub.committed.max(self.hub.revision);
        let mut answers = Vec::new();
        let mut waiting = Vec::new();
        for mut flush in std::mem::take(&mut self.reports.flushes) {
            if let Some(pending) = &mut flush.pending {
                pending.retain(|path, _| self.is_under_way(path));
            }
            match flush.pending.as_ref().is_some_and(BTreeMap::is_empty) {
                true => answers.push(flush.answer),
                false => waiting.push(flush),
            }
        }
        self.reports.flushes = waiting;
        for answer in answers {
            match answer {
                // The asker may have gone.
                FlushAnswer::Agent(answer) => drop(answer.send(revision)),
                FlushAnswer::Hub(token) => {
                    let flushed = v1::Flushed { token, revision };
                    self.send(Frame::Flushed(flushed)).await;
                }
            }
        }
    }

    /// Whether a change of this disk waits to be joined with one of the hub's.
    pub(super) fn is_unjoined(&self, path: &RelPath) -> bool {
        let waits = self.contents.is_wanted_by(path) || self.troubles.holds_up(path);
        waits && self.trees.local.get(path) != self.trees.base.get(path)
    }

    fn is_under_way(&self, path: &RelPath) -> bool {
        let outstanding = self.proposals.on_their_way();
        self.proposals.waiting.contains(path)
            || self.sight.dirty.contains(path)
            || self.sight.held.is_fresh(path)
            || self.is_unjoined(path)
            || self.is_arriving(path)
            || self.is_unjudged(path)
            || self.troubles.is_in_the_way(path)
            || outstanding
                .into_iter()
                .any(|(on_its_way, _)| on_its_way == path)
    }

    /// Paths have moved to a copy, which the next look finds: flushes that wait for one of them wait for what it finds.
    pub(super) fn has_moved(&mut self, moved: &BTreeSet<RelPath>) {
        self.sight.moved_aside = true;
        self.reports.has_moved(moved);
    }

    /// What this look found is what flushes wait for.
    pub(super) fn looked_for_flushes(&mut self) {
        let is_whole = self.hub.in_step && !self.sight.moved_aside;
        if !is_whole
            || self
                .reports
                .flushes
                .iter()
                .all(|flush| flush.pending.is_some())
        {
            return;
        }
        let (contents, troubles) = (&self.contents, &self.troubles);
        let unjoined = contents.waiting().chain(troubles.holding_up());
        let later = self
            .proposals
            .waiting
            .iter()
            .chain(self.sight.held.fresh())
            .chain(unjoined.filter(|path| self.is_unjoined(path)))
            .chain(contents.offering().filter(|path| self.is_arriving(path)))
            .chain(self.unjudged())
            .chain(
                troubles
                    .refused()
                    .filter(|path| troubles.is_in_the_way(path)),
            );
        let mut under_way: BTreeMap<RelPath, u64> = later
            .map(|path| (path.clone(), self.proposals.last + 1))
            .collect();
        for (path, node) in self.proposals.on_their_way() {
            // What is on its way may be older than what the disk has by now.
            if self.trees.local.get(path) == node.as_ref() {
                under_way.insert(path.clone(), self.proposals.last);
            }
        }
        for flush in &mut self.reports.flushes {
            flush.pending.get_or_insert_with(|| under_way.clone());
        }
    }
}
