//! Folders of our own. Whoever made a root may have prepared what lies in it, and in ours we remove what we do not know:
//! each is opened by its one name in a folder that is open, so that no link leads elsewhere, and is nobody else's.
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::volume::{For, Handle, Volume};

/// For us alone.
const MODE: u32 = 0o700;

/// What stands at the name of a folder of ours was made by somebody else, or can be changed by them.
#[derive(Debug, thiserror::Error)]
#[error(
    "{} is a link, of another user, or open for others to write. Move it away, or close it to others, and try again",
    .0.display()
)]
pub struct NotOurs(PathBuf);

impl From<NotOurs> for io::Error {
    fn from(error: NotOurs) -> Self {
        Self::new(io::ErrorKind::PermissionDenied, error)
    }
}

/// Opens one in an open folder, whose path is for people; `None` if there is none.
pub(super) fn find(
    volume: &dyn Volume,
    at: &Handle,
    path: &Path,
    name: &str,
) -> io::Result<Option<Handle>> {
    match volume.open(at, OsStr::new(name), For::Place) {
        Err(Errno::NOENT) => Ok(None),
        Ok(found) if volume.is_ours(&found)? => Ok(Some(found)),
        Ok(_) | Err(Errno::NOTDIR | Errno::LOOP) => Err(NotOurs(path.join(name)).into()),
        Err(error) => Err(error.into()),
    }
}

/// The same, made if there is none.
pub(super) fn make(
    volume: &dyn Volume,
    at: &Handle,
    path: &Path,
    name: &str,
) -> io::Result<Handle> {
    if let Some(found) = find(volume, at, path, name)? {
        return Ok(found);
    }
    match volume.make_folder(at, OsStr::new(name), MODE) {
        // Somebody else made it in between: it is looked at like any other.
        Ok(()) | Err(Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(find(volume, at, path, name)?.ok_or(Errno::NOENT)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::private::{Place, Private};
    use crate::disk::root::identity_on;
    use crate::volume::real::RealVolume;
    use crate::volume::simulated::{Make, SimVolume};

    fn is_refused<T>(done: io::Result<T>) -> bool {
        let error = done.err().and_then(io::Error::into_inner);
        error.is_some_and(|error| error.is::<NotOurs>())
    }

    /// Opens the private folder in a root that lies on another mount than the state, and clears it up.
    fn recover(root: &Path) -> io::Result<()> {
        let volume: Arc<dyn Volume> = Arc::new(RealVolume);
        let handle = Arc::new(volume.folder(root)?);
        let private = Private::at(&volume, Place::Inside(root.to_owned(), handle))?;
        private.recover(&[].into(), &[].into()).map(drop)
    }

    #[test]
    fn nothing_is_removed_where_a_prepared_link_leads() {
        for prepared in [".slipway", ".slipway/tmp", ".slipway/recovered"] {
            let folder = tempfile::tempdir().unwrap();
            let (root, home) = (folder.path().join("root"), folder.path().join("home"));
            for folder in ["tmp/pictures", "pictures"] {
                std::fs::create_dir_all(home.join(folder)).unwrap();
            }
            std::fs::write(home.join("thesis"), "a thesis").unwrap();
            let link = root.join(prepared);
            std::fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(&home, &link).unwrap();
            // What a crash left would be moved there.
            if prepared.ends_with("recovered") {
                std::fs::create_dir(root.join(".slipway/tmp")).unwrap();
                std::fs::write(root.join(".slipway/tmp/x-1"), "left").unwrap();
            }
            assert!(is_refused(recover(&root)), "{prepared}");
            for kept in ["thesis", "pictures", "tmp/pictures"] {
                assert!(home.join(kept).exists(), "{kept}, by {prepared}");
            }
            assert!(!home.join("file-1").exists());
        }
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_ours() {
        use std::os::unix::fs::PermissionsExt as _;
        let root = tempfile::tempdir().unwrap();
        recover(root.path()).unwrap();
        let private = root.path().join(".slipway");
        for (mode, refused) in [(0o770, true), (0o702, true), (0o755, false)] {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&private, mode).unwrap();
            assert_eq!(is_refused(recover(root.path())), refused);
        }
    }

    #[test]
    fn an_id_is_neither_read_nor_written_where_a_prepared_link_leads() {
        let volume = SimVolume::new(Make {
            attributes: false,
            ..Make::default()
        });
        for folder in ["/folder", "/home"] {
            volume.inner().make_all(folder).unwrap();
        }
        volume.inner().link("/folder/.slipway", "/home").unwrap();
        let shared: Arc<dyn Volume> = Arc::new(volume.clone());
        let id = || identity_on(&shared, Path::new("/folder"), "fresh");
        assert!(is_refused(id()));
        assert!(volume.inner().bytes("/home/root").is_none());
        volume.inner().write("/home/root", b"another").unwrap();
        assert!(is_refused(id()));
    }
}
