//! The count: which paths of the disk changed after which of its states, for those who show the folder.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::SystemTime;

use slipway_core::path::RelPath;
use tokio::sync::watch;

use crate::clock;
use crate::local::By;

/// Changes that are remembered; who asks for older ones reads everything anew.
const REMEMBERED_MAX: usize = 2_000;

/// A change of one path.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    pub(super) count: u64,
    pub(super) path: RelPath,
    pub(super) from: Option<RelPath>,
    pub(super) by: By,
    pub(super) at: SystemTime,
}

/// What changed on the disk, and when.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Begins with the time, so that it is greater than any of an earlier run.
    begin: u64,
    count: watch::Sender<u64>,
    /// Since the last turn.
    fresh: BTreeMap<RelPath, (By, Option<RelPath>)>,
    remembered: VecDeque<Noted>,
    /// The newest count of which something was forgotten.
    forgotten: u64,
    /// Of paths that changed since the beginning and stand.
    last: HashMap<RelPath, u64>,
}

impl Ledger {
    pub(super) fn new() -> Self {
        let begin = u64::try_from(clock::unix_ns() / 1_000_000).unwrap_or(0);
        Self {
            begin,
            count: watch::Sender::new(begin),
            fresh: BTreeMap::new(),
            remembered: VecDeque::new(),
            forgotten: begin,
            last: HashMap::new(),
        }
    }

    /// What was seen until now is the beginning.
    pub(super) fn begin(&mut self) {
        self.fresh.clear();
    }

    /// A path changed.
    pub(super) fn note(&mut self, path: &RelPath, by: By, from: Option<&RelPath>) {
        self.fresh.insert(path.clone(), (by, from.cloned()));
    }

    /// Ends a batch of changes; the count after it. `stands` tells whether something stands at a path.
    pub(super) fn turn(&mut self, stands: impl Fn(&RelPath) -> bool) -> u64 {
        let count = self.now();
        if self.fresh.is_empty() {
            return count;
        }
        let (count, at) = (count + 1, clock::now());
        for (path, (by, from)) in std::mem::take(&mut self.fresh) {
            match stands(&path) {
                true => drop(self.last.insert(path.clone(), count)),
                false => drop(self.last.remove(&path)),
            }
            if self.remembered.len() == REMEMBERED_MAX {
                let forgotten = self.remembered.pop_front();
                self.forgotten = forgotten.map_or(self.forgotten, |noted| noted.count);
            }
            self.remembered.push_back(Noted {
                count,
                path,
                from,
                by,
                at,
            });
        }
        self.count.send_replace(count);
        count
    }

    /// The count.
    pub(super) fn now(&self) -> u64 {
        *self.count.borrow()
    }

    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.count.subscribe()
    }

    /// Of the last change of a path that stands.
    pub(super) fn of(&self, path: &RelPath) -> u64 {
        self.last.get(path).copied().unwrap_or(self.begin)
    }

    /// The newest change of each path after a count, in order; `None` when that is not remembered.
    pub(super) fn after(&self, count: u64) -> Option<Vec<Noted>> {
        if count < self.forgotten || count > self.now() {
            return None;
        }
        let mut newest = BTreeMap::new();
        let later = self.remembered.iter().rev();
        for (place, noted) in later.take_while(|noted| noted.count > count).enumerate() {
            newest.entry(&noted.path).or_insert((place, noted));
        }
        let mut found: Vec<_> = newest.into_values().collect();
        found.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
        Some(found.into_iter().map(|(_, noted)| noted.clone()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    #[test]
    fn each_path_is_told_once_with_its_newest_change_and_what_is_too_old_is_not_told() {
        let mut ledger = Ledger::new();
        let begin = ledger.now();
        ledger.note(&path("a"), By::Disk, None);
        ledger.note(&path("b"), By::Hub, None);
        assert_eq!(ledger.turn(|_| true), begin + 1);
        ledger.note(&path("a"), By::Person, Some(&path("c")));
        assert_eq!(ledger.turn(|_| true), begin + 2);
        assert_eq!(ledger.turn(|_| true), begin + 2, "nothing happened");
        let told = ledger.after(begin).unwrap();
        let told: Vec<_> = told
            .iter()
            .map(|noted| (noted.path.as_str(), noted.count - begin, noted.by))
            .collect();
        assert_eq!(told, [("b", 1, By::Hub), ("a", 2, By::Person)]);
        assert!(ledger.after(begin + 2).unwrap().is_empty());
        assert!(ledger.after(begin + 3).is_none(), "of another run");
        assert!(ledger.after(begin - 1).is_none(), "of another run");
        for n in 0..REMEMBERED_MAX {
            ledger.note(&path(&format!("n{n}")), By::Disk, None);
            ledger.turn(|_| true);
        }
        assert!(ledger.after(begin).is_none(), "forgotten");
        assert!(ledger.after(begin + 2).is_some());
        assert_eq!(ledger.of(&path("a")), begin + 2);
        assert_eq!(ledger.of(&path("z")), begin);
    }
}
