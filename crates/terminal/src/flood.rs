//! `Flood`: output without what has scrolled off again by its end.
use crate::column::Column;
use crate::element::{self, Kind};
use crate::log::Size;

/// What is left of some output.
pub(crate) struct Flood {
    /// A screen that sees this looks like one that saw all that is finished.
    pub(crate) shown: Vec<u8>,
    /// What is known by the end of it.
    pub(crate) known: Known,
    /// So many bytes at the end are not whole yet.
    pub(crate) unfinished: usize,
}

/// What is known of a screen that nobody looks at.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    size: Size,
    /// What lines scroll within.
    margins: Margins,
    column: Column,
}

/// Leaves out lines that have scrolled off a screen, and off as many above it.
pub(crate) fn condense(output: &[u8], mut known: Known) -> Flood {
    let (mut shown, mut run, mut at) = (Vec::new(), 0, 0);
    while let Some((kind, length)) = element::first(&output[at..]) {
        let end = at + length;
        if kind == Kind::Other {
            known.scroll(&output[run..at], &mut shown);
            shown.extend_from_slice(&output[at..end]);
            known = known.after(&output[at..end]);
            run = end;
        }
        at = end;
    }
    known.scroll(&output[run..at], &mut shown);
    Flood {
        shown,
        known,
        unfinished: output.len() - at,
    }
}

impl Known {
    /// Of a fresh screen.
    pub(crate) fn new(size: Size) -> Self {
        let size = at_least_one(size);
        Self {
            size,
            margins: Margins::None,
            column: Column::first(size),
        }
    }

    /// The screen got another size, and wraps its lines anew.
    pub(crate) fn resize(&mut self, size: Size) {
        self.size = at_least_one(size);
        if let Column::Known(_) = self.column {
            self.column = Column::Unknown;
        }
    }

    /// A run of lines. Of those that have scrolled off, their colours go on, and the column that the last one ends at.
    fn scroll(&mut self, run: &[u8], shown: &mut Vec<u8>) {
        let end = match self.margins {
            Margins::None => last_lines(run, 3 * self.size.rows as usize),
            Margins::Rows | Margins::Columns => 0,
        };
        let (gone, left) = run.split_at(end);
        self.column.follow(self.size, gone);
        let begins = self.column.after_line_feed();
        self.column.follow(self.size, left);
        let Some(begins) = begins.filter(|_| end > 0) else {
            // What the last carriage return began is left whole.
            let begin = gone.iter().rposition(|byte| *byte == b'\r').unwrap_or(0);
            keep_style(&run[..begin], shown);
            shown.extend_from_slice(&run[begin..]);
            return;
        };
        keep_style(gone, shown);
        shown.push(b'\r');
        shown.extend(std::iter::repeat_n(b' ', begins as usize));
        shown.extend_from_slice(left);
    }

    /// After what is no line.
    fn after(self, sequence: &[u8]) -> Self {
        Self {
            size: self.size,
            margins: self.margins.after(sequence),
            column: self.column.after(self.size, sequence),
        }
    }
}

fn at_least_one(Size { cols, rows }: Size) -> Size {
    Size {
        cols: cols.max(1),
        rows: rows.max(1),
    }
}

/// Of lines that nobody sees.
fn keep_style(mut gone: &[u8], shown: &mut Vec<u8>) {
    while let Some((kind, length)) = element::first(gone) {
        if kind == Kind::Style {
            shown.extend_from_slice(&gone[..length]);
        }
        gone = &gone[length..];
    }
}

/// Where the line ends that so many others follow: after as many as the screen has rows the cursor is in the last one,
/// after twice as many every row is new, and then as many have left it.
fn last_lines(run: &[u8], lines: usize) -> usize {
    let ends = run
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at).nth(lines).unwrap_or(0)
}

/// What keeps lines from scrolling over the whole screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Margins {
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
    use shpool_vterm::{ContentRegion, Term};

    use super::*;

    const SIZE: Size = Size { cols: 20, rows: 5 };

    #[test]
    fn of_a_flood_only_its_last_lines_and_its_colours_are_left() {
        let lines = |n: usize| (0..n).map(|n| format!("line {n}\r\n")).collect::<String>();
        let shown = |output: String| condense(output.as_bytes(), Known::new(SIZE)).shown.len();
        assert!(shown(lines(5_000)) < 250);
        assert!(shown(format!("\x1b[2J{}\x1b[A{}", lines(5_000), lines(5_000))) < 500);
        let coloured = shown(lines(5_000).replace("line", "\x1b[31mline\x1b[0m\x1b[K"));
        assert!(coloured < 50_000, "{coloured}");
    }

    #[test]
    fn where_a_line_goes_on_where_the_last_one_ended_no_more_is_left() {
        let lines = |line: &str| line.repeat(5_000);
        let shown = |output: String| condense(output.as_bytes(), Known::new(SIZE)).shown.len();
        for line in [
            "y\n",
            "tab\tand 漢字\n",
            "\x1b[Kone line that wraps\n",
            "a\nb\r\n",
        ] {
            assert!(shown(lines(line)) < 500, "{line:?}");
            // A prompt, and the end of its line.
            let after = shown(format!("\x1b[?2004h$ \x1b[2Cx\r\n{}", lines(line)));
            assert!(after < 500, "{line:?}");
        }
        // Nobody knows where these begin.
        assert!(shown(format!("\x1b[2C{}", lines("y\n"))) > 5_000);
        assert!(shown(format!("\x1b[?7l\r\n{}", lines("y\n"))) > 5_000);
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
            let flood = condense(format!("{before}{lines}").as_bytes(), Known::new(SIZE));
            assert_eq!(flood.known.margins, margins, "{before:?}");
            let all = flood.shown.len() >= lines.len();
            assert_eq!(all, margins != Margins::None, "{before:?}");
        }
    }

    /// A screen and what has scrolled off it, after pieces that each went as they are or condensed with what was left
    /// of those before.
    fn shown(pieces: &[String], condensed: bool) -> String {
        let (height, width) = (SIZE.rows as usize, SIZE.cols as usize);
        let mut term = Term::new(height, shpool_vterm::Size { width, height });
        let (mut left, mut known) = (Vec::new(), Known::new(SIZE));
        for (number, piece) in pieces.iter().enumerate() {
            left.extend_from_slice(piece.as_bytes());
            if condensed {
                left = condense(&left, known.clone()).shown;
            }
            // Now and then.
            if number % 3 == 2 || number + 1 == pieces.len() {
                known = condense(&left, known).known;
                term.process(&left);
                left.clear();
            }
        }
        String::from_utf8_lossy(&term.contents(ContentRegion::All)).into_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn nobody_sees_that_something_was_left_out(
            pieces in prop::collection::vec(prop_oneof![
                4 => (
                    prop_oneof![
                        "[a-z]{0,25}", "\\x1b\\[3[1-7]m[a-z]{0,20}(\\x1b\\[K)?", "[a-z]{1,4}\n", "(漢|é|\t){1,12}",
                        "[a-z]{3,9}\\x1b\\[44m\\x1b\\[[12]?K", "\\x1b\\]8;;link\x07[a-z]{3}", "[a-z]{20}(\\x1b\\[K|\t)[a-z]?",
                        "([a-z]{0,9}[\t\x08\r\n\x0b])?(e\u{301}|漢|\u{7f}|[a-z]{0,9})",
                    ],
                    prop::sample::select(vec!["\r\n", "\n", "\n", "\n\r", "\x08\n"]),
                    1usize..40,
                ).prop_map(|(line, end, n)| (line + end).repeat(n)),
                1 => "[a-z \t\r]{0,30}",
                2 => prop::sample::select(vec![
                    "\x1b[H", "\x1b[2J", "\x1b[3;9H", "\x1b[A", "\x08", "\x1b[0m", "\x1b]0;a title\x07", "\x1b(0", "\x0e",
                    "\x1b[?1049h", "\x1b[?1049l", "\x1b[2;4r", "\x1b[1;5r", "\x1b[r", "\x1bc", "\x1b[?7l", "\x1b[?7h",
                    "\x1b[4h", "\x1b[4l", "\x1b7", "\x1b8", "\x1b[?6h", "\x1b[?6l", "\x1bM", "\x1b[5X", "\x1b[2@", "\x1b[3P",
                    "\x1b[20h", "\x1b[20l", "\x1b[?69h\x1b[2;9s", "\x1b[?45h", "\x1b[!p", "\x1b[7C", "\x1bH", "\x1b[3g", "\x1bE",
                    "\x1b]0;a\rtitle\x07",
                ]).prop_map(str::to_owned),
            ], 0..14),
        ) {
            prop_assert_eq!(shown(&pieces, true), shown(&pieces, false));
        }
    }
}
