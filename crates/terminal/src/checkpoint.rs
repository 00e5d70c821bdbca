//! `Checkpoint`: the screen at the place where a cut log begins. It takes the bytes as they leave the log, so a terminal
//! that has never filled its log has none, and costs nothing.
use shpool_vterm::{ContentRegion, Term};

use crate::boundary::Boundary;
use crate::log::Size;

/// Of something unfinished that is longer than this (a picture, an endless title) the middle is left out.
const PENDING_BYTES_MAX: usize = 16 * 1024;

/// Shows a screen without a change to either, or to the cursor.
const SHOW_ALTERNATE: &[u8] = b"\x1b[?47h";
const SHOW_MAIN: &[u8] = b"\x1b[?47l";
/// Cancel; no saved cursor, margins or origin mode in either screen; the last line of the main one.
const FORGET: &[u8] = b"\x18\x1b[?47h\x1b[!p\x1b[?47l\x1b[!p\x1b[999;1H";

/// The screen after all bytes that have left the log.
pub(crate) struct Checkpoint {
    term: Term,
    rows: usize,
    boundary: Boundary,
    /// A sequence or character that began in the bytes that left and goes on in the log.
    pending: Vec<u8>,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint").finish_non_exhaustive()
    }
}

impl Checkpoint {
    /// A fresh screen.
    pub(crate) fn new(size: Size) -> Self {
        let (size, rows) = measured(size);
        Self {
            // What scrolls off is not kept: the log after it is history enough.
            term: Term::new(rows, size),
            rows,
            boundary: Boundary::default(),
            pending: Vec::new(),
        }
    }

    /// Bytes that leave the log.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        let (finished, rest) = bytes.split_at(self.boundary.follow(bytes).unwrap_or(0));
        if !finished.is_empty() {
            if self.pending.is_empty() {
                self.term.process(visible(finished, self.rows));
            } else {
                self.term.process(&self.pending);
                self.pending.clear();
                self.term.process(finished);
            }
        }
        let room = PENDING_BYTES_MAX.saturating_sub(self.pending.len());
        self.pending
            .extend_from_slice(&rest[..rest.len().min(room)]);
    }

    /// The size from here on.
    pub(crate) fn resize(&mut self, size: Size) {
        let (size, rows) = measured(size);
        self.rows = rows;
        self.term.resize(size);
        self.term.set_scrollback_lines(rows);
    }

    /// What makes any viewer's screen this one, whatever it showed and in whatever state it was. Its lines go on to its
    /// own history.
    pub(crate) fn restore(&mut self) -> Vec<u8> {
        let mut bytes = FORGET.to_vec();
        bytes.extend(std::iter::repeat_n(b'\n', self.rows));
        let shown = self.term.contents(ContentRegion::Screen);
        // Of the alternate screen, and of the cursor that was saved in it, the emulator tells only while that is shown.
        self.term.process(SHOW_ALTERNATE);
        let alternate = self.term.contents(ContentRegion::Screen);
        if alternate != shown {
            self.term.process(SHOW_MAIN);
            bytes.extend(alternate);
        }
        bytes.extend(shown);
        bytes.extend_from_slice(&self.pending);
        bytes
    }
}

fn measured(size: Size) -> (shpool_vterm::Size, usize) {
    let side = |side: u32| usize::try_from(side.max(1)).unwrap_or(1);
    let (width, height) = (side(size.cols), side(size.rows));
    (shpool_vterm::Size { width, height }, height)
}

/// Leaves out whole lines of plain text that have scrolled off again by the end: a flood then costs next to nothing.
fn visible(output: &[u8], rows: usize) -> &[u8] {
    // Escape, and the two that switch character sets.
    let controls = |byte: &u8| matches!(byte, 0x0e | 0x0f | 0x1b);
    if output.len() < rows || output.iter().any(controls) {
        return output;
    }
    let mut lines = 0;
    for (at, pair) in output.windows(2).enumerate().rev() {
        if pair == b"\r\n" {
            lines += 1;
            if lines > rows {
                return &output[at + 2..];
            }
        }
    }
    output
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
