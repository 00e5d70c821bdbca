//! `cargo xtask sim`: plays simulated worlds of sync; the program is crates/mirror/examples/simulate.rs.
use anyhow::{Result, bail};

use crate::{build, step};

/// Worlds of a test run: as many as take about half a minute on two cores.
const TEST_SEEDS: u64 = 4_000;
/// What each of these may cost a processor. Not by a clock on the wall: other programs run, too.
const TEST_SECONDS: u64 = 120;

/// Plays worlds, or proves that planted bugs are found; see the program's own help for what is passed on.
pub fn run(sim_args: &[String]) -> Result<()> {
    let mut command = build::cargo();
    command.args(["run", "--quiet", "--profile", "simulation"]);
    command.args(["-p", "slipway-mirror", "--features", "simulation"]);
    command.args(["--example", "simulate", "--"]).args(sim_args);
    let (ok, _) = step::shown("Play simulated worlds", &mut command)?;
    if !ok {
        bail!(
            "an invariant does not hold, a planted bug was not found, or it took too long; see above"
        );
    }
    Ok(())
}

/// What every test run plays: the same worlds each time.
pub fn worlds() -> Result<()> {
    in_time(&format!("--seeds={TEST_SEEDS}"))
}

/// The same: every call of a short world, however many it makes.
pub fn calls() -> Result<()> {
    run(&["--calls".to_owned()])
}

/// What every test run proves: that each known bug would be found.
pub fn planted() -> Result<()> {
    in_time("--planted")
}

fn in_time(what: &str) -> Result<()> {
    run(&[
        what.to_owned(),
        format!("--processor-seconds={TEST_SECONDS}"),
    ])
}
