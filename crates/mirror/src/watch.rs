//! Hears of changes on the disk: one inotify watch per folder. Events are hints; a scan tells the truth.
use std::collections::HashSet;
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
    watched: HashSet<PathBuf>,
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
                Ok(event) => heard.paths.extend(event.paths),
                Err(_) => heard.rescan = true,
            }
            if heard.paths.len() > DIRTY_MAX {
                heard.paths.clear();
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
            watched: HashSet::new(),
        }
    }

    /// Watches a folder, not what lies in its folders.
    pub fn add(&mut self, folder: &Path) {
        let Some(watcher) = &mut self.watcher else {
            return;
        };
        if self.watched.contains(folder) {
            return;
        }
        match watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => drop(self.watched.insert(folder.to_owned())),
            Err(error) => {
                // Out of watches: the audit scan covers the rest, later but surely.
                tracing::debug!(%error, "Cannot watch a folder");
                self.partial = true;
            }
        }
    }

    /// Forgets a folder that is gone.
    pub fn remove(&mut self, folder: &Path) {
        if self.watched.remove(folder)
            && let Some(watcher) = &mut self.watcher
        {
            // The system dropped the watch with the folder.
            drop(watcher.unwatch(folder));
        }
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
    pub fn take(&self) -> Option<Hint> {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut heard.rescan) {
            heard.paths.clear();
            return Some(Hint::Everything);
        }
        (!heard.paths.is_empty()).then(|| Hint::Paths(heard.paths.drain().collect()))
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
