//! What a whole tree comes to, in 32 bytes: two copies that are said to agree are held against each other by it.
use bytes::Bytes;
use slipway_core::hash::ContentHasher;

use crate::v1;

/// The sum of all entries, each hashed with its path, modulo 2^256: the order in which they are added does not matter,
/// and no two trees that differ in an entry are expected to have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest([u64; 4]);

impl Digest {
    /// Adds what stands at a path.
    pub fn add(&mut self, path: &str, node: &v1::Node) {
        let mut hasher = ContentHasher::default();
        hasher.update(path.as_bytes());
        // No path holds a NUL, so nothing that follows can pass for a part of it.
        hasher.update(&[0, node.kind as u8, u8::from(node.executable)]);
        hasher.update(match node.kind() {
            v1::Kind::File => &node.hash,
            v1::Kind::Symlink => node.link_target.as_bytes(),
            v1::Kind::Folder | v1::Kind::Unspecified => &[],
        });
        let mut carried = false;
        for (sum, word) in self.0.iter_mut().zip(words(hasher.finish().as_bytes())) {
            let (first, over) = sum.overflowing_add(word);
            let (second, again) = first.overflowing_add(u64::from(carried));
            (*sum, carried) = (second, over || again);
        }
    }

    /// As it goes over the wire.
    #[must_use]
    pub fn to_bytes(self) -> Bytes {
        self.0.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

fn words(bytes: &[u8; 32]) -> [u64; 4] {
    [0, 8, 16, 24].map(|at| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte])))
}

#[cfg(test)]
mod tests {
    use slipway_core::hash::ContentHash;

    use super::*;

    fn node(kind: v1::Kind) -> v1::Node {
        let mut node = v1::Node::default();
        node.set_kind(kind);
        node
    }

    fn file(content: &[u8], executable: bool) -> v1::Node {
        v1::Node {
            hash: ContentHash::of(content).as_bytes().to_vec().into(),
            executable,
            ..node(v1::Kind::File)
        }
    }

    fn link(target: &str) -> v1::Node {
        v1::Node {
            link_target: target.to_owned(),
            ..node(v1::Kind::Symlink)
        }
    }

    fn sum<'a>(entries: impl IntoIterator<Item = (&'a str, &'a v1::Node)>) -> Bytes {
        let mut digest = Digest::default();
        for (path, node) in entries {
            digest.add(path, node);
        }
        digest.to_bytes()
    }

    #[test]
    fn only_what_stands_where_counts() {
        let (folder, one) = (node(v1::Kind::Folder), file(b"1", false));
        let tree = [("a", &folder), ("a/b", &one)];
        assert_eq!(sum(tree), sum(tree.into_iter().rev()));
        let (two, run) = (file(b"2", false), file(b"1", true));
        let (x, y) = (link("x"), link("y"));
        let others = [&one, &two, &run, &folder, &x, &y];
        let mut sums: Vec<_> = others
            .map(|other| sum([("a", &folder), ("a/b", other)]))
            .into();
        sums.extend([sum([]), sum([("a", &folder)]), sum([("a/b", &one)])]);
        assert!(sums.iter().all(|sum| sum.len() == 32));
        for (at, sum) in sums.iter().enumerate() {
            assert!(!sums[..at].contains(sum), "{at}");
        }
    }

    #[test]
    fn a_sum_carries_over_its_words() {
        let mut digest = Digest([u64::MAX, u64::MAX, 0, 0]);
        digest.add("a", &node(v1::Kind::Folder));
        let mut alone = Digest::default();
        alone.add("a", &node(v1::Kind::Folder));
        // All ones and a number that is not 0 are the number less one, and one for the next word.
        assert_eq!(digest.0[0], alone.0[0].wrapping_sub(1));
        assert_eq!(digest.0[1], alone.0[1]);
        assert_eq!(digest.0[2], alone.0[2].wrapping_add(1));
    }
}
