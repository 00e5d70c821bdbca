//! Files below one root. Nothing is reached through a symlink, and nothing is overwritten or removed unverified:
//! `change` swaps and then looks at what came out, `private` keeps what was displaced until nobody writes to it.
use std::ffi::{OsStr, OsString};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use rustix::io::Errno;
use slipway_core::hash::{ContentHash, ContentHasher};
use slipway_core::path::RelPath;

use crate::planted::{self, Bug};
use crate::volume::{For, Handle, Kind, Knows, Meta, Opened, Volume};
use private::Private;

mod change;
mod durable;
mod names;
mod ours;
pub mod private;
pub mod root;
mod spelling;

/// A file system's stamps may be this coarse: a file written so lately may be written again under the same stamp.
const STAMP_NS: i128 = 20_000_000;
/// Those of FAT are of even seconds.
const COARSE_STAMP_NS: i128 = 2_000_000_000;
const SECOND_NS: i128 = 1_000_000_000;

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    inode: u64,
    size: u64,
    mtime_ns: i64,
    /// Moves with every write, also with one that puts the modification time back.
    ctime_ns: i64,
    mode: u32,
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
        self.mode & 0o100 != 0
    }
    /// The same file, not written since, maybe under another name: a rename alone moves only ctime.
    #[must_use]
    pub fn is_untouched(&self, other: &Self) -> bool {
        (self.inode, self.size, self.mtime_ns, self.mode)
            == (other.inode, other.size, other.mtime_ns, other.mode)
    }
    /// Whether a write after `now_ns` would show: not while the stamp could stay the same.
    #[must_use]
    pub fn is_settled(&self, now_ns: i128) -> bool {
        let is_old = |stamp: i64| {
            let stamp = i128::from(stamp);
            let is_coarse = stamp % SECOND_NS == 0;
            stamp + if is_coarse { COARSE_STAMP_NS } else { STAMP_NS } < now_ns
        };
        is_old(self.mtime_ns) && is_old(self.ctime_ns)
    }
    /// Stands for the content of a file that is not read: too large, or not allowed. Differs with every write.
    #[must_use]
    pub fn stand_in(&self) -> ContentHash {
        let mut hasher = ContentHasher::default();
        hasher.update(b"not read");
        hasher.update(&self.inode.to_le_bytes());
        hasher.update(&self.size.to_le_bytes());
        hasher.update(&i128::from(self.mtime_ns).to_le_bytes());
        hasher.finish()
    }
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

/// A file as it was when it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Was {
    /// Its state.
    pub print: Fingerprint,
    /// Its content, if a later write might not show in the stamps: then it is read again.
    pub unsettled: Option<ContentHash>,
}

impl Was {
    /// A file whose every write shows.
    #[must_use]
    pub const fn settled(print: Fingerprint) -> Self {
        Self {
            print,
            unsettled: None,
        }
    }
}

/// What a change of ours expects at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// A file.
    File(Was),
    /// A folder.
    Folder,
    /// A link and its target.
    Symlink(String),
    /// It was never read: nothing is as expected.
    Unknown,
}

impl From<Seen> for Expected {
    /// What was seen just now, and not read.
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::File(print) => Self::File(Was::settled(print)),
            Seen::Folder => Self::Folder,
            Seen::Symlink(target) => Self::Symlink(target),
            Seen::Other => Self::Unknown,
        }
    }
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// Something else stands there than was expected; nothing was touched.
    #[error("find what was expected")]
    Unexpected,
    /// The folder holds something.
    #[error("find the folder empty")]
    NotEmpty,
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl From<Errno> for DiskError {
    fn from(error: Errno) -> Self {
        match error {
            // Another thing stands at the path or on the way to it, or nothing where something was.
            Errno::EXIST | Errno::NOENT | Errno::NOTDIR | Errno::ISDIR | Errno::LOOP => {
                Self::Unexpected
            }
            Errno::NOTEMPTY => Self::NotEmpty,
            error => Self::Io(error.into()),
        }
    }
}

/// A root to look at and read from; cheap to clone, so that contents can be read beside the engine.
#[derive(Clone, Debug)]
pub struct Root {
    volume: Arc<dyn Volume>,
    handle: Arc<Handle>,
}

impl Root {
    /// Opens a path below the root without following any link.
    fn open(&self, path: &str, what_for: For) -> Result<Handle, Errno> {
        self.volume.open(&self.handle, OsStr::new(path), what_for)
    }

    /// The folder above a path.
    fn parent(&self, path: &RelPath) -> Result<Handle, Errno> {
        let parent = path.parent();
        let folder = parent.as_ref().map_or(".", RelPath::as_str);
        self.open(folder, For::Place)
    }

    /// The time by which its files are stamped.
    pub(crate) fn now_ns(&self) -> i128 {
        self.volume.now_ns()
    }

    /// To look at many paths.
    pub(crate) fn looks(&self) -> Looks {
        Looks {
            root: self.clone(),
            folder: None,
        }
    }

    /// Looks at a path; `None` when nothing stands there.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub fn look(&self, path: &RelPath) -> io::Result<Option<Seen>> {
        self.looks().at(path)
    }

    /// Names in a folder; the root for `None`.
    ///
    /// # Errors
    /// When it cannot be read to its end.
    pub fn list(&self, folder: Option<&RelPath>) -> io::Result<Vec<OsString>> {
        let folder = folder.map_or(".", RelPath::as_str);
        let folder = self.open(folder, For::Listing)?;
        Ok(self.volume.list(folder)?)
    }

    /// Opens a file for reading, itself and not through a link.
    ///
    /// # Errors
    /// When it is not there or not to be read.
    pub fn read(&self, path: &RelPath) -> io::Result<Opened> {
        let file = self.open(path.as_str(), For::Reading)?;
        Ok(Opened::new(Arc::clone(&self.volume), file))
    }

    /// Hashes a file; `None` when it changed meanwhile and must be looked at again.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn hash(&self, path: &RelPath) -> io::Result<Option<(ContentHash, Fingerprint)>> {
        let mut file = self.read(path)?;
        let before = fingerprint(&file.meta()?);
        let hash = hash_file(&mut file)?;
        let after = fingerprint(&file.meta()?);
        let is_same = before == after || planted::is(Bug::TrustedRead);
        Ok(is_same.then_some((hash, after)))
    }

    /// A file's content of at most so many bytes; `None` when it changed while it was read, or is larger.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn content(&self, path: &RelPath, most: u64) -> io::Result<Option<(Bytes, Fingerprint)>> {
        self.content_in(&mut BytesMut::new(), path, most)
    }

    /// The same as a piece of a block that many share: small ones of their own, between what stays, would leave holes.
    pub(crate) fn content_in(
        &self,
        block: &mut BytesMut,
        path: &RelPath,
        most: u64,
    ) -> io::Result<Option<(Bytes, Fingerprint)>> {
        let mut file = self.read(path)?;
        let before = fingerprint(&file.meta()?);
        if before.size > most {
            return Ok(None);
        }
        block.resize(usize::try_from(before.size).unwrap_or(usize::MAX), 0);
        let many = fill(&mut file, block)?;
        let content = block.split_to(many).freeze();
        block.clear();
        let after = fingerprint(&file.meta()?);
        let is_whole = before == after && content.len() as u64 == after.size;
        Ok((is_whole || planted::is(Bug::TrustedRead)).then_some((content, after)))
    }
}

/// Looks at many paths of a root, one after another: those of one folder are looked at in it while it is open. Where the
/// folder gets another name meanwhile, what is seen is of the moment before.
#[derive(Debug)]
pub(crate) struct Looks {
    root: Root,
    folder: Option<(Option<RelPath>, Handle)>,
}

impl Looks {
    /// Looks at a path; `None` when nothing stands there.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub(crate) fn at(&mut self, path: &RelPath) -> io::Result<Option<Seen>> {
        let parent = path.parent();
        let handle = match self.folder.take() {
            Some((folder, handle)) if folder == parent => handle,
            _ => match self.root.parent(path) {
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
                handle => handle?,
            },
        };
        let seen = look_at(&*self.root.volume, &handle, OsStr::new(path.name()));
        self.folder = Some((parent, handle));
        seen
    }
}

/// A replica's files.
#[derive(Debug)]
pub struct Disk {
    path: PathBuf,
    root: Root,
    private: Private,
    /// Permission bits of a file where none stood.
    usual_mode: u32,
    /// What was displaced and is kept until nobody writes to it any more.
    displaced: Vec<Displaced>,
}

/// A file that a change of ours took from its path.
#[derive(Debug)]
pub struct Displaced {
    /// Its private name.
    pub name: String,
    /// Where it stood.
    pub path: RelPath,
    /// What it was when it was taken; `None` when it was not what was expected, so that its bytes are nowhere else.
    pub was: Option<Was>,
}

impl Disk {
    /// Opens a root. Its private folder lies in `beside` if a file can be renamed between the two, else inside the root.
    ///
    /// # Errors
    /// When the root is not a folder or cannot be written.
    pub fn open(volume: &Arc<dyn Volume>, path: &Path, beside: &Path) -> io::Result<Self> {
        let handle = Arc::new(volume.folder(path)?);
        let volume = Arc::clone(volume);
        let disk = Self {
            path: path.to_owned(),
            private: Private::open(&volume, path, &handle, beside)?,
            usual_mode: volume.usual_mode(),
            root: Root { volume, handle },
            displaced: Vec::new(),
        };
        let Knows {
            exchange,
            refuse,
            link,
        } = disk.private.knows;
        if !(exchange && refuse) {
            let path = path.display();
            tracing::info!(
                %path, exchange, refuse, link,
                "The volume does not know every rename: what a program puts in place of a file in the very instant in which another version comes may be lost"
            );
        }
        disk.bring_home()?;
        Ok(disk)
    }

    /// Where the root lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The root, to look at and read from.
    #[must_use]
    pub const fn root(&self) -> &Root {
        &self.root
    }

    /// Whether the root was removed, moved, or replaced by another: then nothing that is not there says anything.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        let Root { volume, handle } = &self.root;
        let named = volume.folder(&self.path);
        let named = named.and_then(|named| volume.stat_open(&named));
        match (volume.stat_open(handle), named) {
            (Ok(open), Ok(named)) => open.links == 0 || open.inode != named.inode,
            _ => true,
        }
    }

    /// The private folder.
    pub fn private(&mut self) -> &mut Private {
        &mut self.private
    }

    /// What was displaced since this was asked last.
    pub fn take_displaced(&mut self) -> Vec<Displaced> {
        std::mem::take(&mut self.displaced)
    }
}

/// Reads until it is full, or the file is at its end; how much that was.
fn fill(file: &mut Opened, into: &mut [u8]) -> io::Result<usize> {
    let mut many = 0;
    while many < into.len() {
        match file.read(&mut into[many..])? {
            0 => break,
            more => many += more,
        }
    }
    Ok(many)
}

fn hash_file(file: &mut Opened) -> io::Result<ContentHash> {
    let mut hasher = ContentHasher::default();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hasher.finish()),
            many => hasher.update(&buffer[..many]),
        }
    }
}

fn fingerprint(meta: &Meta) -> Fingerprint {
    // Enough for two centuries around today; one is kept of every file.
    let short = |stamp: i128| stamp.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
    Fingerprint {
        inode: meta.inode,
        size: meta.size,
        mtime_ns: short(meta.mtime_ns),
        ctime_ns: short(meta.ctime_ns),
        mode: meta.mode,
    }
}

fn look_at(volume: &dyn Volume, parent: &Handle, name: &OsStr) -> io::Result<Option<Seen>> {
    let meta = match volume.stat(parent, name) {
        Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
        meta => meta?,
    };
    Ok(Some(match meta.kind {
        Kind::File => Seen::File(fingerprint(&meta)),
        Kind::Folder => Seen::Folder,
        Kind::Link => match volume.read_link(parent, name)?.into_string() {
            Ok(target) => Seen::Symlink(target),
            Err(_) => Seen::Other,
        },
        Kind::Other => Seen::Other,
    }))
}

#[cfg(test)]
mod tests;
