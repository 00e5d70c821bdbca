//! Builds the UI, the static agent and the server.
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use crate::step::{self, Stamp, root};

/// What a server needs beside itself.
pub struct Built {
    /// `slipway-server`.
    pub server: PathBuf,
    /// `slipway-agent`, static.
    pub agent: PathBuf,
}

const TRIPLE: &str = concat!(env!("XTASK_ARCH"), "-unknown-linux-gnu");

/// Cargo with the toolchain that runs us.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // Statements are checked against the recorded ones, not against whatever database is around.
    command
        .env_remove("DATABASE_URL")
        .env_remove("SQLX_OFFLINE_DIR");
    command
}

/// npm in the UI's folder.
pub fn npm(args: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.current_dir(root().join("src-ui")).args(args);
    command
}

/// Installs the UI's packages.
pub fn ui_packages() -> Result<()> {
    npm_packages("src-ui", "npm", "Install the UI's packages")
}

/// Installs the browser tests' packages.
pub fn browser_packages() -> Result<()> {
    npm_packages(
        "tests/ui",
        "browser-npm",
        "Install the browser tests' packages",
    )
}

/// Installs what makes packages of the desktop program.
pub fn bundle_packages() -> Result<()> {
    npm_packages("desktop", "bundle-npm", "Install what makes packages")
}

/// Installs what a folder's lock file names, when that has changed.
fn npm_packages(folder: &str, stamp: &str, title: &str) -> Result<()> {
    let folder = root().join(folder);
    let stamp = Stamp::of(stamp, &[folder.join("package-lock.json")], &[])?;
    if stamp.is_done() && folder.join("node_modules").exists() {
        return Ok(());
    }
    let mut install = Command::new("npm");
    install
        .current_dir(folder)
        .args(["ci", "--no-audit", "--no-fund"]);
    step::quiet(title, &mut install)?;
    stamp.done()
}

/// Builds the UI when its sources have changed.
pub fn ui() -> Result<()> {
    ui_packages()?;
    let stamp = Stamp::of(
        "ui",
        &[root().join("src-ui")],
        &["node_modules", "dist", "tests"],
    )?;
    if stamp.is_done() && root().join("src-ui/dist/index.html").exists() {
        return Ok(());
    }
    step::quiet("Build the UI", &mut npm(&["run", "build"]))?;
    stamp.done()
}

/// Builds the agent as one static file that runs in any root file system.
pub fn agent(release: bool) -> Result<PathBuf> {
    let variable = format!(
        "CARGO_TARGET_{}_RUSTFLAGS",
        TRIPLE.to_uppercase().replace('-', "_")
    );
    let mut command = cargo();
    command
        .args(["build", "-p", "slipway-agent", "--target", TRIPLE])
        .env(variable, "-C target-feature=+crt-static");
    if release {
        command.arg("--release");
    }
    step::quiet("Build the agent (static)", &mut command)?;
    Ok(target()
        .join(TRIPLE)
        .join(profile(release))
        .join("slipway-agent"))
}

/// Builds the server with the UI inside, and the agent.
pub fn server(release: bool) -> Result<Built> {
    ui()?;
    let agent = agent(release)?;
    let server = program("slipway-backend", "slipway-server", release)?;
    Ok(Built { server, agent })
}

/// The window has the page inside, which has to be built before. Everything that tests and programs are made of
/// is built with this, so that it is built once.
pub const PAGE_INSIDE: [&str; 2] = ["--features", "slipway-window/custom-protocol"];

/// Builds one program for this machine.
pub fn program(package: &str, name: &str, release: bool) -> Result<PathBuf> {
    programs(&["-p", package, "--bin", name], &[], name, release)
}

/// Builds the desktop program; `slipway-window` lies beside it.
pub fn desktop(release: bool) -> Result<PathBuf> {
    let both = ["-p", "slipway-desktop", "-p", "slipway-window", "--bins"];
    programs(&both, &PAGE_INSIDE, "slipway", release)
}

fn programs(which: &[&str], features: &[&str], name: &str, release: bool) -> Result<PathBuf> {
    let mut command = cargo();
    command.arg("build");
    let features = if release {
        command.arg("--release").args(which);
        features
    } else {
        // With the features of the whole workspace, as the tests have them.
        command.args(["--workspace", "--bins"]);
        &PAGE_INSIDE
    };
    if !features.is_empty() {
        ui()?;
    }
    command.args(features);
    step::quiet(&format!("Build {name}"), &mut command)?;
    Ok(target().join(profile(release)).join(name))
}

/// Cargo's target folder.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

fn profile(release: bool) -> &'static str {
    if release { "release" } else { "debug" }
}
