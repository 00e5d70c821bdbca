//! The calls of an engine on a simulated volume.
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::{Database, DatabaseError, StorageError};
use rustix::io::Errno;

use super::database::File;
use super::tree::{Change, Id, TOP, What};
use super::watches::Happened;
use super::{Inner, SimVolume};
use crate::planted::{self, Bug};
use crate::volume::{For, Handle, Meta, Rename, Volume};

/// What an engine has open.
pub(crate) struct Held {
    inner: Arc<Mutex<Inner>>,
    life: u64,
    pub(super) id: Id,
    path: String,
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.life == self.life
            && let Some(live) = inner.live.get_mut(&self.id)
        {
            live.opens -= 1;
        }
    }
}

impl SimVolume {
    /// Takes something up; the path is for people.
    pub(super) fn hold(&self, id: Id, path: String) -> Held {
        self.inner().live.entry(id).or_default().opens += 1;
        Held {
            inner: Arc::clone(&self.inner),
            life: self.life,
            id,
            path,
        }
    }
}

fn held(handle: &Handle) -> Result<&Held, Errno> {
    match handle {
        Handle::Simulated(held) => Ok(held),
        Handle::Real(_) => Err(Errno::BADF),
    }
}

fn text(name: &OsStr) -> Result<&str, Errno> {
    name.to_str().ok_or(Errno::ILSEQ)
}

fn joined(at: &Handle, name: &OsStr) -> String {
    let at = held(at).map_or("?", |held| &held.path);
    match name.to_str() {
        Some(".") => at.to_owned(),
        name => format!("{at}/{}", name.unwrap_or("?")),
    }
}

impl Inner {
    fn meta(&self, id: Id) -> Result<Meta, Errno> {
        let node = self.tree.node(id)?;
        let live = self.live.get(&id).cloned().unwrap_or_default();
        Ok(Meta {
            kind: node.what.kind(),
            inode: node.inode,
            size: live.now.len() as u64,
            mode: node.mode,
            links: node.links,
            mtime_ns: live.mtime_ns,
            ctime_ns: live.ctime_ns,
        })
    }

    /// A folder whose names may be changed.
    fn writable(&self, folder: Id) -> Result<(), Errno> {
        match self.tree.node(folder)?.mode & 0o300 {
            0o300 => Ok(()),
            _ => Err(Errno::ACCESS),
        }
    }

    /// An engine takes the last name of something.
    fn destroy(&mut self, path: &str, id: Id) {
        let bytes = match self.tree.node(id) {
            Ok(node) if node.links == 1 && matches!(node.what, What::File) => {
                Arc::clone(&self.live.entry(id).or_default().now)
            }
            _ => return,
        };
        let Some(mut mischief) = self.mischief.take() else {
            return;
        };
        let wrong = mischief.destroys(path, &bytes, self);
        self.wrongs.extend(wrong);
        self.mischief = Some(mischief);
    }
}

impl Volume for SimVolume {
    fn folder(&self, whole: &Path) -> Result<Handle, Errno> {
        let path = whole.to_str().ok_or(Errno::ILSEQ)?;
        let id = self.call("open", path, |inner| {
            let id = inner.walk(TOP, path, true)?;
            inner.tree.names(id).map(|_| id)
        })?;
        Ok(Handle::Simulated(self.hold(id, path.to_owned())))
    }

    fn make_folders(&self, whole: &Path) -> io::Result<()> {
        let path = whole.to_str().ok_or(Errno::ILSEQ)?;
        Ok(self.call("mkdir -p", path, |inner| inner.make_all(path).map(drop))?)
    }

    fn mount(&self, whole: &Path) -> Option<u64> {
        let apart = self.inner().make.apart && whole.starts_with("/state");
        Some(u64::from(apart))
    }

    fn attribute(&self, whole: &Path, name: &str) -> Result<Vec<u8>, Errno> {
        let path = whole.to_str().ok_or(Errno::ILSEQ)?;
        self.call("getxattr", path, |inner| {
            if !inner.make.attributes {
                return Err(Errno::NOTSUP);
            }
            let node = inner.tree.node(inner.walk(TOP, path, true)?)?;
            node.attributes.get(name).cloned().ok_or(Errno::NODATA)
        })
    }

    fn set_attribute(&self, whole: &Path, name: &str, value: &[u8]) -> Result<(), Errno> {
        let path = whole.to_str().ok_or(Errno::ILSEQ)?;
        self.call("setxattr", path, |inner| {
            if !inner.make.attributes {
                return Err(Errno::NOTSUP);
            }
            let id = inner.walk(TOP, path, true)?;
            inner.change(Change::Attribute(id, name.to_owned(), value.to_owned()));
            Ok(())
        })
    }

    fn open(&self, at: &Handle, path: &OsStr, what_for: For) -> Result<Handle, Errno> {
        let (start, whole) = (held(at)?.id, joined(at, path));
        let path = text(path)?;
        let id = self.call("openat", &whole, |inner| {
            if what_for == For::Making {
                inner.writable(start)?;
                return inner.make((start, path.to_owned()), What::File, 0o644);
            }
            let id = inner.walk(start, path, planted::is(Bug::LinksFollowed))?;
            let node = inner.tree.node(id)?;
            let is_folder = matches!(node.what, What::Folder(_));
            let unreadable = node.mode & 0o400 == 0;
            match what_for {
                For::Place | For::Listing if !is_folder => Err(Errno::NOTDIR),
                For::Listing | For::Reading if unreadable => Err(Errno::ACCESS),
                _ => Ok(id),
            }
        })?;
        Ok(Handle::Simulated(self.hold(id, whole)))
    }

    fn stat(&self, at: &Handle, name: &OsStr) -> Result<Meta, Errno> {
        let (folder, name_of) = (held(at)?.id, text(name)?);
        self.call("stat", &joined(at, name), |inner| {
            if inner.tree.node(folder)?.mode & 0o100 == 0 {
                return Err(Errno::ACCESS);
            }
            inner.meta(inner.tree.find(folder, name_of)?)
        })
    }

    fn read_link(&self, at: &Handle, name: &OsStr) -> Result<OsString, Errno> {
        let (folder, name_of) = (held(at)?.id, text(name)?);
        self.call("readlink", &joined(at, name), |inner| {
            match &inner.tree.node(inner.tree.find(folder, name_of)?)?.what {
                What::Link(target) => Ok(target.into()),
                _ => Err(Errno::INVAL),
            }
        })
    }

    fn make_folder(&self, at: &Handle, name: &OsStr, mode: u32) -> Result<(), Errno> {
        let place = (held(at)?.id, text(name)?.to_owned());
        self.call("mkdir", &joined(at, name), |inner| {
            inner.writable(place.0)?;
            let what = What::Folder([].into());
            inner.make(place, what, mode & !0o022).map(drop)
        })
    }

    fn make_link(&self, at: &Handle, name: &OsStr, target: &str) -> Result<(), Errno> {
        let place = (held(at)?.id, text(name)?.to_owned());
        self.call("symlink", &joined(at, name), |inner| {
            inner.writable(place.0)?;
            inner
                .make(place, What::Link(target.to_owned()), 0o777)
                .map(drop)
        })
    }

    fn remove(&self, at: &Handle, name: &OsStr) -> Result<(), Errno> {
        let (place, whole) = ((held(at)?.id, text(name)?.to_owned()), joined(at, name));
        self.call("unlink", &whole, |inner| {
            inner.writable(place.0)?;
            let id = inner.tree.find(place.0, &place.1)?;
            if matches!(inner.tree.node(id)?.what, What::Folder(_)) {
                return Err(Errno::ISDIR);
            }
            inner.destroy(&whole, id);
            inner.told(&place, Happened::Removed);
            inner.change(Change::Unlink(place));
            Ok(())
        })
    }

    fn remove_folder(&self, at: &Handle, name: &OsStr) -> Result<(), Errno> {
        let place = (held(at)?.id, text(name)?.to_owned());
        self.call("rmdir", &joined(at, name), |inner| {
            inner.writable(place.0)?;
            inner.unlink_folder(place)
        })
    }

    fn rename(
        &self,
        at: &Handle,
        name: &OsStr,
        to: &Handle,
        new: &OsStr,
        how: Rename,
    ) -> Result<(), Errno> {
        let from = (held(at)?.id, text(name)?.to_owned());
        let place = (held(to)?.id, text(new)?.to_owned());
        let (old, whole) = (joined(at, name), joined(to, new));
        let call = match how {
            Rename::Exchange => "exchange",
            Rename::IntoNothing => "rename",
            Rename::Replace => "replace",
        };
        self.call(call, &format!("{old} {whole}"), |inner| {
            if !inner.make.knows.can(how) {
                return Err(Errno::INVAL);
            }
            inner.writable(from.0)?;
            inner.writable(place.0)?;
            let there = inner.tree.find(place.0, &place.1);
            if let (Rename::Replace, Ok(id)) = (how, there) {
                inner.destroy(&whole, id);
            }
            let is_file = inner
                .tree
                .find(from.0, &from.1)
                .is_ok_and(|id| inner.is_file(id));
            inner.move_name(from, place, how)?;
            if let Some(mischief) = inner.mischief.as_mut().filter(|_| is_file) {
                mischief.renamed(&old, &whole, false);
            }
            Ok(())
        })
    }

    fn link(&self, at: &Handle, name: &OsStr, to: &Handle, new: &OsStr) -> Result<(), Errno> {
        let from = (held(at)?.id, text(name)?.to_owned());
        let place = (held(to)?.id, text(new)?.to_owned());
        let (old, whole) = (joined(at, name), joined(to, new));
        self.call("link", &format!("{old} {whole}"), |inner| {
            inner.writable(place.0)?;
            let id = inner.tree.find(from.0, &from.1)?;
            inner.make_second(id, place)?;
            if let Some(mischief) = &mut inner.mischief {
                mischief.renamed(&old, &whole, true);
            }
            Ok(())
        })
    }

    fn set_mode(&self, at: &Handle, name: &OsStr, mode: u32) -> Result<(), Errno> {
        let place = (held(at)?.id, text(name)?.to_owned());
        self.call("chmod", &joined(at, name), |inner| {
            let id = inner.tree.find(place.0, &place.1)?;
            inner.told(&place, Happened::ModeSet);
            inner.change(Change::Mode(id, mode));
            Ok(())
        })
    }

    fn list(&self, folder: Handle) -> Result<Vec<OsString>, Errno> {
        let at = held(&folder)?;
        self.call("readdir", &at.path, |inner| {
            let names = inner.tree.names(at.id)?.values();
            Ok(names.map(|(name, _)| name.into()).collect())
        })
    }

    fn stat_open(&self, open: &Handle) -> Result<Meta, Errno> {
        let at = held(open)?;
        self.call("fstat", &at.path, |inner| inner.meta(at.id))
    }

    fn is_ours(&self, open: &Handle) -> Result<bool, Errno> {
        let at = held(open)?;
        self.call("fstat", &at.path, |inner| {
            Ok(inner.tree.node(at.id)?.mode & 0o022 == 0)
        })
    }

    fn set_mode_open(&self, open: &Handle, mode: u32) -> Result<(), Errno> {
        let at = held(open)?;
        self.call("fchmod", &at.path, |inner| {
            inner.change(Change::Mode(at.id, mode));
            Ok(())
        })
    }

    fn read(&self, file: &Handle, into: &mut [u8], at: u64) -> Result<usize, Errno> {
        let open = held(file)?;
        self.call("read", &open.path, |inner| {
            if !matches!(inner.tree.node(open.id)?.what, What::File) {
                return Err(Errno::ISDIR);
            }
            let live = inner.live.get(&open.id).ok_or(Errno::BADF)?;
            let rest = live.now.get(at as usize..).unwrap_or_default();
            let many = rest.len().min(into.len());
            into[..many].copy_from_slice(&rest[..many]);
            Ok(many)
        })
    }

    fn write(&self, file: &Handle, from: &[u8], at: u64) -> Result<usize, Errno> {
        let open = held(file)?;
        self.call("write", &open.path, |inner| {
            if inner.full {
                return Err(Errno::NOSPC);
            }
            inner.put_bytes(open.id, at as usize, from);
            Ok(from.len())
        })
    }

    fn make_durable(&self, open: &Handle) -> Result<(), Errno> {
        let at = held(open)?;
        self.call("fsync", &at.path, |inner| {
            inner.make_durable(at.id);
            Ok(())
        })
    }

    fn make_all_durable(&self, folder: &Handle) -> Result<(), Errno> {
        let at = held(folder)?;
        self.call("syncfs", &at.path, |inner| {
            inner.write_back();
            Ok(())
        })
    }

    fn database(&self, at: &Handle, name: &OsStr) -> Result<Database, DatabaseError> {
        let (folder, name_of) = (held(at).map(|held| held.id), text(name));
        let whole = joined(at, name);
        let found = self.call("openat", &whole, |inner| {
            let (folder, name) = (folder?, name_of?);
            match inner.tree.find(folder, name) {
                Err(Errno::NOENT) => inner.make((folder, name.to_owned()), What::File, 0o644),
                found => found,
            }
        });
        let id = found.map_err(|error| StorageError::Io(error.into()))?;
        let file = File::new(self.clone(), self.hold(id, whole));
        Database::builder().create_with_backend(file)
    }

    fn boot(&self) -> String {
        format!("boot {}", self.inner().boots)
    }

    fn usual_mode(&self) -> u32 {
        0o644
    }

    fn now_ns(&self) -> i128 {
        self.inner().now_ns
    }
}
