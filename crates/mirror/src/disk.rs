//! Files below one root. Nothing is reached through a symlink, and nothing is overwritten or removed unverified.
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, ResolveFlags};
use slipway_core::hash::{ContentHash, ContentHasher};
use slipway_core::path::RelPath;

/// Slipway's own folder inside a replica; never synced.
pub const PRIVATE: &str = ".slipway";

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    inode: u64,
    size: u64,
    mtime_ns: i128,
    executable: bool,
}

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A file.
    File(Fingerprint),
    /// A folder.
    Folder,
    /// A link and its target.
    Symlink(String),
    /// A socket, device or pipe: never touched.
    Other,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Something else stands there than was expected; nothing was touched.
    #[error("find what was expected")]
    Unexpected,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<rustix::io::Errno> for DiskError {
    fn from(error: rustix::io::Errno) -> Self {
        match error {
            rustix::io::Errno::EXIST | rustix::io::Errno::NOTEMPTY => Self::Unexpected,
            error => Self::Io(error.into()),
        }
    }
}

/// A replica's files.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    handle: OwnedFd,
    tmp: OwnedFd,
    counter: u64,
}

impl Disk {
    /// Opens a root, makes its private folder, and drops what an earlier start left half-written.
    ///
    /// # Errors
    /// When the root is not a folder or cannot be written.
    pub fn open(root: &Path) -> io::Result<Self> {
        let tmp = root.join(PRIVATE).join("tmp");
        std::fs::create_dir_all(&tmp)?;
        for entry in std::fs::read_dir(&tmp)? {
            let entry = entry?;
            // `n-` was never visible at a path; a displaced file goes to `recovered` instead of away.
            if entry.file_name().as_encoded_bytes().starts_with(b"n-") {
                std::fs::remove_file(entry.path())?;
            } else {
                let kept = root.join(PRIVATE).join("recovered");
                std::fs::create_dir_all(&kept)?;
                std::fs::rename(entry.path(), kept.join(entry.file_name()))?;
            }
        }
        let folder = |path: &Path| {
            rustix::fs::open(
                path,
                OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )
        };
        Ok(Self {
            root: root.to_owned(),
            handle: folder(root)?,
            tmp: folder(&tmp)?,
            counter: 0,
        })
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder above a path, opened without following any link.
    fn parent(&self, path: &RelPath) -> Result<OwnedFd, rustix::io::Errno> {
        let folder = path
            .parent()
            .map_or_else(|| ".".to_owned(), |parent| parent.to_string());
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::openat2(
            &self.handle,
            folder,
            flags,
            Mode::empty(),
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
        )
    }

    /// Looks at a path; `None` when nothing stands there.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub fn look(&self, path: &RelPath) -> io::Result<Option<Seen>> {
        let parent = match self.parent(path) {
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR | rustix::io::Errno::LOOP) => {
                return Ok(None);
            }
            parent => parent?,
        };
        look_at(&parent, OsStr::new(path.name()))
    }

    /// Names in a folder; the root for `None`.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn list(&self, folder: Option<&RelPath>) -> io::Result<Vec<OsString>> {
        let path = folder.map_or_else(
            || self.root.clone(),
            |folder| self.root.join(folder.as_str()),
        );
        std::fs::read_dir(path)?
            .map(|entry| entry.map(|entry| entry.file_name()))
            .collect()
    }

    /// Opens a file for reading, itself and not through a link.
    ///
    /// # Errors
    /// When it is not there or not a file.
    pub fn read(&self, path: &RelPath) -> io::Result<File> {
        let parent = self.parent(path)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(
            &parent,
            path.name(),
            flags,
            Mode::empty(),
        )?))
    }

    /// Hashes a file; `None` when it changed meanwhile and must be looked at again.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn hash(&self, path: &RelPath) -> io::Result<Option<(ContentHash, Fingerprint)>> {
        let mut file = self.read(path)?;
        let before = fingerprint(&rustix::fs::fstat(&file)?);
        let mut hasher = ContentHasher::default();
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                many => hasher.update(&buffer[..many]),
            }
        }
        let after = fingerprint(&rustix::fs::fstat(&file)?);
        Ok((before == after).then(|| (hasher.finish(), after)))
    }

    /// A new private file for content that is on its way.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn scratch(&mut self) -> io::Result<(String, File)> {
        self.counter += 1;
        let name = format!("n-{}", self.counter);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::CLOEXEC;
        Ok((
            name.clone(),
            File::from(rustix::fs::openat(
                &self.tmp,
                &name,
                flags,
                Mode::from_raw_mode(0o644),
            )?),
        ))
    }

    /// Drops a private file.
    pub fn discard(&self, scratch: &str) {
        // It may never have been made.
        rustix::fs::unlinkat(&self.tmp, scratch, AtFlags::empty()).ok();
    }

    /// Writes content to a private file.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write_scratch(&mut self, content: &[u8]) -> io::Result<String> {
        let (name, mut file) = self.scratch()?;
        match file.write_all(content) {
            Ok(()) => Ok(name),
            Err(error) => {
                self.discard(&name);
                Err(error)
            }
        }
    }

    /// Puts a private file at a path. `over` is what must stand there now; `None`: nothing.
    ///
    /// An existing file is swapped out and checked before it goes: if it is not the expected one, it is swapped back.
    ///
    /// # Errors
    /// Something unexpected stands there, or the system refuses.
    pub fn put(
        &mut self,
        scratch: &str,
        path: &RelPath,
        executable: bool,
        over: Option<Fingerprint>,
    ) -> Result<Fingerprint, DiskError> {
        let placed = self.place(scratch, path, executable, over);
        if placed.is_err() {
            self.discard(scratch);
        }
        placed
    }

    fn place(
        &mut self,
        scratch: &str,
        path: &RelPath,
        executable: bool,
        over: Option<Fingerprint>,
    ) -> Result<Fingerprint, DiskError> {
        let parent = self.parent(path)?;
        let name = OsStr::new(path.name());
        if executable {
            rustix::fs::chmodat(
                &self.tmp,
                scratch,
                Mode::from_raw_mode(0o755),
                AtFlags::empty(),
            )?;
        }
        let Some(expected) = over else {
            rustix::fs::renameat_with(&self.tmp, scratch, &parent, name, RenameFlags::NOREPLACE)?;
            return Ok(fingerprint(&rustix::fs::statat(
                &parent,
                name,
                AtFlags::SYMLINK_NOFOLLOW,
            )?));
        };
        if look_at(&parent, name)? != Some(Seen::File(expected)) {
            return Err(DiskError::Unexpected);
        }
        rustix::fs::renameat_with(&self.tmp, scratch, &parent, name, RenameFlags::EXCHANGE)?;
        if look_at(&self.tmp, OsStr::new(scratch))? != Some(Seen::File(expected)) {
            // Somebody wrote between look and swap: their bytes go back to their name.
            rustix::fs::renameat_with(&self.tmp, scratch, &parent, name, RenameFlags::EXCHANGE)?;
            return Err(DiskError::Unexpected);
        }
        let now = fingerprint(&rustix::fs::statat(
            &parent,
            name,
            AtFlags::SYMLINK_NOFOLLOW,
        )?);
        rustix::fs::unlinkat(&self.tmp, scratch, AtFlags::empty())?;
        Ok(now)
    }

    /// Makes a folder; fine when there is one.
    ///
    /// # Errors
    /// Something else stands there, or the system refuses.
    pub fn make_folder(&self, path: &RelPath) -> Result<(), DiskError> {
        let parent = self.parent(path)?;
        match rustix::fs::mkdirat(&parent, path.name(), Mode::from_raw_mode(0o755)) {
            Err(rustix::io::Errno::EXIST) if self.look(path)? == Some(Seen::Folder) => Ok(()),
            done => Ok(done?),
        }
    }

    /// Makes a link where nothing stands.
    ///
    /// # Errors
    /// Something stands there, or the system refuses.
    pub fn make_link(&self, path: &RelPath, target: &str) -> Result<(), DiskError> {
        let parent = self.parent(path)?;
        Ok(rustix::fs::symlinkat(target, &parent, path.name())?)
    }

    /// Removes what stands at a path if it is what was expected; a folder only when it is empty.
    ///
    /// # Errors
    /// Something unexpected stands there, or the system refuses.
    pub fn remove(&mut self, path: &RelPath, expected: &Seen) -> Result<(), DiskError> {
        let parent = match self.parent(path) {
            Err(rustix::io::Errno::NOENT) => return Ok(()),
            parent => parent?,
        };
        let name = OsStr::new(path.name());
        if *expected == Seen::Folder {
            return Ok(rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR)?);
        }
        self.counter += 1;
        let aside = format!("t-{}", self.counter);
        rustix::fs::renameat_with(&parent, name, &self.tmp, &aside, RenameFlags::NOREPLACE)?;
        if look_at(&self.tmp, OsStr::new(&aside))?.as_ref() != Some(expected) {
            // Not what was agreed on: it goes back; if its name was taken meanwhile it stays aside and is recovered.
            rustix::fs::renameat_with(&self.tmp, &aside, &parent, name, RenameFlags::NOREPLACE)?;
            return Err(DiskError::Unexpected);
        }
        Ok(rustix::fs::unlinkat(&self.tmp, &aside, AtFlags::empty())?)
    }

    /// Renames to a name that nothing has.
    ///
    /// # Errors
    /// The new name is taken, or the system refuses.
    pub fn rename(&self, from: &RelPath, to: &RelPath) -> Result<(), DiskError> {
        let (old, new) = (self.parent(from)?, self.parent(to)?);
        Ok(rustix::fs::renameat_with(
            &old,
            from.name(),
            &new,
            to.name(),
            RenameFlags::NOREPLACE,
        )?)
    }
}

fn fingerprint(stat: &rustix::fs::Stat) -> Fingerprint {
    Fingerprint {
        inode: stat.st_ino,
        size: stat.st_size.unsigned_abs(),
        mtime_ns: i128::from(stat.st_mtime) * 1_000_000_000 + i128::from(stat.st_mtime_nsec),
        executable: stat.st_mode & 0o100 != 0,
    }
}

impl Fingerprint {
    /// Bytes.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }
    /// Whether it may be executed.
    #[must_use]
    pub const fn executable(&self) -> bool {
        self.executable
    }
}

fn look_at(parent: &impl std::os::fd::AsFd, name: &OsStr) -> io::Result<Option<Seen>> {
    let stat = match rustix::fs::statat(parent.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => return Ok(None),
        stat => stat?,
    };
    Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Seen::File(fingerprint(&stat)),
        FileType::Directory => Seen::Folder,
        FileType::Symlink => {
            match rustix::fs::readlinkat(parent.as_fd(), name, Vec::new())?.into_string() {
                Ok(target) => Seen::Symlink(target),
                Err(_) => Seen::Other,
            }
        }
        _ => Seen::Other,
    }))
}

/// A folder's identity, kept inside it: a replica that was made anew is another one.
///
/// # Errors
/// When the private folder cannot be written.
pub fn root_id(root: &Path, fresh: &str) -> io::Result<String> {
    let file = root.join(PRIVATE).join("root");
    match std::fs::read_to_string(&file) {
        Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        _ => {
            std::fs::create_dir_all(root.join(PRIVATE))?;
            std::fs::write(&file, fresh)?;
            Ok(fresh.to_owned())
        }
    }
}
