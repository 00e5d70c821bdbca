//! Whole worlds by chance: two to four engines on simulated volumes, a hub, a network, programs and a person, and everything
//! that can go wrong between them, down to a crash or another program's write between any two calls. A tape of choices
//! decides all of it, so a world is its tape: it can be played again, made shorter, and told as a story.
use slipway_core::hash::{ContentHash, ContentHasher};

use actors::Habits;
use check::Wrong;
use tape::{HEAD, STEP, Tape};
use tokio::time::Instant;
use world::World;

use crate::clock;

mod actors;
mod calls;
mod check;
mod desktop;
mod gremlin;
mod hints;
mod hub;
mod ignored;
mod network;
mod oracle;
mod person;
mod replica;
mod rest;
mod shrink;
mod tape;
mod told;
mod world;

pub use calls::{at_call, every_call};

/// Bytes of a tape.
const TAPE: usize = HEAD + 80 * STEP;

/// A world that was played to its end.
#[derive(Debug)]
pub struct Played {
    /// What does not hold: the invariant's name and the reason.
    wrong: Option<Wrong>,
    /// Of everything that happened.
    trace: ContentHash,
    /// What happened, for people, if that was asked for.
    story: Vec<String>,
    /// Bytes of the tape that were used.
    used: usize,
    /// Calls of each engine until all harm was over.
    calls: Vec<u64>,
}

/// A world in which an invariant does not hold, made as short as it can be.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where it came from.
    pub seed: u64,
    /// The tape, in hex.
    pub tape: String,
    /// The invariant and the reason.
    pub wrong: String,
    /// What happened.
    pub story: Vec<String>,
}

/// Plays the world of a seed; tells what does not hold there.
#[must_use]
pub fn seed(seed: u64) -> Option<Failure> {
    let bytes = Tape::of_seed(seed, TAPE);
    let played = play(&bytes, false);
    // The same tape is the same world: I20. Not each of them, for time.
    if played.wrong.is_none() && !seed.is_multiple_of(16) {
        return None;
    }
    if play(&bytes, false).trace != played.trace {
        return Some(Failure {
            seed,
            tape: hex(&bytes),
            wrong: "I20: played twice, it is not the same".to_owned(),
            story: Vec::new(),
        });
    }
    let wrong = played.wrong?;
    Some(shrink::shrunk(seed, bytes, &wrong))
}

/// Whether any invariant does not hold in the world of a seed: its name.
#[must_use]
pub fn fails(seed: u64) -> Option<&'static str> {
    let bytes = Tape::of_seed(seed, TAPE);
    play(&bytes, false).wrong.map(|wrong| wrong.invariant)
}

/// The letters of harm by their bytes on a tape; those of habits follow on who writes alone.
const HARM: &str = "cpehlrs";
const HABITS: usize = 9;

/// The same in a world that has just this harm, see [`crate::planted::ALL`], with the names of those that are about it.
#[must_use]
pub fn fails_with(seed: u64, harm: &str) -> Option<String> {
    let mut bytes = Tape::of_seed(seed, TAPE);
    for (byte, letter) in bytes[1..].iter_mut().zip(HARM.chars()) {
        *byte = if harm.contains(letter) { 255 } else { 0 };
    }
    if let Some(chosen) = harm.chars().find_map(Habits::bytes) {
        bytes[HABITS..HABITS + chosen.len()].copy_from_slice(&chosen);
    }
    play(&bytes, false).wrong.map(|wrong| wrong.names())
}

/// Plays a tape that was kept, in hex; tells what does not hold, with the story.
#[must_use]
pub fn tape(text: &str) -> Option<(String, Vec<String>)> {
    let bytes: Vec<u8> = text
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    let played = play(&bytes, true);
    Some((played.wrong?.to_string(), played.story))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Plays a tape. An engine that panics is wrong, too.
fn play(bytes: &[u8], tells: bool) -> Played {
    let played = std::panic::catch_unwind(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        let world = async {
            clock::simulated::begin(Some(Instant::now()));
            let mut world = World::new(Tape::new(bytes.to_vec()), tells).await;
            world.play().await;
            world.rest().await;
            world.check().await;
            ended(world)
        };
        runtime.map(|runtime| runtime.block_on(world))
    });
    clock::simulated::begin(None);
    match played {
        Ok(Ok(played)) => played,
        failed => Played {
            wrong: Some(Wrong::new(
                "panic",
                failed.err().map(|error| said(&*error)).unwrap_or_default(),
            )),
            trace: ContentHash::of(b""),
            story: Vec::new(),
            used: bytes.len(),
            calls: Vec::new(),
        },
    }
}

/// What a panic said.
fn said(error: &(dyn std::any::Any + Send)) -> String {
    let text = error.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| error.downcast_ref::<&str>().copied());
    text.unwrap_or("no reason given").to_owned()
}

fn ended(mut world: World) -> Played {
    let mut trace = ContentHasher::default();
    for replica in &world.replicas {
        trace.update(replica.volume.trace().as_bytes());
    }
    let mut oracle = world.shared.lock();
    let (story, used) = (oracle.story(), oracle.tape.used());
    let came_about = oracle.came_about();
    drop(oracle);
    Played {
        wrong: world.wrong.take().map(|wrong| wrong.under(&came_about)),
        trace: trace.finish(),
        story,
        used,
        calls: world.calls,
    }
}

#[cfg(test)]
mod tests;
