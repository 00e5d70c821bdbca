//! The connection to a hub: how it begins and ends, what it is told of the disk, and flushes, which outlive it.
use std::collections::BTreeSet;

use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::spoke_frame::Frame;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::state::State;
use super::{Link, LinkId, PROTOCOL};

/// A flush that waits.
pub(super) struct Flush {
    answer: FlushAnswer,
    /// What the look after its arrival found and is not committed yet; `None` before that look.
    pub(super) pending: Option<BTreeSet<RelPath>>,
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
        self.contents.connect(self.disk.root(), &link);
        self.link = Some(link);
        self.troubles.offer_again();
        let hello = v1::SpokeHello {
            protocol: PROTOCOL,
            replica_id: self.replica_id.clone(),
            epoch: self.epoch.clone(),
            revision: self.revision,
            case_sensitive: true,
        };
        self.send(Frame::Hello(hello)).await;
    }

    pub(super) fn disconnected(&mut self) {
        self.behind = !self.shows_all();
        self.link = None;
        self.in_step = false;
        self.outstanding = None;
        self.listing = None;
        self.applied_told = None;
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
            && self.listing.is_none()
            && self.contents.is_complete()
            && self.troubles.unapplied.is_empty()
    }

    pub(super) async fn tell_applied(&mut self) {
        // With a look at everything every path was settled on this connection.
        self.behind &= self.everything;
        if !self.shows_all() || self.applied_told == Some(self.revision) {
            return;
        }
        let revision = self.revision;
        self.applied_told = Some(revision);
        self.applied.send_replace(revision);
        self.send(Frame::Applied(v1::Applied { revision })).await;
    }

    pub(super) async fn answer_flushes(&mut self) {
        let now = Instant::now();
        let revision = self.committed.max(self.revision);
        let mut answers = Vec::new();
        let mut waiting = Vec::new();
        for mut flush in std::mem::take(&mut self.flushes) {
            if let Some(pending) = &mut flush.pending {
                pending.retain(|path| self.is_under_way(path, now));
            }
            match flush.pending.as_ref().is_some_and(BTreeSet::is_empty) {
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

    fn is_under_way(&self, path: &RelPath, now: Instant) -> bool {
        let outstanding = self.outstanding.iter().flat_map(|batch| &batch.operations);
        self.to_propose.contains(path)
            || self.dirty.contains(path)
            || self.held.is_fresh(path, now)
            || outstanding
                .into_iter()
                .any(|(on_its_way, _)| on_its_way == path)
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
