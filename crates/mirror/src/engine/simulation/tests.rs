//! Some worlds with every test run; `cargo xtask sim` plays many, in a build that is faster.
use super::*;

/// One by its seed, to look at a failure.
const ONLY: Option<u64> = None;
const SEEDS: u64 = 150;

#[test]
fn every_world_comes_to_rest_in_step_and_nothing_is_lost() {
    for number in ONLY.map_or(1..SEEDS + 1, |seed| seed..seed + 1) {
        if let Some(failure) = seed(number) {
            for line in &failure.story {
                println!("{line}");
            }
            panic!("seed {number}: {}\ntape {}", failure.wrong, failure.tape);
        }
    }
}
