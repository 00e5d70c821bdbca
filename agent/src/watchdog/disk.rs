//! How much disk the session uses: asked of its own file system, or walked when it shares one.
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// Files looked at in one walk; the rest is left out rather than slowing the session down.
const WALKED_MAX: usize = 500_000;
/// A file system with less free is full for a program that writes.
const FREE_BYTES_MIN: u64 = 1024 * 1024;

/// A file system of the session's own.
#[derive(Clone, Copy, Debug)]
pub struct Volume {
    /// What is used of it.
    pub used_bytes: u64,
    /// Whether nothing more fits.
    pub full: bool,
}

/// The workspace's file system, if it is not the one its parent stands on.
#[must_use]
pub fn volume(workspace: &Path) -> Option<Volume> {
    let own = fs::metadata(workspace).ok()?.dev();
    let parent = fs::metadata(workspace.parent()?).ok()?.dev();
    let stat = rustix::fs::statvfs(workspace).ok()?;
    let total = stat.f_blocks * stat.f_frsize;
    // Bind mounts of a large disk are no volume of the session's own.
    if own == parent || total > 2 * slipway_core::limits::SESSION_DISK_BYTES {
        return None;
    }
    let free = stat.f_bavail * stat.f_frsize;
    Some(Volume {
        used_bytes: total - stat.f_bfree * stat.f_frsize,
        full: free < FREE_BYTES_MIN || stat.f_favail == 0,
    })
}

/// What the files below a folder take on the disk. Symlinks are not followed.
#[must_use]
pub fn walked(root: &Path) -> u64 {
    let mut folders = vec![root.to_owned()];
    let mut bytes = 0;
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else {
                continue;
            };
            bytes += metadata.blocks() * 512;
            seen += 1;
            if metadata.is_dir() {
                folders.push(entry.path());
            }
        }
        if seen > WALKED_MAX {
            break;
        }
    }
    bytes
}
