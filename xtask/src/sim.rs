//! `cargo xtask sim`: plays simulated worlds of sync; the program is crates/mirror/examples/simulate.rs.
use anyhow::{Result, bail};

use crate::{build, step};

/// Worlds of a test run: as many as take about half a minute on two cores.
const TEST_SEEDS: u64 = 4_000;

/// Plays worlds, or proves that planted bugs are found; see the program's own help for what is passed on.
pub fn run(sim_args: &[String]) -> Result<()> {
    let mut command = build::cargo();
    command.args(["run", "--quiet", "--profile", "simulation"]);
    command.args(["-p", "slipway-mirror", "--features", "simulation"]);
    command.args(["--example", "simulate", "--"]).args(sim_args);
    let (ok, _) = step::shown("Play simulated worlds", &mut command)?;
    if !ok {
        bail!("an invariant does not hold, or a planted bug was not found; see above");
    }
    Ok(())
}

/// What every test run plays: the same worlds each time.
pub fn worlds() -> Result<()> {
    run(&[format!("--seeds={TEST_SEEDS}")])
}

/// The same: every call of a short world.
pub fn calls() -> Result<()> {
    run(&["--calls".to_owned()])
}

/// What every test run proves: that each known bug would be found.
pub fn planted() -> Result<()> {
    run(&["--planted".to_owned()])
}
