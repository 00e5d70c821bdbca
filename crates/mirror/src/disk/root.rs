//! Who a root is. A folder that was made anew is another replica, whose base says nothing: it can delete nothing.
use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use rustix::io::Errno;

use super::ours;
use super::private::PRIVATE;
use crate::volume::real::RealVolume;
use crate::volume::{For, Opened, Volume};

/// Goes with the folder, and no program lists it.
const NAME: &str = "user.slipway.root";
/// In our private folder, where the folder itself cannot carry it.
const FILE: &str = "root";

/// A root's identity, given to it if it has none yet.
///
/// # Errors
/// When it can be kept neither on the folder nor in it.
pub fn identity(root: &Path, fresh: &str) -> io::Result<String> {
    identity_on(&real(), root, fresh)
}

/// A root's identity, if it has one.
///
/// # Errors
/// When it cannot be read.
pub fn known(root: &Path) -> io::Result<Option<String>> {
    known_on(&real(), root)
}

fn real() -> Arc<dyn Volume> {
    Arc::new(RealVolume)
}

pub(crate) fn identity_on(
    volume: &Arc<dyn Volume>,
    root: &Path,
    fresh: &str,
) -> io::Result<String> {
    if let Some(id) = known_on(volume, root)? {
        return Ok(id);
    }
    let top = volume.folder(root)?;
    // A file system without attributes keeps it in a file.
    if volume.set_attribute(root, NAME, fresh.as_bytes()).is_err() {
        let folder = ours::make(&**volume, &top, root, PRIVATE)?;
        // An empty one says nothing.
        volume.remove(&folder, OsStr::new(FILE)).ok();
        let file = volume.open(&folder, OsStr::new(FILE), For::Making)?;
        let mut file = Opened::new(Arc::clone(volume), file);
        file.write_all(fresh.as_bytes())?;
        file.make_durable()?;
        volume.make_durable(&volume.open(&folder, OsStr::new("."), For::Listing)?)?;
    }
    // Else a loss of power would make another replica of it. What it tells apart from edits is known by its base.
    volume.make_durable(&volume.open(&top, OsStr::new("."), For::Listing)?)?;
    Ok(fresh.to_owned())
}

fn known_on(volume: &Arc<dyn Volume>, root: &Path) -> io::Result<Option<String>> {
    let found = match volume.attribute(root, NAME) {
        Ok(value) => String::from_utf8(value).unwrap_or_default(),
        // A file in it may have come with it from a file system without attributes, of which it is a copy.
        Err(Errno::NODATA) => String::new(),
        Err(error) if has_none(error) => in_file(volume, root)?,
        // It may have one: as another replica it would know nothing of what was agreed on.
        Err(error) => return Err(error.into()),
    };
    Ok(Some(found).filter(|id| !id.is_empty()))
}

/// Whether this is the answer of a file system without attributes, or of one whose attributes are not for us.
fn has_none(error: Errno) -> bool {
    matches!(
        error,
        Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::RANGE
    )
}

fn in_file(volume: &Arc<dyn Volume>, root: &Path) -> io::Result<String> {
    let Some(folder) = ours::find(&**volume, &volume.folder(root)?, root, PRIVATE)? else {
        return Ok(String::new());
    };
    let file = match volume.open(&folder, OsStr::new(FILE), For::Reading) {
        Err(Errno::NOENT) => return Ok(String::new()),
        file => file?,
    };
    let mut id = String::new();
    Opened::new(Arc::clone(volume), file).read_to_string(&mut id)?;
    Ok(id.trim().to_owned())
}
