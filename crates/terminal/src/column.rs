//! `Column`: where in its line the cursor is, as far as output tells by itself.
use unicode_width::UnicodeWidthChar as _;

use crate::cursor::Cursor;
use crate::element::{self, Kind};
use crate::log::Size;

/// The column after some output.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// Where this one is, whose row says nothing.
    Known(Cursor),
    /// A sequence moved it. A carriage return makes it known.
    Unknown,
    /// The program chose where lines end, where tabs stop or what ends a line. So rare that only a reset makes it known.
    Own,
}

impl Column {
    /// At the beginning of a line.
    pub(crate) fn first(size: Size) -> Self {
        Self::Known(Cursor::new(size))
    }

    /// How many columns are before it, after a line feed.
    pub(crate) fn after_line_feed(&self) -> Option<u32> {
        match self {
            Self::Known(cursor) => Some(cursor.report().1 - 1),
            Self::Unknown | Self::Own => None,
        }
    }

    /// After elements that move right or down, or not at all.
    pub(crate) fn follow(&mut self, size: Size, run: &[u8]) {
        if matches!(self, Self::Own) {
            return;
        }
        let mut run = match run.iter().rposition(|byte| *byte == b'\r') {
            Some(at) => {
                *self = Self::first(size);
                &run[at..]
            }
            None => run,
        };
        while let Self::Known(cursor) = self
            && let Some((kind, length)) = element::first(run)
        {
            let followed = match kind {
                Kind::Text => follow_text(cursor, &run[..length]),
                // What changes a line takes a wrap back that is still to come.
                Kind::Line => {
                    cursor.left(0);
                    Some(())
                }
                Kind::Style => Some(()),
                Kind::Other => None,
            };
            if followed.is_none() {
                *self = Self::Unknown;
            }
            run = &run[length..];
        }
    }

    /// After anything else.
    pub(crate) fn after(self, size: Size, sequence: &[u8]) -> Self {
        match sequence {
            b"\x1bc" => Self::first(size),
            _ if matches!(self, Self::Own) || makes_own(sequence) => Self::Own,
            _ => Self::Unknown,
        }
    }
}

/// Whether a sequence sets or clears a tab stop, or the mode of new lines, of wraps or of margins at the sides.
fn makes_own(sequence: &[u8]) -> bool {
    match sequence {
        [0x1b, b'H'] | [0xc2, 0x88] | [0x1b, b'[', .., b'g' | b'W'] => true,
        [0x1b, b'[', modes @ .., b'h' | b'l' | b'r'] => modes
            .split(|byte| !byte.is_ascii_digit())
            .any(|mode| matches!(mode, b"7" | b"20" | b"69")),
        _ => false,
    }
}

/// `None` when there is something in it of which nobody can tell how wide it is.
fn follow_text(cursor: &mut Cursor, mut text: &[u8]) -> Option<()> {
    while let Some(first) = text.first() {
        let (same, rest) = text.split_at(element::alike(text));
        match first {
            0x00..=0x1f => same.iter().for_each(|byte| match byte {
                b'\t' => cursor.tab(1),
                b'\n' | 0x0b | 0x0c => cursor.line_feed(),
                b'\r' => cursor.carriage_return(),
                _ => {}
            }),
            0x20..=0x7e => cursor.print_narrow(same.len()),
            0x7f.. => {
                for character in std::str::from_utf8(same).ok()?.chars() {
                    let width = u32::try_from(character.width()?).ok()?;
                    if width > cursor.cols() {
                        return None;
                    }
                    cursor.print(width);
                }
            }
        }
        text = rest;
    }
    Some(())
}
