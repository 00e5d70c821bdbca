//! Control groups: the limit of processor time that a session has and peers have not.
use std::path::PathBuf;

use anyhow::{Context as _, Result};

/// The control group that holds a process to its share of a processor.
#[derive(Clone, Debug)]
pub struct CpuGroup {
    folder: PathBuf,
    /// The file of the limit, and what takes it off.
    limit: (&'static str, &'static str),
}

impl CpuGroup {
    /// That of a process; `None` where there are none.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let groups = std::fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?;
        groups.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            let (root, limit) = if controllers.is_empty() {
                ("/sys/fs/cgroup", ("cpu.max", "max"))
            } else if controllers.split(',').any(|one| one == "cpu") {
                ("/sys/fs/cgroup/cpu", ("cpu.cfs_quota_us", "-1"))
            } else {
                return None;
            };
            let folder = PathBuf::from(format!("{root}{path}"));
            folder
                .join(limit.0)
                .exists()
                .then_some(Self { folder, limit })
        })
    }

    /// Takes its limit off.
    ///
    /// # Errors
    /// Where we may not.
    pub fn lift(&self) -> Result<()> {
        let file = self.folder.join(self.limit.0);
        std::fs::write(&file, self.limit.1).with_context(|| format!("write {}", file.display()))
    }

    /// Takes these processes into it.
    ///
    /// # Errors
    /// Where we may not.
    pub fn take(&self, processes: impl IntoIterator<Item = u32>) -> Result<()> {
        for pid in processes {
            std::fs::write(self.folder.join("cgroup.procs"), pid.to_string())
                .with_context(|| format!("move {pid} to {}", self.folder.display()))?;
        }
        Ok(())
    }
}
