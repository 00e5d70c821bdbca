//! How names change where a volume does not know every rename: a network's, or one that a program serves, often knows the
//! plain one alone. What it knows is asked once for each root, and the rest is made of that, as strictly as it goes.
use std::ffi::OsStr;
use std::io;

use rustix::io::Errno;
use slipway_core::path::RelPath;

use super::{Disk, DiskError, Seen, Was, look_at};
use crate::volume::{For, Handle, Knows, Rename, Volume};

impl Knows {
    /// Asks a volume, by files in a folder of ours.
    pub(super) fn of(volume: &dyn Volume, tmp: &Handle) -> Result<Self, Errno> {
        let names = ["n-asked", "n-asked-too"].map(OsStr::new);
        let clear = || names.map(|name| volume.remove(tmp, name).ok());
        // An end in the middle may have left them.
        clear();
        let known = Self::found(volume, tmp, names);
        clear();
        known
    }

    fn found(volume: &dyn Volume, tmp: &Handle, names: [&OsStr; 2]) -> Result<Self, Errno> {
        let [one, other] = names;
        let rename = |name, new, how| does(volume.rename(tmp, name, tmp, new, how));
        volume.open(tmp, one, For::Making)?;
        let refuse = rename(one, other, Rename::IntoNothing)?;
        let (one, other) = if refuse { (other, one) } else { (one, other) };
        // A second name that looks like another file is of no use.
        let link = does(volume.link(tmp, one, tmp, other))? && {
            let (first, second) = (volume.stat(tmp, one)?, volume.stat(tmp, other)?);
            volume.remove(tmp, other)?;
            first.inode == second.inode && second.links == 2
        };
        volume.open(tmp, other, For::Making)?;
        // Some take it for a plain rename, which leaves one name.
        let exchange = rename(one, other, Rename::Exchange)?
            && match volume.stat(tmp, one) {
                Err(Errno::NOENT) => false,
                stood => stood.map(|_| true)?,
            };
        Ok(Self {
            exchange,
            refuse,
            link,
        })
    }

    /// How something gets a name of ours, which nothing has.
    pub(super) const fn into_own(self) -> Rename {
        match self.refuse {
            true => Rename::IntoNothing,
            false => Rename::Replace,
        }
    }

    /// Renames to a name that nothing has. What comes there between look and rename is not seen where the volume does not
    /// refuse; nothing goes there but a file in place of a file, or an empty folder.
    pub(super) fn rename(
        self,
        volume: &dyn Volume,
        (at, name): (&Handle, &OsStr),
        (to, new): (&Handle, &OsStr),
    ) -> Result<(), Errno> {
        if !self.refuse {
            match volume.stat(to, new) {
                Err(Errno::NOENT) => {}
                stands => return stands.and(Err(Errno::EXIST)),
            }
        }
        volume.rename(at, name, to, new, self.into_own())
    }

    /// The same for what has a name of ours until then, which nobody else changes: a second name refuses by itself.
    pub(super) fn bring(
        self,
        volume: &dyn Volume,
        (at, name): (&Handle, &OsStr),
        (to, new): (&Handle, &OsStr),
    ) -> Result<(), Errno> {
        if !self.refuse && self.link {
            match volume.link(at, name, to, new) {
                // A folder, or what belongs to another.
                Err(Errno::PERM) => {}
                done => {
                    done?;
                    // If it stays, the next start takes it away.
                    volume.remove(at, name).ok();
                    return Ok(());
                }
            }
        }
        self.rename(volume, (at, name), (to, new))
    }
}

impl Disk {
    /// Puts a private file in the place of a visible one; tells the private name that this has then. `None` if the volume
    /// knows no way to do it without a moment in which neither has the name.
    pub(super) fn swap(
        &mut self,
        ours: &str,
        parent: &Handle,
        name: &OsStr,
    ) -> Result<Option<String>, Errno> {
        let volume = self.volume();
        // A private name that may hold a person's bytes says so.
        let out = self.private.name('x');
        let (ours, out_name) = (OsStr::new(ours), OsStr::new(&out));
        let (tmp, knows) = (&self.private.tmp, self.private.knows);
        if knows.exchange {
            volume.rename(tmp, ours, tmp, out_name, knows.into_own())?;
            if let Err(error) = volume.rename(tmp, out_name, parent, name, Rename::Exchange) {
                volume.rename(tmp, out_name, tmp, ours, Rename::Replace)?;
                return Err(error);
            }
            return Ok(Some(out));
        }
        if !knows.link {
            return Ok(None);
        }
        match volume.link(parent, name, tmp, out_name) {
            // A folder, or what belongs to another.
            Err(Errno::PERM) => return Ok(None),
            done => done?,
        }
        // What has two names loses only the first. A file that a program puts there after this look is not seen.
        let swapped = volume.stat(tmp, out_name).and_then(|second| {
            match volume.stat(parent, name)?.inode == second.inode {
                true => volume.rename(tmp, ours, parent, name, Rename::Replace),
                false => Err(Errno::EXIST),
            }
        });
        // A rename that failed over a network may have been made: the only name of something stays for the next start.
        let is_second = || volume.stat(tmp, out_name).is_ok_and(|out| out.links > 1);
        if swapped.is_err() && is_second() {
            self.private.discard(&out);
        }
        swapped.map(|()| Some(out))
    }

    /// Puts a private file in the place of another that leaves its name first. A note brings that back at the next start,
    /// should all end before the name is taken again.
    pub(super) fn put_after(
        &mut self,
        ours: &str,
        path: &RelPath,
        parent: &Handle,
        expected: &Was,
    ) -> Result<(), DiskError> {
        let out = self.private.name('x');
        let note = self.private.note(&out, path)?;
        let done = self.put_after_note(ours, out, path, parent, expected);
        self.private.discard(&note);
        done
    }

    fn put_after_note(
        &mut self,
        ours: &str,
        out: String,
        path: &RelPath,
        parent: &Handle,
        expected: &Was,
    ) -> Result<(), DiskError> {
        let (volume, name, out_name) = (self.volume(), OsStr::new(path.name()), OsStr::new(&out));
        let (tmp, how) = (&self.private.tmp, self.private.knows.into_own());
        volume.rename(parent, name, tmp, out_name, how)?;
        let found = match look_at(&*volume, tmp, out_name) {
            Ok(Some(Seen::File(print))) if self.is_as_it_was(&out, &print, expected) => Some(print),
            _ => None,
        };
        let put = match found {
            Some(_) => self.private.bring(ours, parent, name),
            None => Err(Errno::EXIST),
        };
        match (put, found) {
            (Ok(()), Some(print)) => self.displace(out, path, print, *expected),
            // It goes back. A program that found nothing may have made another there, and knows nothing of this one.
            _ => {
                if self.private.bring(&out, parent, name).is_err() {
                    self.stray(out, path);
                }
            }
        }
        Ok(put?)
    }

    /// Brings back to their names what left them in a change in whose middle all ended.
    pub(super) fn bring_home(&self) -> io::Result<()> {
        for (note, out, path) in self.private.notes()? {
            if let Err(DiskError::Io(error)) = self.bring_back(&out, &path) {
                return Err(error);
            }
            self.private.discard(&note);
        }
        Ok(())
    }
}

/// Whether a volume does something that it may not know.
fn does(done: Result<(), Errno>) -> Result<bool, Errno> {
    match done {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => Ok(false),
        done => done.map(|()| true),
    }
}
