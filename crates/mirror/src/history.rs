//! Versions of files that are kept on this computer: what a person goes back to where no server is, and what lay between
//! two versions of a server. Like a server's history it is by path and goes on through moves; unlike that it has narrow
//! bounds, and begins with the first change that is noted.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
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
    store: Mutex<Option<Store>>,
    /// Held for moments only.
    kept: Mutex<Option<Kept>>,
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
        let mut open = lock(&self.store);
        let store = match open.take() {
            Some(store) => store,
            None => {
                let volume: Arc<dyn Volume> = Arc::new(RealVolume);
                let store = Store::open(&volume, &self.state, NAME)?;
                *lock(&self.kept) = Some(Kept::from_stored(store.with(read)?));
                store
            }
        };
        let done = work(&store);
        match &done {
            Ok(_) => *open = Some(store),
            Err(error) => {
                tracing::warn!(%error, "Versions of files are not kept on this computer");
                *lock(&self.kept) = None;
            }
        }
        done
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
        self.stored(|store| {
            let fresh = lock(&self.kept).as_mut().map(Kept::fresh);
            match fresh.filter(|fresh| !fresh.versions.is_empty()) {
                Some(fresh) => store.with(|database| write(database, &fresh)),
                None => Ok(()),
            }
        })
    }

    /// Lets go of what is stored, for whoever opens it next.
    pub fn close(&self) {
        *lock(&self.store) = None;
        *lock(&self.kept) = None;
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

fn read(database: &Database) -> Result<Vec<Version>, StoreError> {
    let transaction = database.begin_read()?;
    let mut versions = Vec::new();
    if let Ok(table) = transaction.open_table(VERSIONS) {
        for row in table.iter()? {
            // One that a later program wrote in another way is none for this one.
            versions.extend(serde_json::from_slice::<Version>(row?.1.value()).ok());
        }
    }
    Ok(versions)
}

fn read_content(database: &Database, hash: ContentHash) -> Result<Option<Vec<u8>>, StoreError> {
    let transaction = database.begin_read()?;
    let Ok(table) = transaction.open_table(CONTENTS) else {
        return Ok(None);
    };
    let found = table.get(hash.as_bytes().as_slice())?;
    Ok(found.map(|packed| packed.value().to_owned()))
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
