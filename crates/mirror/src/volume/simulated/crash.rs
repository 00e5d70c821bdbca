//! What a simulated volume keeps. Names are on the disk in the order in which they changed, up to any point after what was
//! made durable; bytes of a file that were not made durable are there, or not, or in part.
use std::sync::Arc;

use super::tree::Id;
use super::{Inner, Live};

/// How an engine ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// Only it ends: what it wrote is in memory.
    Process,
    /// The computer loses power.
    Power,
}

impl Inner {
    /// Ends the life of the engine. `choose` picks below a number; 0 is the mildest.
    pub(crate) fn crash(&mut self, loss: Loss, choose: &mut dyn FnMut(usize) -> usize) {
        self.life += 1;
        self.watched.clear();
        self.events.clear();
        for live in self.live.values_mut() {
            live.opens = 0;
        }
        if loss == Loss::Power {
            self.boots += 1;
            let lost = choose(self.journal.len() + 1);
            let kept = self.journal.len() - lost;
            for change in self.journal.drain(..).take(kept) {
                self.disk.apply(&change);
            }
            self.tree = self.disk.clone();
            for live in self.live.values_mut() {
                live.lose(choose);
            }
        }
    }

    /// A file's bytes and mode, or a folder's names, with all that changed before them.
    pub(super) fn make_durable(&mut self, id: Id) {
        let last = self
            .journal
            .iter()
            .rposition(|change| change.concerned().contains(&id));
        let until = last.map_or(0, |last| last + 1);
        for change in self.journal.drain(..until) {
            self.disk.apply(&change);
        }
        if self.is_file(id) {
            self.bytes_are_durable(id);
        }
        self.tell_durable();
    }

    fn bytes_are_durable(&mut self, id: Id) {
        let live = self.live.entry(id).or_default();
        live.disk = Arc::clone(&live.now);
        live.is_cut = false;
    }

    /// Tells of the bytes that are on the disk from here on: a file's that has a name there, too, and one under which they are
    /// kept: what was only on its way in goes with the next start.
    fn tell_durable(&mut self) {
        let Some(mischief) = &mut self.mischief else {
            return;
        };
        for (id, live) in &mut self.live {
            if !live.is_told && live.now == live.disk && self.disk.is_kept(*id) {
                live.is_told = true;
                mischief.durable(&live.disk);
            }
        }
    }

    /// Everything as it is now is on the disk, and nobody is told.
    pub(crate) fn write_back_quietly(&mut self) {
        let mischief = self.mischief.take();
        self.write_back();
        self.mischief = mischief;
    }

    /// The life that the volume is in.
    pub(crate) const fn life(&self) -> u64 {
        self.life
    }

    /// The system writes everything back, as it does by itself from time to time.
    pub(crate) fn write_back(&mut self) {
        for change in self.journal.drain(..) {
            self.disk.apply(&change);
        }
        let all: Vec<Id> = self.live.keys().copied().collect();
        for id in all {
            self.bytes_are_durable(id);
        }
        self.tell_durable();
    }
}

impl Live {
    fn lose(&mut self, choose: &mut dyn FnMut(usize) -> usize) {
        if self.now == self.disk {
            return;
        }
        if !self.is_cut && !self.disk.is_empty() {
            self.lose_blocks(choose);
            return;
        }
        let len = self.now.len();
        let half = |rest: &mut dyn FnMut(&mut Vec<u8>)| {
            let mut bytes = self.now[..len / 2].to_vec();
            rest(&mut bytes);
            Arc::new(bytes)
        };
        self.now = match choose(6) {
            0 => Arc::clone(&self.now),
            1 => Arc::clone(&self.disk),
            2 => Arc::default(),
            3 => Arc::new(vec![0; len]),
            4 => half(&mut |_| {}),
            _ => half(&mut |bytes| bytes.resize(len, 0)),
        };
        self.disk = Arc::clone(&self.now);
    }

    /// Of a file that was written in place, each block is the old or the new one.
    fn lose_blocks(&mut self, choose: &mut dyn FnMut(usize) -> usize) {
        const BLOCK: usize = 4_096;
        let (mut pattern, disk) = (choose(256), Arc::clone(&self.disk));
        let now = Arc::make_mut(&mut self.now);
        for (at, block) in now.chunks_mut(BLOCK).enumerate() {
            let old = disk.get(at * BLOCK..).unwrap_or_default();
            let kept = old.len().min(block.len());
            if pattern & 1 == 1 {
                block.fill(0);
                block[..kept].copy_from_slice(&old[..kept]);
            }
            pattern = (pattern >> 1) | ((pattern & 1) << 7);
        }
        self.disk = Arc::clone(&self.now);
    }
}
