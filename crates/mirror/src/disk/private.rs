//! A replica's private folder: contents on their way in, and files on their way out. The first letter of a name tells
//! what a crash leaves: `n-` was never visible and may go, `x-` and `t-` were a person's and may not. `n-x-` is a note that
//! says where `x-` belongs.
use std::collections::{BTreeSet, HashSet};
use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::io::Errno;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;

use super::{Seen, Was, hash_file, look_at, ours};
use crate::volume::{For, Handle, Kind, Knows, Opened, Volume, remove_all};

/// Slipway's own folder inside a root that has none beside it; never synced.
pub const PRIVATE: &str = ".slipway";
/// The same in a replica's state, where both lie on one mount.
pub const FILES: &str = "files";
/// What is on its way lies here.
const TMP: &str = "tmp";
/// And here what a crash left and is nowhere else.
const RECOVERED: &str = "recovered";
/// Bytes that are copied at a time.
const COPIED: usize = 64 * 1024;
/// Begins the name of a note, before the name that it is about.
const NOTE: &str = "n-";
/// Of a note, which holds a path.
const NOTE_BYTES_MAX: u64 = 64 * 1024;
/// Begins the names of those, and of those that seemed old once.
const KEPT: &str = "file";
const OLD: &str = "old-file";
/// What a crash left is kept this long, and as long again.
const RECOVERED_NS: i128 = 7 * 24 * 3600 * 1_000_000_000;

/// Where a private folder lies.
#[derive(Debug)]
pub(super) enum Place {
    /// In a replica's state.
    Beside(PathBuf),
    /// In the root itself, which is open.
    Inside(PathBuf, Arc<Handle>),
}

impl Place {
    /// For people.
    fn path(&self) -> PathBuf {
        match self {
            Self::Beside(state) => state.join(FILES),
            Self::Inside(root, _) => root.join(PRIVATE),
        }
    }

    /// Opens it, and in it the folder of what is on its way; both are made if there is none.
    fn open(&self, volume: &dyn Volume) -> io::Result<(Handle, Handle)> {
        let folder = match self {
            Self::Beside(state) => {
                volume.make_folders(state)?;
                ours::make(volume, &volume.folder(state)?, state, FILES)?
            }
            Self::Inside(root, handle) => ours::make(volume, handle, root, PRIVATE)?,
        };
        let tmp = ours::make(volume, &folder, &self.path(), TMP)?;
        Ok((folder, tmp))
    }
}

/// The private folder.
#[derive(Debug)]
pub struct Private {
    volume: Arc<dyn Volume>,
    place: Place,
    folder: Handle,
    pub(super) tmp: Handle,
    folds: bool,
    pub(super) knows: Knows,
    counter: u64,
}

impl Private {
    pub(super) fn open(
        volume: &Arc<dyn Volume>,
        root: &Path,
        handle: &Arc<Handle>,
        beside: &Path,
    ) -> io::Result<Self> {
        volume.make_folders(beside)?;
        // Renames work within one mount alone, also where two show the same file system.
        let mount = volume.mount(root);
        let place = if mount.is_some() && mount == volume.mount(beside) {
            Place::Beside(beside.to_owned())
        } else {
            Place::Inside(root.to_owned(), Arc::clone(handle))
        };
        Self::at(volume, place)
    }

    pub(super) fn at(volume: &Arc<dyn Volume>, place: Place) -> io::Result<Self> {
        let (folder, tmp) = place.open(&**volume)?;
        let folds = match volume.stat(&folder, OsStr::new(&TMP.to_uppercase())) {
            Err(Errno::NOENT) => false,
            found => found?.inode == volume.stat_open(&tmp)?.inode,
        };
        Ok(Self {
            volume: Arc::clone(volume),
            knows: Knows::of(&**volume, &tmp)?,
            place,
            folder,
            tmp,
            folds,
            counter: 0,
        })
    }

    /// Whether the volume takes `a` for `A`.
    pub(super) const fn folds(&self) -> bool {
        self.folds
    }

    /// The folder of what is on its way. A program may have removed it: then it is made again.
    pub(super) fn tmp(&mut self) -> io::Result<&Handle> {
        if self.volume.stat_open(&self.tmp)?.links == 0 {
            (self.folder, self.tmp) = self.place.open(&*self.volume)?;
        }
        Ok(&self.tmp)
    }

    /// Makes a file there.
    fn make(&mut self, name: &str) -> io::Result<Handle> {
        let name = OsStr::new(name);
        match self.volume.open(&self.tmp, name, For::Making) {
            Err(Errno::NOENT) => {
                Ok(Arc::clone(&self.volume).open(self.tmp()?, name, For::Making)?)
            }
            made => Ok(made?),
        }
    }

    /// A name that nothing here has: a crash leaves names behind, which are moved out before new ones are made.
    pub(super) fn name(&mut self, role: char) -> String {
        self.counter += 1;
        format!("{role}-{}", self.counter)
    }

    /// A new file for content that is on its way.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn scratch(&mut self) -> io::Result<(String, Opened)> {
        let name = self.name('n');
        let file = self.make(&name)?;
        Ok((name, Opened::new(Arc::clone(&self.volume), file)))
    }

    /// Writes content to a new file.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write(&mut self, content: &[u8]) -> io::Result<String> {
        let (name, mut file) = self.scratch()?;
        match file.write_all(content) {
            Ok(()) => Ok(name),
            Err(error) => {
                self.discard(&name);
                Err(error)
            }
        }
    }

    /// Another file with the same content.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn copy(&mut self, name: &str) -> io::Result<String> {
        let mut from = self.read(name)?;
        let (copy, mut to) = self.scratch()?;
        match io::copy(
            &mut io::BufReader::with_capacity(COPIED, &mut from),
            &mut to,
        ) {
            Ok(_) => Ok(copy),
            Err(error) => {
                self.discard(&copy);
                Err(error)
            }
        }
    }

    /// Opens one for reading.
    ///
    /// # Errors
    /// When it is not there.
    pub fn read(&self, name: &str) -> io::Result<Opened> {
        let file = self
            .volume
            .open(&self.tmp, OsStr::new(name), For::Reading)?;
        Ok(Opened::new(Arc::clone(&self.volume), file))
    }

    /// Keeps one for longer than this process lives, under a name that no other keeper gives.
    ///
    /// # Errors
    /// When it is not there.
    pub fn keep_for(&mut self, name: &str, keeper: u64) -> io::Result<String> {
        self.counter += 1;
        let kept = format!("k-{keeper}-{}", self.counter);
        let (tmp, name, new) = (&self.tmp, OsStr::new(name), OsStr::new(&kept));
        let how = self.knows.into_own();
        self.volume.rename(tmp, name, tmp, new, how)?;
        Ok(kept)
    }

    /// Brings one to a name that nothing has.
    pub(super) fn bring(&self, name: &str, to: &Handle, new: &OsStr) -> Result<(), Errno> {
        let from = (&self.tmp, OsStr::new(name));
        self.knows.bring(&*self.volume, from, (to, new))
    }

    /// Notes where the file belongs that is about to get a private name; tells the name of the note.
    pub(super) fn note(&mut self, name: &str, path: &RelPath) -> io::Result<String> {
        let note = format!("{NOTE}{name}");
        let mut file = Opened::new(Arc::clone(&self.volume), self.make(&note)?);
        file.write_all(path.as_str().as_bytes())?;
        file.make_durable()?;
        Ok(note)
    }

    /// The notes that there are, with what each is about and where that belongs.
    pub(super) fn notes(&self) -> io::Result<Vec<(String, String, RelPath)>> {
        let mut notes = Vec::new();
        for note in self.volume.list(self.listing(&self.tmp)?)? {
            let note = note.to_string_lossy().into_owned();
            let Some(name) = note
                .strip_prefix(NOTE)
                .filter(|name| name.starts_with("x-"))
            else {
                continue;
            };
            let mut path = Vec::new();
            let file = self.read(&note)?;
            file.take(NOTE_BYTES_MAX).read_to_end(&mut path)?;
            // One that is not whole is about nothing.
            if let Ok(path) = RelPath::parse(&String::from_utf8_lossy(&path)) {
                notes.push((note.clone(), name.to_owned(), path));
            }
        }
        Ok(notes)
    }

    /// Drops one, with all in it if it is a folder. It may never have been made.
    pub fn discard(&self, name: &str) {
        remove_all(&*self.volume, &self.tmp, OsStr::new(name)).ok();
    }

    /// Whether a displaced file was written to since: its bytes are then nowhere else.
    #[must_use]
    pub fn was_written(&self, name: &str, was: &Was) -> bool {
        let is_other = |hash| self.hash(name).is_some_and(|now| now != hash);
        match look_at(&*self.volume, &self.tmp, OsStr::new(name)) {
            Ok(Some(Seen::File(now))) => now != was.print || was.unsettled.is_some_and(is_other),
            _ => false,
        }
    }

    /// The hash of one; `None` for what is no file.
    #[must_use]
    pub fn hash(&self, name: &str) -> Option<ContentHash> {
        match look_at(&*self.volume, &self.tmp, OsStr::new(name)) {
            Ok(Some(Seen::File(_))) => hash_file(&mut self.read(name).ok()?).ok(),
            _ => None,
        }
    }

    /// Clears up after a crash; tells how many files were kept aside, and where.
    ///
    /// What is kept for somebody stays. A content that was never visible goes. A file that was visible goes if the base has its content, which is then
    /// at a path or in the history. Any other is kept for a week.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn recover(
        &self,
        known: &HashSet<ContentHash>,
        kept: &BTreeSet<String>,
    ) -> io::Result<(usize, PathBuf)> {
        self.forget_old();
        let mut many = 0;
        for name in self.volume.list(self.listing(&self.tmp)?)? {
            let Some(text) = name.to_str() else { continue };
            if kept.contains(text) {
                continue;
            }
            let meta = self.volume.stat(&self.tmp, &name)?;
            let is_file = meta.kind == Kind::File;
            // Where a second name takes the place of an exchange, the first is still there.
            let is_second = !self.knows.exchange && meta.links > 1;
            let known = || self.hash(text).is_some_and(|hash| known.contains(&hash));
            // A folder here is one of caches, which tools make again.
            if text.starts_with("n-") || !is_file || is_second || known() {
                self.discard(text);
            } else {
                self.keep(&name)?;
                many += 1;
            }
        }
        Ok((many, self.place.path().join(RECOVERED)))
    }

    /// Moves one to where people find it.
    fn keep(&self, name: &OsStr) -> io::Result<()> {
        let folder = ours::make(&*self.volume, &self.folder, &self.place.path(), RECOVERED)?;
        self.rename(&self.tmp, name, &folder, KEPT)
    }

    /// Gives one a name in a folder that nothing has there.
    fn rename(&self, at: &Handle, name: &OsStr, to: &Handle, begin: &str) -> io::Result<()> {
        let mut number = 1_u64;
        loop {
            let new = format!("{begin}-{number}");
            let to = (to, OsStr::new(&new));
            match self.knows.bring(&*self.volume, (at, name), to) {
                Err(Errno::EXIST) => number += 1,
                done => return Ok(done?),
            }
        }
    }

    fn listing(&self, folder: &Handle) -> Result<Handle, Errno> {
        self.volume.open(folder, OsStr::new("."), For::Listing)
    }

    /// Forgets what was kept long enough. The clock may be wrong, and some of it is nowhere else: what seems old gets
    /// another name, from which its time begins again, so that no single start takes it, whatever it believes to be now.
    fn forget_old(&self) {
        let names = || {
            let path = self.place.path();
            let folder = ours::find(&*self.volume, &self.folder, &path, RECOVERED).ok()??;
            let names = self.volume.list(self.listing(&folder).ok()?).ok()?;
            Some((folder, names))
        };
        let Some((folder, names)) = names() else {
            return;
        };
        for name in names {
            // Its last name set its ctime.
            let found = self.volume.stat(&folder, &name);
            if !found.is_ok_and(|found| found.ctime_ns + RECOVERED_NS < self.volume.now_ns()) {
                continue;
            }
            if name.to_str().is_some_and(|name| name.starts_with(OLD)) {
                self.volume.remove(&folder, &name).ok();
            } else {
                self.rename(&folder, &name, &folder, OLD).ok();
            }
        }
    }
}
