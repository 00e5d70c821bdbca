//! What a batch does to a tree: pure, operation by operation over the rows that it touches.
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound::Excluded;

use slipway_api::file::Kind;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::limits::FILE_BYTES_MAX;
use slipway_core::path::RelPath;

use self::effort::Effort;
use self::judge::{
    case_clash, expected, has_bytes, has_entries, link_escapes, rejected, same, unless_refused,
};
use super::types::{Content, Expect, NewNode, NodeRow, Proposal, ProposalOutcome};

/// The part of a tree that a batch can touch: every named path, its parents, its spellings, and what lies below.
pub(super) struct Overlay {
    rows: BTreeMap<RelPath, NodeRow>,
    /// Fold key to the path that has it.
    folds: HashMap<String, RelPath>,
    /// Sizes of contents that the workspace holds.
    held: HashMap<ContentHash, u64>,
    /// Revision that the batch will have.
    revision: u64,
    entries: u64,
    bytes: u64,
    effort: Effort,
}

/// One row of the journal to be.
#[derive(Clone, Debug)]
pub(super) struct Effect {
    pub(super) path: RelPath,
    pub(super) before: Option<NodeRow>,
    pub(super) after: Option<NodeRow>,
    pub(super) from: Option<RelPath>,
}

/// What a batch did.
pub(super) struct Evaluated {
    pub(super) outcomes: Vec<ProposalOutcome>,
    pub(super) effects: Vec<Effect>,
    pub(super) entries: u64,
    pub(super) bytes: u64,
}

type Refused = ProposalOutcome;

impl Overlay {
    pub(super) fn new(
        rows: Vec<NodeRow>,
        held: HashMap<ContentHash, u64>,
        revision: u64,
        entries: u64,
        bytes: u64,
    ) -> Self {
        let folds = rows
            .iter()
            .map(|row| (row.path.fold_key(), row.path.clone()))
            .collect();
        let rows = rows
            .into_iter()
            .map(|row| (row.path.clone(), row))
            .collect();
        Self {
            rows,
            folds,
            held,
            revision,
            entries,
            bytes,
            effort: Effort::default(),
        }
    }

    /// How many rows it begins with.
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Applies operations in order. With `atomic`, one that does not pass undoes all.
    pub(super) fn evaluate(mut self, proposals: &[Proposal], atomic: bool) -> Evaluated {
        let (entries, bytes) = (self.entries, self.bytes);
        let mut effects = Vec::new();
        let outcomes: Vec<_> = proposals
            .iter()
            .map(|proposal| {
                let mark = effects.len();
                match self.one(proposal, &mut effects) {
                    Ok(outcome) => outcome,
                    Err(refused) => {
                        self.undo(&mut effects, mark);
                        self.effort.told(refused)
                    }
                }
            })
            .collect();
        let passed = |outcome: &ProposalOutcome| {
            matches!(
                outcome,
                ProposalOutcome::Applied | ProposalOutcome::Converged
            )
        };
        if atomic && !outcomes.iter().all(passed) {
            return Evaluated {
                outcomes: outcomes.into_iter().map(unless_refused).collect(),
                effects: Vec::new(),
                entries,
                bytes,
            };
        }
        self.note_origins(proposals, &outcomes, &mut effects);
        Evaluated {
            outcomes,
            effects,
            entries: self.entries,
            bytes: self.bytes,
        }
    }

    fn get(&self, path: &RelPath) -> Option<&NodeRow> {
        self.rows.get(path)
    }

    fn below(&self, folder: &RelPath) -> impl Iterator<Item = &NodeRow> + use<'_> {
        // "0" follows "/".
        let (from, to) = (format!("{folder}/"), format!("{folder}0"));
        let bounds = (Excluded(from.as_str()), Excluded(to.as_str()));
        self.rows.range::<str, _>(bounds).map(|(_, row)| row)
    }

    fn one(
        &mut self,
        proposal: &Proposal,
        effects: &mut Vec<Effect>,
    ) -> Result<ProposalOutcome, Refused> {
        self.effort.allows_more()?;
        match &proposal.change {
            NewNode::Absent => self.remove(proposal, effects),
            NewNode::MoveFrom(from) => self.relocate(proposal, from, effects),
            NewNode::Folder | NewNode::File { .. } | NewNode::Symlink { .. } => {
                self.put(proposal, effects)
            }
        }
    }

    fn put(
        &mut self,
        proposal: &Proposal,
        effects: &mut Vec<Effect>,
    ) -> Result<ProposalOutcome, Refused> {
        let node = self.node(proposal)?;
        let current = self.get(&proposal.path).cloned();
        if current.as_ref().is_some_and(|current| same(current, &node)) {
            return Ok(ProposalOutcome::Converged);
        }
        expected(proposal.expect, current.as_ref())?;
        if current
            .as_ref()
            .is_some_and(|current| (current.kind == Kind::Folder) != (node.kind == Kind::Folder))
        {
            return Err(rejected(
                Code::PathExists,
                format!(
                    "\"{}\" exists and is of another kind. Delete or rename it first.",
                    proposal.path
                ),
            ));
        }
        self.parents(&proposal.path, effects)?;
        self.set(proposal.path.clone(), Some(node), None, effects)?;
        Ok(ProposalOutcome::Applied)
    }

    fn remove(
        &mut self,
        proposal: &Proposal,
        effects: &mut Vec<Effect>,
    ) -> Result<ProposalOutcome, Refused> {
        let Some(current) = self.get(&proposal.path).cloned() else {
            return Ok(ProposalOutcome::Converged);
        };
        expected(proposal.expect, Some(&current))?;
        let mut below = self.below(&proposal.path).peekable();
        if proposal.expect == Some(Expect::EmptyFolder) && below.peek().is_some() {
            return Err(ProposalOutcome::Stale(Some(current)));
        }
        let below: Vec<_> = below.map(|row| row.path.clone()).collect();
        for path in below.into_iter().rev() {
            self.set(path, None, None, effects)?;
        }
        self.set(current.path, None, None, effects)?;
        Ok(ProposalOutcome::Applied)
    }

    fn relocate(
        &mut self,
        proposal: &Proposal,
        from: &RelPath,
        effects: &mut Vec<Effect>,
    ) -> Result<ProposalOutcome, Refused> {
        let to = &proposal.path;
        let Some(source) = self.get(from).cloned() else {
            return Err(ProposalOutcome::Stale(None));
        };
        expected(proposal.expect, Some(&source))?;
        if to == from {
            return Ok(ProposalOutcome::Converged);
        }
        if to.is_below(from) {
            return Err(rejected(
                Code::PathInvalid,
                "A folder cannot be moved into itself.".to_owned(),
            ));
        }
        if self.get(to).is_some() {
            return Err(rejected(
                Code::PathExists,
                format!("Something stands at \"{to}\" already. Choose another name."),
            ));
        }
        let rows: Vec<_> = std::iter::once(source)
            .chain(self.below(from).cloned())
            .collect();
        // Old names go first, so that a change of letter case alone does not clash with itself.
        for row in rows.iter().rev() {
            self.set(row.path.clone(), None, None, effects)?;
        }
        self.parents(to, effects)?;
        for row in rows {
            let rest = &row.path.as_str()[from.as_str().len()..];
            let path = RelPath::parse(&format!("{to}{rest}"))
                .map_err(|error| rejected(error.code(), error.to_string()))?;
            if row
                .target
                .as_ref()
                .is_some_and(|target| path.is_led_out_by(target))
            {
                return Err(link_escapes(&path));
            }
            let moved = NodeRow {
                path: path.clone(),
                revision: self.revision,
                ..row.clone()
            };
            self.set(path, Some(moved), Some(row.path), effects)?;
        }
        Ok(ProposalOutcome::Applied)
    }

    /// The row that a proposal asks for.
    fn node(&self, proposal: &Proposal) -> Result<NodeRow, Refused> {
        let row = |kind, hash, size, executable, target| NodeRow {
            path: proposal.path.clone(),
            kind,
            hash,
            size,
            executable,
            target,
            revision: self.revision,
        };
        match &proposal.change {
            NewNode::File {
                content,
                executable,
                ..
            } => {
                let (hash, size) = match content {
                    Content::Inline(whole) => (whole.hash(), whole.size()),
                    Content::Held(hash) => (
                        *hash,
                        *self.held.get(hash).ok_or(ProposalOutcome::NeedsContent)?,
                    ),
                };
                if size > FILE_BYTES_MAX {
                    return Err(rejected(
                        Code::FileTooLarge,
                        "A file holds at most 100 MiB. Keep larger data outside of the workspace."
                            .to_owned(),
                    ));
                }
                Ok(row(Kind::File, Some(hash), size, *executable, None))
            }
            NewNode::Symlink { target } => {
                if proposal.path.is_led_out_by(target) {
                    return Err(link_escapes(&proposal.path));
                }
                Ok(row(
                    Kind::Symlink,
                    Some(ContentHash::of(target.as_bytes())),
                    target.len() as u64,
                    false,
                    Some(target.clone()),
                ))
            }
            NewNode::Folder | NewNode::Absent | NewNode::MoveFrom(_) => {
                Ok(row(Kind::Folder, None, 0, false, None))
            }
        }
    }

    /// Makes the folders above a path.
    fn parents(&mut self, path: &RelPath, effects: &mut Vec<Effect>) -> Result<(), Refused> {
        let above: Vec<_> = path.ancestors().collect();
        for folder in above.into_iter().rev() {
            match self.get(&folder).map(|row| row.kind) {
                Some(Kind::Folder) => {}
                Some(Kind::File | Kind::Symlink) => {
                    return Err(rejected(
                        Code::PathNotFolder,
                        format!("\"{folder}\" is not a folder, so nothing can stand below it."),
                    ));
                }
                None => {
                    let row = NodeRow {
                        path: folder.clone(),
                        kind: Kind::Folder,
                        hash: None,
                        size: 0,
                        executable: false,
                        target: None,
                        revision: self.revision,
                    };
                    self.set(folder, Some(row), None, effects)?;
                }
            }
        }
        Ok(())
    }

    fn set(
        &mut self,
        path: RelPath,
        after: Option<NodeRow>,
        from: Option<RelPath>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refused> {
        self.effort.step();
        let before = self.get(&path).cloned();
        let fold = path.fold_key();
        if after.is_some() && before.is_none() {
            if let Some(other) = self
                .folds
                .get(&fold)
                .filter(|other| **other != path && self.get(other).is_some())
            {
                return Err(case_clash(&path, other));
            }
            self.folds.insert(fold, path.clone());
        }
        let size = |row: &Option<NodeRow>| row.as_ref().map_or(0, |row| row.size);
        self.entries = self.entries + u64::from(after.is_some()) - u64::from(before.is_some());
        self.bytes = (self.bytes + size(&after)).saturating_sub(size(&before));
        effects.push(Effect {
            path: path.clone(),
            before: before.clone(),
            after: after.clone(),
            from,
        });
        let grows = after.is_some();
        match after {
            Some(row) => drop(self.rows.insert(path, row)),
            None => drop(self.rows.remove(&path)),
        }
        if grows {
            has_bytes(self.bytes)?;
        }
        if grows && before.is_none() {
            has_entries(self.entries)?;
        }
        Ok(())
    }

    /// Takes back what an operation did before it was refused.
    fn undo(&mut self, effects: &mut Vec<Effect>, mark: usize) {
        let size = |row: &Option<NodeRow>| row.as_ref().map_or(0, |row| row.size);
        for effect in effects.drain(mark..).rev() {
            self.entries = self.entries + u64::from(effect.before.is_some())
                - u64::from(effect.after.is_some());
            self.bytes = (self.bytes + size(&effect.before)).saturating_sub(size(&effect.after));
            match effect.before {
                Some(row) => {
                    // Its spelling counts again.
                    let fold = effect.path.fold_key();
                    self.folds.insert(fold, effect.path.clone());
                    self.rows.insert(effect.path, row);
                }
                None => drop(self.rows.remove(&effect.path)),
            }
        }
    }
}

mod effort;
mod judge;
mod origin;

#[cfg(test)]
mod tests;
