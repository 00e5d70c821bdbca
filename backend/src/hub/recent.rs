//! Small contents that were committed just now: whoever is told of the commit has them without a look into the database.
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::MIB;

use super::types::Whole;

/// Of all of them, whosever they are: what one batch of a replica brings.
const BYTES_MAX: u64 = 4 * MIB;

type Key = (WorkspaceId, ContentHash);

/// All of them. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Recent(Arc<Mutex<Contents>>);

#[derive(Default)]
struct Contents {
    all: HashMap<Key, Bytes>,
    /// The oldest first.
    order: VecDeque<Key>,
    bytes: u64,
}

impl Recent {
    /// These were committed.
    pub(super) fn put<'a>(
        &self,
        workspace: WorkspaceId,
        contents: impl Iterator<Item = &'a Whole>,
    ) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for content in contents {
            let key = (workspace, content.hash());
            if content.size() > BYTES_MAX || recent.all.contains_key(&key) {
                continue;
            }
            recent.bytes += content.size();
            // Bytes of its own: what came in one frame with others would keep all of that.
            recent
                .all
                .insert(key, Bytes::copy_from_slice(content.bytes()));
            recent.order.push_back(key);
            recent.make_room();
        }
    }

    /// Those of these contents that are among them; what is left out of `hashes` is to be read.
    pub(super) fn take_known(
        &self,
        workspace: WorkspaceId,
        hashes: &mut Vec<ContentHash>,
    ) -> HashMap<ContentHash, Bytes> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = HashMap::new();
        hashes.retain(|hash| match recent.all.get(&(workspace, *hash)) {
            Some(bytes) => {
                known.insert(*hash, bytes.clone());
                false
            }
            None => true,
        });
        known
    }
}

impl Contents {
    fn make_room(&mut self) {
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
    use slipway_core::id::Id as _;
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
        recent.put(here, first.iter());
        recent.put(here, first[3..].iter());
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
}
