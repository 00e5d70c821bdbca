//! `Element`: output cut into text and sequences, each whole, by what they can do to a screen.

/// What an element can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Characters, new lines, tabs: changes the line of the cursor, moves right or down.
    Text,
    /// Changes the line of the cursor and moves nothing.
    Line,
    /// A colour, a title, a link: says how what follows looks, wherever the cursor is.
    Style,
    /// Anything else.
    Other,
}

/// The first element of some output and its length. `None` when what is there is not whole yet.
pub(crate) fn first(output: &[u8]) -> Option<(Kind, usize)> {
    match *output {
        [] | [0x1b] | [0xc2] => None,
        [0x1b, ..] => sequence(output),
        // Back, which may go up a line; other character sets; a control of eight bits.
        [0x08 | 0x0e | 0x0f, ..] => Some((Kind::Other, 1)),
        [0xc2, 0x80..=0x9f, ..] => Some((Kind::Other, 2)),
        _ => characters(output),
    }
}

/// A sequence, by what follows its escape.
fn sequence(output: &[u8]) -> Option<(Kind, usize)> {
    // Controls are carried out where they stand, and no part of it.
    let part = |byte: &u8| matches!(byte, 0x18 | 0x1a | 0x1b | 0x20..=0x7e);
    let at = 1 + output[1..].iter().position(part)?;
    let (kind, length) = match output[at] {
        b'[' => control(output, at + 1),
        b']' => text(output, at + 1, Some(0x07)),
        b'P' | b'X' | b'^' | b'_' => text(output, at + 1, None),
        _ => escape(output, at),
    }?;
    let kind = if at == 1 { kind } else { Kind::Other };
    Some((kind, length))
}

/// A control sequence: parameters, and a letter that says what it does.
fn control(output: &[u8], begin: usize) -> Option<(Kind, usize)> {
    let mut plain = true;
    for (at, byte) in output.iter().enumerate().skip(begin) {
        match byte {
            b'0'..=b'9' | b';' | b':' => {}
            b'm' if plain => return Some((Kind::Style, at + 1)),
            b'K' | b'P' | b'X' | b'@' if plain => return Some((Kind::Line, at + 1)),
            0x40..=0x7e | 0x18 | 0x1a => return Some((Kind::Other, at + 1)),
            0x1b => return Some((Kind::Other, at)),
            _ => plain = false,
        }
    }
    None
}

/// A string, up to its terminator; only an operating system command may end with a bell.
fn text(output: &[u8], begin: usize, bell: Option<u8>) -> Option<(Kind, usize)> {
    let ends = |byte: &u8| matches!(byte, 0x18 | 0x1a | 0x1b) || Some(*byte) == bell;
    let end = begin + output[begin..].iter().position(ends)?;
    let length = match (output[end], output.get(end + 1)) {
        (0x1b, None) => return None,
        (0x1b, Some(b'\\')) => end + 2,
        // Another sequence begins.
        (0x1b, Some(_)) => end,
        _ => end + 1,
    };
    // Whoever looks for the ends of lines finds none in it.
    let one_line = !output[..length]
        .iter()
        .any(|byte| matches!(byte, b'\n' | b'\r'));
    let style = bell.is_some() && one_line;
    let kind = if style { Kind::Style } else { Kind::Other };
    Some((kind, length))
}

/// Intermediate bytes, and one that says what it does.
fn escape(output: &[u8], begin: usize) -> Option<(Kind, usize)> {
    for (at, byte) in output.iter().enumerate().skip(begin) {
        match byte {
            0x30..=0x7e | 0x18 | 0x1a => return Some((Kind::Other, at + 1)),
            0x1b => return Some((Kind::Other, at)),
            _ => {}
        }
    }
    None
}

/// Whole characters up to the next byte that may begin something else.
fn characters(output: &[u8]) -> Option<(Kind, usize)> {
    let mut end = 0;
    while let Some(at) = begins_other(&output[end..]) {
        end += at;
        let character =
            output[end] == 0xc2 && !matches!(output.get(end + 1), None | Some(0x80..=0x9f));
        if !character {
            return Some((Kind::Text, end));
        }
        end += 1;
    }
    let end = output.len() - unfinished(output);
    (end > 0).then_some((Kind::Text, end))
}

/// Where the first byte stands that may begin something else than a character.
fn begins_other(output: &[u8]) -> Option<usize> {
    first_of(output, |byte| {
        matches!(byte, 0x1b | 0x08 | 0x0e | 0x0f | 0xc2)
    })
}

/// How many bytes of a text at its beginning are printable ASCII, or controls, or neither.
pub(crate) fn alike(text: &[u8]) -> usize {
    let printable = |byte| matches!(byte, 0x20..=0x7e);
    let control = |byte| byte < 0x20;
    let other = match text.first() {
        Some(byte) if printable(*byte) => first_of(text, |byte| !printable(byte)),
        Some(byte) if control(*byte) => first_of(text, |byte| !control(byte)),
        _ => first_of(text, |byte| printable(byte) || control(byte)),
    };
    other.unwrap_or(text.len())
}

/// Where the first such byte stands. A processor compares many at once when there is no way out in between.
fn first_of(bytes: &[u8], such: impl Fn(u8) -> bool) -> Option<usize> {
    const AT_ONCE: usize = 64;
    let among = |chunk: &[u8]| chunk.iter().fold(false, |any, byte| any | such(*byte));
    let chunk = bytes.chunks(AT_ONCE).position(among)? * AT_ONCE;
    Some(chunk + bytes[chunk..].iter().position(|byte| such(*byte))?)
}

/// Bytes at the end that begin a character.
pub(crate) fn unfinished(output: &[u8]) -> usize {
    for (count, byte) in (1..=3).zip(output.iter().rev()) {
        let length = match byte {
            0x80..=0xbf => continue,
            0xc0..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf7 => 4,
            _ => 0,
        };
        return if length > count { count } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{Line, Other, Style, Text};

    #[test]
    fn elements_are_whole_and_of_their_kind() {
        for (output, expected) in [
            (&b"plain\r\n\ttext"[..], Some((Text, 12))),
            (b"a\x1b[31m", Some((Text, 1))),
            (b"\x1b[1;38:2::1:2:3mx", Some((Style, 16))),
            (b"\x1b[>4m", Some((Other, 5))),
            (b"\x1b[K", Some((Line, 3))),
            (b"\x1b[2J", Some((Other, 4))),
            (b"\x1b[3\n1m", Some((Other, 6))),
            (b"\x1b[3\x18x", Some((Other, 4))),
            (b"\x1b[3\x1b[m", Some((Other, 3))),
            (b"\x1b[3", None),
            (b"\x1b", None),
            (b"\x1b(0", Some((Other, 3))),
            (b"\x1b(", None),
            (b"\x1b\x1bx", Some((Other, 1))),
            (b"\x1b\x7f[mx", Some((Other, 4))),
            (b"\x1b]0;title", None),
            (b"\x1b]0;title\x07x", Some((Style, 10))),
            (b"\x1b]8;;x\x1b\\y", Some((Style, 8))),
            (b"\x1b]8;;x\x1b", None),
            (b"\x1b]8;;x\x1b[m", Some((Style, 6))),
            (b"\x1b]0;two\nlines\x07", Some((Other, 14))),
            (b"\x1b]0;two\rlines\x07", Some((Other, 14))),
            (b"\x1bPqdata\x07\x1b\\", Some((Other, 10))),
            ("grü".as_bytes(), Some((Text, 4))),
            ("©x".as_bytes(), Some((Text, 3))),
            (b"gr\xc3", Some((Text, 2))),
            (b"\xc2\x8dx", Some((Other, 2))),
            (b"x\xc2\x8d", Some((Text, 1))),
            (b"x\xc2", Some((Text, 1))),
            (b"x\xc2\x1b[m", Some((Text, 2))),
            (b"\xf0\x9f\x98", None),
            (b"\xff\xfe", Some((Text, 2))),
            (b"x\x08", Some((Text, 1))),
            (b"\x08x", Some((Other, 1))),
        ] {
            assert_eq!(first(output), expected, "{output:?}");
        }
    }
}
