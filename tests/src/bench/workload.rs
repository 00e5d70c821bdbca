//! What is typed, written and printed: the same in every run, and as much alike as what people write.
use bytes::Bytes;

/// Numbers that follow from a seed (splitmix64).
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `end`.
    pub const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

const WORDS: [&str; 32] = [
    "import", "from", "def", "return", "self", "value", "rows", "table", "index", "mean", "print",
    "column", "frame", "name", "count", "result", "for", "in", "if", "not", "None", "data",
    "group", "total", "path", "open", "read", "line", "key", "order", "sum", "axis",
];

/// So many bytes of text that packs to about two fifths, as source code does, and is like no other seed's.
#[must_use]
pub fn text(seed: u64, bytes: usize) -> Bytes {
    let mut numbers = Seeded::new(seed);
    let mut text = format!("# {seed:016x}\n");
    while text.len() < bytes {
        for _ in 0..2 + numbers.below(6) {
            let word = WORDS[usize::try_from(numbers.below(32)).unwrap_or(0)];
            text += &match numbers.below(5) {
                0 => format!("{word}_{:x} ", numbers.below(1 << 24)),
                1 => format!("{word}({}) ", numbers.below(1_000)),
                _ => format!("{word} "),
            };
        }
        text += if numbers.below(3) == 0 {
            "\n    "
        } else {
            "\n"
        };
    }
    text.truncate(bytes);
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_packs_as_source_code_does_and_is_like_no_other() {
        let some = text(1, 2048);
        assert_eq!((some.len(), text(1, 2048)), (2048, some.clone()));
        assert_ne!(some, text(2, 2048));
        let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zip.start_file("a", zip::write::SimpleFileOptions::default())
            .unwrap();
        std::io::Write::write_all(&mut zip, &some).unwrap();
        let packed = zip.finish().unwrap().into_inner().len();
        assert!((600..1_200).contains(&packed), "{packed} bytes");
    }
}
