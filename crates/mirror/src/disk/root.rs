//! Who a root is. A folder that was made anew is another replica, whose base says nothing: it can delete nothing.
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::XattrFlags;
use rustix::io::Errno;

use super::private::PRIVATE;

/// Goes with the folder, and no program lists it.
const NAME: &str = "user.slipway.root";

/// A root's identity, given to it if it has none yet.
///
/// # Errors
/// When it can be kept neither on the folder nor in it.
pub fn identity(root: &Path, fresh: &str) -> io::Result<String> {
    if let Some(id) = known(root)? {
        return Ok(id);
    }
    match rustix::fs::setxattr(root, NAME, fresh.as_bytes(), XattrFlags::empty()) {
        Ok(()) => Ok(fresh.to_owned()),
        // A file system without attributes.
        Err(_) => {
            std::fs::create_dir_all(root.join(PRIVATE))?;
            std::fs::write(in_file(root), fresh)?;
            Ok(fresh.to_owned())
        }
    }
}

/// A root's identity, if it has one.
///
/// # Errors
/// When it cannot be read.
pub fn known(root: &Path) -> io::Result<Option<String>> {
    let mut value = [0_u8; 128];
    let found = match rustix::fs::getxattr(root, NAME, &mut value) {
        Ok(many) => std::str::from_utf8(&value[..many])
            .unwrap_or_default()
            .to_owned(),
        // A file in it may have come with it from a file system without attributes, of which it is a copy.
        Err(Errno::NODATA) => String::new(),
        Err(_) => match std::fs::read_to_string(in_file(root)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            found => found?.trim().to_owned(),
        },
    };
    Ok(Some(found).filter(|id| !id.is_empty()))
}

/// Where it is kept when the folder itself cannot carry it.
fn in_file(root: &Path) -> PathBuf {
    root.join(PRIVATE).join("root")
}
