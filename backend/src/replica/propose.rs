//! What the replica proposes: a batch, in one frame or in several, that is answered when all of it was looked at.
use prost::Message as _;
use slipway_core::code::Code;
use slipway_core::limits::COMMIT_OPERATIONS_MAX;
use slipway_proto::v1::hub_frame;
use slipway_proto::{convert, v1};

use super::{Connection, FRAME_BYTES_MAX, Replica, ReplicaError, wire};
use crate::hub::{Commit, HubError, Proposal, ProposalOutcome};

/// What came of a batch that comes in several frames.
#[derive(Default)]
pub(super) struct Gathered {
    batch: Option<v1::Propose>,
    bytes: usize,
}

impl Gathered {
    /// Adds a frame; the batch, when that is all of it.
    fn add(&mut self, frame: v1::Propose) -> Result<Option<v1::Propose>, ReplicaError> {
        let more = frame.more;
        self.bytes += frame.encoded_len();
        let batch = match self.batch.take() {
            None => frame,
            Some(mut batch) if batch.batch == frame.batch => {
                batch.operations.extend(frame.operations);
                batch
            }
            Some(_) => return Err(ReplicaError::Protocol("a batch inside of another")),
        };
        if batch.operations.len() > COMMIT_OPERATIONS_MAX || self.bytes > FRAME_BYTES_MAX {
            return Err(ReplicaError::Protocol("more than one batch takes"));
        }
        if more {
            self.batch = Some(batch);
            return Ok(None);
        }
        self.bytes = 0;
        Ok(Some(batch))
    }
}

impl Connection {
    /// Takes a batch, or a part of one.
    ///
    /// What can be done of a batch is done now. For the rest contents are asked for; once they are held it is proposed
    /// again. So nothing waits behind a large content but that content.
    pub(super) async fn propose(&mut self, frame: v1::Propose) -> Result<(), ReplicaError> {
        let Some(propose) = self.gathered.add(frame)? else {
            return Ok(());
        };
        let mut missing = self.missing(&propose).await?;
        missing.retain(|hash| !self.awaited.contains(hash));
        let room = COMMIT_OPERATIONS_MAX.saturating_sub(self.awaited.len());
        missing.truncate(room);
        if !missing.is_empty() {
            // Before the answer: a replica finds contents by the batch that is on its way.
            let hashes = missing.iter().map(convert::hash_bytes).collect();
            let begun = self.begun(&missing).await?;
            self.send(hub_frame::Frame::Need(v1::Need {
                hashes,
                begun,
                ..v1::Need::default()
            }))
            .await?;
            self.awaited.extend(missing);
        }
        self.commit(propose).await
    }

    async fn commit(&mut self, propose: v1::Propose) -> Result<(), ReplicaError> {
        let number = propose.batch;
        let parsed: Vec<_> = propose.operations.into_iter().map(wire::proposal).collect();
        let (proposals, places): (Vec<Proposal>, Vec<usize>) = parsed
            .iter()
            .enumerate()
            .filter_map(|(place, parsed)| Some((parsed.as_ref().ok()?.clone(), place)))
            .unzip();
        let Replica {
            hub,
            workspace,
            author,
            ..
        } = &self.replica;
        let name = format!("{}-{number}", self.nonce);
        let commit = hub.commit(*workspace, author, &name, proposals, false);
        let done = match commit.await {
            Err(HubError::Inactive) => self.all_refused(Code::WorkspaceInactive, places.len()),
            Err(HubError::TooDeep) => self.all_refused(Code::InvalidRequest, places.len()),
            done => done?,
        };
        let mut outcomes: Vec<_> = parsed
            .into_iter()
            .map(|parsed| {
                parsed
                    .err()
                    .map_or_else(v1::Outcome::default, wire::rejected)
            })
            .collect();
        for (place, outcome) in places.into_iter().zip(&done.outcomes) {
            outcomes[place] = wire::outcome(outcome);
        }
        let made = match done.made {
            Some(made) => {
                self.made.insert(done.revision);
                Some(made)
            }
            None => hub.made(*workspace, done.revision).await?,
        };
        self.send(hub_frame::Frame::Result(v1::ProposeResult {
            batch: number,
            revision: done.revision,
            outcomes,
            made: made.map_or(0, wire::made),
        }))
        .await
    }

    fn all_refused(&self, code: Code, many: usize) -> Commit {
        Commit {
            revision: self.sent,
            made: None,
            outcomes: vec![ProposalOutcome::Rejected(code, String::new()); many],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(batch: u64, paths: &[&str], more: bool) -> v1::Propose {
        let operation = |path: &&str| v1::Operation {
            path: (*path).to_owned(),
            ..v1::Operation::default()
        };
        v1::Propose {
            batch,
            operations: paths.iter().map(operation).collect(),
            more,
        }
    }

    #[test]
    fn a_batch_is_whole_when_its_last_frame_came() {
        let mut gathered = Gathered::default();
        assert!(gathered.add(frame(1, &["a"], true)).unwrap().is_none());
        assert!(gathered.add(frame(1, &["b"], true)).unwrap().is_none());
        let batch = gathered.add(frame(1, &["c"], false)).unwrap().unwrap();
        let paths: Vec<_> = batch
            .operations
            .iter()
            .map(|one| one.path.as_str())
            .collect();
        assert_eq!((batch.batch, paths), (1, vec!["a", "b", "c"]));
        let next = gathered.add(frame(2, &["d"], false)).unwrap().unwrap();
        assert_eq!(next.operations.len(), 1);
    }

    #[test]
    fn frames_of_two_batches_do_not_mix() {
        let mut gathered = Gathered::default();
        gathered.add(frame(1, &["a"], true)).unwrap();
        gathered.add(frame(2, &["b"], false)).unwrap_err();
    }

    #[test]
    fn nobody_gathers_more_than_one_batch_takes() {
        let mut gathered = Gathered::default();
        let half = vec!["a"; COMMIT_OPERATIONS_MAX / 2 + 1];
        gathered.add(frame(1, &half, true)).unwrap();
        gathered.add(frame(1, &half, true)).unwrap_err();

        let mut gathered = Gathered::default();
        let long = "a".repeat(FRAME_BYTES_MAX / 2);
        gathered.add(frame(1, &[&long], true)).unwrap();
        gathered.add(frame(1, &[&long], true)).unwrap_err();
    }
}
