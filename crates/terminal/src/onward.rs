//! `Onward`: output on its way to a terminal at which somebody sits. What asks that terminal something is left out, since
//! the agent has answered already and two answers would be typed; what would be put where this computer pastes from is
//! left out, too, since programs elsewhere have no business there; and what is set can be undone at the end.
use crate::element::{self, Kind};
use crate::modes::Modes;

/// An unfinished sequence is held back up to here; a longer one is a picture or a text, and asks nothing.
const CUT_BYTES_MAX: usize = 1024;
/// Modes of DEC that are undone in this order; the screen comes first, so that the rest happens on the one that stays.
const UNDONE: [u16; 12] = [1049, 1, 6, 9, 45, 66, 1000, 1002, 1003, 1004, 1006, 2004];
/// Of those that are set on a fresh terminal.
const SET_AGAIN: [u16; 2] = [7, 25];

/// What becomes of a long sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Long {
    GoesOn,
    StaysBehind,
}

impl Long {
    /// How much of what follows belongs to it; `None` for all.
    fn end(self, output: &[u8]) -> Option<usize> {
        match self {
            Self::GoesOn => output.iter().position(|byte| *byte == 0x1b),
            Self::StaysBehind => {
                let end = output
                    .iter()
                    .position(|byte| matches!(byte, 0x07 | 0x18 | 0x1a | 0x1b))?;
                Some(end + usize::from(output[end] != 0x1b))
            }
        }
    }
}

/// Follows the output of one terminal to another.
#[derive(Debug, Default)]
pub struct Onward {
    /// The beginning of a sequence that goes on in the next piece.
    cut: Vec<u8>,
    /// Inside a sequence that was too long to be held back.
    inside: Option<Long>,
    modes: Modes,
    /// Something besides modes was set that changes how a later program looks: margins, the keypad, a cursor's shape.
    keypad: bool,
    margins: bool,
    shape: bool,
    /// Ways of telling keys that a program has put on top of each other.
    keys: u32,
}

impl Onward {
    /// Takes output; what of it goes on.
    pub fn pass(&mut self, output: &[u8]) -> Vec<u8> {
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(output);
        let mut onward = Vec::with_capacity(joined.len());
        let mut rest: &[u8] = &joined;
        if let Some(long) = self.inside {
            let end = long.end(rest);
            let (through, later) = rest.split_at(end.unwrap_or(rest.len()));
            if long == Long::GoesOn {
                onward.extend_from_slice(through);
            }
            rest = later;
            self.inside = self.inside.filter(|_| end.is_none());
        }
        while let Some((kind, length)) = element::first(rest) {
            let (element, later) = rest.split_at(length);
            if !self.stays_behind(kind, element) {
                onward.extend_from_slice(element);
            }
            rest = later;
        }
        if rest.len() > CUT_BYTES_MAX {
            self.inside = Some(match command(rest).is_some_and(copies) {
                true => Long::StaysBehind,
                false => Long::GoesOn,
            });
            if self.inside == Some(Long::GoesOn) {
                onward.extend_from_slice(rest);
            }
        } else {
            self.cut = rest.to_vec();
        }
        onward
    }

    /// Whether an element asks the terminal something, or copies; notes what it sets there.
    fn stays_behind(&mut self, kind: Kind, element: &[u8]) -> bool {
        if let Some(text) = command(element) {
            return asks_for_setting(text) || copies(text);
        }
        match (kind, element) {
            (Kind::Text | Kind::Line, _) => false,
            // Begins such a command in eight bits, which nothing here follows to its end.
            (_, [0xc2, 0x9d]) => true,
            (_, [0x1b, b'[', parameters @ .., last]) => self.control(parameters, *last),
            (_, [0x1b, b'P', b'$' | b'+', b'q', ..] | [0x1b, b'Z']) => true,
            (_, [0x1b, b'=']) => {
                self.keypad = true;
                false
            }
            (_, [0x1b, b'c']) => {
                *self = Self::default();
                false
            }
            _ => false,
        }
    }

    /// A control sequence: whether it asks.
    fn control(&mut self, parameters: &[u8], last: u8) -> bool {
        match (parameters, last) {
            ([b'?', modes @ ..], b'h' | b'l') => {
                for mode in numbers(modes) {
                    self.modes.set(mode, last == b'h');
                }
                false
            }
            ([b'?', ..], b'c') | ([b'>', ..], b'n') => false,
            ([.., b'$'], b'p') | (_, b'n' | b'c') | ([b'>', ..], b'q') | ([b'?', ..], b'u') => true,
            ([] | [b'0' | b'1'], b'x') => true,
            (numbers_of, b't') => numbers(numbers_of)
                .next()
                .is_some_and(|what| matches!(what, 11..=21)),
            ([_, ..], b'r') if parameters.iter().all(|byte| *byte < b'<') => {
                self.margins = true;
                false
            }
            ([.., b' '], b'q') => {
                self.shape = true;
                false
            }
            ([b'>', ..], b'u') => {
                self.keys = self.keys.saturating_add(1);
                false
            }
            ([b'<', many @ ..], b'u') => {
                let many = numbers(many).next().unwrap_or(1).max(1);
                self.keys = self.keys.saturating_sub(u32::from(many));
                false
            }
            _ => false,
        }
    }

    /// What brings the terminal back to how a shell wants it, and forgets what was set.
    pub fn undo(&mut self) -> Vec<u8> {
        let set = |mode: &u16| self.modes.told(*mode) == 1;
        let mut undo = Vec::new();
        if self.keys > 0 {
            undo.extend_from_slice(format!("\x1b[<{}u", self.keys).as_bytes());
        }
        if self.margins {
            // Setting margins moves the cursor.
            undo.extend_from_slice(b"\x1b7\x1b[r\x1b8");
        }
        for mode in UNDONE.iter().filter(|mode| set(mode)) {
            undo.extend_from_slice(format!("\x1b[?{mode}l").as_bytes());
        }
        for mode in SET_AGAIN.iter().filter(|mode| !set(mode)) {
            undo.extend_from_slice(format!("\x1b[?{mode}h").as_bytes());
        }
        if self.keypad {
            undo.extend_from_slice(b"\x1b>");
        }
        if self.shape {
            undo.extend_from_slice(b"\x1b[0 q");
        }
        undo.extend_from_slice(b"\x1b[m");
        *self = Self::default();
        undo
    }
}

/// Numbers between semicolons.
fn numbers(text: &[u8]) -> impl Iterator<Item = u16> {
    let parse = |number: &[u8]| std::str::from_utf8(number).ok()?.parse().ok();
    text.split(|byte| *byte == b';').filter_map(parse)
}

/// The text of an operating system command. Controls between its first two bytes are carried out and change nothing.
fn command(element: &[u8]) -> Option<&[u8]> {
    let rest = element.strip_prefix(b"\x1b")?;
    let at = rest
        .iter()
        .position(|byte| matches!(byte, 0x1b | 0x20..=0x7e))?;
    (rest[at] == b']').then(|| &rest[at + 1..])
}

/// Whether an operating system command puts something where people paste from.
fn copies(text: &[u8]) -> bool {
    let shown = text.iter().filter(|byte| !byte.is_ascii_control());
    let begin: Vec<u8> = shown.take(16).map(u8::to_ascii_lowercase).collect();
    let begins = |with: &str| begin.starts_with(with.as_bytes());
    let mut parts = begin.split(|byte| *byte == b';');
    match parts.next().and_then(|number| numbers(number).next()) {
        Some(52 | 5522) => true,
        Some(1337) => begins("1337;copy"),
        _ => false,
    }
}

/// Whether an operating system command asks for what it could set: a colour, or what was copied.
fn asks_for_setting(text: &[u8]) -> bool {
    let text = text.strip_suffix(b"\x1b\\").unwrap_or(text);
    let text = text.strip_suffix(b"\x07").unwrap_or(text);
    let mut parts = text.split(|byte| *byte == b';');
    let asked = |part: &[u8]| part == b"?";
    match parts.next().and_then(|number| numbers(number).next()) {
        Some(4 | 5 | 10..=19 | 52) => parts.any(asked),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_stay_behind_and_all_else_goes_on() {
        for (output, expected) in [
            (
                &b"plain \x1b[31mred\x1b[m\r\n"[..],
                &b"plain \x1b[31mred\x1b[m\r\n"[..],
            ),
            (b"a\x1b[6nb", b"ab"),
            (b"a\x1b[?6n\x1b[5nb", b"ab"),
            (b"\x1b[c\x1b[0c\x1b[>c\x1b[=cx", b"x"),
            (b"\x1b[?0cx", b"\x1b[?0cx"),
            (b"\x1b[?2026$p\x1b[4$px", b"x"),
            (b"\x1b[>q\x1b[2 qx", b"\x1b[2 qx"),
            (b"\x1b[?u\x1b[>1ux", b"\x1b[>1ux"),
            (b"\x1b[18t\x1b[22;0tx", b"\x1b[22;0tx"),
            (b"\x1b]11;?\x07\x1b]0;title\x07x", b"\x1b]0;title\x07x"),
            (
                b"\x1b]52;c;?\x1b\\\x1b]52;c;aGk=\x1b\\\x1b]52;c;aGk=\x07x",
                b"x",
            ),
            (
                b"\x1b\x00]5\x012;c;aGk=\x07\x1b]1337;Copy=:aGk=\x07\xc2\x9d52",
                b"52",
            ),
            (b"\x1b]8;;http://x/?\x1b\\y", b"\x1b]8;;http://x/?\x1b\\y"),
            (
                b"\x1bP$qm\x1b\\\x1bP+q544e\x1b\\\x1bPqpicture\x1b\\",
                b"\x1bPqpicture\x1b\\",
            ),
            (b"\x1bZx", b"x"),
            (b"\xff\xc2\xa9", b"\xff\xc2\xa9"),
        ] {
            let whole = Onward::default().pass(output);
            assert_eq!(whole, expected, "{output:?}");
            let mut onward = Onward::default();
            let bytes: Vec<u8> = output
                .iter()
                .flat_map(|byte| onward.pass(&[*byte]))
                .collect();
            assert_eq!(bytes, expected, "{output:?} byte by byte");
        }
    }

    #[test]
    fn a_picture_is_not_held_back() {
        let mut onward = Onward::default();
        let picture = [b"\x1bPq".as_slice(), &[b'#'; 4 * CUT_BYTES_MAX]].concat();
        assert_eq!(onward.pass(&picture), picture);
        assert_eq!(onward.pass(b"more\x1b\\\x1b[6nend"), b"more\x1b\\end");
    }

    #[test]
    fn nothing_long_is_copied_either() {
        for end in ["\x07", "\x1b\\"] {
            let mut onward = Onward::default();
            let copied = [b"a\x1b]52;c;".as_slice(), &[b'A'; 4 * CUT_BYTES_MAX]].concat();
            assert_eq!(onward.pass(&copied), b"a");
            assert_eq!(onward.pass(b"AAAA"), b"");
            let rest = onward.pass(format!("AA{end}b\x1b[mc").as_bytes());
            assert!(
                rest.ends_with(b"b\x1b[mc") && !rest.contains(&b'A'),
                "{rest:?}"
            );
        }
    }

    #[test]
    fn what_a_program_set_is_undone_and_nothing_else() {
        let mut onward = Onward::default();
        assert_eq!(onward.undo(), b"\x1b[m");
        onward.pass(b"\x1b[?1049h\x1b[?25l\x1b[?1;2004h\x1b[2;9r\x1b=\x1b[>1u\x1b[5 q");
        assert_eq!(
            onward.undo(),
            b"\x1b[<1u\x1b7\x1b[r\x1b8\x1b[?1049l\x1b[?1l\x1b[?2004l\x1b[?25h\x1b>\x1b[0 q\x1b[m"
        );
        assert_eq!(onward.undo(), b"\x1b[m");
        onward.pass(b"\x1b[?1049h\x1b[?1049l\x1b[>1u\x1b[<u\x1b[?2004hx\x1bc");
        assert_eq!(onward.undo(), b"\x1b[m");
    }
}
