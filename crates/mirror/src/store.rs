//! A small database beside a folder: made anew when it is damaged, opened again after a failure.
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use redb::Database;

use crate::volume::{For, Handle, Volume};

/// Why what is stored cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("use what is stored beside the folder")]
pub struct StoreError(#[source] Box<redb::Error>);

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self(Box::new(error.into()))
    }
}

/// The database.
#[derive(Debug)]
pub(crate) struct Store {
    volume: Arc<dyn Volume>,
    folder: Handle,
    name: OsString,
    /// Closed after a failure: a database that failed once, as on a full disk, fails until it is opened again.
    open: Mutex<Option<Database>>,
}

impl Store {
    /// Opens one, or makes an empty one. One that cannot be read is replaced.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(crate) fn open(
        volume: &Arc<dyn Volume>,
        folder: &Path,
        name: &str,
    ) -> Result<Self, StoreError> {
        let name = OsString::from(name);
        let open_folder = || volume.folder(folder).map_err(io::Error::from);
        let folder = open_folder().map_err(redb::StorageError::Io)?;
        let database = match volume.database(&folder, &name) {
            Err(redb::DatabaseError::Storage(error)) if is_damage(&error) => {
                tracing::warn!(%error, ?name, "What is stored beside the folder is damaged and is made anew");
                volume.remove(&folder, &name).ok();
                volume.database(&folder, &name)?
            }
            database => database?,
        };
        // A loss of power must not take its name.
        let names = || volume.make_durable(&volume.open(&folder, OsStr::new("."), For::Listing)?);
        names().map_err(|error| redb::StorageError::Io(error.into()))?;
        Ok(Self {
            volume: Arc::clone(volume),
            folder,
            name,
            open: Mutex::new(Some(database)),
        })
    }

    /// Does something with the database, which is closed if that fails.
    pub(crate) fn with<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let database = match open.take() {
            Some(database) => database,
            None => self.volume.database(&self.folder, &self.name)?,
        };
        let done = work(&database);
        *open = done.is_ok().then_some(database);
        done
    }
}

/// Damage, as told from a disk that is full or a database that somebody else holds.
fn is_damage(error: &redb::StorageError) -> bool {
    match error {
        redb::StorageError::Corrupted(_) => true,
        redb::StorageError::Io(error) => error.kind() == io::ErrorKind::InvalidData,
        _ => false,
    }
}
