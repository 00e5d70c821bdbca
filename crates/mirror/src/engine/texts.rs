//! Texts that both sides began with, for merges without a hub and for who looks at a conflict. What is about to be
//! overwritten here, and what a merge had to fetch, is kept compressed, the newest of it.
use std::collections::BTreeMap;
use std::io::Read as _;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::limits::MIB;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;

use super::state::State;
use crate::clock;

/// Begins the key of a record.
pub(super) const RECORD: &str = "text/";
/// Of one text.
const TEXT_BYTES_MAX: u64 = MIB;
/// Of all, compressed.
const BYTES_MAX: usize = 16 * MIB as usize;
/// Fast, and most of what text gives.
const LEVEL: i32 = 1;

/// Which texts are kept.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// In the order of their age, with the size of each.
    ages: BTreeMap<u64, (ContentHash, usize)>,
    kept: BTreeMap<ContentHash, u64>,
    bytes: usize,
}

impl Texts {
    /// Those that were stored.
    pub(super) fn read(stored: &[(String, Vec<u8>)]) -> Self {
        let mut texts = Self::default();
        for (key, bytes) in stored {
            let hash = key.strip_prefix(RECORD).and_then(|hash| hash.parse().ok());
            let age = bytes.first_chunk::<8>().map(|age| u64::from_be_bytes(*age));
            if let (Some(hash), Some(age)) = (hash, age) {
                texts.insert(hash, age, bytes.len());
            }
        }
        texts
    }

    fn insert(&mut self, hash: ContentHash, age: u64, bytes: usize) {
        let last = self.ages.last_key_value().map_or(0, |(age, _)| *age);
        let age = if self.ages.contains_key(&age) {
            last + 1
        } else {
            age
        };
        self.ages.insert(age, (hash, bytes));
        self.kept.insert(hash, age);
        self.bytes += bytes;
    }

    /// Forgets the oldest while there are too many.
    fn too_many(&mut self) -> Vec<ContentHash> {
        let mut gone = Vec::new();
        while self.bytes > BYTES_MAX
            && let Some((_, (hash, bytes))) = self.ages.pop_first()
        {
            self.bytes -= bytes;
            self.kept.remove(&hash);
            gone.push(hash);
        }
        gone
    }
}

fn key(hash: ContentHash) -> String {
    format!("{RECORD}{hash}")
}

impl State {
    /// Keeps a text that both sides had.
    pub(super) fn keep_text(&mut self, hash: ContentHash, text: &[u8]) {
        let is_text = !text.contains(&0) && std::str::from_utf8(text).is_ok();
        if self.texts.kept.contains_key(&hash) || text.len() as u64 > TEXT_BYTES_MAX || !is_text {
            return;
        }
        let Ok(packed) = zstd::bulk::compress(text, LEVEL) else {
            return;
        };
        let age = u64::try_from(clock::unix_ns() / 1_000_000).unwrap_or(0);
        let record = [&age.to_be_bytes(), packed.as_slice()].concat();
        self.texts.insert(hash, age, record.len());
        self.keep.record(key(hash), Some(record));
        for gone in self.texts.too_many() {
            self.keep.record(key(gone), None);
        }
    }

    /// Keeps what both sides have at a path, before this side changes it.
    pub(super) fn keep_base_text(&mut self, path: &RelPath) {
        let Some(Node::File { hash, size, .. }) = self.trees.base.get(path) else {
            return;
        };
        let (hash, size) = (*hash, *size);
        if size > TEXT_BYTES_MAX
            || self.texts.kept.contains_key(&hash)
            || self.trees.local.get(path).and_then(Node::hash) != Some(hash)
        {
            return;
        }
        let read = self.disk.root().content(path, TEXT_BYTES_MAX);
        if let Ok(Some((text, _))) = read
            && ContentHash::of(&text) == hash
        {
            self.keep_text(hash, &text);
        }
    }

    /// A text that was kept.
    pub(super) fn text(&self, hash: ContentHash) -> Option<Bytes> {
        self.texts.kept.get(&hash)?;
        let record = self.keep.recorded(&key(hash))?;
        let packed = record.get(8..)?;
        let mut text = Vec::new();
        let unpacked = zstd::stream::read::Decoder::new(packed).ok()?;
        let many = unpacked.take(TEXT_BYTES_MAX + 1).read_to_end(&mut text);
        (many.is_ok() && ContentHash::of(&text) == hash).then(|| text.into())
    }

    /// What both sides of a conflict began with, if it is at hand: kept, or still the content of some file here.
    pub(super) fn base_content(&self, hash: ContentHash) -> Option<Bytes> {
        self.text(hash).or_else(|| {
            let has = |node: &Node| node.hash() == Some(hash);
            let mut holders = self.trees.local.iter().filter(|(_, node)| has(node));
            let found =
                holders.find_map(|(path, _)| crate::files::read(self.disk.root(), path).ok());
            found
                .filter(|content| content.hash == hash)
                .map(|content| content.bytes)
        })
    }
}
