//! Takes note of what the watcher told of: which paths are to be looked at.
use std::path::{Path, PathBuf};

use slipway_core::limits::BLOB_INLINE_BYTES_MAX;
use slipway_core::path::RelPath;
use slipway_sync::node::Node;

use super::odd;
use super::state::State;
use crate::disk::{Looks, Seen};
use crate::watch::Touch;

impl State {
    /// Notes paths that something happened to.
    pub(super) fn mark(&mut self, paths: impl IntoIterator<Item = (PathBuf, Touch)>) {
        let mut looks = self.disk.root().looks();
        for (path, touch) in paths {
            let Ok(relative) = path.strip_prefix(self.disk.path()) else {
                continue;
            };
            if touch == Touch::Name && self.is_as_named(&path, relative, &mut looks) {
                continue;
            }
            // The root itself is nobody's path.
            let (Some(above), Some(name)) = (relative.parent(), relative.file_name()) else {
                continue;
            };
            let folder = above.to_str().and_then(|above| RelPath::parse(above).ok());
            if folder.is_none() && above != Path::new("") {
                // Below an odd name, which is told of alone.
                continue;
            }
            let path = odd::path_of(folder.as_ref(), name);
            if !matches!(path, Some((_, true))) {
                self.look_for_odd_names(folder.as_ref());
            }
            self.sight.dirty.extend(path.map(|(path, _)| path));
        }
    }

    /// Whether what got a name is what this side knows at it, as when it put that there: there is nothing to look at. A write
    /// would have been told, and one that was not is found by the next look at everything, to which its stamps say nothing.
    fn is_as_named(&self, whole: &Path, relative: &Path, looks: &mut Looks) -> bool {
        let known = relative
            .to_str()
            .and_then(|path| self.trees.local.get_key_value(path));
        match known {
            Some((path, _)) if self.sight.is_unseen(path) => false,
            Some((_, Node::Folder)) => self.watch.has(whole),
            // A large one is read before it is replaced.
            Some((path, Node::File { size, .. })) if *size <= BLOB_INLINE_BYTES_MAX => {
                let print = self.sight.prints.get(path).map(|known| known.print);
                matches!(looks.at(path), Ok(Some(Seen::File(found))) if Some(found) == print)
            }
            _ => false,
        }
    }
}
