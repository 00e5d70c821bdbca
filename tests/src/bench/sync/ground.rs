//! What the folders of all tools lie on: a file system of its own, which no turn leaves slower than it found it. Without a
//! journal, ext4 takes many times as long for a new file while many were deleted in the last minutes, and between two
//! turns everything is deleted.
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::super::tell;

/// Room for the packages of every tool; only what is written takes some.
const BYTES: u64 = 24 << 30;

/// The file system; it goes when this does.
pub struct Ground {
    /// Where it is mounted; nothing where it cannot be.
    point: Option<PathBuf>,
}

impl Ground {
    /// Makes one in a file beside a folder, and mounts it there. Where only root may, the folder stays as it is.
    ///
    /// # Errors
    /// When root may not, either.
    pub fn below(folder: &Path) -> Result<Self> {
        if !rustix::process::geteuid().is_root() {
            tell(
                "Only root may mount: the folders lie on this machine's disk, as quick as its file system is",
            );
            return Ok(Self { point: None });
        }
        let image = folder.with_extension("img");
        File::create(&image)?.set_len(BYTES)?;
        let lazily = "lazy_itable_init=1,lazy_journal_init=1,nodiscard";
        run(Command::new("mkfs.ext4")
            .args(["-q", "-F", "-E", lazily])
            .arg(&image))?;
        // What was left to be initialized would be while somebody is measured.
        let options = "loop,noatime,noinit_itable";
        run(Command::new("mount")
            .args(["-o", options])
            .arg(&image)
            .arg(folder))?;
        Ok(Self {
            point: Some(folder.to_owned()),
        })
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if let Some(point) = &self.point
            && let Err(error) = run(Command::new("umount").arg("--lazy").arg(point))
        {
            tell(&format!("{error:#}"));
        }
    }
}

fn run(command: &mut Command) -> Result<()> {
    let command = command.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
    let done = command
        .output()
        .with_context(|| format!("start {command:?}"))?;
    let words = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "{command:?}: {words}");
    Ok(())
}
