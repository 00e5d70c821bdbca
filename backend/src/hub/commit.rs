//! Makes a batch durable: one transaction under the workspace's row lock, a fixed number of statements whatever its size.
use std::collections::{BTreeSet, HashSet};

use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BATCH_NAME_CHARS_MAX, COMMIT_OPERATIONS_MAX, HISTORY_BYTES_MAX};
use slipway_core::path::fold;
use sqlx::PgConnection;
use time::OffsetDateTime;

use super::answer::Batch;
use super::apply::{self, Touched};
use super::content::{self, Ready};
use super::evaluate::{Effect, Evaluated, Overlay};
use super::history;
use super::types::{
    Author, Commit, Content, HubError, JournalRow, NewNode, Proposal, ProposalOutcome, Whole,
};
use crate::clock::Clock;

/// More operations or rows than this are evaluated, and contents packed, on a thread of their own.
const EVALUATED_HERE: usize = 64;

/// Paths of a batch and of all folders above them, each counted once. A program may nest folders without end; a full
/// workspace of names as people give them has less.
const PATHS_BYTES_MAX: usize = 32 << 20;

/// What a batch did.
pub(super) struct Done {
    pub(super) commit: Commit,
    /// The revision that it made, as the journal has it; empty when it made none.
    pub(super) rows: Vec<JournalRow>,
}

impl Done {
    fn nothing_new(commit: Commit) -> Self {
        let rows = Vec::new();
        Self { commit, rows }
    }
}

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
) -> Result<Done, HubError> {
    if proposals.len() > COMMIT_OPERATIONS_MAX {
        return Err(HubError::TooMany(COMMIT_OPERATIONS_MAX));
    }
    if name.is_empty() || name.chars().count() > BATCH_NAME_CHARS_MAX {
        return Err(HubError::BatchName);
    }
    let touched = touched(&proposals)?;
    let inline = inline(&proposals);
    let making = Making::begin(inline.iter().flatten().cloned().collect());
    let batch = Batch::new(workspace, author.replica, name, &proposals, atomic);
    let locked = apply::lock(db, workspace).await?.ok_or(HubError::Unknown)?;
    if let Some(answer) = batch.recall(db).await? {
        return Ok(Done::nothing_new(answer));
    }
    if locked.inactive {
        return Err(HubError::Inactive);
    }
    let now = clock.now();
    let rows = apply::touched(db, workspace, &touched).await?;
    let held = content::hold(db, workspace, &named(&proposals), now).await?;
    let revision = locked.head + 1;
    let overlay = Overlay::new(rows, held, revision, locked.entries, locked.bytes);
    let evaluated = evaluate(overlay, proposals, atomic).await?;
    if !evaluated.effects.is_empty() {
        let used = applied(&inline, &evaluated.outcomes)
            .map(Whole::hash)
            .collect();
        let contents = making.end().await?.only(&used);
        content::insert(db, workspace, contents, now).await?;
        apply::apply(db, workspace, revision, &evaluated.effects, author, now).await?;
        let past = apply::advance(db, workspace, revision, &evaluated, now).await?;
        if past > HISTORY_BYTES_MAX {
            history::thin(db, workspace, HISTORY_BYTES_MAX / 4 * 3, now).await?;
        }
    }
    let is_new = !evaluated.effects.is_empty();
    let commit = Commit {
        revision: if is_new { revision } else { locked.head },
        made: is_new.then_some(now),
        outcomes: evaluated.outcomes,
    };
    batch.remember(db, &commit, now).await?;
    let rows = evaluated.effects.into_iter().zip(1..);
    Ok(Done {
        rows: rows
            .map(|(effect, seq)| journal_row(effect, revision, seq, author, now))
            .collect(),
        commit,
    })
}

/// An effect as it stands in the journal.
fn journal_row(
    effect: Effect,
    revision: u64,
    seq: u32,
    author: &Author,
    at: OffsetDateTime,
) -> JournalRow {
    JournalRow {
        revision,
        seq,
        path: effect.path,
        node: effect.after,
        from: effect.from,
        previous: effect.before.and_then(|row| row.hash),
        origin: author.kind,
        user: author.user,
        at,
    }
}

/// Folding and hashing of many files are work for a while: not on a thread that serves others.
async fn evaluate(
    overlay: Overlay,
    proposals: Vec<Proposal>,
    atomic: bool,
) -> Result<Evaluated, HubError> {
    if proposals.len().max(overlay.len()) <= EVALUATED_HERE {
        return Ok(overlay.evaluate(&proposals, atomic));
    }
    tokio::task::spawn_blocking(move || overlay.evaluate(&proposals, atomic))
        .await
        .map_err(|_| HubError::Damaged("evaluating a batch failed".to_owned()))
}

/// Every path whose row can matter: named ones, the folders above, and folders whose content goes along.
fn touched<'a>(proposals: &'a [Proposal]) -> Result<Touched, HubError> {
    let mut paths = BTreeSet::new();
    let mut folders = BTreeSet::new();
    let mut bytes = 0;
    for proposal in proposals {
        let mut add = |path: &'a str| {
            let above = |path: &&'a str| path.rsplit_once('/').map(|(above, _)| above);
            // Above one that is known all are.
            let fresh =
                std::iter::successors(Some(path), above).take_while(|path| paths.insert(*path));
            bytes += fresh.map(str::len).sum::<usize>();
        };
        add(proposal.path.as_str());
        match &proposal.change {
            NewNode::MoveFrom(from) => {
                add(from.as_str());
                folders.insert(from.as_str());
            }
            NewNode::Absent => drop(folders.insert(proposal.path.as_str())),
            NewNode::File { .. } | NewNode::Folder | NewNode::Symlink { .. } => {}
        }
    }
    if bytes > PATHS_BYTES_MAX {
        return Err(HubError::TooDeep);
    }
    Ok(Touched {
        folds: paths.iter().map(|path| fold(path)).collect(),
        paths: paths.into_iter().map(str::to_owned).collect(),
        folders: folders.into_iter().map(str::to_owned).collect(),
    })
}

/// The content of a proposed file.
const fn content_of(proposal: &Proposal) -> Option<&Content> {
    match &proposal.change {
        NewNode::File { content, .. } => Some(content),
        NewNode::Folder | NewNode::Symlink { .. } | NewNode::Absent | NewNode::MoveFrom(_) => None,
    }
}

/// The contents that a batch names by hash.
fn named(proposals: &[Proposal]) -> Vec<ContentHash> {
    let contents = proposals.iter().filter_map(content_of);
    let hashes: HashSet<_> = contents
        .filter_map(|content| match content {
            Content::Held(hash) => Some(*hash),
            Content::Inline(_) => None,
        })
        .collect();
    hashes.into_iter().collect()
}

/// Contents that come along, for each of a batch.
pub(super) fn inline(proposals: &[Proposal]) -> Vec<Option<Whole>> {
    let contents = proposals.iter().map(content_of);
    contents
        .map(|content| match content? {
            Content::Inline(whole) => Some(whole.clone()),
            Content::Held(_) => None,
        })
        .collect()
}

/// Those of them that are used now.
pub(super) fn applied<'a>(
    contents: &'a [Option<Whole>],
    outcomes: &'a [ProposalOutcome],
) -> impl Iterator<Item = &'a Whole> {
    let all = contents.iter().zip(outcomes);
    all.filter(|(_, outcome)| matches!(outcome, ProposalOutcome::Applied))
        .filter_map(|(content, _)| content.as_ref())
}

/// Contents that are being packed, while the database is asked what they meet.
enum Making {
    /// They are few: packed when they are needed.
    Few(Vec<Whole>),
    /// On a thread of their own.
    Many(tokio::task::JoinHandle<Ready>),
}

impl Making {
    fn begin(contents: Vec<Whole>) -> Self {
        if contents.len() <= EVALUATED_HERE {
            return Self::Few(contents);
        }
        Self::Many(tokio::task::spawn_blocking(|| Ready::new(contents)))
    }

    async fn end(self) -> Result<Ready, HubError> {
        match self {
            Self::Few(contents) => Ok(Ready::new(contents)),
            Self::Many(task) => task
                .await
                .map_err(|_| HubError::Damaged("packing a batch failed".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use slipway_core::path::RelPath;

    fn folder(path: &str) -> Proposal {
        Proposal {
            path: RelPath::parse(path).unwrap(),
            expect: None,
            change: NewNode::Folder,
        }
    }

    #[test]
    fn every_folder_above_a_path_is_touched_once() {
        let all = touched(&[folder("a/B/c"), folder("a/B/d")]).unwrap();
        assert_eq!(all.paths, ["a", "a/B", "a/B/c", "a/B/d"]);
        assert_eq!(all.folds, ["a", "a/b", "a/b/c", "a/b/d"]);
    }

    #[test]
    fn paths_that_share_no_folders_are_refused_before_all_of_these_are_made() {
        let nested = vec!["0123456789abcdefgh"; 99].join("/");
        let deep = |number| folder(&format!("{number}/{nested}"));
        let many: Vec<_> = (0..100).map(deep).collect();
        assert!(touched(&many).is_ok());
        let many: Vec<_> = (0..1_000).map(deep).collect();
        assert!(matches!(touched(&many), Err(HubError::TooDeep)));
    }
}
