//! Makes the tape of a failure shorter and milder while the same invariant fails.
use super::check::Wrong;
use super::tape::{HEAD, STEP};
use super::{Failure, hex, play};

/// Worlds that are tried on the way.
const TRIES: usize = 1_500;

/// The shortest and mildest tape that was found, and its story.
pub(super) fn shrunk(seed: u64, mut bytes: Vec<u8>, wrong: &Wrong) -> Failure {
    let mut left = TRIES;
    let mut fails = |bytes: &[u8]| {
        left = left.saturating_sub(1);
        left > 0
            && play(bytes, false)
                .wrong
                .is_some_and(|found| found.invariant == wrong.invariant)
    };
    bytes.truncate(play(&bytes, false).used);
    loop {
        let before = bytes.clone();
        without_steps(&mut bytes, &mut fails);
        milder(&mut bytes, &mut fails);
        if bytes == before {
            break;
        }
    }
    let played = play(&bytes, true);
    Failure {
        seed,
        tape: hex(&bytes),
        wrong: played.wrong.as_ref().unwrap_or(wrong).to_string(),
        story: played.story,
    }
}

/// Cuts out steps that do not matter, many at once where that is possible.
fn without_steps(bytes: &mut Vec<u8>, fails: &mut impl FnMut(&[u8]) -> bool) {
    let steps = |bytes: &[u8]| bytes.len().saturating_sub(HEAD).div_ceil(STEP);
    let mut many = steps(bytes);
    while many > 0 {
        let mut at = 0;
        while at < steps(bytes) {
            let begin = HEAD + at * STEP;
            let end = (begin + many * STEP).min(bytes.len());
            let without = [&bytes[..begin], &bytes[end..]].concat();
            if fails(&without) {
                *bytes = without;
            } else {
                at += many;
            }
        }
        many /= 2;
    }
}

/// Makes choices as mild as they can be.
fn milder(bytes: &mut Vec<u8>, fails: &mut impl FnMut(&[u8]) -> bool) {
    for size in [STEP, STEP / 4, 1] {
        for at in (0..bytes.len()).step_by(size) {
            let mut zeroed = bytes.clone();
            zeroed[at..(at + size).min(bytes.len())].fill(0);
            if zeroed != *bytes && fails(&zeroed) {
                *bytes = zeroed;
            }
        }
    }
}
