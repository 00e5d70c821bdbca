//! What was committed here just now: whoever is told of a commit has its rows and small contents without a look for them
//! in the database.
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{COMMIT_OPERATIONS_MAX, MIB};

use super::types::{JournalRow, Whole};

/// Of all contents, whosever they are: what one batch of a replica brings.
const BYTES_MAX: u64 = 4 * MIB;
/// Of all rows: what the largest batch makes, if it is no move.
const ROWS_MAX: usize = COMMIT_OPERATIONS_MAX;

/// All of it. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Recent(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    revisions: Revisions,
    contents: Contents,
}

#[derive(Default)]
struct Revisions {
    all: HashMap<(WorkspaceId, u64), Vec<JournalRow>>,
    /// The oldest first.
    order: VecDeque<(WorkspaceId, u64)>,
    rows: usize,
}

#[derive(Default)]
struct Contents {
    all: HashMap<(WorkspaceId, ContentHash), Bytes>,
    /// The oldest first.
    order: VecDeque<(WorkspaceId, ContentHash)>,
    bytes: u64,
}

impl Recent {
    /// These rows, all of one revision or none, and these contents were committed.
    pub(super) fn put<'a>(
        &self,
        workspace: WorkspaceId,
        rows: Vec<JournalRow>,
        contents: impl Iterator<Item = &'a Whole>,
    ) {
        let mut recent = self.lock();
        recent.revisions.put(workspace, rows);
        for content in contents {
            recent.contents.put(workspace, content);
        }
    }

    /// The rows after a revision, in order; whole revisions, about `limit` rows. None at all when the next revision is
    /// not among them.
    pub(super) fn changes_after(
        &self,
        workspace: WorkspaceId,
        after: u64,
        limit: usize,
    ) -> Vec<JournalRow> {
        let recent = self.lock();
        let mut rows = Vec::new();
        for revision in std::iter::successors(after.checked_add(1), |one| one.checked_add(1)) {
            match recent.revisions.all.get(&(workspace, revision)) {
                Some(more) if rows.len() < limit => rows.extend_from_slice(more),
                _ => break,
            }
        }
        rows
    }

    /// Those of these contents that are among them; what is left out of `hashes` is to be read.
    pub(super) fn take_known(
        &self,
        workspace: WorkspaceId,
        hashes: &mut Vec<ContentHash>,
    ) -> HashMap<ContentHash, Bytes> {
        let recent = self.lock();
        let mut known = HashMap::new();
        hashes.retain(|hash| match recent.contents.all.get(&(workspace, *hash)) {
            Some(bytes) => {
                known.insert(*hash, bytes.clone());
                false
            }
            None => true,
        });
        known
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Revisions {
    fn put(&mut self, workspace: WorkspaceId, rows: Vec<JournalRow>) {
        let Some(revision) = rows.first().map(|row| row.revision) else {
            return;
        };
        let key = (workspace, revision);
        self.rows += rows.len();
        self.order.push_back(key);
        // After a database was set back there is another revision of this number.
        self.rows -= self.all.insert(key, rows).map_or(0, |old| old.len());
        while self.rows > ROWS_MAX
            && let Some(key) = self.order.pop_front()
        {
            self.rows -= self.all.remove(&key).map_or(0, |gone| gone.len());
        }
    }
}

impl Contents {
    fn put(&mut self, workspace: WorkspaceId, content: &Whole) {
        let key = (workspace, content.hash());
        if content.size() > BYTES_MAX || self.all.contains_key(&key) {
            return;
        }
        self.bytes += content.size();
        // Bytes of its own: what came in one frame with others would keep all of that.
        self.all
            .insert(key, Bytes::copy_from_slice(content.bytes()));
        self.order.push_back(key);
        while self.bytes > BYTES_MAX
            && let Some(key) = self.order.pop_front()
        {
            let gone = self.all.remove(&key);
            self.bytes -= gone.map_or(0, |bytes| bytes.len() as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use slipway_api::file::OriginKind;
    use slipway_core::id::Id as _;
    use slipway_core::path::RelPath;
    use time::OffsetDateTime;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_newest_are_had_in_their_workspace_alone() {
        let (here, elsewhere) = (
            WorkspaceId::from_uuid(Uuid::from_u128(1)),
            WorkspaceId::from_uuid(Uuid::from_u128(2)),
        );
        let recent = Recent::default();
        let content = |number: u8| Whole::from(vec![number; (BYTES_MAX / 3) as usize]);
        let first: Vec<_> = (0..4).map(content).collect();
        recent.put(here, Vec::new(), first.iter());
        recent.put(here, Vec::new(), first[3..].iter());
        let all: Vec<_> = (0..5).map(|number| content(number).hash()).collect();
        let mut rest = all.clone();
        let known = recent.take_known(here, &mut rest);
        assert_eq!(rest, [all[0], all[4]]);
        assert_eq!(known[&all[3]], content(3).bytes());
        assert_eq!(known.len(), 3);
        let mut rest = all.clone();
        assert!(recent.take_known(elsewhere, &mut rest).is_empty());
        assert_eq!(rest, all);
    }

    fn revision(revision: u64, rows: usize) -> Vec<JournalRow> {
        let row = |seq| JournalRow {
            revision,
            seq,
            path: RelPath::parse(&format!("{seq}")).unwrap(),
            node: None,
            from: None,
            previous: None,
            origin: OriginKind::Session,
            user: None,
            at: OffsetDateTime::UNIX_EPOCH,
        };
        (1..).take(rows).map(row).collect()
    }

    #[test]
    fn rows_are_told_from_the_next_revision_up_to_a_gap() {
        let here = WorkspaceId::from_uuid(Uuid::from_u128(1));
        let recent = Recent::default();
        let put = |number, rows| recent.put(here, revision(number, rows), std::iter::empty());
        let told = |after, limit| {
            let rows = recent.changes_after(here, after, limit);
            rows.iter().map(|row| row.revision).collect::<Vec<_>>()
        };
        // Whoever made the fourth was a moment quicker; another server made the sixth.
        for number in [2, 4, 3, 5, 7] {
            put(number, 2);
        }
        assert!(told(0, 10).is_empty() && told(5, 10).is_empty() && told(7, 10).is_empty());
        assert_eq!(told(1, 10), [2, 2, 3, 3, 4, 4, 5, 5]);
        assert_eq!(told(1, 3), [2, 2, 3, 3]);
        assert!(told(u64::MAX, 10).is_empty() && told(u64::MAX - 1, 10).is_empty());
        put(8, ROWS_MAX - 4);
        assert_eq!(
            (told(1, 1), told(2, 1), told(6, 1).len()),
            (vec![], vec![], 2)
        );
        put(8, 1);
        assert_eq!(told(6, 10), [7, 7, 8]);
        put(9, ROWS_MAX + 1);
        assert!(told(8, 10).is_empty());
    }
}
