//! What this replica and the hub last agreed on, on disk. It may lag the files, never lead them.
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use slipway_proto::v1::Moment;
use slipway_sync::node::Node;

use crate::store::{Store, StoreError};
use crate::volume::Volume;

const NODES: TableDefinition<&str, &[u8]> = TableDefinition::new("nodes");
/// What else outlives a restart: by a key that says what it is.
const RECORDS: TableDefinition<&str, &[u8]> = TableDefinition::new("records");
const META: TableDefinition<&str, &str> = TableDefinition::new("meta");

/// The stored base. One that was damaged is made anew: equal files are adopted, nothing is deleted for want of it.
#[derive(Debug)]
pub struct Base {
    store: Store,
}

/// Everything that a base holds.
#[derive(Debug, Default)]
pub struct Agreed {
    /// What stands where.
    pub nodes: BTreeMap<RelPath, Node>,
    /// The hub's epoch; empty before the first agreement.
    pub epoch: String,
    /// The revision up to which all is agreed on.
    pub revision: u64,
    /// The newest revision that the hub was ever seen at.
    pub seen: u64,
    /// The newest of which it told when it was made.
    pub moment: Option<Moment>,
    /// The start of the computer during which an engine ran that was not stopped; empty: there is none.
    pub boot: String,
}

/// What a base holds besides nodes.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// The hub's epoch.
    pub epoch: &'a str,
    /// The revision up to which all is agreed on.
    pub revision: u64,
    /// The newest revision that the hub was ever seen at.
    pub seen: u64,
    /// The newest of which it told when it was made.
    pub moment: Option<Moment>,
    /// The start of the computer, or nothing when the engine stops.
    pub boot: &'a str,
}

impl Base {
    /// Opens the base of a replica, or makes an empty one. One that cannot be read is replaced.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn open(volume: &Arc<dyn Volume>, folder: &Path, name: &str) -> Result<Self, StoreError> {
        let store = Store::open(volume, folder, name)?;
        Ok(Self { store })
    }

    /// Reads all of it.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn read(&self) -> Result<Agreed, StoreError> {
        self.store.with(read)
    }

    /// Records whose keys begin so, in the order of their keys.
    ///
    /// # Errors
    /// When the store is damaged.
    pub fn records(&self, begin: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.store.with(|database| {
            let transaction = database.begin_read()?;
            let mut found = Vec::new();
            if let Ok(records) = transaction.open_table(RECORDS) {
                for row in records.range(begin..)? {
                    let (key, bytes) = row?;
                    if !key.value().starts_with(begin) {
                        break;
                    }
                    found.push((key.value().to_owned(), bytes.value().to_owned()));
                }
            }
            Ok(found)
        })
    }

    /// One record.
    ///
    /// # Errors
    /// When the store is damaged.
    pub fn record(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.store.with(|database| {
            let transaction = database.begin_read()?;
            let Ok(records) = transaction.open_table(RECORDS) else {
                return Ok(None);
            };
            Ok(records.get(key)?.map(|bytes| bytes.value().to_owned()))
        })
    }

    /// Stores what changed, in one transaction.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn write<'a>(
        &self,
        changed: impl Iterator<Item = (&'a RelPath, Option<&'a Node>)>,
        records: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
        meta: Meta<'_>,
    ) -> Result<(), StoreError> {
        self.store.with(|database| {
            let transaction = database.begin_write()?;
            {
                let mut nodes = transaction.open_table(NODES)?;
                for (path, node) in changed {
                    match node {
                        Some(node) => drop(nodes.insert(path.as_str(), encode(node).as_slice())?),
                        None => drop(nodes.remove(path.as_str())?),
                    }
                }
                let mut table = transaction.open_table(META)?;
                table.insert("epoch", meta.epoch)?;
                table.insert("revision", meta.revision.to_string().as_str())?;
                table.insert("seen", meta.seen.to_string().as_str())?;
                table.insert("boot", meta.boot)?;
                let Moment { revision, made } = meta.moment.unwrap_or_default();
                table.insert("moment", format!("{revision} {made}").as_str())?;
                let mut kept = transaction.open_table(RECORDS)?;
                for (key, bytes) in records {
                    match bytes {
                        Some(bytes) => drop(kept.insert(key, bytes)?),
                        None => drop(kept.remove(key)?),
                    }
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }
}

fn read(database: &Database) -> Result<Agreed, StoreError> {
    let transaction = database.begin_read()?;
    let mut agreed = Agreed::default();
    if let Ok(meta) = transaction.open_table(META) {
        let text = |name| -> Result<String, redb::StorageError> {
            let value = meta.get(name)?;
            Ok(value
                .map(|value| value.value().to_owned())
                .unwrap_or_default())
        };
        (agreed.epoch, agreed.boot) = (text("epoch")?, text("boot")?);
        agreed.revision = text("revision")?.parse().unwrap_or(0);
        agreed.seen = text("seen")?.parse().unwrap_or(0);
        agreed.moment = moment(&text("moment")?);
    }
    if let Ok(nodes) = transaction.open_table(NODES) {
        for row in nodes.iter()? {
            let (path, node) = row?;
            if let (Ok(path), Some(node)) = (RelPath::parse(path.value()), decode(node.value())) {
                agreed.nodes.insert(path, node);
            }
        }
    }
    Ok(agreed)
}

fn moment(text: &str) -> Option<Moment> {
    let (revision, made) = text.split_once(' ')?;
    let (revision, made) = (revision.parse().ok()?, made.parse().ok()?);
    (made > 0).then_some(Moment { revision, made })
}

pub(crate) fn encode(node: &Node) -> Vec<u8> {
    match node {
        Node::File {
            hash,
            size,
            executable,
        } => [
            &[1, u8::from(*executable)],
            hash.as_bytes().as_slice(),
            &size.to_le_bytes(),
        ]
        .concat(),
        Node::Folder => vec![2],
        Node::Symlink { target } => [&[3], target.as_bytes()].concat(),
    }
}

pub(crate) fn decode(bytes: &[u8]) -> Option<Node> {
    match bytes.split_first()? {
        (1, rest) => {
            let (executable, rest) = rest.split_first()?;
            let (hash, size) = rest.split_at_checked(32)?;
            Some(Node::File {
                hash: ContentHash::try_from(hash).ok()?,
                size: u64::from_le_bytes(size.try_into().ok()?),
                executable: *executable == 1,
            })
        }
        (2, _) => Some(Node::Folder),
        (3, target) => Some(Node::Symlink {
            target: String::from_utf8(target.to_vec()).ok()?,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::real::RealVolume;
    use crate::volume::simulated::{Make, SimVolume};

    const fn meta(revision: u64) -> Meta<'static> {
        Meta {
            epoch: "e1",
            revision,
            seen: revision,
            moment: Some(Moment {
                revision,
                made: 1_000 + revision,
            }),
            boot: "b1",
        }
    }

    fn base(folder: &tempfile::TempDir) -> Base {
        let volume: Arc<dyn Volume> = Arc::new(RealVolume);
        Base::open(&volume, folder.path(), "base").unwrap()
    }

    #[test]
    fn what_was_written_is_read_again_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = |text| RelPath::parse(text).unwrap();
        let file = Node::File {
            hash: ContentHash::of(b"x"),
            size: 1,
            executable: true,
        };
        let link = Node::Symlink { target: "a".into() };
        let base = base(&folder);
        base.write(
            [
                (&path("a"), Some(&file)),
                (&path("d"), Some(&Node::Folder)),
                (&path("l"), Some(&link)),
            ]
            .into_iter(),
            [("r/1", Some(b"one".as_slice())), ("s/1", Some(b"other"))].into_iter(),
            meta(7),
        )
        .unwrap();
        let gone = path("d");
        let gone = [(&gone, None)].into_iter();
        base.write(gone, std::iter::empty(), meta(8)).unwrap();
        drop(base);
        let agreed = self::base(&folder).read().unwrap();
        assert_eq!((agreed.epoch.as_str(), agreed.revision), ("e1", 8));
        assert_eq!((agreed.boot.as_str(), agreed.seen), ("b1", 8));
        assert_eq!(agreed.moment.map(|known| known.made), Some(1_008));
        assert_eq!(
            agreed.nodes.into_iter().collect::<Vec<_>>(),
            [(path("a"), file), (path("l"), link)]
        );
        let base = self::base(&folder);
        let records = base.records("r/").unwrap();
        assert_eq!(records, [("r/1".to_owned(), b"one".to_vec())]);
        assert_eq!(base.record("s/1").unwrap().as_deref(), Some(&b"other"[..]));
    }

    #[test]
    fn a_damaged_base_is_made_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("base"), b"not a database").unwrap();
        assert!(base(&folder).read().unwrap().nodes.is_empty());
    }

    #[test]
    fn a_base_that_found_no_room_is_stored_when_there_is_some() {
        let volume = SimVolume::new(Make::default());
        let shared: Arc<dyn Volume> = Arc::new(volume.clone());
        let base = Base::open(&shared, Path::new("/"), "base").unwrap();
        let path = RelPath::parse("d").unwrap();
        let store = || {
            base.write(
                [(&path, Some(&Node::Folder))].into_iter(),
                std::iter::empty(),
                meta(1),
            )
        };
        volume.inner().full = true;
        store().unwrap_err();
        volume.inner().full = false;
        store().unwrap();
        assert_eq!(base.read().unwrap().nodes.len(), 1);
    }
}
