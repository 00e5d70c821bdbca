//! Answers of batches, kept so that a repeated batch gets the first one: the reply may have been lost on its way.
use std::collections::HashMap;

use slipway_core::code::Code;
use slipway_core::hash::ContentHasher;
use slipway_core::id::{Id as _, ReplicaId, WorkspaceId};
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::row::uuid;
use super::store;
use super::types::{
    Commit, Content, Expect, HubError, NewNode, NodeRow, Proposal, ProposalOutcome,
};

/// A batch by its name, and by what it asks for.
pub(super) struct Batch<'a> {
    workspace: WorkspaceId,
    replica: ReplicaId,
    name: &'a str,
    digest: [u8; 32],
}

impl<'a> Batch<'a> {
    pub(super) fn new(
        workspace: WorkspaceId,
        replica: ReplicaId,
        name: &'a str,
        proposals: &[Proposal],
        atomic: bool,
    ) -> Self {
        Self {
            workspace,
            replica,
            name,
            digest: digest(proposals, atomic),
        }
    }

    /// The answer that it got before.
    pub(super) async fn recall(&self, db: &mut PgConnection) -> Result<Option<Commit>, HubError> {
        let row = sqlx::query!(
            "select answer, digest from batches where workspace_id = $1 and replica_id = $2 and batch = $3",
            uuid(self.workspace),
            self.replica.uuid(),
            self.name
        )
        .fetch_optional(&mut *db)
        .await?;
        let Some(row) = row else { return Ok(None) };
        // One from before digests were kept is believed.
        if row.digest.is_some_and(|digest| digest != self.digest) {
            return Err(HubError::BatchReused);
        }
        let current = store::entries(db, self.workspace, &stale_paths(&row.answer)).await?;
        let current = current.iter().map(|row| (row.path.as_str(), row)).collect();
        read(&row.answer, &current).map(Some)
    }

    /// Keeps its answer.
    pub(super) async fn remember(
        &self,
        db: &mut PgConnection,
        commit: &Commit,
        now: OffsetDateTime,
    ) -> Result<(), HubError> {
        sqlx::query!(
            "insert into batches (workspace_id, replica_id, batch, digest, answer, at) values ($1, $2, $3, $4, $5, $6)",
            uuid(self.workspace),
            self.replica.uuid(),
            self.name,
            &self.digest[..],
            written(commit),
            now
        )
        .execute(db)
        .await?;
        Ok(())
    }
}

/// A hash over all that a batch asks for. Whether a content came along or was held does not matter, nor where it stood.
fn digest(proposals: &[Proposal], atomic: bool) -> [u8; 32] {
    let mut hasher = ContentHasher::default();
    let mut part = |tag: u8, bytes: &[u8]| {
        hasher.update(&[tag]);
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    part(u8::from(atomic), &[]);
    for proposal in proposals {
        part(2, proposal.path.as_str().as_bytes());
        match proposal.expect {
            None => part(3, &[]),
            Some(Expect::Absent) => part(4, &[]),
            Some(Expect::Folder) => part(5, &[]),
            Some(Expect::EmptyFolder) => part(13, &[]),
            Some(Expect::Content(hash)) => part(6, hash.as_bytes()),
        }
        match &proposal.change {
            NewNode::File {
                content,
                executable,
                ..
            } => {
                let hash = match content {
                    Content::Inline(whole) => whole.hash(),
                    Content::Held(hash) => *hash,
                };
                part(7 + u8::from(*executable), hash.as_bytes());
            }
            NewNode::Folder => part(9, &[]),
            NewNode::Symlink { target } => part(10, target.as_bytes()),
            NewNode::Absent => part(11, &[]),
            NewNode::MoveFrom(from) => part(12, from.as_str().as_bytes()),
        }
    }
    *hasher.finish().as_bytes()
}

/// The answer as it is kept for a repeated batch. What stood there is left out: it is read anew if anyone asks.
fn written(commit: &Commit) -> serde_json::Value {
    let outcomes: Vec<_> = commit
        .outcomes
        .iter()
        .map(|outcome| match outcome {
            ProposalOutcome::Applied => serde_json::json!("applied"),
            ProposalOutcome::Converged => serde_json::json!("converged"),
            ProposalOutcome::NeedsContent => serde_json::json!("needs_content"),
            ProposalOutcome::Stale(current) => {
                serde_json::json!({ "stale": current.as_ref().map(|row| row.path.as_str()) })
            }
            ProposalOutcome::Rejected(code, message) => {
                serde_json::json!({ "rejected": code, "message": message })
            }
        })
        .collect();
    serde_json::json!({ "revision": commit.revision, "outcomes": outcomes })
}

fn read(value: &serde_json::Value, current: &HashMap<&str, &NodeRow>) -> Result<Commit, HubError> {
    let damaged = || HubError::Damaged("the stored answer of a batch".to_owned());
    let revision = value["revision"].as_u64().ok_or_else(damaged)?;
    let outcomes = value["outcomes"]
        .as_array()
        .ok_or_else(damaged)?
        .iter()
        .map(|outcome| match outcome.as_str() {
            Some("applied") => Ok(ProposalOutcome::Applied),
            Some("converged") => Ok(ProposalOutcome::Converged),
            Some("needs_content") => Ok(ProposalOutcome::NeedsContent),
            Some(_) => Err(damaged()),
            None => match outcome.get("rejected").and_then(serde_json::Value::as_str) {
                Some(code) => {
                    let code = Code::parse(code).unwrap_or(Code::InvalidRequest);
                    Ok(ProposalOutcome::Rejected(
                        code,
                        outcome["message"].as_str().unwrap_or_default().to_owned(),
                    ))
                }
                None => Ok(ProposalOutcome::Stale(
                    outcome["stale"]
                        .as_str()
                        .and_then(|path| current.get(path).copied().cloned()),
                )),
            },
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Commit {
        revision,
        made: None,
        outcomes,
    })
}

/// A stored answer's stale paths: what stands there now is shown with it.
fn stale_paths(value: &serde_json::Value) -> Vec<String> {
    value["outcomes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|outcome| outcome["stale"].as_str().map(str::to_owned))
        .collect()
}
