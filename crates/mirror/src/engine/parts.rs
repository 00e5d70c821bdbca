//! Which chunks the large contents have that the hub got from here: of a changed file only what is new is sent, and the
//! rest is named as ranges of a content that the hub holds.
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use slipway_core::hash::ContentHash;

/// Begins the key of a record.
pub(super) const RECORD: &str = "parts/";
/// Chunks that are remembered, of about 256 KiB each; the oldest contents are forgotten first.
const CHUNKS_MAX: usize = 8_000;
/// A chunk's hash and size in a record.
const ROW: usize = 32 + 4;

/// A chunk of a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) hash: ContentHash,
    pub(crate) size: u32,
}

/// Where the hub has some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) content: ContentHash,
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

/// What is known of contents at the hub; shared with what sends.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parts(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    /// The hub takes ranges.
    ranges: bool,
    /// Contents at the hub, the oldest first.
    held: VecDeque<(ContentHash, Vec<Part>)>,
    places: HashMap<ContentHash, Range>,
    many: usize,
    /// Sent, and not known to have arrived.
    sent: HashMap<ContentHash, Vec<Part>>,
    /// What a content that is being sent takes ranges of.
    uses: HashMap<ContentHash, BTreeSet<ContentHash>>,
    /// Contents that broke off before: of what came of each, hash and size.
    begun: HashMap<ContentHash, (ContentHash, u64)>,
    /// The content that is being sent, and how much of it was.
    sending: Option<(ContentHash, u64)>,
}

impl Known {
    fn hold(&mut self, content: ContentHash, parts: Vec<Part>) -> Vec<ContentHash> {
        let mut offset = 0;
        for part in &parts {
            let size = u64::from(part.size);
            let range = Range {
                content,
                offset,
                size,
            };
            self.places.insert(part.hash, range);
            offset += size;
        }
        self.many += parts.len();
        self.held.push_back((content, parts));
        let mut gone = Vec::new();
        while self.many > CHUNKS_MAX
            && let Some((oldest, parts)) = self.held.pop_front()
        {
            self.forget(oldest, &parts);
            gone.push(oldest);
        }
        gone
    }

    fn forget(&mut self, content: ContentHash, parts: &[Part]) {
        self.many -= parts.len();
        for part in parts {
            // Another content may have it, too.
            if self.places.get(&part.hash).map(|range| range.content) == Some(content) {
                self.places.remove(&part.hash);
            }
        }
    }
}

impl Parts {
    /// Those that were stored.
    pub(super) fn read(stored: &[(String, Vec<u8>)]) -> Self {
        let parts = Self::default();
        for (key, bytes) in stored {
            let hash = key.strip_prefix(RECORD).and_then(|hash| hash.parse().ok());
            if let (Some(hash), Some(list)) = (hash, decode(bytes)) {
                parts.known().hold(hash, list);
            }
        }
        parts
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection began: whether its hub takes ranges.
    pub(super) fn greeted(&self, ranges: bool) {
        let mut known = self.known();
        known.ranges = ranges;
        known.sent.clear();
        known.uses.clear();
        known.begun.clear();
        known.sending = None;
    }

    /// The hub holds so many first bytes of a content as another one.
    pub(super) fn begun(&self, content: ContentHash, begin: ContentHash, size: u64) {
        self.known().begun.insert(content, (begin, size));
    }

    /// What the hub holds of a content that broke off; told once.
    pub(crate) fn take_begun(&self, content: ContentHash) -> Option<(ContentHash, u64)> {
        self.known().begun.remove(&content)
    }

    /// Where the hub has a chunk, for a content that is being sent.
    pub(crate) fn find(&self, content: ContentHash, part: Part) -> Option<Range> {
        let mut known = self.known();
        let range = known.places.get(&part.hash).copied();
        let range = range.filter(|range| known.ranges && range.size == u64::from(part.size))?;
        known.uses.entry(content).or_default().insert(range.content);
        Some(range)
    }

    /// So much of a content was sent.
    pub(crate) fn sends(&self, content: ContentHash, bytes: u64) {
        self.known().sending = Some((content, bytes));
    }

    /// A content was sent whole.
    pub(crate) fn sent(&self, content: ContentHash, parts: Vec<Part>) {
        let mut known = self.known();
        known.sending = None;
        known.sent.insert(content, parts);
    }

    /// What is being sent, and how much of it was.
    pub(super) fn sending(&self) -> Option<(ContentHash, u64)> {
        self.known().sending
    }

    /// A content that was sent is at the hub: what is to be remembered of it, and what no longer.
    pub(super) fn arrived(&self, content: ContentHash) -> Option<(Vec<u8>, Vec<ContentHash>)> {
        let mut known = self.known();
        known.uses.remove(&content);
        let parts = known.sent.remove(&content)?;
        if parts.len() < 2 || known.held.iter().any(|(held, _)| *held == content) {
            return None;
        }
        let record = encode(&parts);
        let gone = known.hold(content, parts);
        Some((record, gone))
    }

    /// A content that was sent is not at the hub: what it took ranges of may be gone there; what is forgotten of it.
    pub(super) fn failed(&self, content: ContentHash) -> Vec<ContentHash> {
        let mut known = self.known();
        known.sent.remove(&content);
        let used = known.uses.remove(&content).unwrap_or_default();
        let held = std::mem::take(&mut known.held).into_iter();
        let (gone, held): (VecDeque<_>, VecDeque<_>) =
            held.partition(|(held, _)| used.contains(held));
        known.held = held;
        for (content, parts) in &gone {
            known.forget(*content, parts);
        }
        gone.into_iter().map(|(content, _)| content).collect()
    }
}

pub(super) fn key(content: ContentHash) -> String {
    format!("{RECORD}{content}")
}

fn encode(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.len() * ROW);
    for part in parts {
        bytes.extend_from_slice(part.hash.as_bytes());
        bytes.extend_from_slice(&part.size.to_le_bytes());
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<Vec<Part>> {
    let (rows, rest) = bytes.as_chunks::<ROW>();
    let part = |row: &[u8; ROW]| {
        let (hash, size) = row.split_first_chunk::<32>()?;
        let size = size.first_chunk::<4>()?;
        Some(Part {
            hash: ContentHash::from_bytes(*hash),
            size: u32::from_le_bytes(*size),
        })
    };
    rest.is_empty()
        .then(|| rows.iter().map(part).collect::<Option<_>>())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str) -> Part {
        Part {
            hash: ContentHash::of(text.as_bytes()),
            size: 7,
        }
    }

    #[test]
    fn what_arrived_is_named_by_range_and_what_failed_is_not_named_again() {
        let parts = Parts::default();
        parts.greeted(true);
        let [old, new] = ["old", "new"].map(|text| ContentHash::of(text.as_bytes()));
        parts.sent(old, vec![part("a"), part("b")]);
        assert_eq!(parts.find(new, part("b")), None, "not known to be there");
        let (record, _) = parts.arrived(old).unwrap();
        let range = Range {
            content: old,
            offset: 7,
            size: 7,
        };
        assert_eq!(parts.find(new, part("b")), Some(range));
        let again = Parts::read(&[(key(old), record)]);
        assert_eq!(again.find(new, part("b")), None, "a hub that takes none");
        again.greeted(true);
        assert_eq!(again.find(new, part("b")), Some(range));
        assert_eq!(again.failed(new), [old]);
        assert_eq!(again.find(new, part("b")), None);
    }
}
