//! What a loss of power leaves of a file: some of its blocks, zeros for the others, or nothing at all.

/// What disks keep as one.
const BLOCK: usize = 4_096;

/// Whether this can be what is left of a file with the other content. No person empties parts of a file to zeros, or cuts it
/// just before the power goes; and if one did, only that is undone.
#[must_use]
pub fn is_torn(found: &[u8], whole: &[u8]) -> bool {
    found != whole
        && found.len() <= whole.len()
        && found
            .chunks(BLOCK)
            .zip(whole.chunks(BLOCK))
            .all(|(found, whole)| {
                let same = found.iter().zip(whole).take_while(|(a, b)| a == b).count();
                found[same..].iter().all(|byte| *byte == 0)
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_of_a_file_is_told_from_an_edit() {
        let whole: Vec<u8> = (0..10_000_u32).map(|n| (n % 250) as u8 + 1).collect();
        let with_zeros = |from: usize, to: usize| {
            let mut bytes = whole.clone();
            bytes[from..to].fill(0);
            bytes
        };
        assert!(is_torn(b"", &whole));
        assert!(is_torn(&whole[..5_000], &whole));
        assert!(is_torn(&vec![0; 10_000], &whole));
        assert!(is_torn(&with_zeros(0, BLOCK), &whole));
        assert!(is_torn(&with_zeros(7_000, 2 * BLOCK), &whole));
        assert!(!is_torn(&whole, &whole));
        assert!(!is_torn(b"another text", &whole));
        assert!(!is_torn(&[whole.clone(), vec![1]].concat(), &whole));
        assert!(
            !is_torn(&with_zeros(100, 200), &whole),
            "zeros amid a block"
        );
    }
}
