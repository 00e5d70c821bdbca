//! Volumes that fold names: what is asked for as `a` may be kept as `A`. A path is of what is kept under that very spelling.
use std::io;

use slipway_core::path::RelPath;

use super::{Disk, DiskError, Root};

impl Root {
    /// The path of what a volume that folds names finds by this one, where it keeps another spelling.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn kept_as(&self, path: &RelPath) -> io::Result<Option<RelPath>> {
        if self.look(path)?.is_none() {
            return Ok(None);
        }
        let (folder, key) = (path.parent(), path.fold_key());
        let mut alike = None;
        for name in self.list(folder.as_ref())? {
            let beside = name.to_str().map(|name| match &folder {
                Some(folder) => folder.join(name),
                None => RelPath::parse(name),
            });
            match beside {
                Some(Ok(beside)) if beside == *path => return Ok(None),
                Some(Ok(beside)) if beside.fold_key() == key => alike = Some(beside),
                _ => {}
            }
        }
        Ok(alike)
    }
}

impl Disk {
    /// The same, and nothing at once where names are not folded.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn respelled(&self, path: &RelPath) -> io::Result<Option<RelPath>> {
        match self.private.folds() {
            true => self.root.kept_as(path),
            false => Ok(None),
        }
    }

    /// Gives what is found by either path the spelling of the second.
    pub(super) fn respell(&mut self, from: &RelPath, to: &RelPath) -> Result<(), DiskError> {
        // Renamed at once it might take the place of what came there this moment, and some systems do nothing then.
        let aside = self.set_aside(from)?;
        let done = self.bring_back(&aside, to);
        if done.is_err() {
            self.stray(aside, to);
        }
        done
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use super::super::Seen;
    use super::*;
    use crate::volume::Volume;
    use crate::volume::simulated::{Make, SimVolume, Spelling};

    fn path(text: &str) -> RelPath {
        RelPath::parse(text).unwrap()
    }

    /// A disk with a folder `d` and `d/a.txt`.
    fn disk(spelling: Spelling) -> (SimVolume, Disk) {
        let volume = SimVolume::new(Make {
            spelling,
            ..Make::default()
        });
        {
            let mut inner = volume.inner();
            inner.make_all("/folder/d").unwrap();
            inner.write("/folder/d/a.txt", b"a").unwrap();
        }
        let shared: Arc<dyn Volume> = Arc::new(volume.clone());
        let disk = Disk::open(&shared, Path::new("/folder"), Path::new("/state")).unwrap();
        (volume, disk)
    }

    #[test]
    fn a_name_is_another_by_another_spelling() {
        let (_volume, disk) = disk(Spelling::Insensitive);
        assert_eq!(disk.root().look(&path("D")).unwrap(), Some(Seen::Folder));
        assert_eq!(disk.respelled(&path("D")).unwrap(), Some(path("d")));
        assert_eq!(disk.respelled(&path("d")).unwrap(), None);
        let made = disk.make_folder(&path("D"));
        assert!(matches!(made, Err(DiskError::Unexpected)));
        disk.make_folder(&path("d")).unwrap();
    }

    #[test]
    fn a_folder_takes_another_spelling_with_all_in_it() {
        let (volume, mut disk) = disk(Spelling::Insensitive);
        disk.rename(&path("d"), &path("D")).unwrap();
        assert_eq!(disk.root().list(None).unwrap(), ["D"]);
        let kept = volume.inner().bytes("/folder/D/a.txt").unwrap();
        assert_eq!(kept.as_slice(), b"a");
        assert!(disk.rename(&path("D"), &path("D/inside")).is_err());
    }

    #[test]
    fn where_spelling_counts_both_may_stand() {
        let (_volume, mut disk) = disk(Spelling::Exact);
        disk.make_folder(&path("D")).unwrap();
        assert_eq!(disk.respelled(&path("D")).unwrap(), None);
        let renamed = disk.rename(&path("d"), &path("D"));
        assert!(matches!(renamed, Err(DiskError::Unexpected)));
    }
}
