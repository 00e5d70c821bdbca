//! `Attachment`: one viewer of a terminal; decides which frame it is sent next from the log, its credit and the exit.
use bytes::Bytes;
use slipway_core::limits::TERMINAL_FRAME_BYTES_MAX;

use crate::credit::Credit;
use crate::log::{ByteLog, Size};

/// What a viewer says first.
#[derive(Clone, Copy, Debug)]
pub struct Hello {
    /// Whether the log it read from is this one.
    pub same_log: bool,
    /// Offset after the last byte it received.
    pub have_offset: u64,
    /// Bytes that may be in flight; 0: as many as is usual.
    pub window: u32,
    /// Whether it is on a screen.
    pub visible: bool,
}

/// How the output starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It goes on where the viewer stopped.
    Resume,
    /// It starts on a fresh screen, which is first brought to where the log begins.
    Replay,
}

/// The answer to a hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attached {
    /// How.
    pub mode: Mode,
    /// Where the output starts.
    pub start_offset: u64,
    /// End of the log now.
    pub end_offset: u64,
    /// Size of the screen at `start_offset`.
    pub size: Size,
}

/// The next thing for a viewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Bytes.
    Output {
        /// Offset of the first.
        offset: u64,
        /// The bytes.
        data: Bytes,
    },
    /// A new size at this place of the stream.
    Resized {
        /// Place.
        at: u64,
        /// Size.
        size: Size,
    },
    /// A piece of what brings the screen to this place, whatever it showed. It is not part of the log.
    Restored {
        /// Place.
        at: u64,
        /// Size of the screen at this place.
        size: Size,
        /// The bytes.
        data: Bytes,
    },
    /// Bytes that are no longer kept. The screen at their end follows.
    Gap {
        /// First byte missing.
        from: u64,
        /// First byte that is there again.
        to: u64,
    },
    /// The program has ended and all its output was sent. Nothing follows.
    Exited,
}

/// One viewer's place in the stream.
#[derive(Debug)]
pub struct Attachment {
    credit: Credit,
    /// Number of the last mark it was told.
    mark: u64,
    /// A replay of a cut log says so first.
    opening_gap: Option<(u64, u64)>,
    /// What is still to be sent of the screen at the place where output goes on.
    restore: Bytes,
    /// Size of that screen.
    size: Size,
    ended: bool,
}

impl Attachment {
    /// Places a new viewer: exactly where it stopped if that is kept, else at the start of the log.
    pub fn new(hello: Hello, log: &mut ByteLog) -> (Self, Attached) {
        let resumable = hello.same_log && (log.start()..=log.end()).contains(&hello.have_offset);
        let (mode, start_offset) = if resumable {
            (Mode::Resume, hello.have_offset)
        } else {
            (Mode::Replay, log.start())
        };
        let cut = mode == Mode::Replay && start_offset > 0;
        let mark = log.mark_at(start_offset);
        let viewer = Self {
            credit: Credit::new(start_offset, hello.window, hello.visible),
            mark: mark.number,
            opening_gap: cut.then_some((0, start_offset)),
            restore: Bytes::new(),
            size: mark.size,
            ended: false,
        };
        let attached = Attached {
            mode,
            start_offset,
            end_offset: log.end(),
            size: mark.size,
        };
        (viewer, attached)
    }

    /// The viewer's account.
    #[must_use]
    pub fn credit(&self) -> &Credit {
        &self.credit
    }

    /// The viewer's account, to take acknowledgements.
    pub fn credit_mut(&mut self) -> &mut Credit {
        &mut self.credit
    }

    /// Bytes that the program may still print before this viewer would have to wait for them.
    #[must_use]
    pub fn room(&self, log: &ByteLog) -> u64 {
        let unsent = log.end() - self.credit.sent();
        self.credit.available().saturating_sub(unsent)
    }

    /// Whether `Exited` was sent.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// The next frame, if one may be sent now.
    pub fn next(&mut self, log: &mut ByteLog, exited: bool, now_ms: u64) -> Option<Frame> {
        if self.ended {
            return None;
        }
        if let Some((from, to)) = self.opening_gap.take() {
            self.restore = log.restore().unwrap_or_default();
            return Some(Frame::Gap { from, to });
        }
        let at = self.credit.sent();
        if at < log.start() {
            return self.skip_gap(log);
        }
        if !self.restore.is_empty() {
            let length = self.restore.len().min(TERMINAL_FRAME_BYTES_MAX);
            let data = self.restore.split_to(length);
            let size = self.size;
            return Some(Frame::Restored { at, size, data });
        }
        let mark = log.mark_after(self.mark);
        if let Some(mark) = mark.filter(|mark| mark.at <= at) {
            self.mark = mark.number;
            let size = mark.size;
            return Some(Frame::Resized { at, size });
        }
        if at == log.end() {
            self.ended = exited;
            return exited.then_some(Frame::Exited);
        }
        let until_mark = mark.map_or(u64::MAX, |mark| mark.at - at);
        let bytes_max = until_mark
            .min(self.credit.available())
            .min(TERMINAL_FRAME_BYTES_MAX as u64);
        let bytes_max = usize::try_from(bytes_max).unwrap_or(TERMINAL_FRAME_BYTES_MAX);
        if bytes_max == 0 {
            return None;
        }
        let data = log.read(at, bytes_max);
        self.credit.send(data.len() as u64, now_ms);
        Some(Frame::Output { offset: at, data })
    }

    /// A viewer that fell behind goes on with the screen at the oldest place that is kept; it is told so only when it can
    /// take output again, so that a stopped viewer sees one gap and not many.
    fn skip_gap(&mut self, log: &mut ByteLog) -> Option<Frame> {
        if self.credit.available() == 0 {
            return None;
        }
        let from = self.credit.sent();
        let to = log.start();
        let mark = log.mark_at(to);
        (self.mark, self.size) = (mark.number, mark.size);
        self.restore = log.restore().unwrap_or_default();
        self.credit.skip(to);
        Some(Frame::Gap { from, to })
    }
}

#[cfg(test)]
#[path = "attach_tests.rs"]
mod tests;
