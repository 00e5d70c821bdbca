//! `cargo xtask run`: everything a new user needs, then the server in the foreground.
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{build, image, registries, setup, step};

/// Builds and becomes the server.
pub fn run(debug: bool, server_args: &[String]) -> Result<()> {
    setup::install(setup::Needs::Run)?;
    let asks = |argument: &String| matches!(argument.as_str(), "--help" | "-h" | "--version");
    if server_args.iter().any(asks) {
        // Nothing will run, so nothing else is built.
        let server = build::program("slipway-backend", "slipway-server", !debug)?;
        return Err(Command::new(server).args(server_args).exec()).context("ask the server");
    }
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
