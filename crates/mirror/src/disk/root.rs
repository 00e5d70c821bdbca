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
/// Of an id; ours are shorter.
const ID_BYTES_MAX: usize = 128;
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

/// Whether two folders lie on one mount; false where the system does not tell.
#[must_use]
pub fn share_a_mount(one: &Path, other: &Path) -> bool {
    let mount = real().mount(one);
    mount.is_some() && mount == real().mount(other)
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
        Ok(value) => value,
        // A file in it may have come with it from a file system without attributes, of which it is a copy.
        Err(Errno::NODATA) => Vec::new(),
        Err(error) if has_none(error) => in_file(volume, root)?,
        // It may have one: as another replica it would know nothing of what was agreed on.
        Err(error) => return Err(error.into()),
    };
    Ok(id_in(&found))
}

/// What a root says of itself was maybe written by whoever made it, and is the name of a file of ours: anything that leads
/// elsewhere is none.
fn id_in(found: &[u8]) -> Option<String> {
    let id = std::str::from_utf8(found).ok()?.trim();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let is_id = (1..=ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(is_plain);
    is_id.then(|| id.to_owned())
}

/// Whether this is the answer of a file system without attributes, or of one whose attributes are not for us.
fn has_none(error: Errno) -> bool {
    matches!(
        error,
        Errno::OPNOTSUPP | Errno::NOSYS | Errno::PERM | Errno::ACCESS | Errno::RANGE
    )
}

fn in_file(volume: &Arc<dyn Volume>, root: &Path) -> io::Result<Vec<u8>> {
    let Some(folder) = ours::find(&**volume, &volume.folder(root)?, root, PRIVATE)? else {
        return Ok(Vec::new());
    };
    let file = match volume.open(&folder, OsStr::new(FILE), For::Reading) {
        Err(Errno::NOENT | Errno::LOOP) => return Ok(Vec::new()),
        file => file?,
    };
    let mut id = Vec::new();
    let file = Opened::new(Arc::clone(volume), file);
    // With what may stand around it.
    file.take(2 * ID_BYTES_MAX as u64).read_to_end(&mut id)?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::simulated::{Make, SimVolume};

    #[test]
    fn what_leads_elsewhere_is_no_id() {
        let long = "x".repeat(ID_BYTES_MAX + 1);
        for attributes in [true, false] {
            for prepared in ["../../../x", "", "a/b", "a.b", "\u{e4}", &long] {
                let volume = SimVolume::new(Make {
                    attributes,
                    ..Make::default()
                });
                volume.inner().make_all("/folder/.slipway").unwrap();
                let file = "/folder/.slipway/root";
                volume.inner().write(file, prepared.as_bytes()).unwrap();
                let shared: Arc<dyn Volume> = Arc::new(volume);
                let root = Path::new("/folder");
                shared.set_attribute(root, NAME, prepared.as_bytes()).ok();
                for fresh in ["fresh", "another"] {
                    let id = identity_on(&shared, root, fresh).unwrap();
                    assert_eq!(id, "fresh", "for {prepared:?}");
                }
            }
        }
    }
}
