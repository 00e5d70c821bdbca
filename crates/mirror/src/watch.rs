//! Hears of changes on the disk: one inotify watch per folder. Events are hints; a scan tells the truth.
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};
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

/// What to look at.
#[derive(Debug)]
pub enum Hint {
    /// These paths.
    Paths(Vec<PathBuf>),
    /// Everything: events were lost.
    Everything,
}

/// The watches of one root.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    heard: Arc<Mutex<Heard>>,
    wake: Arc<Notify>,
    /// Folders with their inode numbers.
    watched: HashMap<PathBuf, u64>,
    partial: bool,
}

impl Watch {
    /// Watches nothing yet. Where the system gives no watcher, only scans find changes.
    #[must_use]
    pub fn new() -> Self {
        let (heard, wake) = (Arc::<Mutex<Heard>>::default(), Arc::new(Notify::new()));
        let (to, waker) = (Arc::clone(&heard), Arc::clone(&wake));
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let mut heard = to.lock().unwrap_or_else(PoisonError::into_inner);
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
            waker.notify_one();
        });
        let watcher = watcher
            .map_err(|error| tracing::warn!(%error, "No watcher; changes are found by scans"))
            .ok();
        Self {
            partial: watcher.is_none(),
            watcher,
            heard,
            wake,
            watched: HashMap::new(),
        }
    }

    /// Hears nothing at all: what a system without a watcher has, and a simulation.
    #[cfg(test)]
    pub(crate) fn deaf() -> Self {
        Self {
            watcher: None,
            heard: Arc::default(),
            wake: Arc::default(),
            watched: HashMap::new(),
            partial: true,
        }
    }

    /// Watches a folder, not what lies in its folders.
    pub fn add(&mut self, folder: &Path) {
        use std::os::unix::fs::MetadataExt as _;
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        let Ok(inode) = std::fs::symlink_metadata(folder).map(|found| found.ino()) else {
            return;
        };
        match self.watched.get(folder) {
            Some(watched) if *watched == inode => return,
            // A folder of this name was watched before: the watcher would take this one for it.
            _ => drop(watcher.unwatch(folder)),
        }
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => drop(self.watched.insert(folder.to_owned(), inode)),
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
        self.watched.clear();
        self.partial = self.watcher.is_none();
    }

    /// Whether some folders are not watched, so that scans must come often.
    #[must_use]
    pub const fn is_partial(&self) -> bool {
        self.partial
    }

    /// Resolves when something was heard.
    pub async fn heard(&self) {
        self.wake.notified().await;
    }

    /// Takes what was heard.
    #[must_use]
    pub fn take(&mut self) -> Option<Hint> {
        let heard = {
            let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut *heard)
        };
        if heard.rescan {
            self.distrust();
            return Some(Hint::Everything);
        }
        for path in &heard.replaced {
            self.watched.remove(path);
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
