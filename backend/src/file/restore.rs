//! What brings a workspace, or a part of it, back to a revision.
use std::collections::BTreeMap;

use slipway_api::file::{Kind, Outcome};
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::path::RelPath;
use sqlx::PgConnection;

use super::convert;
use crate::error::Error;
use crate::hub::{self, Content, NewNode, NodeRow, Proposal, ProposalOutcome};

/// The operations, deletions first so that kinds may change. Wants the workspace's lock: what the tree holds now must
/// still be what it holds when they are committed.
///
/// # Errors
/// When the path never existed up to that revision, or no database.
pub async fn proposals(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    revision: u64,
    below: Option<&RelPath>,
) -> Result<Vec<Proposal>, Error> {
    let concerned =
        |row: &NodeRow| below.is_none_or(|below| row.path == *below || row.path.is_below(below));
    let then: BTreeMap<_, _> = hub::store::tree_at(db, workspace, revision)
        .await?
        .into_iter()
        .filter(concerned)
        .map(|row| (row.path.clone(), row))
        .collect();
    let now: BTreeMap<_, _> = hub::store::tree(db, workspace)
        .await?
        .into_iter()
        .filter(concerned)
        .map(|row| (row.path.clone(), row))
        .collect();
    if let Some(below) = below.filter(|_| then.is_empty() && now.is_empty()) {
        return Err(Error::not_found(&format!(
            "file as \"{below}\" at this revision"
        )));
    }
    let gone = now
        .values()
        .rev()
        .filter(|row| then.get(&row.path).is_none_or(|old| old.kind != row.kind))
        .map(|row| Proposal {
            path: row.path.clone(),
            expect: None,
            change: NewNode::Absent,
        });
    let back = then
        .values()
        .filter(|row| {
            now.get(&row.path).is_none_or(|new| {
                new.hash != row.hash || new.kind != row.kind || new.executable != row.executable
            })
        })
        .filter_map(|row| {
            let change = match (row.kind, row.hash) {
                (Kind::Folder, _) => NewNode::Folder,
                (Kind::Symlink, _) => NewNode::Symlink {
                    target: row.target.clone()?,
                },
                (Kind::File, hash) => NewNode::File {
                    content: Content::Held(hash?),
                    executable: row.executable,
                },
            };
            Some(Proposal {
                path: row.path.clone(),
                expect: None,
                change,
            })
        });
    Ok(gone.chain(back).collect())
}

/// How an operation of a restore ended, as clients see it.
#[must_use]
pub fn outcome(outcome: ProposalOutcome) -> Outcome {
    convert::outcome(match outcome {
        ProposalOutcome::NeedsContent => ProposalOutcome::Rejected(
            Code::ContentMissing,
            "The content of this version is not kept any more.".to_owned(),
        ),
        outcome => outcome,
    })
}
