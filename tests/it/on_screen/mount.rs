//! File systems of a test's own, which only root may have: who is not leaves these tests out, and says so.
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that is mounted below a desk, gone with this.
pub(super) struct Mount(PathBuf);

impl Mount {
    /// A small file system of so many bytes; none for who may not mount.
    pub(super) fn small(path: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&path).expect("a folder");
        let size = format!("size={size}");
        Self::of(&["-t", "tmpfs", "-o", &size, "tmpfs"], path)
    }

    /// A file over another.
    pub(super) fn over(what: &Path, path: PathBuf) -> Option<Self> {
        let what = what.to_str().expect("UTF-8");
        Self::of(&["--bind", what], path)
    }

    fn of(what: &[&str], path: PathBuf) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            let test = std::thread::current();
            let test = test.name().unwrap_or("a test").to_owned();
            drop(writeln!(
                std::io::stderr(),
                "SKIP {test}: only root may mount, and it needs a file system of its own"
            ));
            return None;
        }
        mount(what, &path);
        Some(Self(path))
    }

    /// Lets it be written no more, or again.
    pub(super) fn becomes(&self, access: &str) {
        mount(&["-o", &format!("remount,{access}")], &self.0);
    }
}

fn mount(options: &[&str], path: &Path) {
    let done = Command::new("mount").args(options).arg(path).status();
    assert!(done.expect("mount is installed").success());
}

impl Drop for Mount {
    fn drop(&mut self) {
        Command::new("umount").arg("-l").arg(&self.0).status().ok();
    }
}
