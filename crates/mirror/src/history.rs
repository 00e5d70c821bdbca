//! Versions of files that are kept on this computer: what a person goes back to where no server is, and what lay between
//! two versions of a server. Like a server's history it is by path and goes on through moves; unlike that it has narrow
//! bounds, and begins with the first change that is noted.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition, TableError};
use serde::{Deserialize, Serialize};
use slipway_core::hash::ContentHash;
use slipway_core::limits::MIB;
use slipway_core::path::RelPath;

use kept::{Fresh, Kept};

use crate::local::{By, Content};
use crate::store::{Store, StoreError};
use crate::volume::Volume;
use crate::volume::real::RealVolume;

/// A file that is larger has no versions here.
pub const FILE_BYTES_MAX: u64 = 2 * MIB;
const NAME: &str = "history";
const VERSIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("versions");
const CONTENTS: TableDefinition<&[u8], &[u8]> = TableDefinition::new("contents");

/// What became of a file at one time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// Later ones have greater numbers.
    pub number: u64,
    /// What it was called then.
    pub path: RelPath,
    /// What stood there since; `None`: nothing.
    pub file: Option<Held>,
    /// Where it came from, if it was moved.
    pub from: Option<RelPath>,
    /// Who did it.
    pub by: By,
    /// When.
    pub at: SystemTime,
}

/// A content that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its hash.
    pub hash: ContentHash,
    /// Bytes.
    pub size: u64,
    /// Whether it might be executed.
    pub executable: bool,
    /// Bytes that it takes here.
    packed: u64,
}

/// Something to be noted.
#[derive(Clone, Debug)]
pub struct Change {
    /// Where.
    pub path: RelPath,
    /// What stands there since; `None`: nothing.
    pub content: Option<Content>,
    /// Where it came from, if it was moved.
    pub from: Option<RelPath>,
    /// Who did it.
    pub by: By,
    /// When.
    pub at: SystemTime,
}

/// The versions of a folder's files. They are read when somebody first asks, and anew after a failure.
#[derive(Debug)]
pub struct History {
    state: PathBuf,
    /// Held while something is stored, which takes as long as a disk does.
    store: Mutex<Door>,
    /// Held for moments only.
    kept: Mutex<Option<Kept>>,
}

/// Where versions are stored.
#[derive(Debug, Default)]
enum Door {
    /// Not opened yet, or not any more after a failure.
    #[default]
    Shut,
    Open(Store),
    /// Somebody else may open it from now on.
    Left,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl History {
    /// That of a folder whose state lies here.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self {
            state: state.to_owned(),
            store: Mutex::default(),
            kept: Mutex::default(),
        }
    }

    fn stored<T>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.stored_at(&mut lock(&self.store), work)
    }

    fn stored_at<T>(
        &self,
        door: &mut Door,
        work: impl FnOnce(&Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.opened(door).and_then(work);
        if let Err(error) = &done {
            tracing::warn!(%error, "Versions of files are not kept on this computer");
            *lock(&self.kept) = None;
            if !matches!(door, Door::Left) {
                *door = Door::Shut;
            }
        }
        done
    }

    fn opened<'a>(&self, door: &'a mut Door) -> Result<&'a Store, StoreError> {
        if matches!(door, Door::Shut) {
            let volume: Arc<dyn Volume> = Arc::new(RealVolume);
            let store = Store::open(&volume, &self.state, NAME)?;
            *lock(&self.kept) = Some(store.with(read)?);
            *door = Door::Open(store);
        }
        match door {
            Door::Open(store) => Ok(store),
            Door::Shut | Door::Left => Err(redb::StorageError::DatabaseClosed.into()),
        }
    }

    fn kept<T>(&self, work: impl FnOnce(&mut Kept) -> T) -> Result<T, StoreError> {
        if let Some(kept) = lock(&self.kept).as_mut() {
            return Ok(work(kept));
        }
        self.stored(|_| Ok(work(lock(&self.kept).get_or_insert_default())))
    }

    /// Notes changes, in their order. What says nothing new, or is too large, is passed over.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn note(&self, changes: Vec<Change>) -> Result<(), StoreError> {
        self.kept(|kept| {
            for change in changes {
                kept.note(change);
            }
            kept.too_many();
        })
    }

    /// Stores what was noted.
    ///
    /// # Errors
    /// When the disk is full. What was noted since the last time is forgotten.
    pub fn store(&self) -> Result<(), StoreError> {
        self.stored(|store| self.store_in(store))
    }

    fn store_in(&self, store: &Store) -> Result<(), StoreError> {
        let fresh = lock(&self.kept).as_mut().map(Kept::fresh);
        match fresh.filter(|fresh| !fresh.versions.is_empty()) {
            Some(fresh) => store.with(|database| write(database, &fresh)),
            None => Ok(()),
        }
    }

    /// Stores what was noted and lets go of it, for whoever opens it next: this one does not any more.
    ///
    /// # Errors
    /// As [`Self::store`].
    pub fn close(&self) -> Result<(), StoreError> {
        let mut door = lock(&self.store);
        let done = match *door {
            Door::Open(_) => self.stored_at(&mut door, |store| self.store_in(store)),
            Door::Shut | Door::Left => Ok(()),
        };
        *door = Door::Left;
        done
    }

    /// The content of the newest version of a path; `None` when it has none, or was deleted.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn newest(&self, path: &RelPath) -> Result<Option<ContentHash>, StoreError> {
        self.kept(|kept| Some(kept.newest(path)?.file?.hash))
    }

    /// Those of these paths that have versions.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn knows(&self, paths: &[RelPath]) -> Result<BTreeSet<RelPath>, StoreError> {
        self.kept(|kept| {
            let paths = paths.iter().cloned();
            paths.filter(|path| kept.paths.contains_key(path)).collect()
        })
    }

    /// The versions of a file, the newest first, also those under names that it had before.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn versions(&self, path: &RelPath) -> Result<Vec<Version>, StoreError> {
        self.kept(|kept| kept.of(path))
    }

    /// The content of a version; `None` when it has none, or is not kept any more.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn content(&self, number: u64) -> Result<Option<Bytes>, StoreError> {
        let found = self.kept(|kept| {
            let held = kept.versions.get(&number)?.file?;
            let fresh = kept.fresh.contents.get(&held.hash).cloned();
            Some((held, fresh.flatten()))
        })?;
        let Some((Held { hash, size, .. }, fresh)) = found else {
            return Ok(None);
        };
        let packed = match fresh {
            Some(packed) => Some(packed),
            None => self.stored(|store| store.with(|database| read_content(database, hash)))?,
        };
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let content = packed.and_then(|packed| zstd::bulk::decompress(&packed, size).ok());
        let content = content.filter(|content| ContentHash::of(content) == hash);
        Ok(content.map(Bytes::from))
    }
}

fn read(database: &Database) -> Result<Kept, StoreError> {
    let transaction = database.begin_read()?;
    let mut kept = Kept::default();
    if let Some(table) = found(transaction.open_table(VERSIONS))? {
        for row in table.iter()? {
            let (number, version) = row?;
            // One that a later program wrote in another way is none for this one.
            let version = serde_json::from_slice::<Version>(version.value());
            kept.read(number.value(), version.ok());
        }
    }
    Ok(kept)
}

fn read_content(database: &Database, hash: ContentHash) -> Result<Option<Vec<u8>>, StoreError> {
    let transaction = database.begin_read()?;
    let Some(table) = found(transaction.open_table(CONTENTS))? else {
        return Ok(None);
    };
    let found = table.get(hash.as_bytes().as_slice())?;
    Ok(found.map(|packed| packed.value().to_owned()))
}

/// A table, if there is one yet.
fn found<T>(table: Result<T, TableError>) -> Result<Option<T>, StoreError> {
    match table {
        Ok(table) => Ok(Some(table)),
        Err(TableError::TableDoesNotExist(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn write(database: &Database, fresh: &Fresh) -> Result<(), StoreError> {
    let transaction = database.begin_write()?;
    {
        let mut table = transaction.open_table(VERSIONS)?;
        for (number, version) in &fresh.versions {
            match version {
                Some(version) => drop(table.insert(number, version.as_slice())?),
                None => drop(table.remove(number)?),
            }
        }
        let mut table = transaction.open_table(CONTENTS)?;
        for (hash, packed) in &fresh.contents {
            let hash = hash.as_bytes().as_slice();
            match packed {
                Some(packed) => drop(table.insert(hash, packed.as_slice())?),
                None => drop(table.remove(hash)?),
            }
        }
    }
    transaction.commit()?;
    Ok(())
}

mod kept;
#[cfg(test)]
mod tests;
