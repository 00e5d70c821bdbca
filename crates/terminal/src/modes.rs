//! `Modes`: which modes a program has set, and what it is told when it asks.

/// Modes of DEC that viewers follow, in an order of ours.
const DEC: [u16; 20] = [
    1, 3, 6, 7, 9, 12, 25, 45, 47, 66, 1000, 1002, 1003, 1004, 1006, 1016, 1047, 1049, 2004, 2026,
];
/// Modes that are set at the start: wrapping and a visible cursor.
const SET_AT_START: [u16; 2] = [7, 25];
/// Modes that cannot be changed: what DECRQM says of them.
const FIXED: [(u16, u8); 4] = [(8, 3), (67, 4), (1005, 4), (1015, 4)];
/// The three that mean the alternate screen.
const ALTERNATE: [u16; 3] = [47, 1047, 1049];

/// What DECRQM says of a mode that is unknown, set, reset.
const UNKNOWN: u8 = 0;
const SET: u8 = 1;
const RESET: u8 = 2;

/// The modes of a terminal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Modes {
    /// One bit for each of `DEC`.
    dec: u32,
    /// Characters push those behind them on.
    pub(crate) insert: bool,
    /// A line feed returns the carriage, too.
    pub(crate) newline: bool,
}

impl Default for Modes {
    fn default() -> Self {
        let mut modes = Self {
            dec: 0,
            insert: false,
            newline: false,
        };
        for mode in SET_AT_START {
            modes.set_bit(mode, true);
        }
        modes
    }
}

impl Modes {
    /// Sets or resets a mode of DEC.
    pub(crate) fn set(&mut self, mode: u16, on: bool) {
        if ALTERNATE.contains(&mode) {
            for mode in ALTERNATE {
                self.set_bit(mode, on);
            }
        } else {
            self.set_bit(mode, on);
        }
    }

    /// Sets or resets a mode of ANSI.
    pub(crate) fn set_ansi(&mut self, mode: u16, on: bool) {
        match mode {
            4 => self.insert = on,
            20 => self.newline = on,
            _ => {}
        }
    }

    /// DECSTR: all but the line feed's.
    pub(crate) fn soft_reset(&mut self) {
        let newline = self.newline;
        *self = Self::default();
        self.newline = newline;
    }

    /// What DECRQM says of a mode of DEC.
    pub(crate) fn told(&self, mode: u16) -> u8 {
        if let Some((_, state)) = FIXED.iter().find(|(fixed, _)| *fixed == mode) {
            return *state;
        }
        bit(mode).map_or(UNKNOWN, |bit| state(self.dec & bit != 0))
    }

    /// What it says of a mode of ANSI.
    pub(crate) fn told_ansi(&self, mode: u16) -> u8 {
        match mode {
            2 => 4,
            4 => state(self.insert),
            12 => 3,
            20 => state(self.newline),
            _ => UNKNOWN,
        }
    }

    fn set_bit(&mut self, mode: u16, on: bool) {
        let bit = bit(mode).unwrap_or(0);
        self.dec = if on { self.dec | bit } else { self.dec & !bit };
    }
}

fn bit(mode: u16) -> Option<u32> {
    let index = DEC.iter().position(|known| *known == mode)?;
    Some(1 << index)
}

fn state(on: bool) -> u8 {
    if on { SET } else { RESET }
}
