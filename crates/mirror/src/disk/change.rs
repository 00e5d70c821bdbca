//! Changes of a root's files. Each is checked at the instant it is made: what is swapped out is looked at, and put back
//! if it is not what was expected.
use std::ffi::OsStr;
use std::sync::Arc;

use rustix::io::Errno;
use slipway_core::path::RelPath;

use super::{Disk, DiskError, Displaced, Expected, Fingerprint, Seen, Was, fingerprint, look_at};
use crate::planted::{self, Bug};
use crate::volume::{Handle, Meta, Rename, Volume};

/// Permission bits of a folder, less what the system withholds: as any program makes one.
const FOLDER_MODE: u32 = 0o777;

impl Disk {
    pub(super) fn volume(&self) -> Arc<dyn Volume> {
        Arc::clone(&self.root.volume)
    }

    /// Puts a private file at a path. `over` is what must stand there now; `None`: nothing. Tells what it is there, or what
    /// it was before if a program was at the path since: nothing that stands there then is like it.
    ///
    /// # Errors
    /// Something unexpected stands there, or the system refuses; the private file is then still there.
    pub fn put(
        &mut self,
        scratch: &str,
        path: &RelPath,
        executable: bool,
        over: Option<Was>,
    ) -> Result<Fingerprint, DiskError> {
        let volume = self.volume();
        let parent = self.root.parent(path)?;
        let (name, source) = (OsStr::new(path.name()), OsStr::new(scratch));
        let mode = mode(
            over.map_or(self.usual_mode, |old| old.print.mode),
            executable,
        );
        let tmp = &self.private.tmp;
        volume.set_mode(tmp, source, mode)?;
        let ours = fingerprint(&volume.stat(tmp, source)?);
        let Some(expected) = over else {
            match planted::is(Bug::OverUnseen) {
                false => self.private.bring(scratch, &parent, name)?,
                true => volume.rename(tmp, source, &parent, name, Rename::Replace)?,
            }
            return Ok(standing(&*volume, &parent, name, ours));
        };
        let is_blind = planted::is(Bug::Unverified);
        if look_at(&*volume, &parent, name)? != Some(Seen::File(expected.print)) && !is_blind {
            return Err(DiskError::Unexpected);
        }
        // Where a write may not show it is read before it is swapped, too: what a program writes to ours meanwhile would not
        // show either.
        if let Some(hash) = expected.unsettled
            && self.root.hash(path)?.is_none_or(|(now, _)| now != hash)
            && !is_blind
        {
            return Err(DiskError::Unexpected);
        }
        if planted::is(Bug::RemovedFirst) {
            self.remove(path, &Expected::File(expected))?;
            return self.put(scratch, path, executable, None);
        }
        let Some(out) = self.swap(scratch, &parent, name)? else {
            self.put_after(scratch, path, &parent, &expected)?;
            return Ok(standing(&*volume, &parent, name, ours));
        };
        match look_at(&*volume, &self.private.tmp, OsStr::new(&out))? {
            Some(Seen::File(print)) if self.is_as_it_was(&out, &print, &expected) || is_blind => {
                self.displace(out, path, print, expected);
                Ok(standing(&*volume, &parent, name, ours))
            }
            // Somebody wrote between look and swap: their bytes go back to their name.
            _ => {
                let Ok(Some(back)) = self.swap(&out, &parent, name) else {
                    self.stray(out, path);
                    return Err(DiskError::Unexpected);
                };
                let tmp = &self.private.tmp;
                match look_at(&*volume, tmp, OsStr::new(&back))? {
                    Some(Seen::File(print)) if print.is_untouched(&ours) => {
                        volume.rename(tmp, OsStr::new(&back), tmp, source, Rename::Replace)?;
                    }
                    // And somebody put another file there meanwhile.
                    _ => self.stray(back, path),
                }
                Err(DiskError::Unexpected)
            }
        }
    }

    /// Makes a file executable or not.
    ///
    /// # Errors
    /// It is not the expected one, or the system refuses.
    pub fn set_executable(
        &mut self,
        path: &RelPath,
        executable: bool,
        expected: Fingerprint,
    ) -> Result<Fingerprint, DiskError> {
        let file = self.root.read(path)?;
        if fingerprint(&file.meta()?) != expected {
            return Err(DiskError::Unexpected);
        }
        let mode = mode(expected.mode, executable);
        file.set_mode(mode)?;
        Ok(own(file.meta(), Fingerprint { mode, ..expected }))
    }

    /// Makes a folder; fine when there is one that is spelled so.
    ///
    /// # Errors
    /// Something else stands there, or the system refuses.
    pub fn make_folder(&self, path: &RelPath) -> Result<(), DiskError> {
        let parent = self.root.parent(path)?;
        let volume = &self.root.volume;
        match volume.make_folder(&parent, OsStr::new(path.name()), FOLDER_MODE) {
            Err(Errno::EXIST)
                if self.root.look(path)? == Some(Seen::Folder)
                    && self.root.kept_as(path)?.is_none() =>
            {
                Ok(())
            }
            done => Ok(done?),
        }
    }

    /// Makes a link where nothing stands.
    ///
    /// # Errors
    /// Something stands there, or the system refuses.
    pub fn make_link(&self, path: &RelPath, target: &str) -> Result<(), DiskError> {
        let parent = self.root.parent(path)?;
        let volume = &self.root.volume;
        Ok(volume.make_link(&parent, OsStr::new(path.name()), target)?)
    }

    /// Removes what stands at a path if it is what was expected; a folder only when it is empty. Tells whether it did: a
    /// folder may have gone already.
    ///
    /// # Errors
    /// Something unexpected stands there, or the system refuses.
    pub fn remove(&mut self, path: &RelPath, expected: &Expected) -> Result<bool, DiskError> {
        let volume = self.volume();
        let parent = match self.root.parent(path) {
            Err(Errno::NOENT) => return Ok(false),
            parent => parent?,
        };
        let name = OsStr::new(path.name());
        if *expected == Expected::Folder {
            if planted::is(Bug::WholeFolder) {
                let aside = self.set_aside(path)?;
                self.private.discard(&aside);
                return Ok(true);
            }
            return match volume.remove_folder(&parent, name) {
                Err(Errno::NOENT) => Ok(false),
                done => Ok(done.map(|()| true)?),
            };
        }
        // A write that put the time back shows in what a rename sets anew.
        if let Expected::File(was) = expected
            && look_at(&*volume, &parent, name)? != Some(Seen::File(was.print))
            && !planted::is(Bug::RemovedUnseen)
        {
            return Err(DiskError::Unexpected);
        }
        let aside = self.set_aside(path)?;
        let aside_name = OsStr::new(&aside);
        let out = look_at(&*volume, &self.private.tmp, aside_name)?;
        match (out, expected) {
            (Some(Seen::File(out)), Expected::File(was))
                if self.is_as_it_was(&aside, &out, was) || planted::is(Bug::RemovedUnseen) =>
            {
                self.displace(aside, path, out, *was);
                Ok(true)
            }
            (Some(Seen::Symlink(out)), Expected::Symlink(expected)) if out == *expected => {
                self.private.discard(&aside);
                Ok(true)
            }
            _ => {
                // Not what was agreed on: it goes back, unless its name was taken meanwhile.
                match self.private.bring(&aside, &parent, name) {
                    Err(Errno::EXIST) => self.stray(aside, path),
                    done => done?,
                }
                Err(DiskError::Unexpected)
            }
        }
    }

    /// Whether what was taken out is what was read before.
    pub(super) fn is_as_it_was(&self, aside: &str, out: &Fingerprint, was: &Was) -> bool {
        let is_same = |hash| self.private.hash(aside) == Some(hash);
        out.is_untouched(&was.print) && was.unsettled.is_none_or(is_same)
    }

    /// Keeps what was taken out until nobody writes to it any more.
    pub(super) fn displace(&mut self, name: String, path: &RelPath, out: Fingerprint, was: Was) {
        self.displaced.push(Displaced {
            name,
            path: path.clone(),
            was: Some(Was { print: out, ..was }),
        });
    }

    /// Takes whatever stands at a path out of sight, a folder with all in it; tells its private name.
    ///
    /// # Errors
    /// Nothing stands there, or the system refuses.
    pub fn set_aside(&mut self, path: &RelPath) -> Result<String, DiskError> {
        let parent = self.root.parent(path)?;
        let aside = self.private.name('t');
        let how = self.private.knows.into_own();
        let tmp = self.private.tmp()?;
        let (old, new) = (OsStr::new(path.name()), OsStr::new(&aside));
        let volume = &self.root.volume;
        volume.rename(&parent, old, tmp, new, how)?;
        Ok(aside)
    }

    /// Renames to a name that nothing has, or to another spelling of the same.
    ///
    /// # Errors
    /// The new name is taken, or the system refuses.
    pub fn rename(&mut self, from: &RelPath, to: &RelPath) -> Result<(), DiskError> {
        let (old, new) = (self.root.parent(from)?, self.root.parent(to)?);
        let (name, new_name) = (OsStr::new(from.name()), OsStr::new(to.name()));
        let (from_name, to_name) = ((&old, name), (&new, new_name));
        let knows = self.private.knows;
        match knows.rename(&*self.root.volume, from_name, to_name) {
            Err(Errno::EXIST) if self.root.kept_as(to)?.as_ref() == Some(from) => {
                self.respell(from, to)
            }
            done => Ok(done?),
        }
    }

    /// Brings a private file back to sight at a path that nothing has.
    ///
    /// # Errors
    /// The name is taken, or the system refuses.
    pub fn bring_back(&self, name: &str, path: &RelPath) -> Result<(), DiskError> {
        let parent = self.root.parent(path)?;
        Ok(self.private.bring(name, &parent, OsStr::new(path.name()))?)
    }

    pub(super) fn stray(&mut self, name: String, path: &RelPath) {
        self.displaced.push(Displaced {
            name,
            path: path.clone(),
            was: None,
        });
    }
}

/// The bits of an old file with ours: who may read it may execute it.
const fn mode(old: u32, executable: bool) -> u32 {
    if executable {
        old | ((old & 0o444) >> 2)
    } else {
        old & !0o111
    }
}

/// What stands at a name where ours was put.
fn standing(volume: &dyn Volume, parent: &Handle, name: &OsStr, ours: Fingerprint) -> Fingerprint {
    own(volume.stat(parent, name), ours)
}

/// A file after a change of ours. If a program was at it since, or it cannot be told, as it was before: what is there by now
/// is never taken for ours, and is found by the next look.
fn own(now: Result<Meta, Errno>, ours: Fingerprint) -> Fingerprint {
    let now = now.map(|meta| fingerprint(&meta));
    now.ok()
        .filter(|now| now.is_untouched(&ours))
        .unwrap_or(ours)
}
