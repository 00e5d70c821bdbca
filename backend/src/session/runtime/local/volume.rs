//! A workspace's volume on this machine: its files, its home and the agent's state, kept between sessions.
//! As root it is a file system of its own in a sparse file, so that a full disk is full for this session only.
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use rustix::mount::MountFlags;
use slipway_core::id::WorkspaceId;

use super::loop_device::LoopDevice;

/// Users of volumes when the server is root; nobody on a Debian machine is in this range.
const UIDS: std::ops::Range<u32> = 20_001..60_001;
const DISK: &str = "disk.img";
const FILES: &str = "files";
const TEMPLATE: &str = ".journaled.img";
/// Name of the folder of all volumes.
pub(super) const FOLDER: &str = "volumes";
const PROGRAMS: &str = "/usr/sbin:/sbin:/usr/bin:/bin";
/// Folders of a volume: the workspace's files, the home, the agent's state.
pub(super) const FOLDERS: [&str; 3] = ["work", "home", "state"];
const COPY_BYTES: usize = 256 * 1024;

/// All volumes of this installation.
#[derive(Debug)]
pub(super) struct Volumes {
    folder: PathBuf,
    disk_bytes: u64,
    /// Why a volume's size is not enforced by the system, if it is not.
    pub(super) unlimited_because: Option<String>,
    as_root: bool,
    /// Handing out users is one at a time.
    users: Mutex<()>,
}

/// A volume that is ready.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    /// Holds `work`, `home` and `state`.
    pub(super) files: PathBuf,
    /// Its user, when the server is root.
    pub(super) uid: Option<u32>,
}

impl Volumes {
    /// Makes the folder and, where the machine allows, the template of file systems.
    pub(super) fn open(folder: PathBuf, disk_bytes: u64, as_root: bool) -> io::Result<Self> {
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        let unlimited_because = if !as_root {
            Some("only root may mount a file system for each session".to_owned())
        } else if !Path::new("/dev/loop-control").exists() {
            Some("this machine has no loop devices (/dev/loop-control)".to_owned())
        } else {
            template(&folder, disk_bytes)
                .and_then(|()| try_mount(&folder))
                .err()
                .map(|error| error.to_string())
        };
        Ok(Self {
            folder,
            disk_bytes,
            unlimited_because,
            as_root,
            users: Mutex::new(()),
        })
    }

    /// Makes or finds a workspace's volume and mounts it.
    pub(super) fn attach(&self, workspace: WorkspaceId) -> io::Result<Volume> {
        let own = self.folder.join(workspace.to_string());
        let files = own.join(FILES);
        let uid = self.user(&own)?;
        fs::create_dir_all(&files)?;
        let disk = own.join(DISK);
        let plain = files.join(FOLDERS[0]).exists() && !disk.exists();
        if !plain && (disk.exists() || self.unlimited_because.is_none()) {
            if !disk.exists() {
                copy_sparse(&self.folder.join(TEMPLATE), &disk, self.disk_bytes)?;
            }
            if !is_mounted(&files)? {
                self.mount(&disk, &files)?;
            }
        }
        for name in FOLDERS {
            own_folder(&files.join(name), uid)?;
        }
        Ok(Volume { files, uid })
    }

    /// Unmounts a workspace's volume; the files stay.
    pub(super) fn detach(&self, workspace: WorkspaceId) -> io::Result<()> {
        let files = self.folder.join(workspace.to_string()).join(FILES);
        if self.as_root && is_mounted(&files)? {
            rustix::mount::unmount(&files, rustix::mount::UnmountFlags::empty())?;
        }
        Ok(())
    }

    /// Removes a workspace's volume.
    pub(super) fn forget(&self, workspace: WorkspaceId) -> io::Result<()> {
        self.detach(workspace)?;
        match fs::remove_dir_all(self.folder.join(workspace.to_string())) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// The workspaces that have a volume.
    pub(super) fn list(&self) -> io::Result<Vec<WorkspaceId>> {
        let entries = fs::read_dir(&self.folder)?;
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(names.filter_map(|name| name.parse().ok()).collect())
    }

    /// The user of a volume: owner of its folder, a fresh one for a fresh volume.
    fn user(&self, own: &Path) -> io::Result<Option<u32>> {
        if !self.as_root {
            fs::create_dir_all(own)?;
            return Ok(None);
        }
        let _one = self
            .users
            .lock()
            .expect("invariant: no holder of the lock on users panics");
        if let Ok(found) = fs::metadata(own)
            && UIDS.contains(&found.uid())
        {
            return Ok(Some(found.uid()));
        }
        let taken: std::collections::HashSet<u32> = fs::read_dir(&self.folder)?
            .filter_map(|entry| Some(entry.ok()?.metadata().ok()?.uid()))
            .collect();
        // Two servers on one machine begin at different places, so that their users differ too.
        let width = UIDS.end - UIDS.start;
        let from = blake3::hash(self.folder.as_os_str().as_encoded_bytes()).as_bytes()[..4]
            .iter()
            .fold(0_u32, |sum, byte| {
                sum.wrapping_mul(256).wrapping_add(u32::from(*byte))
            })
            % width;
        let uid = (0..width)
            .map(|step| UIDS.start + (from + step) % width)
            .find(|uid| !taken.contains(uid))
            .ok_or_else(|| io::Error::other("every user for sessions is taken"))?;
        fs::create_dir_all(own)?;
        fs::set_permissions(own, fs::Permissions::from_mode(0o700))?;
        chown(own, Some(uid), Some(uid))?;
        Ok(Some(uid))
    }

    fn mount(&self, disk: &Path, files: &Path) -> io::Result<()> {
        // Some mount namespace may still hold the file system of the place before: then it is not checked, since it
        // is in use, and the same device gives the same file system once more.
        let device = match LoopDevice::holding(disk)? {
            Some(device) => device,
            None => {
                self.mend(disk)?;
                LoopDevice::attach(disk, false)?
            }
        };
        let flags = MountFlags::NOATIME | MountFlags::NODEV | MountFlags::NOSUID;
        rustix::mount::mount(&device.path, files, "ext4", flags, None)?;
        Ok(())
    }

    /// A crash of the machine may leave a file system damaged; then it is mended, or made anew: the hub holds every file
    /// of the workspace, the volume only saves the way.
    fn mend(&self, disk: &Path) -> io::Result<()> {
        if was_unmounted(disk)? {
            return Ok(());
        }
        tracing::warn!(disk = %disk.display(), "A volume was not unmounted, probably by a crash of the machine; checking it");
        let checked = Command::new("e2fsck")
            .args(["-f", "-y"])
            .arg(disk)
            .env("PATH", PROGRAMS)
            .output()?;
        // 0: clean, 1: mended.
        if !matches!(checked.status.code(), Some(0 | 1)) {
            let aside = disk.with_extension("damaged");
            tracing::error!(disk = %aside.display(), "A volume cannot be mended; keeping it aside and making a fresh one");
            fs::rename(disk, aside)?;
            copy_sparse(&self.folder.join(TEMPLATE), disk, self.disk_bytes)?;
        }
        Ok(())
    }
}

/// A folder of a volume. Where the server is not root, programs of a session could put something else in its place; a
/// link there would lead the next session out of the volume, so whatever is no folder goes.
fn own_folder(folder: &Path, uid: Option<u32>) -> io::Result<()> {
    match fs::symlink_metadata(folder) {
        Ok(found) if found.is_dir() => return Ok(()),
        Ok(_) => fs::remove_file(folder)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    fs::create_dir(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    chown(folder, uid, uid)
}

/// Whether a mount point is that of a volume, of this installation or another.
pub(super) fn is_volume(mount_point: &Path) -> bool {
    let mut parts = mount_point.components().rev().map(|part| part.as_os_str());
    parts.next().is_some_and(|name| name == FILES)
        && parts
            .next()
            .and_then(|name| name.to_str()?.parse::<WorkspaceId>().ok())
            .is_some()
        && parts.next().is_some_and(|name| name == FOLDER)
}

fn template(folder: &Path, disk_bytes: u64) -> io::Result<()> {
    let template = folder.join(TEMPLATE);
    if fs::metadata(&template).is_ok_and(|found| found.len() == disk_bytes) {
        return Ok(());
    }
    let fresh = folder.join(".template.fresh");
    File::create(&fresh)?.set_len(disk_bytes)?;
    succeed(
        Command::new("mkfs.ext4")
            // The smallest journal that there is, nothing kept back for root: decision 0005.
            .args(["-q", "-F", "-m", "0", "-J", "size=4", "-O", "^resize_inode"])
            .args(["-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"])
            .args(["-i", "8192"])
            .arg(&fresh)
            .env("PATH", PROGRAMS),
    )?;
    fs::rename(fresh, template)
}

/// Loop devices may be there and yet forbidden, as in many containers: only trying tells.
fn try_mount(folder: &Path) -> io::Result<()> {
    let point = folder.join(format!(".probe-{}", std::process::id()));
    fs::create_dir_all(&point)?;
    let mounted = LoopDevice::attach(&folder.join(TEMPLATE), true).and_then(|device| {
        rustix::mount::mount(&device.path, &point, "ext4", MountFlags::RDONLY, None)?;
        Ok(())
    });
    if mounted.is_ok() {
        rustix::mount::unmount(&point, rustix::mount::UnmountFlags::DETACH)?;
    }
    fs::remove_dir(&point)?;
    mounted
}

fn succeed(command: &mut Command) -> io::Result<()> {
    let done = command.output().map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("start {:?}: {error}", command.get_program()),
        )
    })?;
    if done.status.success() {
        return Ok(());
    }
    Err(io::Error::other(
        String::from_utf8_lossy(&done.stderr).trim().to_owned(),
    ))
}

/// What the superblock says of it: without a journal bit 0 of `s_state` is set while nobody has it mounted, and with one bit
/// 2 of `s_feature_incompat` while somebody has; bit 1 of `s_state` tells of errors that were met.
fn was_unmounted(disk: &Path) -> io::Result<bool> {
    const SUPERBLOCK_AT: u64 = 1024;
    const STATE: usize = 0x3a;
    const INCOMPATIBLE: usize = 0x60;
    let mut superblock = [0; INCOMPATIBLE + 1];
    let mut file = File::open(disk)?;
    file.seek(SeekFrom::Start(SUPERBLOCK_AT))?;
    file.read_exact(&mut superblock)?;
    let (is_valid, is_recovered) = (
        superblock[STATE] & 3 == 1,
        superblock[INCOMPATIBLE] & 4 == 0,
    );
    Ok(is_valid && is_recovered)
}

fn is_mounted(folder: &Path) -> io::Result<bool> {
    let Some(parent) = folder.parent() else {
        return Ok(false);
    };
    match fs::metadata(folder) {
        Ok(found) => Ok(found.dev() != fs::metadata(parent)?.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Copies a file without its holes.
fn copy_sparse(from: &Path, to: &Path, bytes: u64) -> io::Result<()> {
    use rustix::fs::SeekFrom as At;
    let mut source = File::open(from)?;
    let fresh = to.with_extension("fresh");
    let mut target = File::create(&fresh)?;
    target.set_len(bytes)?;
    let mut buffer = vec![0; COPY_BYTES];
    let mut at = 0;
    while let Ok(data) = rustix::fs::seek(&source, At::Data(at)) {
        let hole = rustix::fs::seek(&source, At::Hole(data))?;
        source.seek(SeekFrom::Start(data))?;
        target.seek(SeekFrom::Start(data))?;
        let mut left = hole - data;
        while left > 0 {
            let part = usize::try_from(left).map_or(COPY_BYTES, |left| left.min(COPY_BYTES));
            source.read_exact(&mut buffer[..part])?;
            target.write_all(&buffer[..part])?;
            left -= part as u64;
        }
        at = hole;
    }
    drop(target);
    fs::rename(fresh, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_place_of_a_folder_does_not_lead_out_of_the_volume() {
        let lab = tempfile::tempdir().unwrap();
        let outside = lab.path().join("outside");
        fs::create_dir(&outside).unwrap();
        let volumes = Volumes::open(lab.path().join(FOLDER), 1 << 20, false).unwrap();
        let workspace = slipway_core::id::Id::from_parts(1, [7; 10]);
        let volume = volumes.attach(workspace).unwrap();
        for name in FOLDERS {
            let folder = volume.files.join(name);
            fs::rename(&folder, volume.files.join("aside")).unwrap();
            std::os::unix::fs::symlink(&outside, &folder).unwrap();
            volumes.attach(workspace).unwrap();
            assert!(fs::symlink_metadata(&folder).unwrap().is_dir(), "{name}");
            fs::remove_dir(volume.files.join("aside")).unwrap();
        }
    }

    #[test]
    fn a_volume_that_somebody_has_is_told_with_a_journal_and_without() {
        let place = tempfile::tempdir().unwrap();
        template(place.path(), 16 << 20).unwrap();
        let disk = place.path().join(TEMPLATE);
        assert!(was_unmounted(&disk).unwrap());
        let fresh = fs::read(&disk).unwrap();
        let has_journal = fresh[1024 + 0x5c] & 4 != 0;
        assert!(has_journal);
        for (at, bit) in [(0x3a, 1), (0x3a, 2), (0x60, 4)] {
            let mut used = fresh.clone();
            used[1024 + at] ^= bit;
            fs::write(&disk, used).unwrap();
            assert!(!was_unmounted(&disk).unwrap(), "byte {at:#x}");
        }
    }
}
