//! A folder that is gone for good is made again at its place, to be filled from its workspace.
use std::io;
use std::path::Path;

use slipway_mirror::disk::private::FILES;
use slipway_mirror::disk::root;

use super::{Folder, FolderError, Folders};
use crate::clock;
use crate::error::CliError;

impl Folders {
    /// Makes an empty folder where one is gone; who that is. What was agreed on of the one before says nothing of it.
    ///
    /// # Errors
    /// When something stands there, or the folder may only lie on a disk that is not connected.
    pub fn make_again(&self, folder: &Folder) -> Result<String, CliError> {
        let path = &folder.path;
        let mut others = self.all()?;
        others.retain(|other| other.id() != folder.id());
        self.is_apart(path, &others)?;
        if !self.is_connected(folder) {
            return Err(FolderError::Away(path.clone()).into());
        }
        std::fs::create_dir(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => FolderError::Gone(path.clone()).into(),
            io::ErrorKind::NotFound => FolderError::Away(path.clone()).into(),
            _ => CliError::file(path)(error),
        })?;
        let fresh = clock::fresh_uuid().to_string();
        root::identity(path, &fresh).map_err(CliError::file(path))
    }

    /// Whether the mount on which a folder lay is there, as far as can be told: beside one that lay on that of our state,
    /// its engine kept files there, and none that lay on another comes to lie on that.
    fn is_connected(&self, folder: &Folder) -> bool {
        let state = self.home(folder).join("engine");
        let around = folder.path.parent().unwrap_or(Path::new("/"));
        let here = root::share_a_mount(around, &self.state);
        !state.is_dir() || here == state.join(FILES).is_dir()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder that was kept, on the mount of the state or on another, and is gone.
    fn gone(beside: bool) -> (tempfile::TempDir, Folders, Folder) {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let folders = Folders::new(&state);
        let folder = folders.make(&place.path().join("tides"), "tides").unwrap();
        let engine = folders.home(&folder).join("engine");
        std::fs::create_dir(&engine).unwrap();
        if beside {
            std::fs::create_dir(engine.join(FILES)).unwrap();
        }
        std::fs::remove_dir(&folder.path).unwrap();
        (place, folders, folder)
    }

    #[test]
    fn a_folder_is_made_again_as_another_where_nothing_stands() {
        let (_place, folders, folder) = gone(true);
        std::fs::write(&folder.path, "somebody's").unwrap();
        let refused = folders.make_again(&folder).unwrap_err();
        assert_eq!(refused.code(), "folder_gone");
        assert_eq!(std::fs::read(&folder.path).unwrap(), b"somebody's");
        std::fs::remove_file(&folder.path).unwrap();
        let root = folders.make_again(&folder).unwrap();
        assert_ne!(root, folder.root);
        assert!(!folder.is_there(), "it is not the one of before");
        assert!(Folder { root, ..folder }.is_there());
    }

    #[test]
    fn a_folder_whose_disk_is_not_connected_is_not_made_in_its_stead() {
        let (_place, folders, folder) = gone(false);
        let refused = folders.make_again(&folder).unwrap_err();
        assert_eq!(refused.code(), "folder_away");
        assert!(!folder.path.exists());
        // Nor where even its place is gone.
        let (place, folders, folder) = gone(true);
        let path = place.path().join("disk/tides");
        let refused = folders.make_again(&Folder { path, ..folder }).unwrap_err();
        assert_eq!(refused.code(), "folder_away");
        assert!(!place.path().join("disk").exists());
    }
}
