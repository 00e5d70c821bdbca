//! `cargo xtask run`: everything a new user needs, then the server in the foreground.
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{build, image, registries, setup, step};

/// Builds and becomes the server.
pub fn run(debug: bool, server_args: &[String]) -> Result<()> {
    setup::install(setup::Needs::Run)?;
    let image = image::ensure()?;
    let built = build::server(!debug)?;
    let mut command = Command::new(&built.server);
    command
        .arg("--agent")
        .arg(&built.agent)
        .arg("--image")
        .arg(&image);
    registries::allow(&mut command);
    command.args(server_args);
    step::say("Start the server; Ctrl-C ends it");
    // Replaces this process, so that signals reach the server and nothing stands between.
    Err(command.exec()).context("start the server")
}
