//! Makes a batch durable: one transaction under the workspace's row lock, a fixed number of statements whatever its size.
use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BATCH_NAME_CHARS_MAX, COMMIT_OPERATIONS_MAX, HISTORY_BYTES_MAX};
use slipway_core::path::RelPath;
use sqlx::PgConnection;

use super::answer::Batch;
use super::apply::{self, Touched};
use super::evaluate::{Evaluated, Overlay};
use super::types::{Author, Commit, Content, HubError, NewNode, Proposal, ProposalOutcome};
use super::{content, history};
use crate::clock::Clock;

/// More operations than this are evaluated on a thread of their own.
const EVALUATED_HERE: usize = 64;

/// Commits a batch inside the caller's transaction.
///
/// # Errors
/// Unknown or inactive workspace, too many operations, no database.
pub(super) async fn commit(
    db: &mut PgConnection,
    clock: &Clock,
    workspace: WorkspaceId,
    author: &Author,
    name: &str,
    proposals: Vec<Proposal>,
    atomic: bool,
) -> Result<Commit, HubError> {
    if proposals.len() > COMMIT_OPERATIONS_MAX {
        return Err(HubError::TooMany(COMMIT_OPERATIONS_MAX));
    }
    if name.is_empty() || name.chars().count() > BATCH_NAME_CHARS_MAX {
        return Err(HubError::BatchName);
    }
    let batch = Batch::new(workspace, author.replica, name, &proposals, atomic);
    let locked = apply::lock(db, workspace).await?.ok_or(HubError::Unknown)?;
    if let Some(answer) = batch.recall(db).await? {
        return Ok(answer);
    }
    if locked.inactive {
        return Err(HubError::Inactive);
    }
    let now = clock.now();
    let rows = apply::touched(db, workspace, &touched(&proposals)).await?;
    let held = content::hold(db, workspace, &named(&proposals), now).await?;
    let revision = locked.head + 1;
    let overlay = Overlay::new(rows, held, revision, locked.entries, locked.bytes);
    let (proposals, evaluated) = evaluate(overlay, proposals, atomic).await?;
    if !evaluated.effects.is_empty() {
        let inline = inline(&proposals, &evaluated.outcomes);
        content::insert(db, workspace, &inline, now).await?;
        apply::apply(db, workspace, revision, &evaluated.effects, author, now).await?;
        let past = apply::advance(db, workspace, revision, &evaluated, now).await?;
        if past > HISTORY_BYTES_MAX {
            history::thin(db, workspace, HISTORY_BYTES_MAX / 4 * 3, now).await?;
        }
    }
    let commit = Commit {
        revision: if evaluated.effects.is_empty() {
            locked.head
        } else {
            revision
        },
        outcomes: evaluated.outcomes,
    };
    batch.remember(db, &commit, now).await?;
    Ok(commit)
}

/// Folding and hashing of many files are work for a while: not on a thread that serves others.
async fn evaluate(
    overlay: Overlay,
    proposals: Vec<Proposal>,
    atomic: bool,
) -> Result<(Vec<Proposal>, Evaluated), HubError> {
    if proposals.len() <= EVALUATED_HERE {
        let evaluated = overlay.evaluate(&proposals, atomic);
        return Ok((proposals, evaluated));
    }
    tokio::task::spawn_blocking(move || {
        let evaluated = overlay.evaluate(&proposals, atomic);
        (proposals, evaluated)
    })
    .await
    .map_err(|_| HubError::Damaged("evaluating a batch failed".to_owned()))
}

/// Every path whose row can matter: named ones, the folders above, and folders whose content goes along.
fn touched(proposals: &[Proposal]) -> Touched {
    let mut paths = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for proposal in proposals {
        let mut add = |path: &RelPath| {
            paths.extend(path.ancestors());
            paths.insert(path.clone());
        };
        add(&proposal.path);
        match &proposal.change {
            NewNode::MoveFrom(from) => {
                add(from);
                folders.insert(from.clone());
            }
            NewNode::Absent => drop(folders.insert(proposal.path.clone())),
            NewNode::File { .. } | NewNode::Folder | NewNode::Symlink { .. } => {}
        }
    }
    Touched {
        folds: paths.iter().map(RelPath::fold_key).collect(),
        paths: paths.into_iter().map(|path| path.to_string()).collect(),
        folders: folders.into_iter().map(|path| path.to_string()).collect(),
    }
}

/// The contents that a batch names by hash.
fn named(proposals: &[Proposal]) -> Vec<ContentHash> {
    let hashes: HashSet<_> = proposals
        .iter()
        .filter_map(|proposal| match &proposal.change {
            NewNode::File {
                content: Content::Held(hash),
                ..
            } => Some(*hash),
            NewNode::File {
                content: Content::Inline(_),
                ..
            }
            | NewNode::Folder
            | NewNode::Symlink { .. }
            | NewNode::Absent
            | NewNode::MoveFrom(_) => None,
        })
        .collect();
    hashes.into_iter().collect()
}

/// Contents that came along and are used now.
fn inline(proposals: &[Proposal], outcomes: &[ProposalOutcome]) -> Vec<Bytes> {
    proposals
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| matches!(outcome, ProposalOutcome::Applied))
        .filter_map(|(proposal, _)| match &proposal.change {
            NewNode::File {
                content: Content::Inline(bytes),
                ..
            } => Some(bytes.clone()),
            NewNode::File {
                content: Content::Held(_),
                ..
            }
            | NewNode::Folder
            | NewNode::Symlink { .. }
            | NewNode::Absent
            | NewNode::MoveFrom(_) => None,
        })
        .collect()
}
