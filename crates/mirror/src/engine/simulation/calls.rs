//! One short world again and again: each call of its engines is once the one before which something happens.
use rustix::io::Errno;

use super::tape::{HEAD, STEP, Tape};
use super::{Failure, play, shrink};
use crate::volume::simulated::Loss;

/// Steps of such a world.
const STEPS: usize = 20;
/// Bytes of the head that say before which call what happens: what, where, and the call's number.
const AT: usize = HEAD - 4;
/// The byte of the head that says whether everything comes to rest after each step.
const CALM: usize = AT - 1;
/// How often a calm world is one of chance: as many as have a byte below.
const CALM_BELOW: u8 = 64;

/// What happens before a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// The engine ends, or its computer.
    Ends(Loss),
    /// A program does something right where the call is about.
    Program,
    /// The call fails.
    Fails(Errno),
}

const ALL: &[What] = &[
    What::Ends(Loss::Process),
    What::Ends(Loss::Power),
    What::Program,
    What::Fails(Errno::IO),
    What::Fails(Errno::NOSPC),
    What::Fails(Errno::ACCESS),
];

/// The call before which something happens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    pub(super) what: What,
    pub(super) replica: usize,
    pub(super) call: u64,
}

impl Before {
    /// What a tape says of it.
    pub(super) fn on(tape: &[u8]) -> Option<Self> {
        let [what, replica, high, low] = tape.get(AT..HEAD)?.try_into().ok()?;
        Some(Self {
            what: *ALL.get(usize::from(what).checked_sub(1)?)?,
            replica: usize::from(replica),
            call: u64::from(u16::from_be_bytes([high, low])),
        })
    }
}

/// Whether a tape is one of a world in which everything comes to rest after each step.
pub(super) fn is_calm(tape: &[u8]) -> bool {
    tape.get(CALM)
        .is_some_and(|byte| (1..CALM_BELOW).contains(byte))
}

/// A world without any harm of its own, by a seed.
fn short(seed: u64) -> Vec<u8> {
    let mut bytes = Tape::of_seed(seed, HEAD + STEPS * STEP);
    // Two replicas, of which both write.
    bytes[..9].fill(0);
    bytes[AT..HEAD].fill(0);
    bytes[CALM] = 1;
    bytes
}

/// The tapes of a short world with everything that can happen before each of its calls.
#[must_use]
pub fn every_call(seed: u64) -> Vec<Vec<u8>> {
    let plain = short(seed);
    let calls = play(&plain, false).calls;
    let places = calls.iter().zip(0_u8..).flat_map(|(calls, replica)| {
        let calls = 1..=u16::try_from(*calls).unwrap_or(u16::MAX);
        calls.map(move |call| (replica, call))
    });
    let with = |(replica, call): (u8, u16), what: u8| {
        let mut bytes = plain.clone();
        let [high, low] = call.to_be_bytes();
        bytes[AT..HEAD].copy_from_slice(&[what, replica, high, low]);
        bytes
    };
    let whats = 1..=u8::try_from(ALL.len()).unwrap_or(0);
    places
        .flat_map(|place| whats.clone().map(move |what| (place, what)))
        .map(|(place, what)| with(place, what))
        .collect()
}

/// What does not hold on such a tape.
#[must_use]
pub fn at_call(seed: u64, tape: Vec<u8>) -> Option<Failure> {
    let wrong = play(&tape, false).wrong?;
    Some(shrink::shrunk(seed, tape, &wrong))
}
