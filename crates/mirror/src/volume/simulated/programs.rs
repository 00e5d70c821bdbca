//! What programs and people do on a simulated volume, by whole paths.
use std::collections::BTreeMap;
use std::sync::Arc;

use rustix::io::Errno;

use super::Inner;
use super::tree::{Change, Id, Place, TOP, What};
use super::watches::Happened;
use crate::volume::Rename;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    File {
        bytes: Arc<Vec<u8>>,
        executable: bool,
    },
    Folder,
    Link(String),
    Pipe,
}

impl Inner {
    fn place(&self, path: &str) -> Result<Place, Errno> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // They stay where they mean to be: what follows a link would change what the link leads to.
        Ok((self.walk(TOP, folder, false)?, name.to_owned()))
    }

    fn at(&self, path: &str) -> Option<Id> {
        let (folder, name) = self.place(path).ok()?;
        self.tree.find(folder, &name).ok()
    }

    /// What stands at a path.
    pub(crate) fn entry(&self, path: &str) -> Option<Entry> {
        self.entry_of(self.at(path)?)
    }

    fn entry_of(&self, id: Id) -> Option<Entry> {
        let node = self.tree.node(id).ok()?;
        Some(match &node.what {
            What::File => Entry::File {
                bytes: Arc::clone(&self.live.get(&id)?.now),
                executable: node.mode & 0o100 != 0,
            },
            What::Folder(_) => Entry::Folder,
            What::Link(target) => Entry::Link(target.clone()),
            What::Pipe => Entry::Pipe,
        })
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, path: &str) -> Option<Arc<Vec<u8>>> {
        match self.entry(path)? {
            Entry::File { bytes, .. } => Some(bytes),
            _ => None,
        }
    }

    /// The names that something is kept under, from the top; what is not there keeps its spelling.
    pub(crate) fn spelled(&self, path: &str) -> String {
        let mut here = Some(TOP);
        let spelled = path.split('/').filter(|name| !name.is_empty()).map(|name| {
            let kept = here.and_then(|folder| self.tree.kept(folder, name));
            here = here.and_then(|folder| self.tree.find(folder, name).ok());
            format!("/{}", kept.unwrap_or_else(|| name.to_owned()))
        });
        spelled.collect()
    }

    /// Everything below a folder.
    pub(crate) fn below(&self, folder: &str) -> BTreeMap<String, Entry> {
        let mut all = Vec::new();
        if let Ok(id) = self.walk(TOP, folder, true) {
            self.tree.below(id, "", &mut all);
        }
        let entry = |(path, id)| Some((path, self.entry_of(id)?));
        all.into_iter().filter_map(entry).collect()
    }

    pub(super) fn is_file(&self, id: Id) -> bool {
        matches!(self.tree.node(id).map(|node| &node.what), Ok(What::File))
    }

    /// Files below a folder, each with who it is under whatever name.
    pub(crate) fn files(&self, folder: &str) -> Vec<(String, u64, Arc<Vec<u8>>)> {
        let mut all = Vec::new();
        if let Ok(id) = self.walk(TOP, folder, true) {
            self.tree.below(id, "", &mut all);
        }
        let file = |(path, id)| {
            let live = self.live.get(&id).filter(|_| self.is_file(id))?;
            Some((path, id, Arc::clone(&live.now)))
        };
        all.into_iter().filter_map(file).collect()
    }

    /// What every file holds, those without a name, too.
    pub(crate) fn held(&self) -> BTreeMap<u64, Arc<Vec<u8>>> {
        let live = self.live.iter();
        live.map(|(id, live)| (*id, Arc::clone(&live.now)))
            .collect()
    }

    /// The bytes of a file, or of all files below a folder.
    pub(crate) fn texts(&self, path: &str) -> Vec<Arc<Vec<u8>>> {
        let own = self.bytes(path).into_iter();
        let below = self
            .below(path)
            .into_values()
            .filter_map(|entry| match entry {
                Entry::File { bytes, .. } => Some(bytes),
                _ => None,
            });
        own.chain(below).collect()
    }

    pub(crate) fn make_all(&mut self, path: &str) -> Result<Id, Errno> {
        let mut here = TOP;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            here = match self.walk(here, name, false) {
                Err(Errno::NOENT) => {
                    self.make((here, name.to_owned()), What::Folder([].into()), 0o755)?
                }
                found => found?,
            };
            self.tree.names(here)?;
        }
        Ok(here)
    }

    /// Opens a file to write it from its begin, made if there is none: it is empty now.
    pub(crate) fn truncate(&mut self, path: &str) -> Result<Id, Errno> {
        let place = self.place(path)?;
        let id = match self.tree.find(place.0, &place.1) {
            Err(Errno::NOENT) => self.make(place.clone(), What::File, 0o644)?,
            found => found?,
        };
        if !matches!(self.tree.node(id)?.what, What::File) {
            return Err(Errno::ISDIR);
        }
        self.cut(id, 0);
        self.told(&place, Happened::Written);
        Ok(id)
    }

    /// Opens a file to write it later.
    pub(crate) fn open_late(&self, path: &str) -> Option<Id> {
        let id = self.at(path)?;
        matches!(self.tree.node(id).ok()?.what, What::File).then_some(id)
    }

    /// The whole path of something that has a name.
    pub(crate) fn name_of(&self, id: Id) -> Option<String> {
        let mut all = Vec::new();
        self.tree.below(TOP, "", &mut all);
        let found = all.into_iter().find(|(_, there)| *there == id);
        found.map(|(path, _)| format!("/{path}"))
    }

    /// Writes through a descriptor, wherever its file is by now.
    pub(crate) fn write_open(&mut self, id: Id, bytes: &[u8]) -> Result<(), Errno> {
        if self.full {
            return Err(Errno::NOSPC);
        }
        self.cut(id, 0);
        self.put_bytes(id, 0, bytes);
        if let Some(place) = self.name_of(id).and_then(|path| self.place(&path).ok()) {
            self.told(&place, Happened::Closed);
        }
        Ok(())
    }

    /// The bytes behind a descriptor.
    pub(crate) fn read_open(&self, id: Id) -> Arc<Vec<u8>> {
        self.live
            .get(&id)
            .map(|live| Arc::clone(&live.now))
            .unwrap_or_default()
    }

    /// Writes a file in place.
    pub(crate) fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        if self.full {
            return Err(Errno::NOSPC);
        }
        let id = self.truncate(path)?;
        self.write_open(id, bytes)
    }

    /// Writes a file in place and puts its time back, as some programs do; the time of its change tells.
    pub(crate) fn write_dated(&mut self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        let before = self
            .at(path)
            .and_then(|id| self.live.get(&id))
            .map(|live| live.mtime_ns);
        self.write(path, bytes)?;
        if let (Some(before), Some(id)) = (before, self.at(path)) {
            self.live.entry(id).or_default().mtime_ns = before;
        }
        Ok(())
    }

    /// Writes a file beside and renames it over, as editors do.
    pub(crate) fn replace(&mut self, path: &str, bytes: &[u8]) -> Result<(), Errno> {
        let beside = format!("{path}.swp");
        self.write(&beside, bytes)?;
        let done = self.rename(&beside, path);
        if done.is_err() {
            self.remove_all(&beside)?;
        }
        done
    }

    pub(crate) fn rename(&mut self, from: &str, to: &str) -> Result<(), Errno> {
        let (from, to) = (self.place(from)?, self.place(to)?);
        self.move_name(from, to, Rename::Replace)
    }

    pub(super) fn move_name(&mut self, from: Place, to: Place, how: Rename) -> Result<(), Errno> {
        let id = self.tree.find(from.0, &from.1)?;
        let there = match self.tree.find(to.0, &to.1) {
            Err(Errno::NOENT) => None,
            there => Some(there?),
        };
        if self.tree.node(to.0)?.links == 0 {
            return Err(Errno::NOENT);
        }
        if self.tree.is_in(to.0, id) {
            return Err(Errno::INVAL);
        }
        match (how, there) {
            (Rename::IntoNothing, Some(_)) => return Err(Errno::EXIST),
            (Rename::Exchange, None) => return Err(Errno::NOENT),
            (Rename::Exchange, Some(other)) if self.tree.is_in(from.0, other) => {
                return Err(Errno::INVAL);
            }
            (Rename::Replace, Some(there)) if there != id => {
                let is_folder = |id| {
                    matches!(
                        self.tree.node(id).map(|node| &node.what),
                        Ok(What::Folder(_))
                    )
                };
                match (is_folder(id), is_folder(there)) {
                    (false, true) => return Err(Errno::ISDIR),
                    (true, false) => return Err(Errno::NOTDIR),
                    (true, true) if !self.tree.names(there)?.is_empty() => {
                        return Err(Errno::NOTEMPTY);
                    }
                    _ => self.watch_ends(there),
                }
            }
            _ => {}
        }
        self.told(&from, Happened::Renamed);
        self.told(&to, Happened::Renamed);
        self.touched(id);
        self.change(match how {
            Rename::Exchange => Change::Exchange(from, to),
            Rename::IntoNothing | Rename::Replace => Change::Move(from, to),
        });
        Ok(())
    }

    pub(crate) fn remove_all(&mut self, path: &str) -> Result<(), Errno> {
        let place = self.place(path)?;
        let id = self.tree.find(place.0, &place.1)?;
        if let Ok(names) = self.tree.names(id) {
            let names: Vec<_> = names.values().map(|(name, _)| name.clone()).collect();
            for name in names {
                self.remove_all(&format!("{path}/{name}"))?;
            }
            return self.unlink_folder(place);
        }
        self.told(&place, Happened::Removed);
        self.change(Change::Unlink(place));
        Ok(())
    }

    pub(super) fn unlink_folder(&mut self, place: Place) -> Result<(), Errno> {
        let id = self.tree.find(place.0, &place.1)?;
        if !self.tree.names(id)?.is_empty() {
            return Err(Errno::NOTEMPTY);
        }
        self.watch_ends(id);
        self.told(&place, Happened::Removed);
        self.change(Change::Unlink(place));
        Ok(())
    }

    pub(crate) fn link(&mut self, path: &str, target: &str) -> Result<(), Errno> {
        let place = self.place(path)?;
        self.make(place, What::Link(target.to_owned()), 0o777)
            .map(drop)
    }

    pub(crate) fn pipe(&mut self, path: &str) -> Result<(), Errno> {
        let place = self.place(path)?;
        self.make(place, What::Pipe, 0o644).map(drop)
    }

    pub(crate) fn set_mode(&mut self, path: &str, mode: u32) -> Result<(), Errno> {
        let place = self.place(path)?;
        let id = self.tree.find(place.0, &place.1)?;
        self.told(&place, Happened::ModeSet);
        self.change(Change::Mode(id, mode));
        Ok(())
    }

    /// Whether a file, and every folder above it, may be read.
    pub(crate) fn is_readable(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).skip(1);
        let above = ends.chain([path.len()]);
        above.into_iter().all(|end| {
            self.mode(&path[..end])
                .is_some_and(|mode| mode & 0o400 != 0)
        })
    }

    pub(crate) fn mode(&self, path: &str) -> Option<u32> {
        self.tree.node(self.at(path)?).ok().map(|node| node.mode)
    }
}
