//! Cuts a content where its own bytes say so, so that a change moves the cuts beside it alone and what was sent before is
//! found again. The cuts are nobody's format: with other cuts more is sent, once.
use std::io::{self, Read};

/// No chunk but the last is smaller.
const CHUNK_BYTES_MIN: usize = 64 * 1024;
/// About this large are most.
const CHUNK_BYTES_AIM: usize = 256 * 1024;
/// None is larger.
pub(crate) const CHUNK_BYTES_MAX: usize = 1024 * 1024;
/// Below the aim a cut is less likely by four than at 1 in 256 KiB, above it more: chunks come close to the aim.
const MASK_BEFORE: u64 = mask(20);
const MASK_AFTER: u64 = mask(16);
const GEAR: [u64; 256] = gear();

/// The highest bits: they depend on the last 64 bytes, the lowest on few.
const fn mask(bits: u32) -> u64 {
    u64::MAX << (64 - bits)
}

/// A number for each byte, by splitmix.
const fn gear() -> [u64; 256] {
    let mut table = [0; 256];
    let mut state = 0x736c_6970_7761_7921_u64;
    let mut n = 0;
    while n < table.len() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[n] = z ^ (z >> 31);
        n += 1;
    }
    table
}

/// Where the first chunk of these bytes ends; they are all there is, or at least as many as a chunk may have.
fn cut(bytes: &[u8]) -> usize {
    let end = bytes.len().min(CHUNK_BYTES_MAX);
    if end <= CHUNK_BYTES_MIN {
        return end;
    }
    let mut rolled = 0_u64;
    let aim = end.min(CHUNK_BYTES_AIM);
    for (from, to, mask) in [(CHUNK_BYTES_MIN, aim, MASK_BEFORE), (aim, end, MASK_AFTER)] {
        for (at, byte) in bytes[..to].iter().enumerate().skip(from) {
            rolled = (rolled << 1).wrapping_add(GEAR[usize::from(*byte)]);
            if rolled & mask == 0 {
                return at + 1;
            }
        }
    }
    end
}

/// A content's chunks, one after another.
pub(crate) struct Chunks<R> {
    from: R,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were given out.
    given: usize,
}

impl<R: Read> Chunks<R> {
    pub(crate) const fn new(from: R) -> Self {
        Self {
            from,
            buffer: Vec::new(),
            given: 0,
        }
    }

    /// The next chunk; `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        self.buffer.drain(..self.given);
        self.given = 0;
        let lacks = CHUNK_BYTES_MAX - self.buffer.len();
        (&mut self.from)
            .take(lacks as u64)
            .read_to_end(&mut self.buffer)?;
        self.given = cut(&self.buffer);
        Ok((self.given > 0).then(|| &self.buffer[..self.given]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn random(length: usize, mut seed: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            seed = seed
                .wrapping_mul(0x5851_f42d_4c95_7f2d)
                .wrapping_add(0x1405_7b7e_f767_814f);
            bytes.extend_from_slice(&(seed >> 24).to_le_bytes()[..4]);
        }
        bytes.truncate(length);
        bytes
    }

    fn chunks(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut chunks = Chunks::new(bytes);
        let mut all = Vec::new();
        while let Some(chunk) = chunks.next().unwrap() {
            all.push(chunk.to_vec());
        }
        all
    }

    #[test]
    fn chunks_make_up_the_content_and_keep_their_bounds() {
        for length in [0, 1, CHUNK_BYTES_MIN, CHUNK_BYTES_MAX + 1, 12_000_000] {
            let bytes = random(length, 1);
            let chunks = chunks(&bytes);
            assert_eq!(chunks.concat(), bytes);
            for chunk in chunks.iter().rev().skip(1) {
                assert!((CHUNK_BYTES_MIN..=CHUNK_BYTES_MAX).contains(&chunk.len()));
            }
        }
        let many = chunks(&random(12_000_000, 2)).len();
        assert!((30..80).contains(&many), "{many} chunks of about 256 KiB");
        assert_eq!(chunks(&vec![0; 3 << 20]).len(), 3, "of one byte alone");
    }

    #[test]
    fn a_change_moves_the_cuts_beside_it_alone() {
        let before = random(12_000_000, 3);
        let known: HashSet<_> = chunks(&before).into_iter().collect();
        let mut changed = before.clone();
        changed[6_000_000..6_004_096].copy_from_slice(&random(4_096, 4));
        let mut longer = before.clone();
        longer.splice(3_000_000..3_000_000, random(1_000, 5));
        for after in [changed, longer] {
            let fresh = chunks(&after);
            let fresh = fresh.iter().filter(|chunk| !known.contains(*chunk));
            let bytes: usize = fresh.map(Vec::len).sum();
            assert!((1..1 << 20).contains(&bytes), "{bytes}");
        }
    }
}
