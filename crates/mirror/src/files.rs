//! Reads a folder's files beside its engine, so that no large file holds up anything else.
use slipway_core::hash::ContentHash;
use slipway_core::limits::FILE_BYTES_MAX;
use slipway_core::path::RelPath;

use crate::disk::{Root, Seen};
use crate::local::{Content, LocalError};

/// A file that changes while it is read is read again so often; a log that is written all the time is told as such.
const TRIES: usize = 5;

/// A way to read a folder's files; cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    root: Root,
}

impl Files {
    pub(crate) const fn new(root: Root) -> Self {
        Self { root }
    }

    /// Reads a file as it stands at one instant, through no link.
    ///
    /// # Errors
    /// When none stands there, it is too large, or the disk refuses.
    pub async fn read(&self, path: &RelPath) -> Result<Content, LocalError> {
        self.read_within(path, FILE_BYTES_MAX).await
    }

    /// The same of a file that has no more bytes than this.
    ///
    /// # Errors
    /// The same.
    pub async fn read_within(&self, path: &RelPath, max: u64) -> Result<Content, LocalError> {
        let (root, path) = (self.root.clone(), path.clone());
        let read = tokio::task::spawn_blocking(move || read_up_to(&root, &path, max));
        // The runtime is ending.
        read.await.unwrap_or(Err(LocalError::Ended))
    }
}

pub(crate) fn read(root: &Root, path: &RelPath) -> Result<Content, LocalError> {
    read_up_to(root, path, FILE_BYTES_MAX)
}

fn read_up_to(root: &Root, path: &RelPath, max: u64) -> Result<Content, LocalError> {
    for _ in 0..TRIES {
        match root.look(path).map_err(|error| LocalError::from(&error))? {
            None => return Err(LocalError::NotFound),
            Some(Seen::File(print)) if print.size() > max => {
                return Err(LocalError::TooLarge);
            }
            Some(Seen::File(_)) => {}
            Some(Seen::Folder | Seen::Symlink(_) | Seen::Other) => return Err(LocalError::NotFile),
        }
        match root.content(path, max) {
            Ok(Some((bytes, print))) => {
                let hash = ContentHash::of(&bytes);
                let executable = print.executable();
                return Ok(Content {
                    bytes,
                    hash,
                    executable,
                });
            }
            // It changed meanwhile, or another took its name.
            Ok(None) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(LocalError::from(&error)),
        }
    }
    Err(LocalError::Busy)
}
