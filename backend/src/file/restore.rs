//! What brings a workspace, or a part of it, back to a revision.
use std::collections::BTreeMap;

use slipway_api::file::{Kind, Outcome};
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::path::{PathError, RelPath};
use sqlx::PgConnection;

use super::convert;
use crate::error::Error;
use crate::hub::{self, Content, NewNode, NodeRow, Proposal, ProposalOutcome};

/// One path with all below it, and what it was called then.
#[derive(Clone, Copy)]
pub struct Part<'a> {
    /// Now.
    pub path: &'a RelPath,
    /// Then.
    pub was: &'a RelPath,
}

impl Part<'_> {
    /// Where something of it that stood at a path then is to stand; `None`: it was none of it.
    fn place(&self, then: &RelPath) -> Option<Result<RelPath, PathError>> {
        let Self { path, was } = self;
        let rest = then.as_str().strip_prefix(was.as_str())?;
        let is_in = then == *was || then.is_below(was);
        is_in.then(|| RelPath::parse(&format!("{path}{rest}")))
    }
}

/// The operations, deletions first so that kinds may change. Wants the workspace's lock: what the tree holds now must
/// still be what it holds when they are committed.
///
/// # Errors
/// When the path never existed up to that revision, or no database.
pub async fn proposals(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    revision: u64,
    part: Option<Part<'_>>,
) -> Result<Vec<Proposal>, Error> {
    let then = hub::store::tree_at(db, workspace, revision).await?;
    let then = by_path(then, part)?;
    let now = hub::store::tree(db, workspace).await?;
    let here = part.map(|Part { path, .. }| Part { path, was: path });
    let now = by_path(now, here)?;
    if let Some(Part { path, was }) = part
        // Who names another path saw something there: on a wrong one nothing is deleted.
        && then.is_empty() && (now.is_empty() || was != path)
    {
        return Err(Error::not_found(&format!(
            "file as \"{was}\" at this revision"
        )));
    }
    let gone = now
        .iter()
        .rev()
        .filter(|(path, row)| then.get(*path).is_none_or(|old| old.kind != row.kind))
        .map(|(path, _)| Proposal {
            path: path.clone(),
            expect: None,
            change: NewNode::Absent,
        });
    let back = then
        .iter()
        .filter(|(path, row)| {
            now.get(*path).is_none_or(|new| {
                new.hash != row.hash || new.kind != row.kind || new.executable != row.executable
            })
        })
        .filter_map(|(path, row)| {
            let change = match (row.kind, row.hash) {
                (Kind::Folder, _) => NewNode::Folder,
                (Kind::Symlink, _) => NewNode::Symlink {
                    target: row.target.clone()?,
                },
                (Kind::File, hash) => NewNode::File {
                    content: Content::Held(hash?),
                    executable: row.executable,
                    from: None,
                },
            };
            Some(Proposal {
                path: path.clone(),
                expect: None,
                change,
            })
        });
    Ok(gone.chain(back).collect())
}

/// Rows of a tree, or of a part of it, by where they are to stand.
fn by_path(
    rows: Vec<NodeRow>,
    part: Option<Part<'_>>,
) -> Result<BTreeMap<RelPath, NodeRow>, PathError> {
    let placed = rows.into_iter().filter_map(|row| {
        let path = match part {
            Some(part) => part.place(&row.path)?,
            None => Ok(row.path.clone()),
        };
        Some(path.map(|path| (path, row)))
    });
    placed.collect()
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
