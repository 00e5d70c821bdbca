//! `cargo xtask bundle`: packages of the desktop program: its window, the command line, the agent for terminals of this machine, the manual and
//! the shells' completions. Nothing is downloaded for it but what npm's lock file names.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::build::{self, target};
use crate::setup;
use crate::step::{self, root};

/// What is made, and the ends of its files.
const KINDS: [&str; 2] = ["deb", "rpm"];
/// Shells, and what the package calls their files; `tauri.conf.json` says where they are put.
const SHELLS: [(&str, &str); 3] = [
    ("bash", "slipway.bash"),
    ("zsh", "_slipway"),
    ("fish", "slipway.fish"),
];

/// Makes the packages and says where they are.
pub fn run(debug: bool) -> Result<()> {
    setup::install(setup::Needs::Window)?;
    for package in packages(!debug)? {
        let size = std::fs::metadata(&package)?.len() as f64 / 1e6;
        println!("{} ({size:.1} MB)", package.display());
    }
    Ok(())
}

/// Makes the packages.
pub fn packages(release: bool) -> Result<Vec<PathBuf>> {
    build::bundle_packages()?;
    let agent = build::agent(release)?;
    let slipway = build::desktop(release)?;
    beside(&slipway, &agent).context("prepare what lies beside the window")?;

    let made = target()
        .join(if release { "release" } else { "debug" })
        .join("bundle");
    if made.exists() {
        std::fs::remove_dir_all(&made)?;
    }
    let mut tauri = Command::new(root().join("desktop/node_modules/.bin/tauri"));
    tauri.current_dir(root().join("desktop/window")).args([
        "bundle",
        "--ci",
        "--bundles",
        &KINDS.join(","),
    ]);
    if !release {
        tauri.arg("--debug");
    }
    step::quiet("Make the packages", &mut tauri)?;
    KINDS
        .iter()
        .map(|kind| only(&made.join(kind), kind))
        .collect()
}

/// Puts where `tauri.conf.json` looks for it what the packages have beside the window.
fn beside(slipway: &Path, agent: &Path) -> Result<()> {
    let folder = root().join("target/xtask/package");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let (manual, completions) = (folder.join("man1"), folder.join("completions"));
    std::fs::create_dir_all(&manual)?;
    std::fs::create_dir_all(&completions)?;
    std::fs::copy(slipway, folder.join("slipway"))?;
    std::fs::copy(agent, folder.join("slipway-agent"))?;
    step::quiet(
        "Write the manual",
        Command::new(slipway).arg("manual").arg(&manual),
    )?;
    let mut pages = Command::new("gzip");
    pages.args(["-9", "--no-name", "--recursive"]).arg(&manual);
    step::quiet("Pack the manual", &mut pages)?;
    for (shell, name) in SHELLS {
        let script = Command::new(slipway)
            .args(["completions", shell])
            .output()?;
        if !script.status.success() {
            bail!("slipway completions {shell} failed");
        }
        std::fs::write(completions.join(name), script.stdout)?;
    }
    Ok(())
}

/// The one file of a kind in a folder.
fn only(folder: &Path, end: &str) -> Result<PathBuf> {
    let mut files = std::fs::read_dir(folder)
        .with_context(|| format!("look into {}", folder.display()))?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == end));
    match (files.next(), files.next()) {
        (Some(file), None) => Ok(file),
        _ => bail!("{} holds not exactly one .{end}", folder.display()),
    }
}
