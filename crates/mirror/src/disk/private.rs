//! A replica's private folder: contents on their way in, and files on their way out. The first letter of a name tells
//! what a crash leaves: `n-` was never visible and may go, `x-` and `t-` were a person's and may not.
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags};
use slipway_core::hash::ContentHash;

use super::{Fingerprint, Seen, hash_file, look_at};
use crate::clock;

/// Slipway's own folder inside a root that has none beside it; never synced.
pub const PRIVATE: &str = ".slipway";
/// What a crash left is kept this long.
const RECOVERED_NS: i128 = 7 * 24 * 3600 * 1_000_000_000;

/// The private folder.
#[derive(Debug)]
pub struct Private {
    folder: PathBuf,
    pub(super) tmp: OwnedFd,
    counter: u64,
}

impl Private {
    pub(super) fn open(root: &Path, beside: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(beside)?;
        let folder = if same_mount(root, beside) {
            beside.join("files")
        } else {
            root.join(PRIVATE)
        };
        let tmp = open_tmp(&folder)?;
        Ok(Self {
            folder,
            tmp,
            counter: 0,
        })
    }

    /// The folder of what is on its way. A program may have removed it: then it is made again.
    pub(super) fn tmp(&mut self) -> io::Result<&OwnedFd> {
        if rustix::fs::fstat(&self.tmp)?.st_nlink == 0 {
            self.tmp = open_tmp(&self.folder)?;
        }
        Ok(&self.tmp)
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
    pub fn scratch(&mut self) -> io::Result<(String, File)> {
        let name = self.name('n');
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(0o644);
        let file = rustix::fs::openat(self.tmp()?, &name, flags, mode)?;
        Ok((name, File::from(file)))
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
        match io::copy(&mut from, &mut to) {
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
    pub fn read(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::openat(&self.tmp, name, flags, Mode::empty())?;
        Ok(File::from(file))
    }

    /// Drops one, with all in it if it is a folder.
    pub fn discard(&self, name: &str) {
        // It may never have been made.
        if rustix::fs::unlinkat(&self.tmp, name, AtFlags::empty()).is_err() {
            drop(std::fs::remove_dir_all(self.folder.join("tmp").join(name)));
        }
    }

    /// Whether a displaced file was written to since: its bytes are then nowhere else.
    #[must_use]
    pub fn was_written(&self, name: &str, print: &Fingerprint) -> bool {
        match look_at(&self.tmp, OsStr::new(name)) {
            Ok(Some(Seen::File(now))) => !now.is_untouched(print),
            _ => false,
        }
    }

    /// The hash of one; `None` for what is no file.
    #[must_use]
    pub fn hash(&self, name: &str) -> Option<ContentHash> {
        match look_at(&self.tmp, OsStr::new(name)) {
            Ok(Some(Seen::File(_))) => hash_file(&self.read(name).ok()?).ok(),
            _ => None,
        }
    }

    /// Clears up after a crash; tells how many files were kept aside, and where.
    ///
    /// A content that was never visible goes. A file that was visible goes if the base has its content, which is then
    /// at a path or in the history. Any other is kept for a week.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn recover(&self, known: &HashSet<ContentHash>) -> io::Result<(usize, PathBuf)> {
        let kept = self.folder.join("recovered");
        forget_old(&kept);
        let mut many = 0;
        for entry in std::fs::read_dir(self.folder.join("tmp"))? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(text) = name.to_str() else { continue };
            let is_file = entry.file_type()?.is_file();
            let known = || self.hash(text).is_some_and(|hash| known.contains(&hash));
            // A folder here is one of caches, which tools make again.
            if text.starts_with("n-") || !is_file || known() {
                self.discard(text);
                continue;
            }
            std::fs::create_dir_all(&kept)?;
            let free = (1..)
                .map(|n| kept.join(format!("file-{n}")))
                .find(|place| !place.exists());
            if let Some(place) = free {
                std::fs::rename(entry.path(), place)?;
                many += 1;
            }
        }
        Ok((many, kept))
    }
}

fn open_tmp(folder: &Path) -> io::Result<OwnedFd> {
    let tmp = folder.join("tmp");
    std::fs::create_dir_all(&tmp)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(rustix::fs::open(&tmp, flags, Mode::empty())?)
}

/// Renames work within one mount alone, also where two show the same file system.
fn same_mount(one: &Path, other: &Path) -> bool {
    let mount = |path: &Path| {
        let cwd = rustix::fs::CWD;
        let found = rustix::fs::statx(cwd, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
    };
    mount(one).is_some_and(|one| mount(other) == Some(one))
}

fn forget_old(kept: &Path) {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(entries) = std::fs::read_dir(kept) else {
        return;
    };
    for entry in entries.flatten() {
        // Moving it here set its ctime.
        let since = |found: std::fs::Metadata| i128::from(found.ctime()) * 1_000_000_000;
        let is_old = entry
            .metadata()
            .is_ok_and(|found| since(found) + RECOVERED_NS < clock::unix_ns());
        if is_old {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}
