//! The connection to a hub: how it begins and ends, what it is told of the disk, and flushes, which outlive it.
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use slipway_core::path::RelPath;
use slipway_proto::v1::spoke_frame::Frame;
use slipway_proto::{PROTOCOL, v1};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::batch::Catch;
use super::state::State;
use super::{Link, LinkId};
use crate::planted::{self, Bug};

/// Frames besides those that tell what the disk shows that can be on their way: a hello, a batch, an answer to a flush,
/// and the contents that are asked for. They always have room, since the hub may listen only after it was listened to.
const OTHERS_MAX: usize = 12;
/// When there was no room to tell what the disk shows.
const TELL_AGAIN: Duration = Duration::from_millis(20);

/// A flush that waits.
pub(super) struct Flush {
    answer: FlushAnswer,
    /// What the look after its arrival found and is not committed yet, each with the first batch whose answer ends the
    /// waiting for it; `None` before that look.
    pending: Option<BTreeMap<RelPath, u64>>,
}

pub(super) enum FlushAnswer {
    Agent(oneshot::Sender<u64>),
    Hub(u64),
}

impl State {
    pub(super) fn is_current(&self, id: LinkId) -> bool {
        self.link.as_ref().is_some_and(|link| link.id == id)
    }

    pub(super) async fn connected(&mut self, link: Link) {
        self.disconnected();
        let outgoing = self
            .beside
            .sender(self.disk.root(), &link.bulk, &self.parts);
        self.contents.connect(outgoing);
        self.link = Some(link);
        self.troubles.offer_again();
        let hello = v1::SpokeHello {
            protocol: PROTOCOL,
            epoch: self.epoch.clone(),
            revision: self.revision,
            seen: self.seen,
            moment: self.moment,
            // Which workspace and which replica is known to who dials.
            ..v1::SpokeHello::default()
        };
        self.send(Frame::Hello(hello)).await;
    }

    pub(super) fn disconnected(&mut self) {
        self.behind = !self.shows_all();
        self.link = None;
        self.in_step = false;
        if let Some(batch) = self.outstanding.take() {
            if planted::is(Bug::LostAnswer) {
                for (path, node) in batch.clone().brought() {
                    self.agree(&path, Some(node));
                }
            }
            self.unanswered.lost(batch);
        }
        if self.catch == Catch::Asked {
            self.catch = Catch::Ask;
        }
        self.listing = None;
        self.applied_told = None;
        self.tell_at = None;
        self.contents.disconnect(&mut self.disk);
        // Those of the hub were of this connection; those of the agent wait for the next one.
        self.flushes.retain(
            |flush| matches!(&flush.answer, FlushAnswer::Agent(answer) if !answer.is_closed()),
        );
        for flush in &mut self.flushes {
            flush.pending = None;
        }
    }

    pub(super) fn flush(&mut self, answer: FlushAnswer) {
        self.flushes.push(Flush {
            answer,
            pending: None,
        });
        self.everything = true;
        self.look();
    }

    /// Whether the disk shows everything up to the revision that was heard.
    pub(super) fn shows_all(&self) -> bool {
        !self.behind
            && !self.root_unknown
            && self.listing.is_none()
            && (self.catch == Catch::Up || self.suspects.is_empty())
            && self.contents.is_complete()
            && self.troubles.holding_up().next().is_none()
    }

    pub(super) async fn tell_applied(&mut self) {
        // With a look at everything every path was settled on this connection.
        self.behind &= self.everything;
        self.tell_at = None;
        if !self.shows_all() || self.applied_told == Some(self.revision) {
            return;
        }
        self.bursts.first = false;
        self.settle_rules();
        let revision = self.revision;
        self.applied.send_if_modified(|shown| {
            let is_news = *shown != revision;
            *shown = revision;
            is_news
        });
        let full = |link: &Link| link.control.capacity() < OTHERS_MAX;
        if self.link.as_ref().is_some_and(full) {
            self.tell_at = Some(Instant::now() + TELL_AGAIN);
            return;
        }
        self.applied_told = Some(revision);
        self.send(Frame::Applied(v1::Applied { revision })).await;
    }

    pub(super) async fn answer_flushes(&mut self) {
        let now = Instant::now();
        let revision = self.committed.max(self.revision);
        let mut answers = Vec::new();
        let mut waiting = Vec::new();
        for mut flush in std::mem::take(&mut self.flushes) {
            if let Some(pending) = &mut flush.pending {
                pending.retain(|path, _| self.is_under_way(path, now));
            }
            match flush.pending.as_ref().is_some_and(BTreeMap::is_empty) {
                true => answers.push(flush.answer),
                false => waiting.push(flush),
            }
        }
        self.flushes = waiting;
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
        waits && self.local.get(path) != self.base.get(path)
    }

    fn is_under_way(&self, path: &RelPath, now: Instant) -> bool {
        let outstanding = self.outstanding.iter().flat_map(|batch| &batch.operations);
        self.to_propose.contains(path)
            || self.dirty.contains(path)
            || self.held.is_fresh(path, now)
            || self.is_unjoined(path)
            || self.is_arriving(path)
            || self.troubles.is_in_the_way(path)
            || outstanding
                .into_iter()
                .any(|(on_its_way, _)| on_its_way == path)
    }

    /// Paths have moved to a copy, which the next look finds: flushes that wait for one of them wait for what it finds.
    pub(super) fn has_moved(&mut self, moved: &BTreeSet<RelPath>) {
        self.moved_aside = true;
        for flush in &mut self.flushes {
            let waits =
                |pending: &mut BTreeMap<_, _>| moved.iter().any(|path| pending.contains_key(path));
            flush.pending.take_if(waits);
        }
    }

    /// What this look found is what flushes wait for.
    pub(super) fn looked_for_flushes(&mut self) {
        let is_whole = self.in_step && !self.moved_aside;
        if !is_whole || self.flushes.iter().all(|flush| flush.pending.is_some()) {
            return;
        }
        let now = Instant::now();
        let (contents, troubles) = (&self.contents, &self.troubles);
        let unjoined = contents.waiting().chain(troubles.holding_up());
        let later = self
            .to_propose
            .iter()
            .chain(self.held.fresh(now))
            .chain(unjoined.filter(|path| self.is_unjoined(path)))
            .chain(contents.offering().filter(|path| self.is_arriving(path)))
            .chain(
                troubles
                    .refused()
                    .filter(|path| troubles.is_in_the_way(path)),
            );
        let mut under_way: BTreeMap<RelPath, u64> =
            later.map(|path| (path.clone(), self.batch + 1)).collect();
        for (path, node) in self.outstanding.iter().flat_map(|batch| &batch.operations) {
            // What is on its way may be older than what the disk has by now.
            if self.local.get(path) == node.as_ref() {
                under_way.insert(path.clone(), self.batch);
            }
        }
        for flush in &mut self.flushes {
            flush.pending.get_or_insert_with(|| under_way.clone());
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

    pub(super) async fn send(&mut self, frame: Frame) {
        if let Some(link) = &self.link
            && link
                .control
                .send(v1::SpokeFrame { frame: Some(frame) })
                .await
                .is_err()
        {
            self.disconnected();
        }
    }
}
