//! The tape of choices that a world is made of: a head that says what world it is, then a piece for each step, so that a step
//! can be cut out and the others stay what they are. Zeros choose what is mildest, and so does a piece that is used up.

/// Bytes that say what world it is.
pub(super) const HEAD: usize = 52;
/// Bytes of a step.
pub(super) const STEP: usize = 16;

/// Choices, one after another.
#[derive(Clone, Debug)]
pub(super) struct Tape {
    bytes: Vec<u8>,
    at: usize,
    /// Where the piece that is read ends.
    end: usize,
}

impl Tape {
    pub(super) const fn new(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            at: 0,
            end: HEAD,
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Goes on to the piece of the next step, if there is one.
    pub(super) fn next_step(&mut self) -> bool {
        self.at = self.end;
        self.end += STEP;
        self.at < self.bytes.len()
    }

    /// A tape by chance (splitmix64), the same for the same seed.
    pub(super) fn of_seed(seed: u64, len: usize) -> Vec<u8> {
        let mut state = seed;
        let mut word = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            (z ^ (z >> 31)).to_le_bytes()
        };
        std::iter::from_fn(|| Some(word()))
            .flatten()
            .take(len)
            .collect()
    }

    fn byte(&mut self) -> usize {
        if self.at == self.end {
            return 0;
        }
        let byte = self.bytes.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(byte)
    }

    /// A number below another one.
    pub(super) fn below(&mut self, many: usize) -> usize {
        match many {
            0 | 1 => 0,
            2..=256 => self.byte() * many / 256,
            _ => (self.byte() * 256 + self.byte()) * many / 65_536,
        }
    }

    /// True once in so many; never where the tape is zero.
    pub(super) fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == many - 1
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// How much of it was used.
    pub(super) fn used(&self) -> usize {
        self.at.min(self.bytes.len())
    }
}
