//! `Boundary`: where output may be cut so that what follows begins neither inside a character nor inside a sequence.

/// How far into something unfinished the output is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    /// So many bytes of a character are still to come.
    Character(u8),
    Escape,
    /// After an intermediate byte of an escape sequence.
    Intermediate,
    Control,
    /// A title, a link, a device control string. Only an operating system command ends with a bell.
    Text {
        bell_ends: bool,
    },
}

/// Follows output byte by byte.
#[derive(Clone, Debug, Default)]
pub(crate) struct Boundary(State);

impl Boundary {
    /// Takes output; where its finished part ends, if any of it is finished.
    pub(crate) fn follow(&mut self, output: &[u8]) -> Option<usize> {
        let mut last = None;
        for (at, byte) in output.iter().enumerate() {
            self.0 = after(self.0, *byte);
            if self.0 == State::Ground {
                last = Some(at + 1);
            }
        }
        last
    }
}

fn after(state: State, byte: u8) -> State {
    match (state, byte) {
        // Escape begins anew wherever it comes; the two others give up what was begun.
        (_, 0x1b) => State::Escape,
        (_, 0x18 | 0x1a) => State::Ground,
        (State::Character(1), 0x80..=0xbf) => State::Ground,
        (State::Character(left), 0x80..=0xbf) => State::Character(left - 1),
        (State::Ground | State::Character(_), 0xc2..=0xdf) => State::Character(1),
        (State::Ground | State::Character(_), 0xe0..=0xef) => State::Character(2),
        (State::Ground | State::Character(_), 0xf0..=0xf4) => State::Character(3),
        (State::Ground | State::Character(_), _) => State::Ground,
        (State::Escape, b'[') => State::Control,
        (State::Escape, b']') => State::Text { bell_ends: true },
        (State::Escape, b'P' | b'X' | b'^' | b'_') => State::Text { bell_ends: false },
        (State::Escape | State::Intermediate, 0x20..=0x2f) => State::Intermediate,
        (State::Escape | State::Intermediate, 0x30..=0x7e) => State::Ground,
        (State::Control, 0x40..=0x7e) => State::Ground,
        (State::Text { bell_ends: true }, 0x07) => State::Ground,
        (state, _) => state,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_cut_inside() {
        for (output, finished) in [
            (&b"plain"[..], 5),
            (b"a\x1b", 1),
            (b"a\x1b[3", 1),
            (b"a\x1b[31m", 6),
            (b"a\x1b(0", 4),
            (b"a\x1b(", 1),
            (b"\x1b]0;title", 0),
            (b"\x1b]0;title\x07", 10),
            (b"\x1bPqdata\x07\x1b\\", 10),
            (b"\x1b]8;;x\x1b\\y", 9),
            ("gr\u{fc}".as_bytes(), 4),
            (b"gr\xc3", 2),
            (b"\xf0\x9f\x98", 0),
            (b"\x1b[3\x18x", 5),
            (b"\xff\xfe", 2),
        ] {
            let whole = Boundary::default().follow(output).unwrap_or(0);
            assert_eq!(whole, finished, "{output:?}");
        }
    }
}
