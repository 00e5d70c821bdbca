//! Contents that broke off on their way here. What came of each is kept while the engine runs and somebody wants it, so
//! that the next connection brings the rest alone.
use std::collections::BTreeMap;

use slipway_core::hash::ContentHash;
use slipway_core::limits::FILE_BYTES_MAX;

use crate::disk::private::Private;
use crate::engine::incoming::Incoming;

/// Contents that are kept, each with an open file.
const MANY_MAX: usize = 8;
/// What they take of the disk together: one of the largest finds room.
const BYTES_MAX: u64 = FILE_BYTES_MAX;

/// What came of them.
#[derive(Default)]
pub(super) struct Begun(BTreeMap<ContentHash, Incoming>);

impl Begun {
    /// Keeps what came; where there is no room for all, the older goes.
    pub(super) fn keep(&mut self, broke_off: BTreeMap<ContentHash, Incoming>, private: &Private) {
        let older = std::mem::take(&mut self.0);
        let mut room = BYTES_MAX;
        for (hash, mut incoming) in broke_off.into_iter().chain(older) {
            let bytes = incoming.bytes();
            if bytes == 0 || bytes > room || self.0.len() == MANY_MAX {
                private.discard(&incoming.scratch);
            } else {
                room -= bytes;
                incoming.breaks_off();
                self.0.insert(hash, incoming);
            }
        }
    }

    /// What came of one.
    pub(super) fn take(&mut self, hash: ContentHash) -> Option<Incoming> {
        self.0.remove(&hash)
    }

    /// Drops all but these.
    pub(super) fn retain(&mut self, stays: impl Fn(&ContentHash) -> bool, private: &Private) {
        for (_, incoming) in self.0.extract_if(.., |hash, _| !stays(hash)) {
            private.discard(&incoming.scratch);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use slipway_proto::v1;

    use super::*;
    use crate::disk::Disk;
    use crate::volume::Volume;
    use crate::volume::simulated::{Make, SimVolume};

    /// Keeps contents of which so much came; their private files.
    fn keep(begun: &mut Begun, private: &mut Private, sizes: &[u64]) -> Vec<String> {
        let mut broke_off = BTreeMap::new();
        for bytes in sizes {
            let (scratch, file) = private.scratch().unwrap();
            let hash = ContentHash::of(scratch.as_bytes());
            let mut incoming = Incoming::new(scratch, file);
            // A range is counted, and without a base nothing is written.
            let piece = v1::Blob {
                from: vec![1].into(),
                from_size: *bytes,
                ..v1::Blob::default()
            };
            incoming.take(&piece).unwrap();
            broke_off.insert(hash, incoming);
        }
        let scratches = broke_off.values().map(|one| one.scratch.clone()).collect();
        begun.keep(broke_off, private);
        scratches
    }

    #[test]
    fn of_what_came_no_more_is_kept_than_there_is_room_for() {
        let volume: Arc<dyn Volume> = Arc::new(SimVolume::new(Make::default()));
        let (root, state) = (Path::new("/folder"), Path::new("/state"));
        volume.make_folders(root).unwrap();
        let mut disk = Disk::open(&volume, root, state).unwrap();
        let private = disk.private();
        let left = |private: &Private, scratches: &[String]| {
            let left = scratches.iter().filter(|one| private.read(one).is_ok());
            left.count()
        };
        let mut begun = Begun::default();
        let small = keep(&mut begun, private, &[1; MANY_MAX]);
        // Of the other nothing came.
        let large = keep(&mut begun, private, &[BYTES_MAX - 2, 0]);
        assert_eq!(left(private, &large), 1);
        assert_eq!(left(private, &small), 2);
        let many = keep(&mut begun, private, &[1; MANY_MAX]);
        assert_eq!(left(private, &many), MANY_MAX);
        assert_eq!(left(private, &large) + left(private, &small), 0);
        begun.retain(|_| false, private);
        assert_eq!(left(private, &many), 0);
    }
}
