//! Plays simulated worlds; `cargo xtask sim` builds it fast and passes its arguments on.
#![expect(clippy::print_stdout, reason = "a command line prints")]
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use slipway_mirror::engine::simulation::{self, Failure};
use slipway_mirror::planted;

/// Worlds from one word of progress to the next.
const PROGRESS: u64 = 2_000;
/// Tapes until a planted bug must have been found.
const TAPES_MAX: u64 = 2_000;
/// Of a second: Linux tells every program of time in these.
const TICKS: f64 = 100.0;

fn main() -> ExitCode {
    // An engine that panics is a failure like another, and told as one.
    std::panic::set_hook(Box::new(|_| {}));
    let args: Vec<String> = std::env::args().skip(1).collect();
    // As `--name=value`, from xtask, which says what they mean.
    let value = |name: &str| {
        args.iter()
            .find_map(|arg| arg.strip_prefix(name)?.strip_prefix('='))
    };
    let number = |name: &str| value(name)?.parse::<u64>().ok();
    let done = play(value("--tape"), &args, number);
    let is_in_time = is_in_time(number("--processor-seconds"));
    if is_in_time { done } else { ExitCode::FAILURE }
}

fn play(text: Option<&str>, args: &[String], number: impl Fn(&str) -> Option<u64>) -> ExitCode {
    if let Some(text) = text {
        return tape(text);
    }
    if args.iter().any(|arg| arg == "--survey") {
        return survey(
            number("--seed").unwrap_or(1),
            number("--seeds").unwrap_or(1),
        );
    }
    if args.iter().any(|arg| arg == "--calls") {
        return calls(
            number("--seed").unwrap_or(1),
            number("--seeds").unwrap_or(1),
        );
    }
    if args.iter().any(|arg| arg == "--planted") {
        return planted(number("--seed").unwrap_or(1));
    }
    worlds(
        number("--seed").unwrap_or(1),
        number("--seeds").unwrap_or(1),
    )
}

/// Says what it cost the processors, and whether that is no more than it may: what else the machine does counts for nothing.
fn is_in_time(seconds_max: Option<u64>) -> bool {
    let Some(seconds) = processor_seconds() else {
        println!("This system does not tell what it cost");
        return seconds_max.is_none();
    };
    println!("{seconds:.1} s of a processor");
    match seconds_max {
        Some(max) if seconds > max as f64 => {
            println!("That is more than the {max} s that it may cost");
            false
        }
        _ => true,
    }
}

/// What this process has cost so far, in all of its threads.
fn processor_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // Its own time and the system's for it are the 14th and 15th field; the second, a name, may have spaces.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    Some(f64::from(ticks()? + ticks()?) / TICKS)
}

/// How many worlds fail, by invariant, each with the first seeds.
fn survey(first: u64, many: u64) -> ExitCode {
    let next = AtomicU64::new(first);
    let found: Mutex<BTreeMap<&str, Vec<u64>>> = Mutex::default();
    on_all_cores(|| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + many {
                return;
            }
            if let (Some(invariant), Ok(mut found)) = (simulation::fails(seed), found.lock()) {
                found.entry(invariant).or_default().push(seed);
            }
        }
    });
    for (invariant, seeds) in found.into_inner().unwrap_or_default() {
        let some = &seeds[..seeds.len().min(8)];
        println!(
            "{invariant}: {} of {many} worlds, such as {some:?}",
            seeds.len()
        );
    }
    ExitCode::SUCCESS
}

fn tape(text: &str) -> ExitCode {
    let Some((wrong, story)) = simulation::tape(text) else {
        println!("All invariants hold in this world.");
        return ExitCode::SUCCESS;
    };
    tell(&story, &wrong);
    ExitCode::FAILURE
}

fn tell(story: &[String], wrong: &str) {
    for line in story {
        println!("  {line}");
    }
    println!("{wrong}");
}

/// Does something for each number on all cores.
fn on_all_cores(work: impl Fn() + Sync) {
    let many = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..many {
            scope.spawn(&work);
        }
    });
}

#[expect(clippy::disallowed_methods, reason = "how long it took, for people")]
fn worlds(first: u64, many: u64) -> ExitCode {
    let (next, begin) = (AtomicU64::new(first), Instant::now());
    let played = AtomicU64::new(0);
    let failure: Mutex<Option<Failure>> = Mutex::new(None);
    on_all_cores(|| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            let is_over = failure.lock().is_ok_and(|failure| failure.is_some());
            if seed >= first + many || is_over {
                return;
            }
            if let (Some(found), Ok(mut failure)) = (simulation::seed(seed), failure.lock()) {
                failure.get_or_insert(found);
            }
            let many_played = played.fetch_add(1, Ordering::Relaxed) + 1;
            if many_played.is_multiple_of(PROGRESS) {
                let speed = many_played as f64 / begin.elapsed().as_secs_f64();
                println!("{many_played} of {many} worlds, {speed:.0} a second");
            }
        }
    });
    if let Some(failure) = failure.into_inner().ok().flatten() {
        println!("Seed {} fails. Its shortest story:", failure.seed);
        tell(&failure.story, &failure.wrong);
        println!("Again: cargo xtask sim --tape {}", failure.tape);
        return ExitCode::FAILURE;
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("{many} worlds, all invariants hold; {seconds:.1} s");
    ExitCode::SUCCESS
}

/// Short worlds, with everything that can happen before each call.
#[expect(clippy::disallowed_methods, reason = "how long it took, for people")]
fn calls(first: u64, many: u64) -> ExitCode {
    let begin = Instant::now();
    for seed in first..first + many {
        let tapes = simulation::every_call(seed);
        let next = AtomicU64::new(0);
        let failure: Mutex<Option<Failure>> = Mutex::new(None);
        on_all_cores(|| {
            while let Some(tape) = tapes.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                if failure.lock().is_ok_and(|failure| failure.is_some()) {
                    return;
                }
                let found = simulation::at_call(seed, tape.clone());
                if let (Some(found), Ok(mut failure)) = (found, failure.lock()) {
                    failure.get_or_insert(found);
                }
            }
        });
        if let Some(failure) = failure.into_inner().ok().flatten() {
            println!("A call of world {seed} fails. Its shortest story:");
            tell(&failure.story, &failure.wrong);
            println!("Again: cargo xtask sim --tape {}", failure.tape);
            return ExitCode::FAILURE;
        }
        let seconds = begin.elapsed().as_secs_f64();
        let many = tapes.len();
        println!(
            "World {seed}, {many} times with something before a call: all invariants hold; {seconds:.1} s"
        );
    }
    ExitCode::SUCCESS
}

fn planted(first: u64) -> ExitCode {
    let (next, missed) = (AtomicU64::new(0), AtomicU64::new(0));
    on_all_cores(|| {
        while let Some((bug, who, harm)) =
            planted::ALL.get(next.fetch_add(1, Ordering::Relaxed) as usize)
        {
            let fails = |seed| {
                planted::plant(Some(*bug));
                let invariant = simulation::fails_with(seed, harm);
                planted::plant(None);
                // What fails by itself proves nothing.
                invariant.filter(|_| simulation::fails_with(seed, harm).is_none())
            };
            let tapes = first..first + TAPES_MAX;
            let found = tapes
                .zip(1..)
                .find_map(|(seed, many)| Some((many, fails(seed)?)));
            match found {
                Some((many, invariant)) => {
                    println!("{bug:?} ({who}): {invariant} after {many} tapes");
                }
                None => {
                    println!("{bug:?} ({who}): not found in {TAPES_MAX} tapes");
                    missed.fetch_add(1, Ordering::Relaxed);
                }
            }
        }
    });
    match missed.into_inner() {
        0 => {
            println!("{} planted bugs, all found", planted::ALL.len());
            ExitCode::SUCCESS
        }
        missed => {
            println!("{missed} planted bugs were not found");
            ExitCode::FAILURE
        }
    }
}
