//! The wire between replicas and the hub: each takes one thing at a time, in an order that the tape chooses.
use slipway_core::hash::ContentHash;
use slipway_proto::v1::{hub_frame, outcome, spoke_bulk, spoke_frame};
use slipway_proto::{convert, v1};

use super::hub::Cursor;
use super::world::World;

impl World {
    /// The hub tells every replica that listens what is new.
    pub(super) fn spread(&mut self) {
        for replica in &mut self.replicas {
            let news = self
                .hub
                .news(&mut replica.cursor, &mut self.shared.lock().tape);
            replica.to_spoke.extend(news);
        }
    }

    /// The hub takes one thing from a replica, if there is one.
    pub(super) fn hub_hears(&mut self, at: usize) -> bool {
        if !self.replicas[at].belated.is_empty() && self.one_in(2) {
            return self.hears_late(at);
        }
        let replica = &mut self.replicas[at];
        if !replica.connected {
            return false;
        }
        let prefers_bulk = replica.frames.is_empty() || self.shared.lock().tape.one_in(4);
        if prefers_bulk && let Ok(frame) = replica.blobs.try_recv() {
            if let Some(spoke_bulk::Frame::Blob(blob)) = frame.frame {
                let arrived = self.hub.takes(&blob, &mut replica.cursor);
                replica
                    .to_spoke
                    .push_back(hub_frame::Frame::Arrived(arrived));
            }
            return true;
        }
        let Some(frame) = replica.frames.try_recv().ok().and_then(|frame| frame.frame) else {
            return false;
        };
        match frame {
            spoke_frame::Frame::Hello(hello) => {
                let (epoch, head) = (self.hub.epoch, self.hub.head);
                let (revision, seen) = (hello.revision, hello.seen);
                self.shared.lock().tell(|| {
                    let theirs = &hello.epoch;
                    format!("replica {at}: hello to {epoch} at {head} from {theirs:?} at {revision}, seen {seen}")
                });
                let frames =
                    self.hub
                        .greet(&hello, &mut replica.cursor, &mut self.shared.lock().tape);
                replica.to_spoke.extend(frames);
            }
            spoke_frame::Frame::Propose(propose) => self.commit(at, &propose),
            spoke_frame::Frame::Need(need) => replica.bulk.extend(need.hashes),
            spoke_frame::Frame::Applied(applied) => self.check_applied(at, applied.revision),
            spoke_frame::Frame::Compare(_) => {
                let cursor = &mut replica.cursor;
                let news = self.hub.news(cursor, &mut self.shared.lock().tape);
                replica.to_spoke.extend(news);
                replica.to_spoke.push_back(self.hub.digest());
            }
            spoke_frame::Frame::Flushed(_) => {}
        }
        true
    }

    /// Another part of the hub than the one that a replica is connected to comes to a batch of an earlier connection; nobody
    /// hears of the answer.
    fn hears_late(&mut self, at: usize) -> bool {
        let Some(propose) = self.replicas[at].belated.pop_front() else {
            return false;
        };
        {
            let mut oracle = self.shared.lock();
            oracle.belated = true;
            oracle.tell(|| format!("late, from an earlier connection of replica {at}:"));
            let cursor = &mut Cursor::default();
            self.hub.lacks(&propose, cursor, &mut oracle.tape);
        }
        self.judge(at, &propose);
        self.spread();
        true
    }

    fn commit(&mut self, at: usize, propose: &v1::Propose) {
        let replica = &mut self.replicas[at];
        let lacking = self
            .hub
            .lacks(propose, &mut replica.cursor, &mut self.shared.lock().tape);
        if !lacking.is_empty() {
            let need = v1::Need {
                hashes: lacking,
                ..v1::Need::default()
            };
            replica.to_spoke.push_back(hub_frame::Frame::Need(need));
        }
        let result = self.judge(at, propose);
        let news = self
            .hub
            .news(&mut self.replicas[at].cursor, &mut self.shared.lock().tape);
        // The answer comes before, between or after the changes that it is part of.
        let replica = &mut self.replicas[at];
        let place = replica.to_spoke.len() + self.shared.lock().tape.below(news.len() + 1);
        replica.to_spoke.extend(news);
        replica
            .to_spoke
            .insert(place, hub_frame::Frame::Result(result));
        self.spread();
    }

    /// The hub does what it can of a batch.
    fn judge(&mut self, at: usize, propose: &v1::Propose) -> v1::ProposeResult {
        let mut oracle = self.shared.lock();
        let before = self.hub.tree.clone();
        let result = self.hub.commit(propose);
        let is_taken = |outcome: &v1::Outcome| {
            matches!(
                outcome.result(),
                outcome::Result::Applied | outcome::Result::Converged
            )
        };
        oracle.proposals += usize::from(result.outcomes.iter().any(is_taken));
        for (operation, outcome) in propose.operations.iter().zip(&result.outcomes) {
            let hash = operation
                .node
                .as_ref()
                .and_then(|node| convert::hash(&node.hash).ok());
            oracle.tell(|| {
                format!(
                    "the hub is told by replica {at}: {} {hash:?} {:?} {}",
                    operation.path,
                    outcome.result(),
                    outcome.code
                )
            });
            if outcome.result() == outcome::Result::Rejected {
                // What a refusal leaves out is told to a person instead.
                self.replicas[at].asked = None;
            }
        }
        let wrong = super::told::batch(&mut oracle, at, propose, &result, &before, &self.hub);
        drop(oracle);
        self.wrong = self.wrong.take().or(wrong);
        result
    }

    /// A replica takes one thing from the hub, if there is one.
    pub(super) async fn spoke_hears(&mut self, at: usize) -> bool {
        let shared = self.shared.clone();
        let replica = &mut self.replicas[at];
        if !replica.connected || replica.state.is_none() {
            return false;
        }
        let prefers_control = replica.bulk.is_empty() || shared.lock().tape.one_in(2);
        if prefers_control && let Some(frame) = replica.to_spoke.pop_front() {
            let again =
                matches!(frame, hub_frame::Frame::Changes(_)) && shared.lock().tape.one_in(16);
            if again {
                shared.lock().told_twice = true;
                // Told twice, by one part of the hub and then by another.
                replica.to_spoke.push_front(frame.clone());
            }
            replica.hears(frame).await;
            return true;
        }
        let Some(hash) = replica.bulk.pop_front() else {
            return false;
        };
        let data = convert::hash(&hash)
            .ok()
            .and_then(|hash: ContentHash| self.hub.contents.get(&hash).cloned());
        let blob = v1::Blob {
            hash,
            offset: 0,
            missing: data.is_none(),
            data: data.unwrap_or_default(),
            last: true,
            ..v1::Blob::default()
        };
        replica.hears_bulk(blob).await;
        true
    }
}
