//! Hears of changes on the disk: one inotify watch per folder. Events are hints; a scan tells the truth.
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::{Event, EventKindMask, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// Paths remembered one by one; beyond it everything is looked at.
const DIRTY_MAX: usize = 20_000;

/// What was heard and not looked at yet, and of which folders.
#[derive(Debug, Default)]
struct Heard {
    paths: HashSet<PathBuf>,
    /// Folders that the source knows, with their inode numbers. `None`: removed or renamed; what stands there now, if
    /// anything, is another folder, though maybe with the same number.
    watched: HashMap<PathBuf, Option<u64>>,
    /// More happened than is remembered one by one.
    much: bool,
    /// What happened was not heard.
    lost: bool,
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
                    heard.paths.extend(event.paths);
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
    /// These paths.
    Paths(Vec<PathBuf>),
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

impl Source for RecommendedWatcher {
    fn inode(&self, folder: &Path) -> Option<u64> {
        use std::os::unix::fs::MetadataExt as _;
        std::fs::symlink_metadata(folder)
            .ok()
            .map(|found| found.ino())
    }
    fn watch(&mut self, folder: &Path) -> notify::Result<()> {
        notify::Watcher::watch(self, folder, RecursiveMode::NonRecursive)
    }
    fn unwatch(&mut self, folder: &Path) {
        // It may be gone already.
        notify::Watcher::unwatch(self, folder).ok();
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
        let to = ear.clone();
        let watcher = notify::Config::default().with_event_kinds(kinds());
        let watcher = RecommendedWatcher::new(move |event| to.hear(event), watcher);
        let watcher = watcher
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
        (!paths.is_empty()).then(|| Hint::Paths(paths.into_iter().collect()))
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
    use notify::event::{EventKind, ModifyKind};
    matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    )
}

#[cfg(test)]
mod tests {
    use notify::event::{EventKind, ModifyKind, RemoveKind, RenameMode};

    use super::*;

    type Calls = Arc<Mutex<Vec<String>>>;

    /// A folder `a` that is always there.
    struct Noting(Calls);

    impl Source for Noting {
        fn inode(&self, _: &Path) -> Option<u64> {
            Some(1)
        }
        fn watch(&mut self, folder: &Path) -> notify::Result<()> {
            self.note("watch", folder);
            Ok(())
        }
        fn unwatch(&mut self, folder: &Path) {
            self.note("unwatch", folder);
        }
    }

    impl Noting {
        fn note(&self, call: &str, folder: &Path) {
            let call = format!("{call} {}", folder.display());
            self.0.lock().unwrap().push(call);
        }
    }

    #[test]
    fn only_a_folder_that_may_be_another_by_now_is_forgotten_by_the_source() {
        let (calls, ear) = (Calls::default(), Ear::default());
        let source = Box::new(Noting(Arc::clone(&calls)));
        let mut watch = Watch::with(Some(source), ear.clone());
        let called = || std::mem::take(&mut *calls.lock().unwrap());
        let folder = Path::new("a");
        watch.add(folder);
        watch.add(folder);
        assert_eq!(called(), ["watch a"]);
        let gone = Event::new(EventKind::Remove(RemoveKind::Folder));
        ear.hear(Ok(gone.add_path(folder.to_owned())));
        assert!(watch.take().is_some());
        watch.add(folder);
        assert_eq!(called(), ["unwatch a", "watch a"]);
        watch.distrust();
        watch.add(folder);
        assert_eq!(called(), ["unwatch a", "watch a"]);
        watch.distrust();
        watch.distrust();
        watch.add(folder);
        assert_eq!(called(), ["unwatch a", "watch a"]);
    }

    #[test]
    fn of_too_much_to_remember_no_watch_is_begun_anew() {
        let (calls, ear) = (Calls::default(), Ear::default());
        let source = Box::new(Noting(Arc::clone(&calls)));
        let mut watch = Watch::with(Some(source), ear.clone());
        let folder = Path::new("a");
        watch.add(folder);
        for number in 0..=DIRTY_MAX {
            let event = Event::new(EventKind::Modify(ModifyKind::Name(RenameMode::To)));
            ear.hear(Ok(event.add_path(folder.join(number.to_string()))));
        }
        assert!(matches!(watch.take(), Some(Hint::Everything)));
        watch.add(folder);
        assert_eq!(*calls.lock().unwrap(), ["watch a"]);
        ear.hear(Err(notify::Error::generic("lost")));
        assert!(matches!(watch.take(), Some(Hint::Everything)));
        watch.add(folder);
        assert_eq!(calls.lock().unwrap().len(), 3);
    }

    #[test]
    fn a_file_that_is_read_is_no_news() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "text").unwrap();
        let mut watch = Watch::new();
        watch.add(folder.path());
        std::fs::read(&file).unwrap();
        let other = folder.path().join("other");
        std::fs::write(&other, "text").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let heard = runtime.unwrap().block_on(async {
            let mut all = HashSet::new();
            // Events come in order: what is told of the first would come before this.
            while !all.contains(&other) {
                watch.heard().await;
                if let Some(Hint::Paths(paths)) = watch.take() {
                    all.extend(paths);
                }
            }
            all
        });
        assert!(!heard.contains(&file));
    }
}
