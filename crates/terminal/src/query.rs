//! `Answerer`: answers what programs ask their terminal (who are you, where is the cursor, which modes are set, which
//! colours) from the output alone, so that they get one answer at once, whether nobody looks on or many do.
use std::io::Write as _;

use unicode_width::UnicodeWidthChar as _;
use vte::{Params, Parser, Perform};

use crate::colours::Colours;
use crate::cursor::Cursor;
use crate::element::{self, Kind};
use crate::log::Size;
use crate::modes::Modes;

/// Answers to one piece of output; a program that asks more without reading gets no more.
const ANSWERS_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a request that are repeated in its answer.
const REQUEST_BYTES_MAX: usize = 256;
/// Of an unfinished sequence that is longer than this the parser is told before its end.
const CUT_BYTES_MAX: usize = 16;

/// A VT100 with advanced video, as xterm.js says of itself.
const PRIMARY: &str = "\x1b[?1;2c";
/// Version 276 of xterm: what newer ones can do more is not there.
const SECONDARY: &str = "\x1b[>0;276;0c";
/// For XTVERSION.
const NAME: &str = concat!("Slipway(", env!("CARGO_PKG_VERSION"), ")");

/// Follows the output of one terminal.
pub struct Answerer {
    parser: Parser,
    /// The beginning of a character or sequence that goes on in the next piece. vte loses some characters that come to
    /// it in two.
    cut: Vec<u8>,
    /// The parser is inside a sequence that was too long to be kept here.
    inside: bool,
    seen: Seen,
}

/// What was seen, apart from the parser that tells of it.
struct Seen {
    cursor: Cursor,
    modes: Modes,
    colours: Colours,
    /// Columns of the character that came last, for REP.
    last_width: u32,
    /// A request in a device control string: its kind and what it asks for.
    request: Option<(Request, Vec<u8>)>,
    answers: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    /// DECRQSS.
    Setting,
    /// XTGETTCAP.
    Capability,
}

impl std::fmt::Debug for Answerer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answerer")
            .field("cursor", &self.seen.cursor)
            .finish_non_exhaustive()
    }
}

impl Answerer {
    /// A fresh terminal.
    #[must_use]
    pub fn new(size: Size) -> Self {
        Self {
            parser: Parser::new(),
            cut: Vec::new(),
            inside: false,
            seen: Seen {
                cursor: Cursor::new(size),
                modes: Modes::default(),
                colours: Colours::default(),
                last_width: 0,
                request: None,
                answers: Vec::new(),
            },
        }
    }

    /// The size after all output so far.
    pub fn resize(&mut self, size: Size) {
        self.seen.cursor.resize(size);
    }

    /// The colours of whoever looks on.
    pub fn set_colours(&mut self, colours: Colours) {
        self.seen.colours = colours;
    }

    /// Takes output; what the program is to read as an answer, nearly always nothing.
    pub fn follow(&mut self, output: &[u8]) -> Vec<u8> {
        let mut joined = std::mem::take(&mut self.cut);
        let mut rest = if joined.is_empty() {
            output
        } else {
            joined.extend_from_slice(output);
            &joined
        };
        if self.inside {
            let end = rest.iter().position(|byte| *byte == 0x1b);
            let whole = end.unwrap_or(rest.len() - element::unfinished(rest));
            self.parser.advance(&mut self.seen, &rest[..whole]);
            rest = &rest[whole..];
            // An escape begins anew in whatever it comes.
            self.inside = end.is_none();
        }
        while !self.inside
            && let Some((kind, length)) = element::first(rest)
        {
            let (element, later) = rest.split_at(length);
            match kind {
                Kind::Text => self.text(element),
                Kind::Line | Kind::Style | Kind::Other => {
                    self.parser.advance(&mut self.seen, element);
                }
            }
            rest = later;
        }
        if rest.len() <= CUT_BYTES_MAX {
            self.cut = rest.to_vec();
        } else {
            self.parser.advance(&mut self.seen, rest);
            self.inside = true;
        }
        std::mem::take(&mut self.seen.answers)
    }

    /// Most output is text, and most text is ASCII: that needs no parser.
    fn text(&mut self, mut text: &[u8]) {
        while let Some(first) = text.first() {
            let alike = element::alike(text);
            let length = match first {
                // What is no character is over with the byte after it.
                0x7f.. => text.len().min(alike + 1),
                _ => alike,
            };
            let (same, rest) = text.split_at(length);
            match first {
                0x00..=0x1f => same.iter().for_each(|byte| self.seen.execute(*byte)),
                0x20..=0x7e => self.seen.print_ascii(same.len()),
                0x7f.. => self.parser.advance(&mut self.seen, same),
            }
            text = rest;
        }
    }
}

impl Seen {
    fn answer(&mut self, text: std::fmt::Arguments<'_>) {
        let before = self.answers.len();
        // Writing to memory does not fail.
        self.answers.write_fmt(text).ok();
        if self.answers.len() > ANSWERS_BYTES_MAX {
            self.answers.truncate(before);
        }
    }

    fn set_mode(&mut self, mode: u16, on: bool) {
        self.modes.set(mode, on);
        let cursor = &mut self.cursor;
        match mode {
            6 => cursor.set_origin(on),
            7 => cursor.autowrap = on,
            47 | 1047 => cursor.show_alternate(on),
            1048 if on => cursor.save(),
            1048 => cursor.restore(),
            1049 if on => {
                cursor.save();
                cursor.show_alternate(true);
            }
            1049 => {
                cursor.show_alternate(false);
                cursor.restore();
            }
            _ => {}
        }
    }

    /// A control sequence without a prefix or intermediate bytes.
    fn plain(&mut self, params: &Params, action: char) {
        let first = first(params);
        let count = u32::from(first).max(1);
        let place = |index: usize| u32::from(nth(params, index).max(1)) - 1;
        let cursor = &mut self.cursor;
        match action {
            'A' => cursor.up(count),
            'B' | 'e' => cursor.down(count),
            'C' | 'a' => cursor.right(count),
            'D' => cursor.left(count),
            'E' => {
                cursor.down(count);
                cursor.carriage_return();
            }
            'F' => {
                cursor.up(count);
                cursor.carriage_return();
            }
            'G' | '`' => cursor.move_to_col(place(0)),
            'H' | 'f' => cursor.move_to(place(0), place(1)),
            'I' => cursor.tab(count),
            'Z' => cursor.tab_back(count),
            'L' | 'M' => cursor.carriage_return(),
            'b' => {
                // More than a line of it is nothing that a program draws.
                for _ in 0..count.min(cursor.cols()) {
                    cursor.print(self.last_width);
                }
            }
            'd' => cursor.move_to_row(place(0)),
            'g' if first == 0 => cursor.clear_tab(),
            'g' if first == 3 => cursor.clear_tabs(),
            'r' => {
                let bottom = nth(params, 1);
                let bottom = if bottom == 0 { u32::MAX } else { place(1) };
                cursor.set_margins(place(0), bottom);
            }
            's' => cursor.save(),
            'u' => cursor.restore(),
            'h' | 'l' => {
                for mode in params.iter().filter_map(|param| param.first()) {
                    self.modes.set_ansi(*mode, action == 'h');
                }
            }
            'c' if first == 0 => self.answer(format_args!("{PRIMARY}")),
            'n' if first == 5 => self.answer(format_args!("\x1b[0n")),
            'n' if first == 6 => {
                let (row, col) = self.cursor.report();
                self.answer(format_args!("\x1b[{row};{col}R"));
            }
            _ => {}
        }
    }

    /// A control sequence of DEC's, with `?` in front.
    fn private(&mut self, params: &Params, action: char) {
        match (action, first(params)) {
            ('h' | 'l', _) => {
                for mode in params.iter().filter_map(|param| param.first()) {
                    self.set_mode(*mode, action == 'h');
                }
            }
            ('n', 6) => {
                let (row, col) = self.cursor.report();
                self.answer(format_args!("\x1b[?{row};{col}R"));
            }
            ('n', 996) => {
                let theme = if self.colours.are_dark() { 1 } else { 2 };
                self.answer(format_args!("\x1b[?997;{theme}n"));
            }
            _ => {}
        }
    }
}

impl Seen {
    fn print_ascii(&mut self, count: usize) {
        self.last_width = 1;
        self.cursor.print_narrow(count);
    }
}

impl Perform for Seen {
    fn print(&mut self, character: char) {
        let width = character.width().unwrap_or(0);
        self.last_width = u32::try_from(width).unwrap_or(0);
        self.cursor.print(self.last_width);
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            0x08 => self.cursor.backspace(),
            b'\t' => self.cursor.tab(1),
            b'\n' | 0x0b | 0x0c => {
                self.cursor.line_feed();
                if self.modes.newline {
                    self.cursor.carriage_return();
                }
            }
            b'\r' => self.cursor.carriage_return(),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        if ignore {
            return;
        }
        let asked = first(params);
        match (intermediates, action) {
            ([], _) => self.plain(params, action),
            (b"?", _) => self.private(params, action),
            (b">", 'c') if asked == 0 => self.answer(format_args!("{SECONDARY}")),
            (b">", 'q') if asked == 0 => self.answer(format_args!("\x1bP>|{NAME}\x1b\\")),
            (b"!", 'p') => {
                self.cursor.soft_reset();
                self.modes.soft_reset();
            }
            (b"?$", 'p') => {
                let state = self.modes.told(asked);
                self.answer(format_args!("\x1b[?{asked};{state}$y"));
            }
            (b"$", 'p') => {
                let state = self.modes.told_ansi(asked);
                self.answer(format_args!("\x1b[{asked};{state}$y"));
            }
            _ => {}
        }
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, byte: u8) {
        match (intermediates, byte) {
            ([], b'7') => self.cursor.save(),
            ([], b'8') => self.cursor.restore(),
            ([], b'D') => self.cursor.line_feed(),
            ([], b'E') => {
                self.cursor.line_feed();
                self.cursor.carriage_return();
            }
            ([], b'H') => self.cursor.set_tab(),
            ([], b'M') => self.cursor.reverse_line_feed(),
            ([], b'c') => {
                self.cursor.reset();
                self.modes = Modes::default();
            }
            (b"#", b'8') => self.cursor.move_to(0, 0),
            _ => {}
        }
    }

    fn osc_dispatch(&mut self, params: &[&[u8]], bell_terminated: bool) {
        let end = if bell_terminated { "\x07" } else { "\x1b\\" };
        // `10;?;?` asks for the one after it as well.
        let Some(number) = params
            .first()
            .and_then(|number| std::str::from_utf8(number).ok())
        else {
            return;
        };
        let Ok(number @ 10..=12) = number.parse::<u16>() else {
            return;
        };
        for (number, asked) in (number..=12).zip(params.iter().skip(1)) {
            if *asked == b"?" {
                let colour = match number {
                    11 => self.colours.background,
                    _ => self.colours.foreground,
                };
                let [_, red, green, blue] = colour.to_be_bytes();
                self.answer(format_args!(
                    "\x1b]{number};rgb:{red:02x}{red:02x}/{green:02x}{green:02x}/{blue:02x}{blue:02x}{end}"
                ));
            }
        }
    }

    fn hook(&mut self, _params: &Params, intermediates: &[u8], ignore: bool, action: char) {
        let request = match (intermediates, action) {
            (b"$", 'q') => Request::Setting,
            (b"+", 'q') => Request::Capability,
            _ => return,
        };
        self.request = (!ignore).then(|| (request, Vec::new()));
    }

    fn put(&mut self, byte: u8) {
        if let Some((_, asked)) = &mut self.request
            && asked.len() < REQUEST_BYTES_MAX
        {
            asked.push(byte);
        }
    }

    /// Neither settings nor capabilities can be asked for; a program that does hears so instead of waiting.
    fn unhook(&mut self) {
        match self.request.take() {
            Some((Request::Setting, _)) => self.answer(format_args!("\x1bP0$r\x1b\\")),
            Some((Request::Capability, asked)) if asked.iter().all(u8::is_ascii_hexdigit) => {
                let asked = String::from_utf8_lossy(&asked).into_owned();
                self.answer(format_args!("\x1bP0+r{asked}\x1b\\"));
            }
            Some((Request::Capability, _)) => self.answer(format_args!("\x1bP0+r\x1b\\")),
            None => {}
        }
    }
}

fn first(params: &Params) -> u16 {
    nth(params, 0)
}

/// 0 when it is not given.
fn nth(params: &Params, index: usize) -> u16 {
    let param = params.iter().nth(index);
    param.and_then(|param| param.first()).copied().unwrap_or(0)
}

#[cfg(test)]
#[path = "query_tests.rs"]
mod tests;
