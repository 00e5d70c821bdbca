//! Content addresses: BLAKE3 of the bytes; and what it comes to for the chunks of a large content, each at its place.

use blake3::hazmat::{
    ChainingValue, HasherExt as _, Mode, merge_subtrees_non_root, merge_subtrees_root,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::limits::CHUNK_BYTES_MAX;

/// BLAKE3 hash of a file's content (or of a symlink's target); written as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ts_rs::TS, utoipa::ToSchema)]
#[ts(type = "string")]
#[schema(value_type = String)]
pub struct ContentHash([u8; 32]);

/// Text that is not 64 hex digits.
#[derive(Debug, thiserror::Error)]
#[error("read a content hash: 64 hex digits expected")]
pub struct InvalidHash;

impl ContentHash {
    /// Hashes a content that is in memory.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(*blake3::hash(content).as_bytes())
    }
    /// Wraps 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Hashes a content that arrives in pieces.
#[derive(Clone, Default)]
pub struct ContentHasher(blake3::Hasher);

impl ContentHasher {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }
    /// The hash of all pieces so far.
    #[must_use]
    pub fn finish(&self) -> ContentHash {
        ContentHash(*self.0.finalize().as_bytes())
    }
}

/// What BLAKE3 comes to for one chunk of a content that has several, at its place: its subtree. The same bytes at another
/// place have another one. All of a content's together make its hash without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkHash([u8; 32]);

impl ChunkHash {
    /// Of the chunk that so many full chunks come before; only a content's last may be smaller than the others.
    #[must_use]
    pub fn of(chunk: &[u8], before: usize) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset((before * CHUNK_BYTES_MAX) as u64);
        Self(hasher.update(chunk).finalize_non_root())
    }
    /// The hash of the content that has these chunks; of one alone nothing follows.
    #[must_use]
    pub fn whole(chunks: &[Self]) -> Option<ContentHash> {
        let (left, right) = chunks.split_at_checked(left(chunks.len()))?;
        (!left.is_empty() && !right.is_empty()).then(|| {
            let root = merge_subtrees_root(&subtree(left), &subtree(right), Mode::Hash);
            ContentHash(*root.as_bytes())
        })
    }
    /// Wraps 32 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// How many of so many chunks are left of the root: the largest power of two that leaves something for the right.
const fn left(many: usize) -> usize {
    if many < 2 {
        return 0;
    }
    1 << (many - 1).ilog2()
}

fn subtree(chunks: &[ChunkHash]) -> ChainingValue {
    match chunks {
        [one] => one.0,
        many => {
            let (left, right) = many.split_at(left(many.len()));
            merge_subtrees_non_root(&subtree(left), &subtree(right), Mode::Hash)
        }
    }
}

impl From<[u8; 32]> for ContentHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}
impl TryFrom<&[u8]> for ContentHash {
    type Error = InvalidHash;
    fn try_from(bytes: &[u8]) -> Result<Self, InvalidHash> {
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}
impl std::str::FromStr for ContentHash {
    type Err = InvalidHash;
    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidHash)?;
        Ok(Self(bytes))
    }
}
impl std::fmt::Display for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
impl std::fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ContentHash({}..)", hex::encode(&self.0[..4]))
    }
}
impl Serialize for ContentHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de> Deserialize<'de> for ContentHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chunks_of_a_content_make_its_hash() {
        let bytes: Vec<u8> = (0..9 * CHUNK_BYTES_MAX).map(|n| (n % 251) as u8).collect();
        for size in [1, 2, 3, 5, 8]
            .into_iter()
            .flat_map(|many| [many * CHUNK_BYTES_MAX + 1, (many + 1) * CHUNK_BYTES_MAX])
        {
            let content = &bytes[..size];
            let chunks = content.chunks(CHUNK_BYTES_MAX).enumerate();
            let chunks: Vec<_> = chunks.map(|(n, chunk)| ChunkHash::of(chunk, n)).collect();
            assert_eq!(
                ChunkHash::whole(&chunks),
                Some(ContentHash::of(content)),
                "{size}"
            );
        }
    }

    #[test]
    fn a_chunk_alone_and_no_chunk_are_no_content() {
        let chunk = ChunkHash::of(b"a", 0);
        assert_eq!(ChunkHash::whole(&[chunk]), None);
        assert_eq!(ChunkHash::whole(&[]), None);
        assert_ne!(chunk, ChunkHash::of(b"a", 1));
    }
}
