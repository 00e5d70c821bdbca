//! What the engine asks of a file system, call by call. All that decides lies above this border, so that a simulated
//! volume runs the very same bytes as the real one, with a crash or another program's write between any two calls.
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, DatabaseError};
use rustix::io::Errno;

pub(crate) mod real;
#[cfg(any(test, feature = "simulation"))]
pub(crate) mod simulated;

/// Something that is open; closed when it is dropped.
#[derive(Debug)]
pub enum Handle {
    /// Of the operating system.
    Real(std::os::fd::OwnedFd),
    /// Of a simulated volume.
    #[cfg(any(test, feature = "simulation"))]
    #[doc(hidden)]
    #[expect(private_interfaces, reason = "nobody outside makes one")]
    Simulated(simulated::Held),
}

/// What a path is opened for. No link is followed, neither on the way nor at its end, and nothing above the start is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// As a place where names are looked up and changed.
    Place,
    /// To list a folder, or to make it durable.
    Listing,
    /// To read a file.
    Reading,
    /// To write and read a file that is made now, and is nobody else's; there is none yet.
    Making,
}

/// How one name takes the place of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rename {
    /// What stood there goes.
    Replace,
    /// Nothing may stand there.
    IntoNothing,
    /// The two change places.
    Exchange,
}

/// What a volume knows to do with names, beyond a plain rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Knows {
    /// Two of them change places.
    pub(crate) exchange: bool,
    /// A rename replaces nothing.
    pub(crate) refuse: bool,
    /// A file has two.
    pub(crate) link: bool,
}

#[cfg(any(test, feature = "simulation"))]
impl Knows {
    pub(crate) const ALL: Self = Self {
        exchange: true,
        refuse: true,
        link: true,
    };

    /// Volumes that know it all, and those that there are: of a network, of Windows, of memory cards, and those that know
    /// the plain rename alone.
    pub(crate) const SOME: [Self; 5] = [
        Self::ALL,
        Self::less(false, true),
        Self::less(true, true),
        Self::less(true, false),
        Self::less(false, false),
    ];

    const fn less(refuse: bool, link: bool) -> Self {
        Self {
            exchange: false,
            refuse,
            link,
        }
    }

    pub(crate) const fn can(self, how: Rename) -> bool {
        match how {
            Rename::Replace => true,
            Rename::IntoNothing => self.refuse,
            Rename::Exchange => self.exchange,
        }
    }
}

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A socket, device or pipe.
    Other,
}

/// What a file system tells of something without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// What it is.
    pub kind: Kind,
    /// Its number, which another may get when it is gone.
    pub inode: u64,
    /// Bytes.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Names that it has.
    pub links: u64,
    /// Nanoseconds since 1970 of the last write.
    pub mtime_ns: i128,
    /// Of the last change of any kind.
    pub ctime_ns: i128,
}

type Done<T = ()> = Result<T, Errno>;

/// A file system. Names are of what stands right in a folder; `path` is relative and may lead through folders.
pub trait Volume: std::fmt::Debug + Send + Sync + 'static {
    /// Opens a folder by its whole path as a place.
    fn folder(&self, whole: &Path) -> Done<Handle>;
    /// Makes a folder that is nobody else's, and those above it that are missing.
    fn make_folders(&self, whole: &Path) -> io::Result<()>;
    /// Which mount a whole path lies on, where that can be told: renames work within one alone.
    fn mount(&self, whole: &Path) -> Option<u64>;
    /// An attribute of what stands at a whole path.
    fn attribute(&self, whole: &Path, name: &str) -> Done<Vec<u8>>;
    /// Gives it one.
    fn set_attribute(&self, whole: &Path, name: &str, value: &[u8]) -> Done;

    /// Opens what stands at a path below a folder.
    fn open(&self, at: &Handle, path: &OsStr, what_for: For) -> Done<Handle>;
    /// Tells what stands at a name, itself and not what it leads to.
    fn stat(&self, at: &Handle, name: &OsStr) -> Done<Meta>;
    /// The target of a link.
    fn read_link(&self, at: &Handle, name: &OsStr) -> Done<OsString>;
    /// Makes a folder with these permission bits, less those that the system withholds.
    fn make_folder(&self, at: &Handle, name: &OsStr, mode: u32) -> Done;
    /// Makes a link.
    fn make_link(&self, at: &Handle, name: &OsStr, target: &str) -> Done;
    /// Removes a name of anything but a folder.
    fn remove(&self, at: &Handle, name: &OsStr) -> Done;
    /// Removes an empty folder.
    fn remove_folder(&self, at: &Handle, name: &OsStr) -> Done;
    /// Gives what stands at a name another name, maybe in another folder.
    fn rename(&self, at: &Handle, name: &OsStr, to: &Handle, new: &OsStr, how: Rename) -> Done;
    /// Gives a file a second name, which nothing may have.
    fn link(&self, at: &Handle, name: &OsStr, to: &Handle, new: &OsStr) -> Done;
    /// Sets the permission bits of what stands at a name.
    fn set_mode(&self, at: &Handle, name: &OsStr, mode: u32) -> Done;

    /// Names in a folder that was opened for it, to its end.
    fn list(&self, folder: Handle) -> Done<Vec<OsString>>;
    /// Tells of what is open.
    fn stat_open(&self, open: &Handle) -> Done<Meta>;
    /// Whether what is open belongs to whoever runs this, and nobody else can write to it.
    fn is_ours(&self, open: &Handle) -> Done<bool>;
    /// Sets the permission bits of what is open.
    fn set_mode_open(&self, open: &Handle, mode: u32) -> Done;
    /// Reads at a place; 0 at the end.
    fn read(&self, file: &Handle, into: &mut [u8], at: u64) -> Done<usize>;
    /// Writes at a place; tells how much.
    fn write(&self, file: &Handle, from: &[u8], at: u64) -> Done<usize>;
    /// What is open, a file or a folder's names, outlives a loss of power from here on.
    fn make_durable(&self, open: &Handle) -> Done;
    /// Everything on the file system of an open folder does.
    fn make_all_durable(&self, folder: &Handle) -> Done;

    /// Opens a database in a file, which is made if there is none.
    fn database(&self, at: &Handle, name: &OsStr) -> Result<Database, DatabaseError>;
    /// Which start of the computer this is, where that can be told: memory that was not written back ended with the last.
    fn boot(&self) -> String;
    /// Permission bits of a file that a program makes without a word about them.
    fn usual_mode(&self) -> u32;
    /// The time by which files are stamped, in nanoseconds since 1970.
    fn now_ns(&self) -> i128;
}

/// An open file, read and written from its begin on.
#[derive(Debug)]
pub struct Opened {
    volume: Arc<dyn Volume>,
    handle: Handle,
    at: u64,
}

impl Opened {
    pub(crate) const fn new(volume: Arc<dyn Volume>, handle: Handle) -> Self {
        Self {
            volume,
            handle,
            at: 0,
        }
    }
    /// What is read or written next stands here.
    pub(crate) const fn go_to(&mut self, at: u64) {
        self.at = at;
    }
    /// What it is by now.
    ///
    /// # Errors
    /// When the system refuses to tell.
    pub fn meta(&self) -> Done<Meta> {
        self.volume.stat_open(&self.handle)
    }
    /// Sets its permission bits.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn set_mode(&self, mode: u32) -> Done {
        self.volume.set_mode_open(&self.handle, mode)
    }
    /// Its bytes outlive a loss of power from here on.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn make_durable(&self) -> Done {
        self.volume.make_durable(&self.handle)
    }
}

impl io::Read for Opened {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let many = self.volume.read(&self.handle, into, self.at)?;
        self.at += many as u64;
        Ok(many)
    }
}

impl io::Write for Opened {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        let many = self.volume.write(&self.handle, from, self.at)?;
        self.at += many as u64;
        Ok(many)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Removes what stands at a name, a folder with all in it.
///
/// # Errors
/// When something in it cannot be removed.
pub(crate) fn remove_all(volume: &dyn Volume, at: &Handle, name: &OsStr) -> Result<(), Errno> {
    if volume.stat(at, name)?.kind != Kind::Folder {
        return volume.remove(at, name);
    }
    let folder = volume.open(at, name, For::Place)?;
    for inside in volume.list(volume.open(at, name, For::Listing)?)? {
        remove_all(volume, &folder, &inside)?;
    }
    volume.remove_folder(at, name)
}
