//! `Checkpoint`: the screen at the place where a cut log begins. It takes the bytes as they leave the log, so a terminal
//! that has never filled its log has none, and costs nothing.
use shpool_vterm::{ContentRegion, Term};

use crate::flood::{self, Known};
use crate::log::Size;

/// Bytes that have left the log and that the emulator has not seen. It is slow and most of a flood never shows.
const UNSEEN_BYTES_MAX: usize = 128 * 1024;
/// Of something unfinished that is longer than this (a picture, an endless title) the middle is left out.
const UNFINISHED_BYTES_MAX: usize = 16 * 1024;

/// Shows a screen without a change to either, or to the cursor.
const SHOW_ALTERNATE: &[u8] = b"\x1b[?47h";
const SHOW_MAIN: &[u8] = b"\x1b[?47l";
/// Cancel; no saved cursor, margins or origin mode in either screen; the last line of the main one.
const FORGET: &[u8] = b"\x18\x1b[?47h\x1b[!p\x1b[?47l\x1b[!p\x1b[999;1H";

/// The screen after all bytes that have left the log.
pub(crate) struct Checkpoint {
    term: Term,
    rows: usize,
    /// Before what is unseen.
    known: Known,
    /// What left last; at its end may be the beginning of a sequence or character that goes on in the log.
    unseen: Vec<u8>,
}

impl std::fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Checkpoint").finish_non_exhaustive()
    }
}

impl Checkpoint {
    /// A fresh screen.
    pub(crate) fn new(size: Size) -> Self {
        let emulated = emulated(size);
        Self {
            // What scrolls off is not kept: the log after it is history enough.
            term: Term::new(emulated.height, emulated),
            rows: emulated.height,
            known: Known::new(size),
            unseen: Vec::new(),
        }
    }

    /// Bytes that leave the log.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.unseen.extend_from_slice(bytes);
        if self.unseen.len() > UNSEEN_BYTES_MAX {
            self.condense(UNSEEN_BYTES_MAX / 2);
        }
    }

    /// The size from here on.
    pub(crate) fn resize(&mut self, size: Size) {
        self.condense(0);
        let emulated = emulated(size);
        self.rows = emulated.height;
        self.term.resize(emulated);
        self.term.set_scrollback_lines(emulated.height);
        self.known.resize(size);
    }

    /// Leaves out what no longer shows. If more than `leave` bytes are left, the emulator looks at them.
    fn condense(&mut self, leave: usize) {
        let flood = flood::condense(&self.unseen, self.known.clone());
        let mut unfinished = self.unseen.split_off(self.unseen.len() - flood.unfinished);
        self.unseen = flood.shown;
        if self.unseen.len() > leave {
            self.term.process(&self.unseen);
            self.known = flood.known;
            self.unseen.clear();
        }
        if unfinished.len() > UNFINISHED_BYTES_MAX {
            // The last byte may begin the end.
            unfinished.drain(UNFINISHED_BYTES_MAX - 1..unfinished.len() - 1);
        }
        self.unseen.append(&mut unfinished);
    }

    /// What makes any viewer's screen this one, whatever it showed and in whatever state it was. Its lines go on to its
    /// own history.
    pub(crate) fn restore(&mut self) -> Vec<u8> {
        self.condense(0);
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
        bytes.extend_from_slice(&self.unseen);
        bytes
    }
}

fn emulated(size: Size) -> shpool_vterm::Size {
    let side = |side: u32| usize::try_from(side.max(1)).unwrap_or(1);
    shpool_vterm::Size {
        width: side(size.cols),
        height: side(size.rows),
    }
}

#[cfg(test)]
#[path = "checkpoint_tests.rs"]
mod tests;
