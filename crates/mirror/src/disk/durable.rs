//! What outlives a loss of power.
use std::collections::BTreeSet;
use std::io;

use rustix::io::Errno;
use slipway_core::path::RelPath;

use super::Root;
use crate::planted::{self, Bug};
use crate::volume::For;

impl Root {
    /// Sees to it that files and the folders that name them survive a loss of power; those that are gone do not matter. For
    /// the sake of one that may not be opened the whole file system is flushed.
    ///
    /// # Errors
    /// When the system cannot tell.
    pub fn make_durable<'a>(
        &self,
        paths: impl ExactSizeIterator<Item = &'a RelPath>,
    ) -> io::Result<()> {
        /// Above it one flush of the whole file system is cheaper.
        const SINGLE_MAX: usize = 64;
        if planted::is(Bug::NeverFlushed) {
            return Ok(());
        }
        if paths.len() > SINGLE_MAX {
            let whole = self.open(".", For::Listing)?;
            return Ok(self.volume.make_all_durable(&whole)?);
        }
        let (mut folders, mut is_barred) = (BTreeSet::new(), false);
        for path in paths {
            match self.read(path) {
                Ok(file) => file.make_durable()?,
                Err(error) => is_barred |= !is_gone(&error),
            }
            folders.insert(path.parent());
        }
        for folder in folders {
            let folder = folder.as_ref().map_or(".", RelPath::as_str);
            match self.open(folder, For::Listing) {
                Ok(folder) => self.volume.make_durable(&folder)?,
                Err(error) => is_barred |= !is_gone(&error.into()),
            }
        }
        if is_barred {
            let whole = self.open(".", For::Listing)?;
            self.volume.make_all_durable(&whole)?;
        }
        Ok(())
    }
}

/// Whether nothing that could be opened stands at a path any more; a link there holds nothing by itself.
fn is_gone(error: &io::Error) -> bool {
    let told = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(
        told,
        Some(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO)
    )
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::path::Path;
    use std::sync::Arc;

    use super::*;
    use crate::disk::Disk;
    use crate::volume::Volume;
    use crate::volume::simulated::{Loss, Make, SimVolume};

    #[test]
    fn what_may_not_be_opened_outlives_a_loss_of_power_too() {
        let volume = SimVolume::new(Make::default());
        let shared: Arc<dyn Volume> = Arc::new(volume.clone());
        shared.make_folders(Path::new("/folder")).unwrap();
        let disk = Disk::open(&shared, Path::new("/folder"), Path::new("/state")).unwrap();
        volume.inner().write("/folder/a.txt", b"a text\n").unwrap();
        let folder = shared.folder(Path::new("/folder")).unwrap();
        let name = OsStr::new("a.txt");
        shared.set_mode(&folder, name, 0).unwrap();
        let path = RelPath::parse("a.txt").unwrap();
        assert!(disk.root().read(&path).is_err());
        disk.root().make_durable([&path].into_iter()).unwrap();
        volume.inner().crash(Loss::Power, &mut |many| many - 1);
        let left = volume.inner().bytes("/folder/a.txt").unwrap();
        assert_eq!(left.as_slice(), b"a text\n");
    }
}
