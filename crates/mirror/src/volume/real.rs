//! The operating system's files. Every path is opened beneath its folder and through no link.
use std::ffi::{OsStr, OsString};
use std::fs::DirBuilder;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use redb::backends::FileBackend;
use redb::{Database, DatabaseError, StorageError};
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, Stat, StatxFlags, XattrFlags,
};
use rustix::io::Errno;

use super::{For, Handle, Kind, Meta, Rename, Volume};
use crate::clock;

/// An attribute of ours is an id.
const ATTRIBUTE_BYTES_MAX: usize = 128;

/// Pages of a stored base that are kept in memory: it is read whole at the start and written from then on.
const CACHE_BYTES: usize = 256 * 1024;

/// Permission bits that let a group, or everybody, write.
const OTHERS_WRITE: u32 = 0o022;

/// The file systems of this computer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RealVolume;

fn fd(handle: &Handle) -> Result<BorrowedFd<'_>, Errno> {
    match handle {
        Handle::Real(fd) => Ok(fd.as_fd()),
        #[cfg(any(test, feature = "simulation"))]
        Handle::Simulated(_) => Err(Errno::BADF),
    }
}

fn owned(handle: Handle) -> Result<OwnedFd, Errno> {
    match handle {
        Handle::Real(fd) => Ok(fd),
        #[cfg(any(test, feature = "simulation"))]
        Handle::Simulated(_) => Err(Errno::BADF),
    }
}

fn meta(stat: &Stat) -> Meta {
    let time = |seconds, nanoseconds| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
    Meta {
        kind: match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        },
        inode: stat.st_ino,
        size: stat.st_size.unsigned_abs(),
        mode: stat.st_mode & 0o7777,
        links: stat.st_nlink,
        mtime_ns: time(stat.st_mtime, stat.st_mtime_nsec),
        ctime_ns: time(stat.st_ctime, stat.st_ctime_nsec),
    }
}

impl Volume for RealVolume {
    fn folder(&self, whole: &Path) -> Result<Handle, Errno> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::open(whole, flags, Mode::empty()).map(Handle::Real)
    }

    fn make_folders(&self, whole: &Path) -> io::Result<()> {
        let mut folders = DirBuilder::new();
        folders.recursive(true).mode(0o700).create(whole)
    }

    fn mount(&self, whole: &Path) -> Option<u64> {
        let found = rustix::fs::statx(CWD, whole, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
        (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
    }

    fn attribute(&self, whole: &Path, name: &str) -> Result<Vec<u8>, Errno> {
        let mut value = vec![0_u8; ATTRIBUTE_BYTES_MAX];
        let many = rustix::fs::getxattr(whole, name, &mut value[..])?;
        value.truncate(many);
        Ok(value)
    }

    fn set_attribute(&self, whole: &Path, name: &str, value: &[u8]) -> Result<(), Errno> {
        rustix::fs::setxattr(whole, name, value, XattrFlags::empty())
    }

    fn open(&self, at: &Handle, path: &OsStr, what_for: For) -> Result<Handle, Errno> {
        let (flags, mode) = match what_for {
            For::Place => (OFlags::PATH | OFlags::DIRECTORY, Mode::empty()),
            For::Listing => (OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()),
            // A pipe must not make us wait.
            For::Reading => (OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()),
            For::Making => (
                OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
                Mode::from_raw_mode(0o600),
            ),
        };
        let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
        rustix::fs::openat2(fd(at)?, path, flags | OFlags::CLOEXEC, mode, how).map(Handle::Real)
    }

    fn stat(&self, at: &Handle, name: &OsStr) -> Result<Meta, Errno> {
        rustix::fs::statat(fd(at)?, name, AtFlags::SYMLINK_NOFOLLOW).map(|stat| meta(&stat))
    }

    fn read_link(&self, at: &Handle, name: &OsStr) -> Result<OsString, Errno> {
        let target = rustix::fs::readlinkat(fd(at)?, name, Vec::new())?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    fn make_folder(&self, at: &Handle, name: &OsStr, mode: u32) -> Result<(), Errno> {
        rustix::fs::mkdirat(fd(at)?, name, Mode::from_raw_mode(mode))
    }

    fn make_link(&self, at: &Handle, name: &OsStr, target: &str) -> Result<(), Errno> {
        rustix::fs::symlinkat(target, fd(at)?, name)
    }

    fn remove(&self, at: &Handle, name: &OsStr) -> Result<(), Errno> {
        rustix::fs::unlinkat(fd(at)?, name, AtFlags::empty())
    }

    fn remove_folder(&self, at: &Handle, name: &OsStr) -> Result<(), Errno> {
        rustix::fs::unlinkat(fd(at)?, name, AtFlags::REMOVEDIR)
    }

    fn rename(
        &self,
        at: &Handle,
        name: &OsStr,
        to: &Handle,
        new: &OsStr,
        how: Rename,
    ) -> Result<(), Errno> {
        let flags = match how {
            Rename::Replace => RenameFlags::empty(),
            Rename::IntoNothing => RenameFlags::NOREPLACE,
            Rename::Exchange => RenameFlags::EXCHANGE,
        };
        rustix::fs::renameat_with(fd(at)?, name, fd(to)?, new, flags)
    }

    fn link(&self, at: &Handle, name: &OsStr, to: &Handle, new: &OsStr) -> Result<(), Errno> {
        rustix::fs::linkat(fd(at)?, name, fd(to)?, new, AtFlags::empty())
    }

    fn set_mode(&self, at: &Handle, name: &OsStr, mode: u32) -> Result<(), Errno> {
        rustix::fs::chmodat(fd(at)?, name, Mode::from_raw_mode(mode), AtFlags::empty())
    }

    fn list(&self, folder: Handle) -> Result<Vec<OsString>, Errno> {
        let folder = owned(folder)?;
        let mut names = Vec::new();
        for entry in rustix::fs::Dir::new(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }

    fn stat_open(&self, open: &Handle) -> Result<Meta, Errno> {
        rustix::fs::fstat(fd(open)?).map(|stat| meta(&stat))
    }

    fn is_ours(&self, open: &Handle) -> Result<bool, Errno> {
        let stat = rustix::fs::fstat(fd(open)?)?;
        let is_own = stat.st_uid == rustix::process::geteuid().as_raw();
        Ok(is_own && stat.st_mode & OTHERS_WRITE == 0)
    }

    fn set_mode_open(&self, open: &Handle, mode: u32) -> Result<(), Errno> {
        rustix::fs::fchmod(fd(open)?, Mode::from_raw_mode(mode))
    }

    fn read(&self, file: &Handle, into: &mut [u8], at: u64) -> Result<usize, Errno> {
        rustix::io::pread(fd(file)?, into, at)
    }

    fn write(&self, file: &Handle, from: &[u8], at: u64) -> Result<usize, Errno> {
        rustix::io::pwrite(fd(file)?, from, at)
    }

    fn make_durable(&self, open: &Handle) -> Result<(), Errno> {
        rustix::fs::fsync(fd(open)?)
    }

    fn make_all_durable(&self, folder: &Handle) -> Result<(), Errno> {
        rustix::fs::syncfs(fd(folder)?)
    }

    fn database(&self, at: &Handle, name: &OsStr) -> Result<Database, DatabaseError> {
        let open = || {
            let flags = OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC;
            rustix::fs::openat(fd(at)?, name, flags, Mode::from_raw_mode(0o600))
        };
        let file = open().map_err(|error| StorageError::Io(error.into()))?;
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        builder.create_with_backend(FileBackend::new(file.into())?)
    }

    fn boot(&self) -> String {
        std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default()
    }

    fn usual_mode(&self) -> u32 {
        // To ask the system itself is to change it for a moment, for every thread.
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mut lines = status.lines();
        let withheld = lines.find_map(|line| line.strip_prefix("Umask:"));
        let withheld = withheld.and_then(|bits| u32::from_str_radix(bits.trim(), 8).ok());
        0o666 & !withheld.unwrap_or(0o022)
    }

    fn now_ns(&self) -> i128 {
        clock::unix_ns()
    }
}
