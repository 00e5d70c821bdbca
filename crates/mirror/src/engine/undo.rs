//! Takes a burst of changes back: what stood before comes again wherever the disk still has what the burst brought.
use slipway_core::path::RelPath;
use slipway_sync::node::Node;
use slipway_sync::order::order;

use super::burst::{Burst, Step};
use super::person::Work;
use super::state::State;
use crate::arrival::{NotUndone, Undone};
use crate::disk::Expected;
use crate::local::{
    By, Expect, LocalAct, LocalCommit, LocalError, LocalOperation, LocalOutcome, Source,
};

/// One path to be taken back.
struct Reverse {
    path: RelPath,
    step: Step,
}

impl slipway_sync::order::Step for Reverse {
    fn path(&self) -> &RelPath {
        &self.path
    }
    fn deletes(&self) -> bool {
        self.step.before.is_none()
    }
}

/// Paths that were not taken back.
type NotDone = Vec<(RelPath, LocalError)>;

impl State {
    /// Takes back what came from the hub; `None` when it is not remembered.
    pub(super) fn undo(&mut self, id: u64) -> Option<Undone> {
        let burst = self.bursts.take_arrival(id)?;
        let mut left = NotDone::new();
        let many = self.take_back_burst(burst, &mut left, |_| true);
        self.turn();
        let left = left.into_iter();
        let left = left.map(|(path, error)| NotUndone {
            path,
            code: error.code(),
        });
        Some(Undone {
            many,
            left: left.collect(),
        })
    }

    /// Brings back what a person deleted after a count: at a path and below it, or everything.
    pub(super) fn restore(&mut self, after: u64, at: Option<&RelPath>) -> LocalCommit {
        let (mut many, mut left) = (0, NotDone::new());
        let concerned = |path: &RelPath| {
            at.is_none_or(|at| path == at || path.is_below(at) || at.is_below(path))
        };
        for id in self.bursts.deleted_after(after) {
            if let Some(burst) = self.bursts.take(id) {
                many += self.take_back_burst(burst, &mut left, concerned);
            }
        }
        let mut outcomes = vec![LocalOutcome::Applied; many];
        outcomes.extend(left.into_iter().map(|(_, error)| LocalOutcome::from(error)));
        LocalCommit {
            count: self.turn(),
            outcomes,
        }
    }

    /// Takes back those steps of a burst that a path concerns; how many are as they were.
    fn take_back_burst(
        &mut self,
        mut burst: Burst,
        left: &mut NotDone,
        concerns: impl Fn(&RelPath) -> bool,
    ) -> usize {
        let (concerned, rest) = std::mem::take(&mut burst.steps)
            .into_iter()
            .partition(|(path, _)| concerns(path));
        burst.steps = rest;
        let concerned: std::collections::BTreeMap<RelPath, Step> = concerned;
        let steps = concerned.into_iter();
        let mut steps: Vec<_> = steps.map(|(path, step)| Reverse { path, step }).collect();
        order(&mut steps);
        let (mut work, mut many) = (Work::default(), 0);
        for Reverse { path, step } in steps {
            let mut one = Work::default();
            match self.reverse(&path, &step, &mut one) {
                Ok(()) => many += 1,
                Err(error) => {
                    // What gave way comes back: a path is as before, or as it was found.
                    self.take_back(&mut one);
                    left.push((path.clone(), error));
                    burst.steps.insert(path, step);
                }
            }
            work.add(one);
        }
        self.bursts.put_back(burst);
        self.finish(work);
        many
    }

    fn reverse(&mut self, path: &RelPath, step: &Step, work: &mut Work) -> Result<(), LocalError> {
        let now = self.standing(path, false)?;
        if now == step.before {
            return Ok(());
        }
        if now != step.after {
            return Err(LocalError::Stale(None));
        }
        if let Some(kept) = &step.kept {
            // A program may have removed the private folder.
            let still = self.disk.private().read(kept);
            still.map_err(|_| LocalError::ContentMissing)?;
        }
        match (&step.before, &step.kept) {
            (Some(Node::Folder), Some(kept)) => self.reverse_tree(path, kept, work),
            (Some(Node::File { executable, .. }), Some(kept)) => {
                self.reverse_file(path, step, kept, *executable, work)
            }
            (before, _) => self.reverse_unkept(path, before.as_ref(), work),
        }
    }

    /// A folder comes back with all in it.
    fn reverse_tree(
        &mut self,
        path: &RelPath,
        kept: &str,
        work: &mut Work,
    ) -> Result<(), LocalError> {
        self.make_way(path, None, work)?;
        let back = self.disk.bring_back(kept, path);
        back.map_err(|error| self.refused(path, &error))?;
        self.scan_path(path, By::Person, &mut work.touched);
        Ok(())
    }

    /// A file's content comes back to its name.
    fn reverse_file(
        &mut self,
        path: &RelPath,
        step: &Step,
        kept: &str,
        executable: bool,
        work: &mut Work,
    ) -> Result<(), LocalError> {
        let over = match self.expected(path) {
            Some(Expected::File(was)) => Some(was),
            _ => {
                self.delete_one(path, work)?;
                self.make_way(path, None, work)?;
                None
            }
        };
        let put = self.disk.put(kept, path, executable, over);
        let print = put.map_err(|error| self.refused(path, &error))?;
        self.note_print(path, print);
        self.person_has(path, step.before.clone(), work);
        Ok(())
    }

    /// What needs no content, or has it at another name.
    fn reverse_unkept(
        &mut self,
        path: &RelPath,
        before: Option<&Node>,
        work: &mut Work,
    ) -> Result<(), LocalError> {
        let is_file = |node: Option<&Node>| matches!(node, Some(Node::File { .. }));
        // Of two files, one takes the other's place in one step.
        if !(is_file(before) && is_file(self.trees.local.get(path))) {
            self.delete_one(path, work)?;
        }
        let act = match before {
            None => return Ok(()),
            Some(Node::Folder) => LocalAct::Folder,
            Some(Node::Symlink { target }) => LocalAct::Link {
                target: target.clone(),
            },
            Some(Node::File {
                hash, executable, ..
            }) => LocalAct::Write {
                content: Source::Held(*hash),
                executable: Some(*executable),
            },
        };
        let operation = LocalOperation {
            path: path.clone(),
            expect: Expect::Any,
            act,
        };
        LocalError::of(self.one(&operation, work))
    }
}
