//! `cargo xtask run`: everything a new user needs, then the server in the foreground and, where there is a display, the
//! app that works with it.
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{build, image, registries, setup, step};

/// Where the server listens if nobody says otherwise; `slipway-server --help` says the same.
const LISTEN: &str = "127.0.0.1:8002";

/// Builds and becomes the server.
pub fn run(debug: bool, server_only: bool, server_args: &[String]) -> Result<()> {
    // What asks the server program something starts no server that an app could wait for.
    let is_question = |argument: &String| matches!(argument.as_str(), "doctor" | "config");
    let with_app = !server_only && !server_args.iter().any(is_question) && has_display();
    setup::install(match with_app {
        true => setup::Needs::Window,
        false => setup::Needs::of_programs(!debug),
    })?;
    let asks = |argument: &String| matches!(argument.as_str(), "--help" | "-h" | "--version");
    if server_args.iter().any(asks) {
        // Nothing will run, so nothing else is built.
        let server = build::program("slipway-backend", "slipway-server", !debug)?;
        return Err(Command::new(server).args(server_args).exec()).context("ask the server");
    }
    let image = image::ensure()?;
    let built = build::server(!debug)?;
    if server_only {
        step::say("The server alone; open the address that it prints in a browser");
    } else if with_app {
        let app = build::desktop(!debug)?;
        show(&app, &built.agent, server_args)?;
    } else if !has_display() {
        step::say(
            "No display here, so no app; open the address that the server prints in a browser",
        );
    }
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

fn has_display() -> bool {
    ["WAYLAND_DISPLAY", "DISPLAY"]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Starts the app, which waits for the server by itself. Ctrl-C reaches both.
fn show(app: &Path, agent: &Path, server_args: &[String]) -> Result<()> {
    let told = server_args
        .iter()
        .position(|argument| argument == "--listen");
    let listen = server_args
        .iter()
        .find_map(|argument| argument.strip_prefix("--listen="))
        .or_else(|| Some(server_args.get(told? + 1)?.as_str()))
        .map(str::to_owned)
        .or_else(|| std::env::var("SLIPWAY_LISTEN").ok());
    let address = format!("http://{}", listen.as_deref().unwrap_or(LISTEN));
    step::say(&format!("Start the app for {address}"));
    Command::new(app)
        .args(["--server", &address])
        .env("SLIPWAY_AGENT", agent)
        .spawn()
        .context("start the app")?;
    Ok(())
}
