//! Who a root is. A folder that was made anew is another replica, whose base says nothing: it can delete nothing.
use std::io;
use std::path::Path;

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
    let mut value = [0_u8; 128];
    match rustix::fs::getxattr(root, NAME, &mut value) {
        Ok(many) => {
            if let Ok(id) = std::str::from_utf8(&value[..many])
                && !id.is_empty()
            {
                return Ok(id.to_owned());
            }
        }
        Err(Errno::NODATA) => {}
        // A file system without attributes.
        Err(_) => return in_file(root, fresh),
    }
    match rustix::fs::setxattr(root, NAME, fresh.as_bytes(), XattrFlags::empty()) {
        Ok(()) => Ok(fresh.to_owned()),
        Err(_) => in_file(root, fresh),
    }
}

fn in_file(root: &Path, fresh: &str) -> io::Result<String> {
    let file = root.join(PRIVATE).join("root");
    match std::fs::read_to_string(&file) {
        Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        _ => {
            std::fs::create_dir_all(root.join(PRIVATE))?;
            std::fs::write(&file, fresh)?;
            Ok(fresh.to_owned())
        }
    }
}
