//! `ByteLog`: the output of one terminal, numbered from 0, kept up to a bound, with resizes as marks in the stream.
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use crate::checkpoint::Checkpoint;

/// Bytes of one full block. Blocks are what is shared with viewers without copying.
const BLOCK_BYTES: usize = 64 * 1024;
/// A shorter piece of the newest block is copied to a viewer, so that single keys do not cut the log into crumbs.
const SHARE_BYTES_MIN: usize = 4 * 1024;
/// First allocation: a prompt and a few commands.
const FIRST_BYTES: usize = 256;
/// Resizes kept. A program that prints one byte between resizes must not turn the log into marks.
const MARKS_MAX: usize = 4096;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
}

/// From this offset on the screen has this size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Counts all marks of the log, so that a viewer knows which it has seen.
    pub number: u64,
    /// Place in the stream.
    pub at: u64,
    /// Size from there on.
    pub size: Size,
}

/// A bounded log of bytes with absolute offsets.
#[derive(Debug)]
pub struct ByteLog {
    blocks: VecDeque<Bytes>,
    tail: BytesMut,
    start: u64,
    end: u64,
    bytes_max: usize,
    /// Size in force at `start`, and the number of the mark that set it.
    base: Mark,
    marks: VecDeque<Mark>,
    /// The screen at `start`, once bytes have left.
    before: Option<Box<Checkpoint>>,
}

impl ByteLog {
    /// An empty log that keeps the newest `bytes_max` bytes of a screen of this size.
    #[must_use]
    pub fn new(bytes_max: usize, size: Size) -> Self {
        Self {
            blocks: VecDeque::new(),
            tail: BytesMut::new(),
            start: 0,
            end: 0,
            bytes_max,
            base: Mark {
                number: 0,
                at: 0,
                size,
            },
            marks: VecDeque::new(),
            before: None,
        }
    }

    /// Offset of the oldest byte kept.
    #[must_use]
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Offset after the newest byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Bytes kept.
    #[must_use]
    pub fn kept_bytes(&self) -> u64 {
        self.end - self.start
    }

    /// Size after all bytes.
    #[must_use]
    pub fn size(&self) -> Size {
        self.marks.back().unwrap_or(&self.base).size
    }

    /// The newest mark at or before an offset that is kept.
    #[must_use]
    pub fn mark_at(&self, offset: u64) -> Mark {
        let after = self.marks.partition_point(|mark| mark.at <= offset);
        match after.checked_sub(1) {
            Some(index) => self.marks[index],
            None => self.base,
        }
    }

    /// The first mark after the one with this number.
    #[must_use]
    pub fn mark_after(&self, number: u64) -> Option<Mark> {
        let index = self.marks.partition_point(|mark| mark.number <= number);
        self.marks.get(index).copied()
    }

    /// Appends output.
    pub fn push(&mut self, mut data: &[u8]) {
        self.end += data.len() as u64;
        while !data.is_empty() {
            if self.tail.len() >= BLOCK_BYTES {
                self.seal();
            }
            let room = BLOCK_BYTES - self.tail.len();
            let (now, later) = data.split_at(room.min(data.len()));
            self.make_room(now.len());
            self.tail.extend_from_slice(now);
            data = later;
        }
        self.trim();
    }

    /// Marks a new size at the end. The same size again is no mark.
    pub fn resize(&mut self, size: Size) {
        if size == self.size() {
            return;
        }
        let number = self.marks.back().unwrap_or(&self.base).number + 1;
        // Of several sizes at one place only the last was ever seen with output; a new number makes viewers take it.
        if self.marks.back().is_some_and(|mark| mark.at == self.end) {
            self.marks.pop_back();
        }
        self.marks.push_back(Mark {
            number,
            at: self.end,
            size,
        });
        if self.marks.len() > MARKS_MAX {
            let from = self.marks[1].at;
            self.trim_to(from);
        }
    }

    /// Changes how much is kept.
    pub fn keep(&mut self, bytes_max: usize) {
        self.bytes_max = bytes_max;
        self.trim();
    }

    /// Bytes from an offset that is kept: one piece, at most `bytes_max` long, empty at the end. Long pieces are
    /// shared, not copied.
    pub fn read(&mut self, offset: u64, bytes_max: usize) -> Bytes {
        debug_assert!(offset >= self.start && offset <= self.end);
        let tail_at = self.end - self.tail.len() as u64;
        if offset >= tail_at {
            let from = index(offset - tail_at);
            let length = (self.tail.len() - from).min(bytes_max);
            if length < SHARE_BYTES_MIN {
                return Bytes::copy_from_slice(&self.tail[from..from + length]);
            }
            self.seal();
        }
        let mut at = self.end - self.tail.len() as u64;
        for block in self.blocks.iter().rev() {
            at -= block.len() as u64;
            if at <= offset {
                let from = index(offset - at);
                return block.slice(from..block.len().min(from.saturating_add(bytes_max)));
            }
        }
        Bytes::new()
    }

    /// What brings a screen to where a log begins that is no longer whole.
    #[must_use]
    pub fn restore(&mut self) -> Option<Bytes> {
        let before = self.before.as_mut()?;
        Some(before.restore().into())
    }

    /// Makes the newest bytes shareable; what is left of their allocation takes the next ones.
    fn seal(&mut self) {
        let full = self.tail.split().freeze();
        if !full.is_empty() {
            self.blocks.push_back(full);
        }
    }

    /// Grows in steps, so that an idle terminal costs a prompt and a busy one allocates whole blocks.
    fn make_room(&mut self, more: usize) {
        if self.tail.capacity() - self.tail.len() >= more {
            return;
        }
        let wanted = (self.tail.len() + more).max(FIRST_BYTES);
        let kept = index(self.kept_bytes());
        let capacity = wanted.max(kept.min(BLOCK_BYTES)).next_power_of_two();
        let mut grown = BytesMut::with_capacity(capacity.min(BLOCK_BYTES).max(wanted));
        grown.extend_from_slice(&self.tail);
        self.tail = grown;
    }

    fn trim(&mut self) {
        if self.kept_bytes() > self.bytes_max as u64 {
            self.trim_to(self.end - self.bytes_max as u64);
        }
    }

    fn trim_to(&mut self, start: u64) {
        while self.start < start {
            let surplus = index(start - self.start);
            let Some(first) = self.blocks.front_mut() else {
                // Only the newest block is left: it becomes a block of its own, then shrinks.
                self.seal();
                continue;
            };
            if first.len() <= surplus {
                let whole = std::mem::take(first);
                self.blocks.pop_front();
                self.let_go(whole);
            } else {
                let part = first.split_to(surplus);
                self.let_go(part);
            }
        }
        self.pass_marks();
    }

    /// The oldest bytes leave the log for the screen before it, each at its size.
    fn let_go(&mut self, mut bytes: Bytes) {
        while !bytes.is_empty() {
            self.pass_marks();
            let until_mark = self
                .marks
                .front()
                .map_or(u64::MAX, |mark| mark.at - self.start);
            let length = bytes
                .len()
                .min(usize::try_from(until_mark).unwrap_or(usize::MAX));
            let now = bytes.split_to(length);
            let size = self.base.size;
            let before = self
                .before
                .get_or_insert_with(|| Box::new(Checkpoint::new(size)));
            before.take(&now);
            self.start += length as u64;
        }
    }

    fn pass_marks(&mut self) {
        while let Some(mark) = self.marks.pop_front_if(|mark| mark.at <= self.start) {
            self.base = mark;
            if let Some(before) = &mut self.before {
                before.resize(mark.size);
            }
        }
    }
}

/// A length inside the log; it fits in memory, so it fits in `usize`.
fn index(bytes: u64) -> usize {
    usize::try_from(bytes).expect("invariant: a kept length fits in memory")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SIZE: Size = Size { cols: 80, rows: 24 };

    fn all(log: &mut ByteLog, from: u64, piece_max: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let mut at = from;
        while at < log.end() {
            let piece = log.read(at, piece_max);
            assert!(!piece.is_empty() && piece.len() <= piece_max);
            at += piece.len() as u64;
            out.extend_from_slice(&piece);
        }
        out
    }

    #[test]
    fn an_idle_log_costs_a_few_hundred_bytes() {
        let mut log = ByteLog::new(2 << 20, SIZE);
        log.push(b"user@host:~$ ");
        assert!(log.tail.capacity() <= 512);
    }

    #[test]
    fn a_whole_log_needs_no_screen_before_it_and_a_cut_one_has_it() {
        let mut log = ByteLog::new(16, SIZE);
        log.push(b"\x1b[31mred");
        assert_eq!(log.restore(), None);
        log.push(b" and then some");
        let screen = log.restore().unwrap();
        let screen = String::from_utf8_lossy(&screen);
        assert!(screen.contains("\x1b[31m"), "{screen:?}");
    }

    #[test]
    fn marks_before_the_start_become_the_base_size() {
        let mut log = ByteLog::new(4, SIZE);
        log.push(b"ab");
        log.resize(Size { cols: 10, rows: 5 });
        log.push(b"cdefgh");
        assert_eq!(log.mark_at(log.start()).size, Size { cols: 10, rows: 5 });
        assert_eq!(log.mark_after(0), None);
    }

    #[test]
    fn endless_resizes_stay_bounded() {
        let mut log = ByteLog::new(2 << 20, SIZE);
        for n in 0..20_000 {
            log.push(b"x");
            log.resize(Size {
                cols: 20 + n % 2,
                rows: 5,
            });
        }
        assert!(log.marks.len() <= MARKS_MAX);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_read_is_what_was_pushed(
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9000), 0..60),
            bytes_max in 1usize..200_000,
            piece_max in 1usize..70_000,
            peeks in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let mut log = ByteLog::new(bytes_max, SIZE);
            let mut truth = Vec::new();
            for (n, piece) in pieces.iter().enumerate() {
                log.push(piece);
                truth.extend_from_slice(piece);
                prop_assert_eq!(log.end(), truth.len() as u64);
                prop_assert!(log.kept_bytes() <= bytes_max as u64);
                if let Some(peek) = peeks.get(n) {
                    let from = log.start() + peek.index(index(log.kept_bytes()) + 1) as u64;
                    prop_assert_eq!(&all(&mut log, from, piece_max)[..], &truth[index(from)..]);
                }
            }
        }
    }
}
