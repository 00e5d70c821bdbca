//! The session's control groups, of either version, read only: what is charged to them, and what the system refused.
use std::fs;
use std::path::{Path, PathBuf};

/// The files of one group.
#[derive(Clone, Debug)]
struct Group(PathBuf);

impl Group {
    fn number(&self, file: &str) -> Option<u64> {
        let text = fs::read_to_string(self.0.join(file)).ok()?;
        text.trim().parse().ok()
    }

    fn field(&self, file: &str, name: &str) -> Option<u64> {
        let text = fs::read_to_string(self.0.join(file)).ok()?;
        text.lines()
            .find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
    }
}

/// Memory.
#[derive(Clone, Debug)]
pub struct Memory(Group);

impl Memory {
    /// The group whose files stand in this folder, if they do.
    #[must_use]
    pub fn at(folder: &Path) -> Option<Self> {
        let memory = Self(Group(folder.to_owned()));
        memory.used_bytes().map(|_| memory)
    }

    /// What is charged to the session, file cache that can be dropped left out where it is known.
    #[must_use]
    pub fn used_bytes(&self) -> Option<u64> {
        let used = self
            .0
            .number("memory.current")
            .or_else(|| self.0.number("memory.usage_in_bytes"))?;
        let cache = self
            .0
            .field("memory.stat", "total_inactive_file")
            .or_else(|| self.0.field("memory.stat", "inactive_file"));
        Some(used.saturating_sub(cache.unwrap_or(0)))
    }

    /// How many processes the system has killed for want of memory.
    #[must_use]
    pub fn kills(&self) -> u64 {
        let kills = self.0.field("memory.events", "oom_kill");
        kills
            .or_else(|| self.0.field("memory.oom_control", "oom_kill"))
            .unwrap_or(0)
    }
}

/// Processes and threads.
#[derive(Clone, Debug)]
pub struct Processes(Group);

impl Processes {
    /// The group whose files stand in this folder, if they do.
    #[must_use]
    pub fn at(folder: &Path) -> Option<Self> {
        let group = Group(folder.to_owned());
        group.field("pids.events", "max").map(|_| Self(group))
    }

    /// How many there are, with those of the sandbox that cannot be seen from inside.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.number("pids.current").unwrap_or(0)
    }

    /// How many the system has refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.0.field("pids.events", "max").unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn both_versions_are_read() {
        let v1 = folder(&[
            ("memory.usage_in_bytes", "1000\n"),
            ("memory.stat", "inactive_file 1\ntotal_inactive_file 300\n"),
            (
                "memory.oom_control",
                "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
            ),
        ]);
        let v1 = Memory::at(v1.path()).unwrap();
        assert_eq!((v1.used_bytes(), v1.kills()), (Some(700), 3));
        let v2 = folder(&[
            ("memory.current", "2000\n"),
            ("memory.stat", "anon 1\ninactive_file 500\n"),
            ("memory.events", "oom 5\noom_kill 2\noom_group_kill 9\n"),
        ]);
        let v2 = Memory::at(v2.path()).unwrap();
        assert_eq!((v2.used_bytes(), v2.kills()), (Some(1500), 2));
        let pids = folder(&[("pids.current", "7\n"), ("pids.events", "max 4\n")]);
        let pids = Processes::at(pids.path()).unwrap();
        assert_eq!((pids.count(), pids.refused()), (7, 4));
        assert!(Memory::at(Path::new("/nonexistent")).is_none());
        assert!(Processes::at(Path::new("/nonexistent")).is_none());
    }
}
