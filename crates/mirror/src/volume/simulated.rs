//! A volume in memory, with what real ones do to programs: a crash forgets what was not made durable, in part or whole;
//! inode numbers are given again; stamps are coarse; names are folded or decomposed; any call can fail, and before any
//! call another program may have done anything. What decides is asked through `Mischief`.
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::io::Errno;
use slipway_core::hash::ContentHasher;

use crate::volume::Knows;
use tree::{Change, Id, Node, Place, TOP, Tree, What};

mod calls;
mod crash;
mod database;
mod programs;
mod tree;
mod watches;

pub(crate) use calls::Held;
pub(crate) use crash::Loss;
pub(crate) use programs::Entry;
pub(crate) use tree::Spelling;

/// How a volume is made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Make {
    pub(crate) spelling: Spelling,
    /// Stamps are multiples of it.
    pub(crate) stamp_ns: i128,
    /// Folders that can be watched.
    pub(crate) watches_max: usize,
    /// Whether a folder can carry attributes.
    pub(crate) attributes: bool,
    /// Whether the engine's state lies on another mount than the files.
    pub(crate) apart: bool,
    /// What it knows to do with names.
    pub(crate) knows: Knows,
}

impl Default for Make {
    fn default() -> Self {
        Self {
            spelling: Spelling::Exact,
            stamp_ns: 1,
            watches_max: 1_000,
            attributes: true,
            apart: false,
            knows: Knows::ALL,
        }
    }
}

/// What a simulation does between two calls of an engine.
pub(crate) trait Mischief: Send {
    /// Before a call: may change the volume as programs do, crash it, or make the call fail.
    fn before(&mut self, call: &'static str, what: &str, volume: &mut Inner) -> Result<(), Errno>;
    /// After a call.
    fn after(&mut self, call: &'static str, what: &str, error: Option<&Errno>);
    /// An engine gave a file another name, and maybe left it the first.
    fn renamed(&mut self, from: &str, to: &str, is_kept: bool);
    /// An engine is about to destroy these bytes for good; the answer is why it must not.
    fn destroys(&mut self, path: &str, bytes: &[u8], volume: &Inner) -> Option<String>;
    /// These bytes, of a file with a name, are on the disk from here on.
    fn durable(&mut self, bytes: &[u8]);
}

/// The bytes of a file and everything that only memory knows of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    now: Arc<Vec<u8>>,
    /// What was made durable last.
    disk: Arc<Vec<u8>>,
    /// It was emptied since, so that nothing of it need be there.
    is_cut: bool,
    /// That these bytes are on the disk was told.
    is_told: bool,
    mtime_ns: i128,
    ctime_ns: i128,
    /// Descriptors that outlive its names.
    opens: usize,
}

/// A volume as it is now.
pub(crate) struct Inner {
    pub(crate) make: Make,
    /// In memory.
    tree: Tree,
    /// On the disk, before what the journal holds.
    disk: Tree,
    journal: Vec<Change>,
    live: BTreeMap<Id, Live>,
    next: Id,
    pub(crate) now_ns: i128,
    /// Engines of an earlier life get nothing but errors.
    life: u64,
    /// How often the computer was started.
    boots: u64,
    /// No room for a byte.
    pub(crate) full: bool,
    /// Folders by who they are, with the path by which they are watched.
    watched: BTreeMap<Id, std::path::PathBuf>,
    pub(crate) events: VecDeque<notify::Event>,
    mischief: Option<Box<dyn Mischief>>,
    /// Of every call and its result.
    trace: ContentHasher,
    pub(crate) calls: u64,
    pub(crate) wrongs: Vec<String>,
}

/// A volume for one life of an engine.
#[derive(Clone)]
pub(crate) struct SimVolume {
    inner: Arc<Mutex<Inner>>,
    life: u64,
}

impl std::fmt::Debug for SimVolume {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SimVolume(life {})", self.life)
    }
}

impl SimVolume {
    pub(crate) fn new(make: Make) -> Self {
        let tree = Tree::new(make.spelling);
        let inner = Inner {
            make,
            disk: tree.clone(),
            tree,
            journal: Vec::new(),
            live: BTreeMap::from([(TOP, Live::default())]),
            next: 1,
            now_ns: 1_700_000_000_000_000_000,
            life: 0,
            boots: 1,
            full: false,
            watched: BTreeMap::new(),
            events: VecDeque::new(),
            mischief: None,
            trace: ContentHasher::default(),
            calls: 0,
            wrongs: Vec::new(),
        };
        Self {
            inner: Arc::new(Mutex::new(inner)),
            life: 0,
        }
    }

    pub(crate) fn set_mischief(&self, mischief: Box<dyn Mischief>) {
        self.inner().mischief = Some(mischief);
    }

    /// The volume as programs see it: no call of theirs is counted or disturbed.
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same volume for the engine that runs now.
    pub(crate) fn reborn(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            life: self.inner().life,
        }
    }

    /// One call of an engine.
    fn call<T>(
        &self,
        call: &'static str,
        what: &str,
        work: impl FnOnce(&mut Inner) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        let mut inner = self.inner();
        if inner.life != self.life {
            return Err(Errno::IO);
        }
        inner.calls += 1;
        inner.now_ns += 1_000;
        let mut mischief = inner.mischief.take();
        let done = mischief
            .as_mut()
            .map_or(Ok(()), |mischief| mischief.before(call, what, &mut inner));
        inner.mischief = mischief;
        let done = match done {
            Ok(()) if inner.life == self.life => work(&mut inner),
            Ok(()) => Err(Errno::IO),
            Err(errno) => Err(errno),
        };
        if let Some(mischief) = &mut inner.mischief {
            mischief.after(call, what, done.as_ref().err());
        }
        let errno = done.as_ref().err().map_or(0, |error| error.raw_os_error());
        inner.trace.update(call.as_bytes());
        inner.trace.update(what.as_bytes());
        inner.trace.update(&errno.to_le_bytes());
        done
    }

    /// Of everything that engines did here, and of the end.
    pub(crate) fn trace(&self) -> slipway_core::hash::ContentHash {
        self.inner().trace.finish()
    }
}

impl Inner {
    fn stamp(&self) -> i128 {
        self.now_ns / self.make.stamp_ns * self.make.stamp_ns
    }

    /// Notes a change of names, in memory and in the journal.
    fn change(&mut self, change: Change) {
        self.tree.apply(&change);
        let stamp = self.stamp();
        let is_name = !matches!(change, Change::Mode(..) | Change::Attribute(..));
        for id in change.concerned() {
            let live = self.live.entry(id).or_default();
            live.ctime_ns = stamp;
            if is_name {
                live.mtime_ns = stamp;
            }
        }
        self.journal.push(change);
    }

    fn touched(&mut self, id: Id) {
        let stamp = self.stamp();
        self.live.entry(id).or_default().ctime_ns = stamp;
    }

    /// The lowest number that nothing has.
    fn free_inode(&self) -> u64 {
        let is_taken = |(id, node): &(&Id, &Node)| {
            node.links > 0 || self.live.get(id).is_some_and(|live| live.opens > 0)
        };
        let taken = self.tree.nodes.iter().filter(is_taken);
        let taken: BTreeSet<u64> = taken.map(|(_, node)| node.inode).collect();
        (1..).find(|number| !taken.contains(number)).unwrap_or(0)
    }

    /// Whether something may get a name: there is room, nothing has it, and its folder was not removed.
    fn takes_name(&self, place: &Place) -> Result<(), Errno> {
        if self.full {
            return Err(Errno::NOSPC);
        }
        if self.tree.find(place.0, &place.1).is_ok() {
            return Err(Errno::EXIST);
        }
        if self.tree.node(place.0)?.links == 0 {
            return Err(Errno::NOENT);
        }
        Ok(())
    }

    fn make(&mut self, place: Place, what: What, mode: u32) -> Result<Id, Errno> {
        self.takes_name(&place)?;
        let id = self.next;
        self.next += 1;
        let happened = match what {
            What::Folder(_) => watches::Happened::FolderMade,
            _ => watches::Happened::Made,
        };
        let node = Node {
            what,
            inode: self.free_inode(),
            mode,
            attributes: BTreeMap::new(),
            links: 0,
        };
        let stamp = self.stamp();
        let live = Live {
            mtime_ns: stamp,
            ctime_ns: stamp,
            ..Live::default()
        };
        self.live.insert(id, live);
        self.told(&place, happened);
        self.change(Change::Make(place, id, node));
        Ok(id)
    }

    /// Gives a file a second name.
    fn make_second(&mut self, id: Id, place: Place) -> Result<(), Errno> {
        if !self.make.knows.link || matches!(self.tree.node(id)?.what, What::Folder(_)) {
            return Err(Errno::PERM);
        }
        self.takes_name(&place)?;
        self.told(&place, watches::Happened::Made);
        self.touched(id);
        self.change(Change::Link(place, id));
        Ok(())
    }

    /// Leads through folders to what stands at a path; through links only where that is said.
    fn walk(&self, at: Id, path: &str, through_links: bool) -> Result<Id, Errno> {
        let mut here = at;
        for name in path
            .split('/')
            .filter(|name| !name.is_empty() && *name != ".")
        {
            if self.tree.node(here)?.mode & 0o100 == 0 {
                return Err(Errno::ACCESS);
            }
            here = self.tree.find(here, name)?;
            if let What::Link(target) = &self.tree.node(here)?.what {
                match target.strip_prefix('/') {
                    Some(target) if through_links => here = self.walk(TOP, target, true)?,
                    _ => return Err(Errno::LOOP),
                }
            }
        }
        Ok(here)
    }

    fn put_bytes(&mut self, id: Id, at: usize, bytes: &[u8]) {
        let stamp = self.stamp();
        let live = self.live.entry(id).or_default();
        let now = Arc::make_mut(&mut live.now);
        if now.len() < at + bytes.len() {
            now.resize(at + bytes.len(), 0);
        }
        now[at..at + bytes.len()].copy_from_slice(bytes);
        live.is_told = false;
        (live.mtime_ns, live.ctime_ns) = (stamp, stamp);
    }

    fn cut(&mut self, id: Id, len: usize) {
        let stamp = self.stamp();
        let live = self.live.entry(id).or_default();
        live.is_cut |= len == 0;
        live.is_told = false;
        Arc::make_mut(&mut live.now).resize(len, 0);
        (live.mtime_ns, live.ctime_ns) = (stamp, stamp);
    }
}
