//! One content on its way here, piece by piece. Of a large one that takes the place of another the hub sends what differs,
//! and names as ranges what the file here has already.
use std::io::{self, Read as _, Write as _};

use bytes::Bytes;
use slipway_core::hash::{ContentHash, ContentHasher};
use slipway_proto::{convert, v1};

use crate::volume::Opened;

/// Bytes that are copied at a time; the processor's cache holds them.
const COPIED: usize = 128 * 1024;

/// A content that arrives in pieces.
pub(super) struct Incoming {
    /// Its private file.
    pub(super) scratch: String,
    file: Opened,
    hasher: ContentHasher,
    bytes: u64,
    /// So much of it came on a connection before.
    begun: u64,
    base: Option<Base>,
}

/// A content that the hub was told of, and the file that had it then.
pub(super) struct Base {
    pub(super) hash: ContentHash,
    pub(super) file: Opened,
}

impl Incoming {
    pub(super) fn new(scratch: String, file: Opened) -> Self {
        Self {
            scratch,
            file,
            hasher: ContentHasher::default(),
            bytes: 0,
            begun: 0,
            base: None,
        }
    }

    /// What it may be taken from where the hub names that.
    pub(super) fn on(self, base: Option<Base>) -> Self {
        Self { base, ..self }
    }

    /// The connection is over: what came is gone on from with the next.
    pub(super) fn breaks_off(&mut self) {
        self.begun = self.bytes;
        self.base = None;
    }

    /// Whether some of it came on a connection before.
    pub(super) const fn is_begun(&self) -> bool {
        self.begun > 0
    }

    /// Whether a piece with this offset is the next one. A hub of the version before begins at the beginning, whatever it
    /// was asked for, and so does this one then.
    pub(super) fn is_next(&mut self, offset: u64) -> bool {
        if offset == 0 && self.bytes == self.begun {
            self.hasher = ContentHasher::default();
            self.file.go_to(0);
            self.bytes = 0;
        }
        self.bytes == offset
    }

    /// The content that its base has; empty: it has none.
    pub(super) fn base(&self) -> Bytes {
        let hash = self.base.as_ref().map(|base| &base.hash);
        hash.map(convert::hash_bytes).unwrap_or_default()
    }

    /// How much has come.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether some of it may have been taken from a file that has changed since.
    pub(super) const fn has_base(&self) -> bool {
        self.base.is_some()
    }

    /// What all that came comes to.
    pub(super) fn hash(&self) -> ContentHash {
        self.hasher.finish()
    }

    /// Takes a piece: its bytes, or those that the base has for it. Where that has fewer by now, what comes out is another
    /// content, as its hash tells.
    pub(super) fn take(&mut self, blob: &v1::Blob) -> io::Result<()> {
        if blob.from.is_empty() {
            self.bytes += blob.data.len() as u64;
            return self.write(&blob.data);
        }
        self.bytes += blob.from_size;
        let Some(mut base) = self.base.take() else {
            return Ok(());
        };
        let written = match blob.from[..] == base.hash.as_bytes()[..] {
            true => self.copy(&mut base.file, blob.from_offset, blob.from_size),
            false => Ok(()),
        };
        self.base = Some(base);
        written
    }

    fn copy(&mut self, from: &mut Opened, offset: u64, size: u64) -> io::Result<()> {
        from.go_to(offset);
        let mut buffer = vec![0; COPIED];
        let mut rest = from.take(size);
        loop {
            match rest.read(&mut buffer) {
                // It is shorter by now, or cannot be read any more.
                Ok(0) | Err(_) => return Ok(()),
                Ok(many) => self.write(&buffer[..many])?,
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.file.write_all(bytes)
    }
}
