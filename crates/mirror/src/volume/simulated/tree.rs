//! Names of a simulated volume: a tree that changes by entries of a journal, so that the same entries make the tree in
//! memory and the one on the disk, which lags.
use std::collections::BTreeMap;

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use rustix::io::Errno;
use slipway_core::path::fold;

use crate::volume::Kind;

/// Who something is; never given twice, unlike its inode number.
pub(super) type Id = u64;

/// The root of a volume.
pub(super) const TOP: Id = 0;

/// How a volume takes names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// Byte by byte, as Linux does.
    #[default]
    Exact,
    /// `a` and `A` are one name; it keeps the spelling that it was made with.
    Insensitive,
    /// It keeps names decomposed, and finds them in either form.
    Decomposed,
}

impl Spelling {
    fn key(self, name: &str) -> String {
        match self {
            Self::Exact => name.to_owned(),
            Self::Insensitive => fold(name),
            Self::Decomposed => {
                let nfc = ComposingNormalizerBorrowed::new_nfc();
                nfc.normalize(name).into_owned()
            }
        }
    }
    fn stored(self, name: &str) -> String {
        match self {
            Self::Exact | Self::Insensitive => name.to_owned(),
            Self::Decomposed => {
                let nfd = DecomposingNormalizerBorrowed::new_nfd();
                nfd.normalize(name).into_owned()
            }
        }
    }
}

/// What something is.
#[derive(Clone, Debug)]
pub(super) enum What {
    File,
    /// By its key: the name as it is kept, and what stands there.
    Folder(BTreeMap<String, (String, Id)>),
    Link(String),
    Pipe,
}

impl What {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::File => Kind::File,
            Self::Folder(_) => Kind::Folder,
            Self::Link(_) => Kind::Link,
            Self::Pipe => Kind::Other,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) what: What,
    pub(super) inode: u64,
    pub(super) mode: u32,
    pub(super) attributes: BTreeMap<String, Vec<u8>>,
    /// Names that it has; at 0 it lives on as long as it is open.
    pub(super) links: u64,
}

/// A place for a name.
pub(super) type Place = (Id, String);

/// An entry of the journal; each is on the disk whole or not at all.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Make(Place, Id, Node),
    Link(Place, Id),
    Unlink(Place),
    Move(Place, Place),
    Exchange(Place, Place),
    Mode(Id, u32),
    Attribute(Id, String, Vec<u8>),
}

impl Change {
    /// Folders whose names it changes, or what it changes itself.
    pub(super) fn concerned(&self) -> Vec<Id> {
        match self {
            Self::Make(place, ..) | Self::Link(place, _) | Self::Unlink(place) => vec![place.0],
            Self::Move(one, other) | Self::Exchange(one, other) => vec![one.0, other.0],
            Self::Mode(id, _) | Self::Attribute(id, ..) => vec![*id],
        }
    }
}

/// All names.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    pub(super) nodes: BTreeMap<Id, Node>,
    pub(super) spelling: Spelling,
}

impl Tree {
    pub(super) fn new(spelling: Spelling) -> Self {
        let top = Node {
            what: What::Folder(BTreeMap::new()),
            inode: 1,
            mode: 0o755,
            attributes: BTreeMap::new(),
            links: 1,
        };
        Self {
            nodes: BTreeMap::from([(TOP, top)]),
            spelling,
        }
    }

    pub(super) fn node(&self, id: Id) -> Result<&Node, Errno> {
        self.nodes.get(&id).ok_or(Errno::NOENT)
    }

    /// Names in a folder.
    pub(super) fn names(&self, folder: Id) -> Result<&BTreeMap<String, (String, Id)>, Errno> {
        match &self.node(folder)?.what {
            What::Folder(names) => Ok(names),
            _ => Err(Errno::NOTDIR),
        }
    }

    pub(super) fn find(&self, folder: Id, name: &str) -> Result<Id, Errno> {
        let found = self.names(folder)?.get(&self.spelling.key(name));
        found.map(|(_, id)| *id).ok_or(Errno::NOENT)
    }

    /// The name under which something is kept.
    pub(super) fn kept(&self, folder: Id, name: &str) -> Option<String> {
        let found = self.names(folder).ok()?.get(&self.spelling.key(name));
        found.map(|(kept, _)| kept.clone())
    }

    /// Whether a file has a name that is not one of a content on its way in.
    pub(super) fn is_kept(&self, id: Id) -> bool {
        let is_named = self.node(id).is_ok_and(|node| node.links > 0);
        let folders = self.nodes.values().filter_map(|node| match &node.what {
            What::Folder(names) => Some(names),
            _ => None,
        });
        let mut names = folders.flat_map(BTreeMap::values);
        is_named && names.any(|(name, there)| *there == id && !name.starts_with("n-"))
    }

    /// Takes an entry of the journal.
    pub(super) fn apply(&mut self, change: &Change) {
        match change {
            Change::Make(place, id, node) => {
                self.nodes.insert(*id, node.clone());
                self.put(place, *id);
            }
            Change::Link(place, id) => self.put(place, *id),
            Change::Unlink(place) => {
                self.take(place);
            }
            Change::Move(from, to) => {
                let Some(id) = self.take(from) else { return };
                self.take(to);
                self.put(to, id);
            }
            Change::Exchange(one, other) => {
                // Names stay as they are; what they name changes places.
                let [kept_one, kept_other] = [one, other].map(|(folder, name)| {
                    let kept = self.kept(*folder, name);
                    (*folder, kept.unwrap_or_else(|| name.clone()))
                });
                let (Some(a), Some(b)) = (self.take(one), self.take(other)) else {
                    return;
                };
                self.put(&kept_one, b);
                self.put(&kept_other, a);
            }
            Change::Mode(id, mode) => {
                if let Some(node) = self.nodes.get_mut(id) {
                    node.mode = *mode;
                }
            }
            Change::Attribute(id, name, value) => {
                if let Some(node) = self.nodes.get_mut(id) {
                    node.attributes.insert(name.clone(), value.clone());
                }
            }
        }
    }

    fn put(&mut self, (folder, name): &Place, id: Id) {
        let (key, stored) = (self.spelling.key(name), self.spelling.stored(name));
        if let Some(What::Folder(names)) = self.nodes.get_mut(folder).map(|node| &mut node.what) {
            names.insert(key, (stored, id));
        }
        if let Some(node) = self.nodes.get_mut(&id) {
            node.links += 1;
        }
    }

    fn take(&mut self, (folder, name): &Place) -> Option<Id> {
        let key = self.spelling.key(name);
        let What::Folder(names) = &mut self.nodes.get_mut(folder)?.what else {
            return None;
        };
        let (_, id) = names.remove(&key)?;
        self.nodes.get_mut(&id)?.links -= 1;
        Some(id)
    }

    /// Whether a folder lies in another, or is it.
    pub(super) fn is_in(&self, inner: Id, outer: Id) -> bool {
        let inside = |id: &Id| self.is_in(inner, *id);
        inner == outer
            || self
                .names(outer)
                .is_ok_and(|names| names.values().any(|(_, id)| inside(id)))
    }

    /// Everything below a folder by its path, folders before what is in them.
    pub(super) fn below(&self, folder: Id, prefix: &str, all: &mut Vec<(String, Id)>) {
        for (name, id) in self.names(folder).into_iter().flat_map(BTreeMap::values) {
            let path = match prefix {
                "" => name.clone(),
                prefix => format!("{prefix}/{name}"),
            };
            all.push((path.clone(), *id));
            self.below(*id, &path, all);
        }
    }
}
