//! Hears of changes on the disk: one inotify watch per folder. Events are hints; a scan tells the truth.
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::{Event, RecommendedWatcher, RecursiveMode};
use tokio::sync::Notify;

/// Paths remembered one by one; beyond it everything is looked at.
const DIRTY_MAX: usize = 20_000;

/// What was heard and not looked at yet.
#[derive(Debug, Default)]
struct Heard {
    paths: HashSet<PathBuf>,
    /// Removed or renamed: what stands there now, if anything, is another folder, though maybe with the same number.
    replaced: HashSet<PathBuf>,
    rescan: bool,
}

/// Where a source tells what it saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ear {
    heard: Arc<Mutex<Heard>>,
    wake: Arc<Notify>,
}

impl Ear {
    pub(crate) fn hear(&self, event: notify::Result<Event>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Ok(event) if event.need_rescan() => heard.rescan = true,
            Ok(event) if event.kind.is_access() && !is_close(&event) => return,
            Ok(event) => {
                if is_end(&event) {
                    heard.replaced.extend(event.paths.iter().cloned());
                }
                heard.paths.extend(event.paths);
            }
            Err(_) => heard.rescan = true,
        }
        if heard.paths.len() > DIRTY_MAX {
            heard.rescan = true;
        }
        self.wake.notify_one();
    }
}

/// What to look at.
#[derive(Debug)]
pub enum Hint {
    /// These paths.
    Paths(Vec<PathBuf>),
    /// Everything: events were lost.
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
    /// Folders that the source knows, with their inode numbers; `None`: another may have the name by now.
    watched: HashMap<PathBuf, Option<u64>>,
    partial: bool,
}

impl Watch {
    /// Watches nothing yet. Where the system gives no watcher, only scans find changes.
    #[must_use]
    pub fn new() -> Self {
        let ear = Ear::default();
        let to = ear.clone();
        let watcher = notify::recommended_watcher(move |event| to.hear(event));
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
            watched: HashMap::new(),
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
        match self.watched.get(folder) {
            Some(watched) if *watched == Some(inode) => return,
            // A folder of this name was watched before: the watcher would take this one for it.
            Some(_) => source.unwatch(folder),
            // It looks through all that it watches for one that it does not.
            None => {}
        }
        match source.watch(folder) {
            Ok(()) => drop(self.watched.insert(folder.to_owned(), Some(inode))),
            Err(error) => {
                // Out of watches: the audit scan covers the rest, later but surely.
                tracing::debug!(%error, "Cannot watch a folder");
                self.watched.remove(folder);
                self.partial = true;
            }
        }
    }

    /// Takes no folder for the one that it watched before: for a look after events were lost.
    pub fn distrust(&mut self) {
        let source = &mut self.source;
        self.watched.retain(|folder, watched| {
            let was_trusted = watched.take().is_some();
            if !was_trusted && let Some(source) = source {
                // No look has found it since.
                source.unwatch(folder);
            }
            was_trusted
        });
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
        let heard = {
            let heard = &self.ear.heard;
            std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner))
        };
        if heard.rescan {
            self.distrust();
            return Some(Hint::Everything);
        }
        for path in &heard.replaced {
            if let Some(watched) = self.watched.get_mut(path) {
                *watched = None;
            }
        }
        (!heard.paths.is_empty()).then(|| Hint::Paths(heard.paths.into_iter().collect()))
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

/// Closing after writing ends a change; opening and reading are none.
fn is_close(event: &Event) -> bool {
    use notify::event::{AccessKind, AccessMode, EventKind};
    matches!(
        event.kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write))
    )
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
    use notify::event::{EventKind, RemoveKind};

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
}
