//! Contents that a look read and the hub is to be told of, so that they are not read twice. They are found by what they
//! are, so that none is ever the wrong one.
use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use slipway_core::hash::ContentHash;
use slipway_core::limits::INLINE_CONTENT_BYTES_MAX;
use slipway_core::path::RelPath;

use crate::disk::{Fingerprint, Root};

/// Of all of them; what does not fit is read again.
const BYTES_MAX: usize = 8 << 20;

/// Small contents share blocks of this size.
const BLOCK_BYTES: usize = 256 << 10;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    contents: HashMap<ContentHash, Bytes>,
    bytes: usize,
    /// What is left of a block.
    block: BytesMut,
}

impl Fresh {
    /// Reads the content of a small file; `None` when it changed meanwhile, or is larger.
    pub(super) fn read(
        &mut self,
        root: &Root,
        path: &RelPath,
    ) -> std::io::Result<Option<(Bytes, Fingerprint)>> {
        if self.block.capacity() < INLINE_CONTENT_BYTES_MAX as usize {
            self.block = BytesMut::with_capacity(BLOCK_BYTES);
        }
        root.content_in(&mut self.block, path, INLINE_CONTENT_BYTES_MAX)
    }

    /// A content was read.
    pub(super) fn put(&mut self, hash: ContentHash, content: Bytes) {
        if self.bytes + content.len() > BYTES_MAX {
            return;
        }
        self.bytes += content.len();
        if let Some(same) = self.contents.insert(hash, content) {
            self.bytes -= same.len();
        }
    }

    /// A content is sent: nobody else needs it.
    pub(super) fn take(&mut self, hash: ContentHash) -> Option<Bytes> {
        let content = self.contents.remove(&hash)?;
        self.bytes -= content.len();
        Some(content)
    }

    /// Nothing is sent any more.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_had_once_and_no_more_are_kept_than_there_is_room_for() {
        let mut fresh = Fresh::default();
        let hash = |number: u8| ContentHash::of(&[number]);
        let third = |number: u8| Bytes::from(vec![number; BYTES_MAX / 3]);
        for number in [0, 1, 2, 3, 0] {
            fresh.put(hash(number), third(number));
        }
        assert_eq!(
            fresh.take(hash(0)).map(|bytes| bytes.len()),
            Some(BYTES_MAX / 3)
        );
        assert_eq!(fresh.take(hash(0)), None);
        assert_eq!(fresh.take(hash(3)), None, "there was no room for it");
        fresh.put(hash(3), third(3));
        assert!(fresh.take(hash(3)).is_some());
        fresh.clear();
        assert_eq!(fresh.take(hash(1)), None);
    }
}
