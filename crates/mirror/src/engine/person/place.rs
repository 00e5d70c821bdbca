//! Where a person puts things: moves as one rename, folders above, and no second spelling of a name.
use std::ffi::OsStr;

use slipway_core::limits::WORKSPACE_ENTRIES_MAX;
use slipway_core::path::{RelPath, fold};
use slipway_sync::node::Node;

use super::Work;
use super::back::Back;
use crate::disk::{DiskError, Seen};
use crate::engine::scan::below;
use crate::engine::sight::Print;
use crate::engine::state::State;
use crate::local::{By, Expect, LocalError};

impl State {
    pub(super) fn relocate(
        &mut self,
        from: &RelPath,
        to: &RelPath,
        expect: Expect,
        work: &mut Work,
    ) -> Result<bool, LocalError> {
        let source = self.standing(from, false)?;
        let is_folder = source.ok_or(LocalError::Stale(None))?.is_folder();
        self.check(from, expect)?;
        if from == to {
            return Ok(false);
        }
        if to.is_below(from) {
            return Err(LocalError::IntoItself);
        }
        if self.standing(to, is_folder)?.is_some() {
            return Err(LocalError::Exists(to.clone()));
        }
        // Every name must be one at its new place.
        let rest = |path: &RelPath| path.as_str()[from.as_str().len()..].to_owned();
        let old = below(&self.trees.local, from).chain([from]);
        let names: Option<Vec<_>> = old
            .map(|path| {
                Some((
                    path.clone(),
                    RelPath::parse(&format!("{to}{}", rest(path))).ok()?,
                ))
            })
            .collect();
        let names = names.ok_or(LocalError::NameTooLong)?;
        self.make_way(to, Some(from), work)?;
        let renamed = self.disk.rename(from, to);
        renamed.map_err(|error| match error {
            DiskError::Unexpected => LocalError::Exists(to.clone()),
            error => self.refused(to, &error),
        })?;
        work.back.push(Back::Moved(from.clone(), to.clone()));
        self.moved(from, to, &names, work);
        Ok(true)
    }

    /// What stood below one name stands below another, unread.
    fn moved(
        &mut self,
        from: &RelPath,
        to: &RelPath,
        names: &[(RelPath, RelPath)],
        work: &mut Work,
    ) {
        let known: Vec<_> = names
            .iter()
            .filter_map(|(old, _)| {
                Some((
                    self.trees.local.get(old)?.clone(),
                    self.sight.prints.get(old).copied(),
                ))
            })
            .collect();
        self.person_lacks(from, work);
        for ((old, new), (node, print)) in names.iter().zip(known) {
            if let Some(known) = print {
                let found = self.disk.root().look(new);
                // A rename moves one stamp of what it renames.
                if let Ok(Some(Seen::File(print))) = found
                    && print.is_untouched(&known.print)
                {
                    self.sight
                        .prints
                        .insert(new.clone(), Print { print, ..known });
                }
            }
            self.person_has(new, Some(node), work);
            self.ledger.note(new, By::Person, Some(old));
        }
        // Its folders are watched once the watcher has let go of their old names.
        self.sight.dirty.extend([from.clone(), to.clone()]);
        self.sight.look_soon();
    }

    /// Sees to it that a new name may stand at a path: folders above it, no other spelling beside it, room for it.
    pub(in crate::engine) fn make_way(
        &mut self,
        path: &RelPath,
        besides: Option<&RelPath>,
        work: &mut Work,
    ) -> Result<(), LocalError> {
        if self.trees.local.len() as u64 >= WORKSPACE_ENTRIES_MAX && besides.is_none() {
            return Err(LocalError::TooManyEntries);
        }
        let above: Vec<_> = path.ancestors().collect();
        for folder in above.into_iter().rev() {
            match self.trees.local.get(&folder) {
                Some(Node::Folder) => {}
                Some(_) => return Err(LocalError::NotFolder(folder)),
                None => {
                    self.no_clash(&folder, besides)?;
                    self.add_folder(&folder, work)?;
                }
            }
        }
        self.no_clash(path, besides)
    }

    /// Two names that many computers take for one never stand beside each other by a person's hand.
    fn no_clash(&self, path: &RelPath, besides: Option<&RelPath>) -> Result<(), LocalError> {
        let parent = path.parent();
        let listed = self.disk.root().list(parent.as_ref());
        let names = listed.map_err(|error| LocalError::from(&error))?;
        let mine = fold(path.name());
        let clashes = |name: &&OsStr| {
            let name = name.to_str();
            name.is_some_and(|name| name != path.name() && fold(name) == mine)
        };
        let other = names.iter().map(|name| name.as_os_str()).find(clashes);
        let beside = |name: &OsStr| {
            let name = name.to_str()?;
            parent
                .as_ref()
                .map_or_else(|| RelPath::parse(name), |parent| parent.join(name))
                .ok()
        };
        match other.and_then(beside) {
            Some(other) if Some(&other) != besides => Err(LocalError::CaseClash(other)),
            _ => Ok(()),
        }
    }
}
