//! Watches of a simulated volume: what happens in a watched folder waits in a queue, for a simulation to tell, lose or hold
//! back. As with inotify, a watch follows its folder and tells the path by which it was set.
use std::path::Path;

use notify::Event;
use notify::event::{AccessKind, AccessMode, CreateKind, DataChange, EventKind, MetadataKind};
use notify::event::{ModifyKind, RemoveKind, RenameMode};

use super::tree::{Id, Place, TOP, What};
use super::{Inner, SimVolume};
use crate::watch::Source;

/// Events that wait at most; then the rest is lost, which is told.
const QUEUE_MAX: usize = 64;

#[derive(Clone, Copy, Debug)]
pub(super) enum Happened {
    Made,
    FolderMade,
    Removed,
    Renamed,
    Written,
    Closed,
    ModeSet,
}

impl Inner {
    /// Something happened to a name.
    pub(super) fn told(&mut self, (folder, name): &Place, happened: Happened) {
        let Some(watched) = self.watched.get(folder) else {
            return;
        };
        let kind = match happened {
            Happened::Made => EventKind::Create(CreateKind::Any),
            Happened::FolderMade => EventKind::Create(CreateKind::Folder),
            Happened::Removed => EventKind::Remove(RemoveKind::Any),
            Happened::Renamed => EventKind::Modify(ModifyKind::Name(RenameMode::Any)),
            Happened::Written => EventKind::Modify(ModifyKind::Data(DataChange::Any)),
            Happened::Closed => EventKind::Access(AccessKind::Close(AccessMode::Write)),
            Happened::ModeSet => EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any)),
        };
        let event = Event::new(kind).add_path(watched.join(name));
        if self.events.len() == QUEUE_MAX {
            let flag = notify::event::Flag::Rescan;
            self.events
                .push_back(Event::new(EventKind::Other).set_flag(flag));
        } else if self.events.len() < QUEUE_MAX {
            self.events.push_back(event);
        }
    }

    /// A folder is gone: its watch ends, which is told by its own path.
    pub(super) fn watch_ends(&mut self, folder: Id) {
        if let Some(path) = self.watched.remove(&folder) {
            let gone = EventKind::Remove(RemoveKind::Folder);
            self.events.push_back(Event::new(gone).add_path(path));
        }
    }

    fn folder_at(&self, whole: &Path) -> Option<Id> {
        let id = self.walk(TOP, whole.to_str()?, true).ok()?;
        let is_folder = matches!(self.tree.node(id).ok()?.what, What::Folder(_));
        is_folder.then_some(id)
    }
}

impl Source for SimVolume {
    fn inode(&self, folder: &Path) -> Option<u64> {
        let inner = self.inner();
        let id = inner.folder_at(folder)?;
        inner.tree.node(id).ok().map(|node| node.inode)
    }

    fn watch(&mut self, folder: &Path) -> notify::Result<()> {
        let mut inner = self.inner();
        let Some(id) = inner.folder_at(folder) else {
            return Err(notify::Error::path_not_found());
        };
        let is_full = inner.watched.len() >= inner.make.watches_max;
        if is_full && !inner.watched.contains_key(&id) {
            return Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch));
        }
        inner.watched.insert(id, folder.to_owned());
        Ok(())
    }

    fn unwatch(&mut self, folder: &Path) {
        self.inner().watched.retain(|_, watched| watched != folder);
    }
}
