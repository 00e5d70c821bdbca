//! Changes of a root's files. Each is checked at the instant it is made: what is swapped out is looked at, and put back
//! if it is not what was expected.
use std::ffi::OsStr;

use rustix::fs::{AtFlags, Mode, RenameFlags};
use rustix::io::Errno;
use slipway_core::path::RelPath;

use super::{Disk, DiskError, Displaced, Fingerprint, Seen, fingerprint, look_at};

impl Disk {
    /// Puts a private file at a path. `over` is what must stand there now; `None`: nothing.
    ///
    /// # Errors
    /// Something unexpected stands there, or the system refuses; the private file is then still there.
    pub fn put(
        &mut self,
        scratch: &str,
        path: &RelPath,
        executable: bool,
        over: Option<Fingerprint>,
    ) -> Result<Fingerprint, DiskError> {
        let parent = self.root.parent(path)?;
        let name = OsStr::new(path.name());
        let mode = mode(over.map_or(0o644, |old| old.mode), executable);
        let tmp = &self.private.tmp;
        rustix::fs::chmodat(tmp, scratch, Mode::from_raw_mode(mode), AtFlags::empty())?;
        let Some(expected) = over else {
            rustix::fs::renameat_with(tmp, scratch, &parent, name, RenameFlags::NOREPLACE)?;
            return standing(&parent, name);
        };
        if look_at(&parent, name)? != Some(Seen::File(expected)) {
            return Err(DiskError::Unexpected);
        }
        let ours = fingerprint(&rustix::fs::statat(tmp, scratch, AtFlags::empty())?);
        // From here on this private name may hold a person's bytes, and says so.
        let aside = self.private.name('x');
        let tmp = &self.private.tmp;
        rustix::fs::renameat_with(tmp, scratch, tmp, &aside, RenameFlags::NOREPLACE)?;
        let swapped = rustix::fs::renameat_with(tmp, &aside, &parent, name, RenameFlags::EXCHANGE);
        if let Err(error) = swapped {
            rustix::fs::renameat(tmp, &aside, tmp, scratch)?;
            return Err(error.into());
        }
        match look_at(tmp, OsStr::new(&aside))? {
            Some(Seen::File(out)) if out.is_untouched(&expected) => {
                self.displaced.push(Displaced {
                    name: aside,
                    path: path.clone(),
                    print: Some(out),
                });
                standing(&parent, name)
            }
            // Somebody wrote between look and swap: their bytes go back to their name.
            _ => {
                rustix::fs::renameat_with(tmp, &aside, &parent, name, RenameFlags::EXCHANGE)?;
                match look_at(tmp, OsStr::new(&aside))? {
                    Some(Seen::File(back)) if back.is_untouched(&ours) => {
                        rustix::fs::renameat(tmp, &aside, tmp, scratch)?;
                    }
                    // And somebody put another file there meanwhile.
                    _ => self.stray(aside, path),
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
        if fingerprint(&rustix::fs::fstat(&file)?) != expected {
            return Err(DiskError::Unexpected);
        }
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode(expected.mode, executable)))?;
        Ok(fingerprint(&rustix::fs::fstat(&file)?))
    }

    /// Makes a folder; fine when there is one.
    ///
    /// # Errors
    /// Something else stands there, or the system refuses.
    pub fn make_folder(&self, path: &RelPath) -> Result<(), DiskError> {
        let parent = self.root.parent(path)?;
        match rustix::fs::mkdirat(&parent, path.name(), Mode::from_raw_mode(0o755)) {
            Err(Errno::EXIST) if self.root.look(path)? == Some(Seen::Folder) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Makes a link where nothing stands.
    ///
    /// # Errors
    /// Something stands there, or the system refuses.
    pub fn make_link(&self, path: &RelPath, target: &str) -> Result<(), DiskError> {
        let parent = self.root.parent(path)?;
        Ok(rustix::fs::symlinkat(target, &parent, path.name())?)
    }

    /// Removes what stands at a path if it is what was expected; a folder only when it is empty.
    ///
    /// # Errors
    /// Something unexpected stands there, or the system refuses.
    pub fn remove(&mut self, path: &RelPath, expected: &Seen) -> Result<(), DiskError> {
        let parent = match self.root.parent(path) {
            Err(Errno::NOENT) => return Ok(()),
            parent => parent?,
        };
        let name = OsStr::new(path.name());
        if *expected == Seen::Folder {
            return match rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR) {
                Err(Errno::NOENT) => Ok(()),
                done => Ok(done?),
            };
        }
        let aside = self.set_aside(path)?;
        let out = look_at(&self.private.tmp, OsStr::new(&aside))?;
        let print = match (&out, expected) {
            (Some(Seen::File(out)), Seen::File(expected)) if out.is_untouched(expected) => *out,
            (Some(out), expected) if out == expected => {
                self.private.discard(&aside);
                return Ok(());
            }
            _ => {
                // Not what was agreed on: it goes back, unless its name was taken meanwhile.
                let tmp = &self.private.tmp;
                let back = RenameFlags::NOREPLACE;
                match rustix::fs::renameat_with(tmp, &aside, &parent, name, back) {
                    Err(Errno::EXIST) => self.stray(aside, path),
                    done => done?,
                }
                return Err(DiskError::Unexpected);
            }
        };
        self.displaced.push(Displaced {
            name: aside,
            path: path.clone(),
            print: Some(print),
        });
        Ok(())
    }

    /// Takes whatever stands at a path out of sight, a folder with all in it; tells its private name.
    ///
    /// # Errors
    /// Nothing stands there, or the system refuses.
    pub fn set_aside(&mut self, path: &RelPath) -> Result<String, DiskError> {
        let parent = self.root.parent(path)?;
        let aside = self.private.name('t');
        let tmp = self.private.tmp()?;
        rustix::fs::renameat_with(&parent, path.name(), tmp, &aside, RenameFlags::NOREPLACE)?;
        Ok(aside)
    }

    /// Renames to a name that nothing has.
    ///
    /// # Errors
    /// The new name is taken, or the system refuses.
    pub fn rename(&self, from: &RelPath, to: &RelPath) -> Result<(), DiskError> {
        let (old, new) = (self.root.parent(from)?, self.root.parent(to)?);
        let how = RenameFlags::NOREPLACE;
        Ok(rustix::fs::renameat_with(
            &old,
            from.name(),
            &new,
            to.name(),
            how,
        )?)
    }

    /// Brings a private file back to sight at a path that nothing has.
    ///
    /// # Errors
    /// The name is taken, or the system refuses.
    pub fn bring_back(&self, name: &str, path: &RelPath) -> Result<(), DiskError> {
        let parent = self.root.parent(path)?;
        let (tmp, how) = (&self.private.tmp, RenameFlags::NOREPLACE);
        Ok(rustix::fs::renameat_with(
            tmp,
            name,
            &parent,
            path.name(),
            how,
        )?)
    }

    fn stray(&mut self, name: String, path: &RelPath) {
        self.displaced.push(Displaced {
            name,
            path: path.clone(),
            print: None,
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

fn standing(parent: &impl std::os::fd::AsFd, name: &OsStr) -> Result<Fingerprint, DiskError> {
    let found = rustix::fs::statat(parent.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(fingerprint(&found))
}
