//! What a person, or what shows the folder to one, asks an engine. Each question is answered between two of the loop's
//! turns, before anything else that waits; what it changed is on its way to the hub right after.
use std::sync::Arc;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;
use tokio::sync::{oneshot, watch};

use super::Engine;
use super::state::State;
use crate::arrival::{Arrival, Undone};
use crate::conflict::Conflict;
use crate::files::Files;
use crate::local::{
    Content, Expect, LocalAct, LocalChange, LocalChanges, LocalCommit, LocalEntry, LocalError,
    LocalOperation, LocalTree, LocalWritten, Source,
};
use crate::view::View;

/// A question, with what answers it.
pub(super) type Ask = Box<dyn FnOnce(&mut State) + Send>;

impl Engine {
    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Result<T, LocalError> {
        let (answer, answered) = oneshot::channel();
        let ask = move |state: &mut State| {
            // Who asked may have gone.
            answer.send(question(state)).ok();
        };
        let sent = self.asks.send(Box::new(ask)).await;
        sent.map_err(|_| LocalError::Ended)?;
        answered.await.map_err(|_| LocalError::Ended)
    }

    /// Everything in the folder that syncs.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn tree(&self) -> Result<LocalTree, LocalError> {
        self.ask(|state| LocalTree {
            count: state.turn(),
            entries: state
                .trees
                .local
                .keys()
                .filter_map(|path| state.entry(path))
                .collect(),
        })
        .await
    }

    /// What changed after a count; `None` when that is not remembered, so that the tree is to be
    /// read anew.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn changes(&self, after: u64) -> Result<Option<LocalChanges>, LocalError> {
        self.ask(move |state| state.changes_after(after)).await
    }

    /// The count, moving.
    #[must_use]
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.moved.clone()
    }

    /// A way to read files beside the engine.
    #[must_use]
    pub fn files(&self) -> Files {
        self.files.clone()
    }

    /// Reads a file as it stands now.
    ///
    /// # Errors
    /// When none stands there, it is too large, or the disk refuses.
    pub async fn read(&self, path: &RelPath) -> Result<Content, LocalError> {
        self.files.read(path).await
    }

    /// What stands at a path now.
    ///
    /// # Errors
    /// When the rules leave the path out, the folder is gone, or the engine has ended.
    pub async fn entry(&self, path: RelPath) -> Result<Option<LocalEntry>, LocalError> {
        self.ask(move |state| {
            state.standing(&path, false)?;
            state.turn();
            Ok(state.entry(&path))
        })
        .await?
    }

    /// Writes a file, if what is expected stands there. Folders above it are made.
    ///
    /// # Errors
    /// When something else stands there, or the name, the size, or the disk do not allow it.
    pub async fn write(
        &self,
        path: RelPath,
        bytes: Bytes,
        expect: Expect,
        executable: Option<bool>,
    ) -> Result<LocalWritten, LocalError> {
        let operation = LocalOperation {
            path: path.clone(),
            expect,
            act: LocalAct::Write {
                content: Source::Inline(bytes),
                executable,
            },
        };
        self.ask(move |state| {
            let LocalCommit {
                count,
                mut outcomes,
            } = state.commit(&[operation], false);
            outcomes
                .pop()
                .map_or(Err(LocalError::Ended), LocalError::of)?;
            // What was written is shown even if the next change has taken it away already.
            let entry = state.entry(&path).ok_or(LocalError::Busy)?;
            Ok(LocalWritten { count, entry })
        })
        .await?
    }

    /// Does operations in order; with `atomic`, all or none.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn commit(
        &self,
        operations: Vec<LocalOperation>,
        atomic: bool,
    ) -> Result<LocalCommit, LocalError> {
        self.ask(move |state| state.commit(&operations, atomic))
            .await
    }

    /// Brings back what was deleted through the engine after a count: at a path and below it, or
    /// everything. One outcome for each thing that was deleted.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn restore(
        &self,
        after: u64,
        path: Option<RelPath>,
    ) -> Result<LocalCommit, LocalError> {
        self.ask(move |state| state.restore(after, path.as_ref()))
            .await
    }

    /// How the folder stands, moving.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn view(&self) -> Result<watch::Receiver<Arc<View>>, LocalError> {
        self.ask(State::show).await
    }

    /// Conflicts that are open.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn conflicts(&self) -> Result<Vec<Conflict>, LocalError> {
        self.ask(|state| state.conflicts()).await
    }

    /// The bytes of a content that both sides of a conflict began with, if they are at hand.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn base_content(&self, hash: ContentHash) -> Result<Option<Bytes>, LocalError> {
        self.ask(move |state| state.base_content(hash)).await
    }

    /// Ends a conflict while its copy stays where it is.
    ///
    /// # Errors
    /// When there is no such conflict, or the engine has ended.
    pub async fn keep_copy(&self, copy: RelPath) -> Result<(), LocalError> {
        let kept = self.ask(move |state| state.keep_copy(&copy)).await?;
        kept.then_some(()).ok_or(LocalError::NotFound)
    }

    /// Brings back what was deleted here and is held back from the hub; how many paths that is.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn bring_back(&self) -> Result<usize, LocalError> {
        self.ask(State::bring_back).await
    }

    /// Changes of the hub that can be taken back, the newest first.
    ///
    /// # Errors
    /// When the engine has ended.
    pub async fn arrivals(&self) -> Result<Vec<Arrival>, LocalError> {
        self.ask(|state| state.bursts.arrivals()).await
    }

    /// Takes changes of the hub back, wherever the disk still has what they brought. The hub hears of it as of any edit.
    ///
    /// # Errors
    /// When they are not remembered, or the engine has ended.
    pub async fn undo(&self, id: u64) -> Result<Undone, LocalError> {
        let undone = self.ask(move |state| state.undo(id)).await?;
        undone.ok_or(LocalError::NotFound)
    }
}

impl State {
    /// Ends a batch of changes; the count after it.
    pub(super) fn turn(&mut self) -> u64 {
        let local = &self.trees.local;
        self.ledger.turn(|path| local.contains_key(path))
    }

    fn changes_after(&mut self, after: u64) -> Option<LocalChanges> {
        let count = self.turn();
        let noted = self.ledger.after(after)?.into_iter();
        let changes = noted.map(|noted| LocalChange {
            count: noted.count,
            entry: self.entry(&noted.path),
            path: noted.path,
            from: noted.from,
            by: noted.by,
            at: noted.at,
        });
        Some(LocalChanges {
            count,
            changes: changes.collect(),
        })
    }
}
