//! Bursts of changes that a person may want to take back: what came from the hub, and what a person deleted here. What
//! stood before is kept in the private folder for a while, within bounds.
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use slipway_core::limits::MIB;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use tokio::time::Instant;

use crate::arrival::Arrival;
use crate::clock;

/// A change of the hub that comes later than this after the one before begins another burst.
const CALM: Duration = Duration::from_secs(5);
/// A burst is no longer than this, however much comes.
const LONGEST: Duration = Duration::from_secs(600);
/// Paths of one burst, and of all.
const STEPS_MAX: usize = 10_000;
const STEPS_ALL_MAX: usize = 20_000;
/// Bursts that are kept.
const BURSTS_MAX: usize = 50;
/// Content of all of them.
const BYTES_MAX: u64 = 200 * MIB;
/// And for how long, and as long again from when that seemed to be over: the clock may be wrong for once.
const AGE_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// Paths that are shown of one.
const SHOWN_MAX: usize = 100;

/// Begins the key of a burst's record.
pub(super) const RECORD: &str = "burst/";

/// Who made a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Origin {
    /// The hub changed the disk.
    Hub,
    /// A person deleted through the engine.
    Person,
}

/// What happened at one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    pub(super) before: Option<Node>,
    pub(super) after: Option<Node>,
    /// The private name of what stood there: a file, or a folder with all in it.
    pub(super) kept: Option<String>,
    bytes: u64,
}

/// Changes that belong together.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Burst {
    pub(super) id: u64,
    at_ms: u64,
    /// When it seemed old first.
    old_ms: Option<u64>,
    pub(super) origin: Origin,
    /// The count before it.
    pub(super) count: u64,
    pub(super) steps: BTreeMap<RelPath, Step>,
    /// Of all that is kept.
    bytes: u64,
}

impl Burst {
    fn keep(&mut self, path: &RelPath, step: Step) {
        self.bytes += step.bytes;
        if let Some(before) = self.steps.insert(path.clone(), step) {
            self.bytes -= before.bytes;
        }
    }

    fn forget(&mut self, path: &RelPath) -> Option<String> {
        let step = self.steps.remove(path)?;
        self.bytes -= step.bytes;
        step.kept
    }

    fn kept(&self) -> impl Iterator<Item = &String> {
        self.steps.values().filter_map(|step| step.kept.as_ref())
    }

    fn shown(&self) -> Arrival {
        Arrival {
            id: self.id,
            at: UNIX_EPOCH + Duration::from_millis(self.at_ms),
            count: self.steps.len(),
            paths: self.steps.keys().take(SHOWN_MAX).cloned().collect(),
        }
    }
}

/// The burst that is going on.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: u64,
    begin: Instant,
    last: Instant,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Bursts {
    all: BTreeMap<u64, Burst>,
    open: Option<Open>,
    /// The first content of a folder comes: where nothing stood there is nothing to go back to.
    pub(super) first: bool,
    /// Paths whose content of before was displaced just now.
    displaced: BTreeSet<RelPath>,
    changed: BTreeSet<u64>,
    /// Private names that nobody needs any more.
    dropped: Vec<String>,
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl Bursts {
    /// Those that were stored.
    pub(super) fn read(stored: impl Iterator<Item = Vec<u8>>) -> Self {
        let bursts = stored.filter_map(|bytes| serde_json::from_slice::<Burst>(&bytes).ok());
        let mut all = Self {
            all: bursts.map(|burst| (burst.id, burst)).collect(),
            ..Self::default()
        };
        all.forget();
        all
    }

    /// Private names that are kept.
    pub(super) fn names(&self) -> BTreeSet<String> {
        self.all.values().flat_map(Burst::kept).cloned().collect()
    }

    /// A person deletes something.
    pub(super) fn begin_deleted(&mut self, count: u64) -> u64 {
        self.begin(Origin::Person, count)
    }

    fn begin(&mut self, origin: Origin, count: u64) -> u64 {
        let at_ms = unix_ms(clock::now());
        let last = self.all.last_key_value().map_or(0, |(id, _)| *id);
        let id = at_ms.max(last + 1);
        let burst = Burst {
            id,
            at_ms,
            old_ms: None,
            origin,
            count,
            steps: BTreeMap::new(),
            bytes: 0,
        };
        self.all.insert(id, burst);
        self.changed.insert(id);
        self.forget();
        id
    }

    /// The hub changed the disk at a path.
    pub(super) fn arrived(
        &mut self,
        path: &RelPath,
        before: Option<Node>,
        after: Option<Node>,
        count: u64,
    ) {
        if self.first && before.is_none() {
            return;
        }
        let now = Instant::now();
        let goes_on = |open: &Open| now - open.last < CALM && now - open.begin < LONGEST;
        let room = |open: &Open| {
            self.all
                .get(&open.id)
                .is_some_and(|burst| burst.steps.len() < STEPS_MAX)
        };
        let open = match self.open.filter(goes_on).filter(room) {
            Some(open) => Open { last: now, ..open },
            None => Open {
                id: self.begin(Origin::Hub, count),
                begin: now,
                last: now,
            },
        };
        self.open = Some(open);
        let Some(burst) = self.all.get_mut(&open.id) else {
            return;
        };
        self.changed.insert(open.id);
        if let Some(step) = burst.steps.get_mut(path) {
            step.after = after;
            if step.after == step.before {
                self.dropped.extend(burst.forget(path));
            }
            return;
        }
        if matches!(before, Some(Node::File { .. })) {
            self.displaced.insert(path.clone());
        }
        let (kept, bytes) = (None, 0);
        let step = Step {
            before,
            after,
            kept,
            bytes,
        };
        burst.keep(path, step);
    }

    /// Whether what was displaced at a path just now is to be kept, and for which burst.
    pub(super) fn claims(&mut self, path: &RelPath, name: &str, bytes: u64) -> Option<u64> {
        if !self.displaced.remove(path) || !self.make_room(bytes) {
            return None;
        }
        let id = self.open?.id;
        let burst = self.all.get_mut(&id)?;
        let kept = Some(name.to_owned());
        let step = burst.steps.get(path)?.clone();
        burst.keep(
            path,
            Step {
                kept,
                bytes,
                ..step
            },
        );
        Some(id)
    }

    /// What is displaced from here on belongs to later changes.
    pub(super) fn claimed(&mut self) {
        self.displaced.clear();
    }

    /// What is kept of a path has another private name, or none any more; false if nobody needs it.
    pub(super) fn has_name(&mut self, id: u64, path: &RelPath, new: Option<String>) -> bool {
        let Some(burst) = self.all.get_mut(&id) else {
            return false;
        };
        let Some(step) = burst.steps.get(path).filter(|step| step.kept.is_some()) else {
            return false;
        };
        let bytes = if new.is_some() { step.bytes } else { 0 };
        let step = Step {
            kept: new,
            bytes,
            ..step.clone()
        };
        burst.keep(path, step);
        self.changed.insert(id);
        true
    }

    /// Whether a burst keeps what stood at a path.
    pub(super) fn has(&self, id: u64, path: &RelPath) -> bool {
        let step = self.all.get(&id).and_then(|burst| burst.steps.get(path));
        step.is_some_and(|step| step.kept.is_some())
    }

    /// A person deleted something, which has a private name; false if there is no room to keep it.
    pub(super) fn deleted(
        &mut self,
        id: u64,
        path: &RelPath,
        gone: Node,
        kept: String,
        bytes: u64,
    ) -> bool {
        if !self.make_room(bytes) {
            return false;
        }
        let step = Step {
            before: Some(gone),
            after: None,
            kept: Some(kept),
            bytes,
        };
        if let Some(burst) = self.all.get_mut(&id) {
            burst.keep(path, step);
        }
        true
    }

    /// Forgets the oldest for the sake of something of this size; false when it does not fit at all.
    fn make_room(&mut self, bytes: u64) -> bool {
        if bytes > BYTES_MAX {
            return false;
        }
        while self.all.values().map(|burst| burst.bytes).sum::<u64>() + bytes > BYTES_MAX {
            let oldest = self.all.first_key_value().map(|(id, _)| *id);
            let open = self.open.map(|open| open.id);
            // What goes on now is not forgotten for its own sake.
            match oldest.filter(|id| Some(*id) != open) {
                Some(id) => self.drop_burst(id),
                None => return false,
            }
        }
        true
    }

    fn drop_burst(&mut self, id: u64) {
        if let Some(burst) = self.all.remove(&id) {
            self.dropped.extend(burst.kept().cloned());
            self.changed.insert(id);
        }
    }

    /// Forgets what is too old or too much.
    pub(super) fn forget(&mut self) {
        let now = unix_ms(clock::now());
        let oldest = now.saturating_sub(AGE_MAX.as_millis() as u64);
        let mut gone = BTreeSet::new();
        for burst in self.all.values_mut() {
            match burst.old_ms {
                Some(at) if at < oldest => drop(gone.insert(burst.id)),
                None if burst.at_ms < oldest => {
                    burst.old_ms = Some(now);
                    self.changed.insert(burst.id);
                }
                _ => {}
            }
        }
        let (mut many, mut steps) = (0, 0);
        for burst in self.all.values().rev() {
            (many, steps) = (many + 1, steps + burst.steps.len());
            if many > BURSTS_MAX || steps > STEPS_ALL_MAX {
                gone.insert(burst.id);
            }
        }
        for id in gone {
            self.drop_burst(id);
        }
    }

    /// Takes a burst out, to be undone.
    pub(super) fn take(&mut self, id: u64) -> Option<Burst> {
        self.open.take_if(|open| open.id == id);
        self.changed.insert(id);
        self.all.remove(&id)
    }

    /// Takes out what came from the hub.
    pub(super) fn take_arrival(&mut self, id: u64) -> Option<Burst> {
        let burst = self.all.get(&id)?;
        (burst.origin == Origin::Hub).then(|| self.take(id))?
    }

    /// Puts back what of it was left.
    pub(super) fn put_back(&mut self, mut burst: Burst) {
        burst.bytes = burst.steps.values().map(|step| step.bytes).sum();
        if !burst.steps.is_empty() {
            self.all.insert(burst.id, burst);
        }
    }

    /// What came from the hub, the newest first.
    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        let arrivals = self.all.values().rev();
        arrivals
            .filter(|burst| burst.origin == Origin::Hub && !burst.steps.is_empty())
            .map(Burst::shown)
            .collect()
    }

    /// What a person deleted after a count, the newest first.
    pub(super) fn deleted_after(&self, count: u64) -> Vec<u64> {
        let deleted = self.all.values().rev();
        deleted
            .filter(|burst| burst.origin == Origin::Person && burst.count >= count)
            .map(|burst| burst.id)
            .collect()
    }

    /// Records that changed since this was asked last.
    pub(super) fn changed(&mut self) -> Vec<(String, Option<Vec<u8>>)> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed
            .map(|id| {
                let burst = self.all.get(&id).filter(|burst| !burst.steps.is_empty());
                let bytes = burst.and_then(|burst| serde_json::to_vec(burst).ok());
                (format!("{RECORD}{id:020}"), bytes)
            })
            .collect()
    }

    /// Whether something changed that is not stored.
    pub(super) fn is_changed(&self) -> bool {
        !self.changed.is_empty()
    }

    /// Private names that nobody needs any more.
    pub(super) fn dropped(&mut self) -> Vec<String> {
        std::mem::take(&mut self.dropped)
    }
}
