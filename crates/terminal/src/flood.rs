//! `Flood`: output without what has scrolled off again by its end.
use crate::element::{self, Kind};

/// What is left of some output.
pub(crate) struct Flood {
    /// A screen that sees this looks like one that saw all that is finished.
    pub(crate) shown: Vec<u8>,
    /// What lines scroll within by the end of it.
    pub(crate) margins: Margins,
    /// So many bytes at the end are not whole yet.
    pub(crate) unfinished: usize,
}

/// Leaves out lines that have scrolled off a screen of so many rows, and off as many above it.
pub(crate) fn condense(output: &[u8], rows: usize, mut margins: Margins) -> Flood {
    let (mut shown, mut run, mut at) = (Vec::new(), 0, 0);
    while let Some((kind, length)) = element::first(&output[at..]) {
        let end = at + length;
        if kind == Kind::Other {
            scroll(&output[run..at], rows, margins, &mut shown);
            shown.extend_from_slice(&output[at..end]);
            margins = margins.after(&output[at..end]);
            run = end;
        }
        at = end;
    }
    scroll(&output[run..at], rows, margins, &mut shown);
    Flood {
        shown,
        margins,
        unfinished: output.len() - at,
    }
}

/// A run of lines. Of those that have scrolled off, their colours go on.
fn scroll(run: &[u8], rows: usize, margins: Margins, shown: &mut Vec<u8>) {
    let cut = match margins {
        Margins::None => last_lines(run, 3 * rows),
        Margins::Rows | Margins::Columns => 0,
    };
    let (mut gone, left) = run.split_at(cut);
    while let Some((kind, length)) = element::first(gone) {
        if kind == Kind::Style {
            shown.extend_from_slice(&gone[..length]);
        }
        gone = &gone[length..];
    }
    shown.extend_from_slice(left);
}

/// Where the new line begins that so many others follow: after as many as the screen has rows the cursor is in the last
/// one, after twice as many every row is new, and then as many have left it.
fn last_lines(run: &[u8], mut lines: usize) -> usize {
    for (at, pair) in run.windows(2).enumerate().rev() {
        if pair == b"\r\n" {
            if lines == 0 {
                return at;
            }
            lines -= 1;
        }
    }
    0
}

/// What keeps lines from scrolling over the whole screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Margins {
    #[default]
    None,
    /// Some at the top and bottom, perhaps.
    Rows,
    /// Some at the sides, perhaps. So rare that only a reset takes them away here.
    Columns,
}

impl Margins {
    fn after(self, sequence: &[u8]) -> Self {
        match sequence {
            b"\x1bc" => Self::None,
            [0x1b, b'[', b'?', modes @ .., b'h']
                if modes.split(|byte| *byte == b';').any(|mode| mode == b"69") =>
            {
                Self::Columns
            }
            _ if self == Self::Columns => self,
            b"\x1b[!p" | b"\x1b[r" => Self::None,
            [0x1b, b'[', b'0'..=b'9' | b';', .., b'r'] => Self::Rows,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use shpool_vterm::{ContentRegion, Size, Term};

    use super::*;

    #[test]
    fn of_a_flood_only_its_last_lines_and_its_colours_are_left() {
        let lines = |n: usize| (0..n).map(|n| format!("line {n}\r\n")).collect::<String>();
        let shown = |output: String| condense(output.as_bytes(), 6, Margins::None).shown.len();
        assert!(shown(lines(5_000)) < 250);
        assert!(shown(format!("\x1b[2J{}\x1b[A{}", lines(5_000), lines(5_000))) < 500);
        let coloured = shown(lines(5_000).replace("line", "\x1b[31mline\x1b[0m\x1b[K"));
        assert!(coloured < 50_000, "{coloured}");
    }

    #[test]
    fn within_margins_nothing_is_left_out() {
        let lines = "a line\r\n".repeat(100);
        for (before, margins) in [
            ("", Margins::None),
            ("\x1b[2;5r", Margins::Rows),
            ("\x1b[2;5r\x1b[r", Margins::None),
            ("\x1b[2;5r\x1bc", Margins::None),
            ("\x1b[?7;69h", Margins::Columns),
            ("\x1b[?69h\x1b[r", Margins::Columns),
            ("\x1b[?1049h", Margins::None),
        ] {
            let flood = condense(format!("{before}{lines}").as_bytes(), 6, Margins::None);
            assert_eq!(flood.margins, margins, "{before:?}");
            let all = flood.shown.len() >= lines.len();
            assert_eq!(all, margins != Margins::None, "{before:?}");
        }
    }

    /// A screen and what has scrolled off it, after pieces that each went as they are or condensed with what was left
    /// of those before.
    fn shown(pieces: &[String], condensed: bool) -> String {
        let (height, width) = (5, 20);
        let mut term = Term::new(height, Size { width, height });
        let (mut left, mut margins) = (Vec::new(), Margins::None);
        for (number, piece) in pieces.iter().enumerate() {
            left.extend_from_slice(piece.as_bytes());
            if condensed {
                left = condense(&left, height, margins).shown;
            }
            // Now and then.
            if number % 3 == 2 || number + 1 == pieces.len() {
                margins = condense(&left, height, margins).margins;
                term.process(&left);
                left.clear();
            }
        }
        String::from_utf8_lossy(&term.contents(ContentRegion::All)).into_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn nobody_sees_that_something_was_left_out(
            pieces in prop::collection::vec(prop_oneof![
                4 => (
                    prop_oneof![
                        "[a-z]{0,25}", "\\x1b\\[3[1-7]m[a-z]{0,20}(\\x1b\\[K)?", "[a-z]{1,4}\n", "(漢|é|\t){1,12}",
                        "[a-z]{3,9}\\x1b\\[44m\\x1b\\[[12]?K", "\\x1b\\]8;;link\x07[a-z]{3}",
                    ],
                    1usize..40,
                ).prop_map(|(line, n)| (line + "\r\n").repeat(n)),
                1 => "[a-z ]{0,30}",
                2 => prop::sample::select(vec![
                    "\x1b[H", "\x1b[2J", "\x1b[3;9H", "\x1b[A", "\x08", "\x1b[0m", "\x1b]0;a title\x07", "\x1b(0", "\x0e",
                    "\x1b[?1049h", "\x1b[?1049l", "\x1b[2;4r", "\x1b[1;5r", "\x1b[r", "\x1bc", "\x1b[?7l", "\x1b[?7h",
                    "\x1b[4h", "\x1b[4l", "\x1b7", "\x1b8", "\x1b[?6h", "\x1b[?6l", "\x1bM", "\x1b[5X", "\x1b[2@", "\x1b[3P",
                    "\x1b[20h", "\x1b[20l", "\x1b[?69h\x1b[2;9s", "\x1b[?45h", "\x1b[!p",
                ]).prop_map(str::to_owned),
            ], 0..14),
        ) {
            prop_assert_eq!(shown(&pieces, true), shown(&pieces, false));
        }
    }
}
