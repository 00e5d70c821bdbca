//! What stands in a folder, so that two can be compared: paths, kinds, sizes, executable bits, links' targets and the
//! hash of every file. And when it last changed, so that waiting for equality costs nobody anything.
use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::Result;
use slipway_core::hash::ContentHash;

/// What tools keep for themselves inside a folder.
const THEIRS: [&str; 4] = [".stfolder", ".stignore", ".stversions", ".slipway"];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    Folder,
    Link(PathBuf),
    File {
        bytes: u64,
        executable: bool,
        hash: ContentHash,
    },
}

/// A folder as it stood.
#[derive(Clone, Debug)]
pub struct Tree {
    entries: BTreeMap<PathBuf, Entry>,
    /// The newest change of anything in it.
    pub changed: SystemTime,
}

impl Tree {
    /// Reads a folder.
    ///
    /// # Errors
    /// When something goes while it is read.
    pub fn of(root: &Path) -> Result<Self> {
        let mut tree = Self {
            entries: BTreeMap::new(),
            changed: SystemTime::UNIX_EPOCH,
        };
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            tree.has_changed(&std::fs::metadata(root.join(&folder))?);
            for entry in std::fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                if THEIRS.iter().any(|name| entry.file_name() == *name) {
                    continue;
                }
                let path = folder.join(entry.file_name());
                let found = entry.metadata()?;
                tree.has_changed(&found);
                let stands = if found.is_dir() {
                    folders.push(path.clone());
                    Entry::Folder
                } else if found.is_symlink() {
                    Entry::Link(std::fs::read_link(entry.path())?)
                } else {
                    Entry::File {
                        bytes: found.len(),
                        executable: found.permissions().mode() & 0o100 != 0,
                        hash: ContentHash::of(&std::fs::read(entry.path())?),
                    }
                };
                tree.entries.insert(path, stands);
            }
        }
        Ok(tree)
    }

    fn has_changed(&mut self, found: &std::fs::Metadata) {
        let seconds = Duration::from_secs(found.ctime().unsigned_abs());
        let nanoseconds = Duration::from_nanos(found.ctime_nsec().unsigned_abs());
        self.changed = self
            .changed
            .max(SystemTime::UNIX_EPOCH + seconds + nanoseconds);
    }

    /// Files in it.
    #[must_use]
    pub fn files(&self) -> Vec<&Path> {
        let is_file = |entry: &Entry| matches!(entry, Entry::File { .. });
        let files = self.entries.iter().filter(|(_, entry)| is_file(entry));
        files.map(|(path, _)| path.as_path()).collect()
    }

    /// How another differs, in words; `None` when it does not.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let differs = |path: &&PathBuf| self.entries.get(*path) != other.entries.get(*path);
        let mut paths: Vec<_> = self
            .entries
            .keys()
            .chain(other.entries.keys())
            .filter(differs)
            .collect();
        paths.sort();
        paths.dedup();
        let first: Vec<_> = paths
            .iter()
            .take(3)
            .map(|path| path.display().to_string())
            .collect();
        (!paths.is_empty()).then(|| format!("{} paths differ: {}", paths.len(), first.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_are_equal_when_everything_in_them_is() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| folder.path().join(name));
        for root in [&one, &two] {
            std::fs::create_dir_all(root.join("deep")).unwrap();
            std::fs::write(root.join("deep/a"), "a").unwrap();
            std::os::unix::fs::symlink("deep/a", root.join("link")).unwrap();
        }
        std::fs::create_dir(two.join(".stfolder")).unwrap();
        let tree = |root| Tree::of(root).unwrap();
        assert_eq!(tree(&one).difference(&tree(&two)), None);
        assert_eq!(tree(&one).files(), [Path::new("deep/a")]);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(two.join("deep/a"), mode).unwrap();
        let told = tree(&one).difference(&tree(&two)).unwrap();
        assert_eq!(told, "1 paths differ: deep/a");
    }
}
