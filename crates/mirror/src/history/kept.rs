//! Which versions there are, and which go when there are too many.
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use slipway_core::hash::ContentHash;
use slipway_core::limits::MIB;
use slipway_core::path::RelPath;

use super::{Change, FILE_BYTES_MAX, Held, Version};
use crate::local::{By, Content};

/// Versions of one path.
pub(super) const OF_PATH_MAX: usize = 100;
/// And their contents, packed: no file that is written all the time takes the place of all others.
pub(super) const OF_PATH_BYTES_MAX: u64 = 8 * MIB;
/// Of all paths.
pub(super) const VERSIONS_MAX: usize = 10_000;
/// Contents of all, packed.
pub(super) const BYTES_MAX: u64 = 64 * MIB;
/// Names that a file may have had, told of one.
const MOVES_MAX: usize = 32;
/// Fast, and most of what text gives.
const LEVEL: i32 = 1;

/// What is kept, without the contents.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) versions: BTreeMap<u64, Version>,
    /// The greatest number that was given.
    last: u64,
    /// The numbers of those of each path.
    pub(super) paths: HashMap<RelPath, BTreeSet<u64>>,
    /// How many versions have a content, and what it takes.
    contents: HashMap<ContentHash, (usize, u64)>,
    bytes: u64,
    pub(super) fresh: Fresh,
}

/// What is not stored yet: what came, and what went.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    pub(super) versions: BTreeMap<u64, Option<Vec<u8>>>,
    /// Packed.
    pub(super) contents: HashMap<ContentHash, Option<Vec<u8>>>,
}

impl Kept {
    /// Takes a version that was stored, if it can be read.
    pub(super) fn read(&mut self, number: u64, version: Option<Version>) {
        self.last = self.last.max(number);
        if let Some(version) = version {
            self.insert(version);
        }
    }

    /// What is to be stored.
    pub(super) fn fresh(&mut self) -> Fresh {
        std::mem::take(&mut self.fresh)
    }

    pub(super) fn newest(&self, path: &RelPath) -> Option<&Version> {
        let last = self.paths.get(path)?.last()?;
        self.versions.get(last)
    }

    pub(super) fn note(&mut self, change: Change) {
        let Change {
            path,
            content,
            from,
            by,
            at,
        } = change;
        // A name without versions leads to none.
        let from = from.filter(|from| self.paths.contains_key(from));
        let stood = self.newest(&path).and_then(|version| version.file);
        let stood = stood.map(|held| (held.hash, held.executable));
        let stands = content
            .as_ref()
            .map(|content| (content.hash, content.executable));
        if from.is_none() && stands == stood {
            return;
        }
        let file = match content.map(|content| self.hold(&content)) {
            Some(None) => return,
            held => held.flatten(),
        };
        self.last += 1;
        let number = self.last;
        let version = Version {
            number,
            path: path.clone(),
            file,
            from,
            by,
            at,
        };
        let stored = serde_json::to_vec(&version).ok();
        self.fresh.versions.insert(number, stored);
        self.insert(version);
        self.thin_out(&path);
    }

    /// A content as it is kept; what is not kept yet is packed. `None` when it is too large.
    fn hold(&mut self, content: &Content) -> Option<Held> {
        let Content {
            bytes,
            hash,
            executable,
        } = content;
        let (hash, executable) = (*hash, *executable);
        if bytes.len() as u64 > FILE_BYTES_MAX {
            return None;
        }
        let packed = match self.contents.get(&hash) {
            Some((_, packed)) => *packed,
            None => {
                let packed = zstd::bulk::compress(bytes, LEVEL).ok()?;
                let many = packed.len() as u64;
                self.fresh.contents.insert(hash, Some(packed));
                many
            }
        };
        Some(Held {
            hash,
            size: bytes.len() as u64,
            executable,
            packed,
        })
    }

    fn insert(&mut self, version: Version) {
        if let Some(Held { hash, packed, .. }) = version.file {
            let (many, _) = self.contents.entry(hash).or_insert((0, packed));
            if *many == 0 {
                self.bytes += packed;
            }
            *many += 1;
        }
        let numbers = self.paths.entry(version.path.clone()).or_default();
        numbers.insert(version.number);
        self.versions.insert(version.number, version);
    }

    pub(super) fn remove(&mut self, number: u64) {
        let Some(version) = self.versions.remove(&number) else {
            return;
        };
        self.fresh.versions.insert(number, None);
        if let Some(numbers) = self.paths.get_mut(&version.path) {
            numbers.remove(&number);
            if numbers.is_empty() {
                self.paths.remove(&version.path);
            }
        }
        if let Some(Held { hash, packed, .. }) = version.file
            && let Some((many, _)) = self.contents.get_mut(&hash)
        {
            *many -= 1;
            if *many == 0 {
                self.contents.remove(&hash);
                self.fresh.contents.insert(hash, None);
                self.bytes -= packed;
            }
        }
    }

    /// Of too many versions of a path the one goes that was there for the shortest time, so that those that stay tell of a
    /// day as of a minute. The first, the last, and where the file came from stay for longest.
    fn thin_out(&mut self, path: &RelPath) {
        while let Some(number) = self.least(path) {
            self.remove(number);
        }
    }

    fn least(&self, path: &RelPath) -> Option<u64> {
        let numbers = self.paths.get(path)?;
        let versions = numbers
            .iter()
            .filter_map(|number| self.versions.get(number));
        let versions: Vec<_> = versions.collect();
        let files = versions.iter().filter_map(|version| version.file);
        let bytes: u64 = files.map(|file| file.packed).sum();
        if versions.len() <= OF_PATH_MAX && bytes <= OF_PATH_BYTES_MAX {
            return None;
        }
        let lasted = |pair: &[&Version]| -> Duration {
            pair[1].at.duration_since(pair[0].at).unwrap_or_default()
        };
        let between = versions.windows(2).skip(1);
        let shortest = between
            .filter(|pair| pair[0].from.is_none())
            .min_by_key(|pair| lasted(pair));
        let least = shortest.map_or(versions.first()?, |pair| &pair[0]);
        // What stands now is no burden to anybody.
        Some(least.number).filter(|number| Some(number) != numbers.last())
    }

    /// Of too many of all paths the oldest go, first those of files that no person ever wrote: what programs write takes
    /// the place of nothing that a person did.
    pub(super) fn too_many(&mut self) {
        if !self.is_too_much() {
            return;
        }
        let versions = || self.versions.values();
        let by_people = versions().filter(|version| version.by == By::Person);
        let by_people: HashSet<_> = by_people.map(|version| &version.path).collect();
        let (peoples, others): (Vec<_>, Vec<_>) =
            versions().partition(|version| by_people.contains(&version.path));
        let oldest = others.into_iter().chain(peoples);
        let oldest: Vec<_> = oldest.map(|version| version.number).collect();
        for number in oldest {
            if !self.is_too_much() {
                return;
            }
            self.remove(number);
        }
    }

    fn is_too_much(&self) -> bool {
        self.versions.len() > VERSIONS_MAX || self.bytes > BYTES_MAX
    }

    pub(super) fn of(&self, path: &RelPath) -> Vec<Version> {
        let (mut found, mut path, mut until) = (Vec::new(), path, u64::MAX);
        for _ in 0..=MOVES_MAX {
            let Some(numbers) = self.paths.get(path) else {
                break;
            };
            let mut from = None;
            for number in numbers.range(..until).rev() {
                let Some(version) = self.versions.get(number) else {
                    continue;
                };
                // What a move left behind is no deletion of the file.
                let is_move = |version: &Version| version.from.is_some();
                if !(found.last().is_some_and(is_move) && version.file.is_none()) {
                    found.push(version.clone());
                }
                if let Some(before) = &version.from {
                    from = Some((before, *number));
                    break;
                }
            }
            let Some((before, number)) = from else { break };
            (path, until) = (before, number);
        }
        found
    }
}
