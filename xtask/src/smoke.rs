//! `cargo xtask smoke`: the journey without a browser; the program itself is tests/src/bin/smoke.rs.
use std::process::Command;

use anyhow::{Result, bail};

use crate::{build, image, registries, setup, step};

/// Builds what the journey needs and makes it.
pub fn run(debug: bool) -> Result<()> {
    setup::install(setup::Needs::of_programs(!debug))?;
    let image = image::ensure()?;
    let built = build::server(!debug)?;
    let mut command = Command::new(build::program("slipway-tests", "smoke", !debug)?);
    command
        .arg("--server")
        .arg(&built.server)
        .arg("--agent")
        .arg(&built.agent)
        .arg("--image")
        .arg(&image);
    registries::allow(&mut command);
    let (ok, _) = step::shown("Make the journey", &mut command)?;
    if !ok {
        bail!("the journey failed; the transcript above ends with the step and its cause");
    }
    Ok(())
}
