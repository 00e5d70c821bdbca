//! The session's memory cgroup, of either version, read only.
use std::fs;
use std::path::{Path, PathBuf};

/// Where to read.
#[derive(Clone, Debug)]
pub struct Cgroup {
    folder: PathBuf,
}

impl Cgroup {
    /// The cgroup whose files stand in this folder, if they do.
    #[must_use]
    pub fn at(folder: &Path) -> Option<Self> {
        let cgroup = Self {
            folder: folder.to_owned(),
        };
        cgroup.used_bytes().map(|_| cgroup)
    }

    /// Memory charged to the session, file cache that can be dropped left out where it is known.
    #[must_use]
    pub fn used_bytes(&self) -> Option<u64> {
        let used = self
            .number("memory.current")
            .or_else(|| self.number("memory.usage_in_bytes"))?;
        let cache = self.field("memory.stat", "inactive_file");
        let cache = cache.max(self.field("memory.stat", "total_inactive_file"));
        Some(used.saturating_sub(cache))
    }

    /// How many processes the system has killed for want of memory.
    #[must_use]
    pub fn oom_kills(&self) -> u64 {
        let v2 = self.field("memory.events", "oom_kill");
        v2.max(self.field("memory.oom_control", "oom_kill"))
    }

    fn number(&self, file: &str) -> Option<u64> {
        fs::read_to_string(self.folder.join(file))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn field(&self, file: &str, name: &str) -> u64 {
        let text = fs::read_to_string(self.folder.join(file)).unwrap_or_default();
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_read() {
        let v1 = tempfile::tempdir().unwrap();
        fs::write(v1.path().join("memory.usage_in_bytes"), "1000\n").unwrap();
        fs::write(
            v1.path().join("memory.oom_control"),
            "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
        )
        .unwrap();
        let v1 = Cgroup::at(v1.path()).unwrap();
        assert_eq!((v1.used_bytes(), v1.oom_kills()), (Some(1000), 3));
        let v2 = tempfile::tempdir().unwrap();
        fs::write(v2.path().join("memory.current"), "2000\n").unwrap();
        fs::write(v2.path().join("memory.stat"), "anon 1\ninactive_file 500\n").unwrap();
        fs::write(
            v2.path().join("memory.events"),
            "oom 5\noom_kill 2\noom_group_kill 9\n",
        )
        .unwrap();
        let v2 = Cgroup::at(v2.path()).unwrap();
        assert_eq!((v2.used_bytes(), v2.oom_kills()), (Some(1500), 2));
        assert!(Cgroup::at(Path::new("/nonexistent")).is_none());
    }
}
