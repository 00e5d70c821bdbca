//! Hears of changes on the disk: one inotify watch per folder. Events are hints; a scan tells the truth.
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{CreateKind, EventKind, ModifyKind};
use notify::{Event, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;
use tokio::time::Instant;

use self::rest::{Pace, Rest};

mod rest;

/// Paths remembered one by one; beyond it everything is looked at.
const DIRTY_MAX: usize = 20_000;

/// What was heard and not looked at yet, and of which folders.
#[derive(Debug, Default)]
struct Heard {
    paths: HashMap<PathBuf, Touch>,
    /// Folders that the source knows, with their inode numbers. `None`: removed or renamed; what stands there now, if
    /// anything, is another folder, though maybe with the same number.
    watched: HashMap<PathBuf, Option<u64>>,
    /// More happened than is remembered one by one.
    much: bool,
    /// What happened was not heard.
    lost: bool,
}

impl Heard {
    fn touched(&mut self, path: PathBuf, touch: Touch) {
        let all = self.paths.entry(path).or_insert(touch);
        if touch == Touch::Any {
            *all = touch;
        }
    }
}

/// What happened to a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch {
    /// It got its name, or lost it, by a rename, or is a folder that was made; nothing else was heard of it.
    Name,
    /// Anything.
    Any,
}

impl Touch {
    const fn of(event: &Event) -> Self {
        match event.kind {
            EventKind::Modify(ModifyKind::Name(_)) | EventKind::Create(CreateKind::Folder) => {
                Self::Name
            }
            _ => Self::Any,
        }
    }
}

/// Where a source tells what it saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ear {
    heard: Arc<Mutex<Heard>>,
    wake: Arc<Notify>,
}

impl Ear {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn hear(&self, event: notify::Result<Event>) {
        let mut heard = self.lock();
        match event {
            Ok(event) if event.need_rescan() => heard.lost = true,
            Ok(event) => {
                for path in event.paths.iter().filter(|_| is_end(&event)) {
                    if let Some(watched) = heard.watched.get_mut(path) {
                        *watched = None;
                    }
                }
                if !heard.much {
                    let touch = Touch::of(&event);
                    for path in event.paths {
                        heard.touched(path, touch);
                    }
                }
            }
            Err(_) => heard.lost = true,
        }
        if heard.paths.len() > DIRTY_MAX {
            heard.much = true;
            heard.paths.clear();
        }
        self.wake.notify_one();
    }
}

/// What to look at.
#[derive(Debug)]
pub enum Hint {
    /// These paths, sorted, each once.
    Paths(Vec<(PathBuf, Touch)>),
    /// Everything: events were lost, or are too many.
    Everything,
}

/// What tells of changes in the folders that it watches.
pub(crate) trait Source: Send {
    /// Which folder stands at a path, as a number that another may get when it is gone.
    fn inode(&self, folder: &Path) -> Option<u64>;
    /// Watches a folder, not what lies in its folders.
    fn watch(&mut self, folder: &Path) -> notify::Result<()>;
    /// Forgets the folder of a name.
    fn unwatch(&mut self, folder: &Path);
}

/// The system's watcher.
struct SystemWatcher {
    watcher: RecommendedWatcher,
    rest: Arc<Rest>,
}

impl SystemWatcher {
    fn new(ear: Ear) -> notify::Result<Self> {
        let rest = Arc::<Rest>::default();
        let (to_rest, mut pace) = (Arc::clone(&rest), Pace::new(Instant::now()));
        let hear = move |event| {
            ear.hear(event);
            if pace.is_tired(Instant::now()) {
                to_rest.rest();
                pace.rested(Instant::now());
            }
        };
        let config = notify::Config::default().with_event_kinds(kinds());
        let watcher = RecommendedWatcher::new(hear, config)?;
        Ok(Self { watcher, rest })
    }
}

impl Source for SystemWatcher {
    fn inode(&self, folder: &Path) -> Option<u64> {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::symlink_metadata(folder)
            .ok()
            .map(|found| found.ino())
    }
    fn watch(&mut self, folder: &Path) -> notify::Result<()> {
        let watcher = &mut self.watcher;
        let watch = || watcher.watch(folder, RecursiveMode::NonRecursive);
        self.rest.awake(watch)
    }
    fn unwatch(&mut self, folder: &Path) {
        // It may be gone already.
        let watcher = &mut self.watcher;
        self.rest.awake(|| watcher.unwatch(folder)).ok();
    }
}

/// The watches of one root.
pub struct Watch {
    source: Option<Box<dyn Source>>,
    ear: Ear,
    partial: bool,
}

impl Watch {
    /// Watches nothing yet. Where the system gives no watcher, only scans find changes.
    #[must_use]
    pub fn new() -> Self {
        let ear = Ear::default();
        let watcher = SystemWatcher::new(ear.clone())
            .map_err(|error| tracing::warn!(%error, "No watcher; changes are found by scans"))
            .ok();
        Self::with(watcher.map(|watcher| Box::new(watcher) as Box<_>), ear)
    }

    pub(crate) fn with(source: Option<Box<dyn Source>>, ear: Ear) -> Self {
        Self {
            partial: source.is_none(),
            source,
            ear,
        }
    }

    /// Watches a folder, not what lies in its folders.
    pub fn add(&mut self, folder: &Path) {
        let Some(source) = &mut self.source else {
            return;
        };
        let Some(inode) = source.inode(folder) else {
            return;
        };
        // Noted first, so that an end that is heard meanwhile stays noted; not held, as the source may be telling of one.
        let before = self
            .ear
            .lock()
            .watched
            .insert(folder.to_owned(), Some(inode));
        match before {
            Some(watched) if watched == Some(inode) => return,
            // A folder of this name was watched before: the watcher would take this one for it.
            Some(_) => source.unwatch(folder),
            // It looks through all that it watches for one that it does not.
            None => {}
        }
        if let Err(error) = source.watch(folder) {
            // Out of watches: the audit scan covers the rest, later but surely.
            tracing::debug!(%error, "Cannot watch a folder");
            self.ear.lock().watched.remove(folder);
            self.partial = true;
        }
    }

    /// Whether all that happens in the folder of this name is told since it was added.
    #[must_use]
    pub fn has(&self, folder: &Path) -> bool {
        let inode = self.source.as_ref().and_then(|source| source.inode(folder));
        inode.is_some() && self.ear.lock().watched.get(folder) == Some(&inode)
    }

    /// Takes no folder for the one that it watched before: for a look after events were lost.
    pub fn distrust(&mut self) {
        let mut forgotten = Vec::new();
        self.ear.lock().watched.retain(|folder, watched| {
            let was_trusted = watched.take().is_some();
            if !was_trusted {
                // No look has found it since.
                forgotten.push(folder.clone());
            }
            was_trusted
        });
        for folder in &forgotten {
            if let Some(source) = &mut self.source {
                source.unwatch(folder);
            }
        }
        self.partial = self.source.is_none();
    }

    /// Whether some folders are not watched, so that scans must come often.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.partial
    }

    /// Resolves when something was heard.
    pub async fn heard(&self) {
        self.ear.wake.notified().await;
    }

    /// Takes what was heard.
    #[must_use]
    pub fn take(&mut self) -> Option<Hint> {
        let mut heard = self.ear.lock();
        let paths = std::mem::take(&mut heard.paths);
        let lost = std::mem::take(&mut heard.lost);
        let much = std::mem::take(&mut heard.much);
        drop(heard);
        if lost {
            self.distrust();
            return Some(Hint::Everything);
        }
        if much {
            return Some(Hint::Everything);
        }
        let mut paths: Vec<_> = paths.into_iter().collect();
        paths.sort_unstable_by(|(one, _), (other, _)| one.as_os_str().cmp(other.as_os_str()));
        (!paths.is_empty()).then_some(Hint::Paths(paths))
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

/// What is told of. Closing after writing ends a change; opening and reading are none, and come by the thousand.
fn kinds() -> EventKindMask {
    EventKindMask::CORE | EventKindMask::ACCESS_CLOSE
}

/// The folder of this name is gone, or another.
fn is_end(event: &Event) -> bool {
    matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    )
}

#[cfg(test)]
mod tests;
