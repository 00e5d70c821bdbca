//! What brings a workspace, or a part of it, back to a revision.
use std::collections::BTreeMap;

use slipway_api::file::Kind;
use slipway_core::id::WorkspaceId;
use slipway_core::path::RelPath;

use crate::error::Error;
use crate::hub::{self, Content, NewNode, NodeRow, Proposal};
use crate::state::App;

/// The operations, deletions first so that kinds may change.
///
/// # Errors
/// When the path never existed up to that revision, or no database.
pub async fn proposals(
    app: &App,
    workspace: WorkspaceId,
    revision: u64,
    below: Option<&RelPath>,
) -> Result<Vec<Proposal>, Error> {
    let concerned =
        |row: &NodeRow| below.is_none_or(|below| row.path == *below || row.path.is_below(below));
    let mut db = app.db.acquire().await?;
    let then: BTreeMap<_, _> = hub::store::tree_at(&mut db, workspace, revision)
        .await?
        .into_iter()
        .filter(concerned)
        .map(|row| (row.path.clone(), row))
        .collect();
    drop(db);
    let (_, now) = app.hub.listing(workspace).await?;
    let now: BTreeMap<_, _> = now
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
