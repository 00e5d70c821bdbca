//! A volume's file as a block device. One file never gets two devices: the kernel would keep two views of one file
//! system and damage it. A device that still holds the file, because a mount somewhere is not gone yet, is used again.
use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// From `linux/loop.h`.
const LOOP_GET_STATUS64: libc::c_ulong = 0x4C05;
const LOOP_CONFIGURE: libc::c_ulong = 0x4C0A;
const LOOP_CTL_GET_FREE: libc::c_ulong = 0x4C82;
const LO_FLAGS_READ_ONLY: u32 = 1;
const LO_FLAGS_AUTOCLEAR: u32 = 4;
const CONTROL: &str = "/dev/loop-control";
const DEVICES: &str = "/sys/block";
/// Others on this machine take devices, too; so often one may be taken between asking and taking.
const TRIES: u32 = 100;

/// `struct loop_info64`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Info {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

impl Info {
    const EMPTY: Self = Self {
        device: 0,
        inode: 0,
        rdevice: 0,
        offset: 0,
        size_limit: 0,
        number: 0,
        encrypt_type: 0,
        encrypt_key_size: 0,
        flags: 0,
        file_name: [0; 64],
        crypt_name: [0; 64],
        encrypt_key: [0; 32],
        init: [0; 2],
    };
}

/// `struct loop_config`.
#[repr(C)]
struct Configuration {
    file: u32,
    block_size: u32,
    info: Info,
    reserved: [u64; 8],
}

/// A device that holds a file. While this lives the device cannot vanish; once mounted it lives as long as the mount.
#[derive(Debug)]
pub(super) struct LoopDevice {
    /// Its node below `/dev`.
    pub(super) path: PathBuf,
    _open: File,
}

impl LoopDevice {
    /// The device that holds this file already.
    pub(super) fn holding(file: &Path) -> io::Result<Option<Self>> {
        let wanted = fs::metadata(file)?;
        for entry in fs::read_dir(DEVICES)?.flatten() {
            let Ok(backing) = fs::read_to_string(entry.path().join("loop/backing_file")) else {
                continue;
            };
            // The folders above may have been renamed since; the file in its own folder never is.
            if !same_end(Path::new(backing.trim_end()), file) {
                continue;
            }
            let path = Path::new("/dev").join(entry.file_name());
            let Ok(open) = File::options().read(true).write(true).open(&path) else {
                continue;
            };
            // Asked through the open device, which from now on keeps what it holds.
            let mut info = Info::EMPTY;
            let known = ioctl(&open, LOOP_GET_STATUS64, (&raw mut info).cast()).is_ok();
            if known && info.device == wanted.dev() && info.inode == wanted.ino() {
                return Ok(Some(Self { path, _open: open }));
            }
        }
        Ok(None)
    }

    /// Takes a free device for this file; it is free again after its last mount is gone.
    pub(super) fn attach(file: &Path, read_only: bool) -> io::Result<Self> {
        let backing = File::options().read(true).write(!read_only).open(file)?;
        let control = File::options().read(true).write(true).open(CONTROL)?;
        let mut configuration = Configuration {
            file: u32::try_from(backing.as_raw_fd()).map_err(io::Error::other)?,
            block_size: 0,
            info: Info::EMPTY,
            reserved: [0; 8],
        };
        configuration.info.flags =
            LO_FLAGS_AUTOCLEAR | if read_only { LO_FLAGS_READ_ONLY } else { 0 };
        let name = file.as_os_str().as_encoded_bytes();
        let shown = name.len().min(configuration.info.file_name.len() - 1);
        configuration.info.file_name[..shown].copy_from_slice(&name[..shown]);
        for _ in 0..TRIES {
            let number = ioctl(&control, LOOP_CTL_GET_FREE, std::ptr::null_mut())?;
            let path = PathBuf::from(format!("/dev/loop{number}"));
            let open = match File::options().read(true).write(true).open(&path) {
                Ok(open) => open,
                // Freed for good by somebody else meanwhile.
                Err(error) if error.raw_os_error() == Some(libc::ENXIO) => continue,
                Err(error) => return Err(error),
            };
            match ioctl(&open, LOOP_CONFIGURE, (&raw mut configuration).cast()) {
                Ok(_) => return Ok(Self { path, _open: open }),
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other(
            "others take every loop device first; free some with: losetup -D",
        ))
    }
}

fn same_end(backing: &Path, file: &Path) -> bool {
    let end = |path: &Path| {
        let name = path.file_name().map(ToOwned::to_owned);
        let folder = path.parent().and_then(Path::file_name);
        (name, folder.map(ToOwned::to_owned))
    };
    end(backing) == end(file)
}

#[expect(
    unsafe_code,
    reason = "loop devices are made by ioctl and nothing else"
)]
fn ioctl(file: &File, request: libc::c_ulong, argument: *mut libc::c_void) -> io::Result<i32> {
    // SAFETY: each caller hands the structure that its request names, valid for the call, or null where none is read.
    let done = unsafe { libc::ioctl(file.as_raw_fd(), request, argument) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use std::mem::size_of;
    use std::path::Path;

    use super::{Configuration, Info, same_end};

    #[test]
    fn the_structures_are_as_large_as_the_kernels() {
        assert_eq!((size_of::<Info>(), size_of::<Configuration>()), (232, 304));
    }

    #[test]
    fn a_file_is_known_by_its_own_folder_wherever_that_moved() {
        let file = Path::new("/srv/new/volumes/a/disk.img");
        assert!(same_end(Path::new("/srv/old/volumes/a/disk.img"), file));
        assert!(!same_end(Path::new("/srv/old/volumes/b/disk.img"), file));
        assert!(!same_end(Path::new("/srv/a/disk.img (deleted)"), file));
    }
}
