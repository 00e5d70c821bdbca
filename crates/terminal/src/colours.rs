//! `Colours`: of whoever looks on at a terminal, for programs that ask.

/// Colours as 0xRRGGBB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colours {
    /// Of text.
    pub foreground: u32,
    /// Behind it.
    pub background: u32,
}

/// Until a viewer tells its own: light text on a dark ground.
impl Default for Colours {
    fn default() -> Self {
        Self {
            foreground: 0x00ea_edf1,
            background: 0x0013_181f,
        }
    }
}

impl Colours {
    /// Whether light text is read on them.
    pub(crate) fn are_dark(self) -> bool {
        let [_, red, green, blue] = self.background.to_be_bytes().map(u32::from);
        red * 299 + green * 587 + blue * 114 < 128_000
    }
}
