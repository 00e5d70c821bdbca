//! Names that no hub takes: what they name stays on this disk, untouched, and a person is told.
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use slipway_core::path::RelPath;
use slipway_sync::node::Node;

use super::state::State;
use crate::disk::private::PRIVATE;
use crate::notice::Notice;

/// The path of a name in a folder, the root for `None`, and whether it is spelled so.
pub(super) fn path_of(folder: Option<&RelPath>, name: &OsStr) -> Option<(RelPath, bool)> {
    let name = name.to_str()?;
    let whole = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
    let path = RelPath::parse(&whole).ok()?;
    let is_spelled_so = path.as_str() == whole;
    Some((path, is_spelled_so))
}

/// All such names, by the folder that they stand in.
#[derive(Debug, Default)]
pub(super) struct OddNames {
    names: BTreeMap<Option<RelPath>, BTreeSet<OsString>>,
    untold: Vec<String>,
}

impl OddNames {
    /// All that a folder has of them.
    pub(super) fn stand_in(&mut self, folder: Option<&RelPath>, names: BTreeSet<OsString>) {
        let key = folder.cloned();
        let known = self.names.remove(&key).unwrap_or_default();
        let fresh = names.difference(&known).map(|name| spelled(folder, name));
        self.untold.extend(fresh);
        if !names.is_empty() {
            self.names.insert(key, names);
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.values().map(BTreeSet::len).sum()
    }

    /// Them as paths that can be read; what cannot be shown is written as an escape.
    pub(super) fn spelled(&self) -> impl Iterator<Item = String> {
        self.names
            .iter()
            .flat_map(|(folder, names)| names.iter().map(|name| spelled(folder.as_ref(), name)))
    }
}

fn spelled(folder: Option<&RelPath>, name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let name = name.escape_debug();
    folder.map_or_else(|| name.to_string(), |folder| format!("{folder}/{name}"))
}

impl State {
    /// The path of a name that stands in a folder. One in another form than ours is odd, unless it is the volume that keeps
    /// names so, and finds them by ours as well; it is not odd either while the system does not tell.
    pub(super) fn path_here(&self, folder: Option<&RelPath>, name: &OsStr) -> Option<RelPath> {
        let (path, is_spelled_so) = path_of(folder, name)?;
        let is_missing = || matches!(self.disk.root().look(&path), Ok(None));
        (is_spelled_so || !is_missing()).then_some(path)
    }

    /// Looks which names of a folder are none for a hub.
    pub(super) fn look_for_odd_names(&mut self, folder: Option<&RelPath>) {
        // A folder that cannot be read is told of where it is looked at.
        if let Ok(names) = self.disk.root().list(folder) {
            self.odd_among(folder, &names);
        }
    }

    /// These are all names of a folder.
    pub(super) fn odd_among(&mut self, folder: Option<&RelPath>, names: &[OsString]) {
        let odd = names
            .iter()
            .filter(|name| self.path_here(folder, name).is_none());
        let odd = odd.filter(|name| *name != PRIVATE).cloned().collect();
        self.odd.stand_in(folder, odd);
    }

    /// Forgets those of folders that are gone, and tells of new ones.
    pub(super) fn tell_odd_names(&mut self) {
        let local = &self.trees.local;
        let stands = |folder: &RelPath| local.get(folder).is_some_and(Node::is_folder);
        self.odd
            .names
            .retain(|folder, _| folder.as_ref().is_none_or(stands));
        let mut untold = std::mem::take(&mut self.odd.untold).into_iter();
        if let Some(first) = untold.next() {
            let more = untold.len();
            self.notice(Notice::Odd { first, more });
        }
    }
}
