//! Makes a batch durable: one transaction under the workspace's row lock, a fixed number of statements whatever its size.
use std::collections::{BTreeSet, HashMap, HashSet};

use bytes::Bytes;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::{Id as _, WorkspaceId};
use slipway_core::limits::COMMIT_OPERATIONS_MAX;
use slipway_core::path::RelPath;
use sqlx::PgConnection;

use super::apply::{self, Touched};
use super::evaluate::Overlay;
use super::{Author, Commit, Content, NewNode, NodeRow, Proposal, ProposalOutcome, content};
use crate::clock::Clock;

/// Why the hub could not answer.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// There is no such workspace.
    #[error("find the workspace")]
    Unknown,
    /// It is archived or in the trash.
    #[error("write to a workspace that is archived or in the trash")]
    Inactive,
    /// More operations than a commit takes.
    #[error("commit more than {0} operations at once")]
    TooMany(usize),
    /// A content is larger than a file may be.
    #[error("store a content larger than a file may be")]
    TooLarge,
    /// The batch has no usable name.
    #[error("read the name of the batch")]
    Batch,
    /// Stored data does not make sense.
    #[error("read stored data: {0}")]
    Damaged(String),
    /// The database.
    #[error("ask the database")]
    Db(#[from] sqlx::Error),
}

/// Commits a batch inside the caller's transaction.
///
/// # Errors
/// Unknown or inactive workspace, too many operations, no database.
pub async fn commit(
    db: &mut PgConnection,
    clock: &Clock,
    workspace: WorkspaceId,
    author: &Author,
    batch: &str,
    proposals: Vec<Proposal>,
    atomic: bool,
) -> Result<Commit, HubError> {
    if proposals.len() > COMMIT_OPERATIONS_MAX {
        return Err(HubError::TooMany(COMMIT_OPERATIONS_MAX));
    }
    if batch.is_empty() || batch.chars().count() > 200 {
        return Err(HubError::Batch);
    }
    let locked = apply::lock(db, workspace, author.replica, batch)
        .await?
        .ok_or(HubError::Unknown)?;
    if let Some(answer) = locked.answer {
        return answer_from(&answer);
    }
    if locked.inactive {
        return Err(HubError::Inactive);
    }
    let rows = apply::touched(db, workspace, &touched(&proposals)).await?;
    let held = held(db, workspace, &proposals).await?;
    let revision = locked.head + 1;
    let overlay = Overlay::new(rows, held, revision, locked.entries, locked.bytes);
    // Folding and hashing of many files are work for a while: not on a thread that serves others.
    let (proposals, evaluated) = if proposals.len() > 64 {
        tokio::task::spawn_blocking(move || {
            let evaluated = overlay.evaluate(&proposals, atomic);
            (proposals, evaluated)
        })
        .await
        .map_err(|_| HubError::Damaged("evaluating a batch failed".to_owned()))?
    } else {
        let evaluated = overlay.evaluate(&proposals, atomic);
        (proposals, evaluated)
    };
    let changed = !evaluated.effects.is_empty();
    let commit = Commit {
        revision: if changed { revision } else { locked.head },
        outcomes: evaluated.outcomes,
    };
    if changed {
        let now = clock.now();
        let inline = inline(&proposals, &commit.outcomes);
        content::insert(db, workspace, &inline, now).await?;
        apply::apply(db, workspace, revision, &evaluated.effects, author, now).await?;
        apply::advance(
            db,
            workspace,
            revision,
            evaluated.entries,
            evaluated.bytes,
            now,
        )
        .await?;
    }
    apply::remember(
        db,
        workspace,
        author.replica,
        batch,
        &answer_to(&commit),
        clock.now(),
    )
    .await?;
    Ok(commit)
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

async fn held(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    proposals: &[Proposal],
) -> Result<HashMap<ContentHash, u64>, HubError> {
    let wanted: HashSet<ContentHash> = proposals
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
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(apply::held(db, workspace, &wanted.into_iter().collect::<Vec<_>>()).await?)
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

/// The answer as it is kept for a repeated batch. What stood there is left out: it is read anew if anyone asks.
fn answer_to(commit: &Commit) -> serde_json::Value {
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

fn answer_from(answer: &apply::Answer) -> Result<Commit, HubError> {
    let damaged = || HubError::Damaged("the stored answer of a batch".to_owned());
    let value = &answer.value;
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
                        .and_then(|path| {
                            answer.current.iter().find(|row| row.path.as_str() == path)
                        })
                        .cloned(),
                )),
            },
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Commit { revision, outcomes })
}

/// The rows of a stored answer's stale paths, so that the repeated answer can show them.
pub(super) fn stale_paths(value: &serde_json::Value) -> Vec<String> {
    value["outcomes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|outcome| outcome["stale"].as_str().map(str::to_owned))
        .collect()
}

/// A row's parts as the database hands them out.
pub(super) fn node_row(
    path: &str,
    kind: i16,
    hash: Option<Vec<u8>>,
    size: i64,
    executable: bool,
    target: Option<String>,
    rev: i64,
) -> Result<NodeRow, sqlx::Error> {
    let damaged = |what: &str| sqlx::Error::Decode(format!("{what} of an entry").into());
    Ok(NodeRow {
        path: RelPath::parse(path).map_err(|error| sqlx::Error::Decode(Box::new(error)))?,
        kind: super::store::kind(kind).ok_or_else(|| damaged("kind"))?,
        hash: hash
            .map(|bytes| ContentHash::try_from(bytes.as_slice()).map_err(|_| damaged("hash")))
            .transpose()?,
        size: size.unsigned_abs(),
        executable,
        target,
        revision: rev.unsigned_abs(),
    })
}

/// The id of a workspace as the database takes it.
pub(super) fn uuid(workspace: WorkspaceId) -> uuid::Uuid {
    workspace.uuid()
}
