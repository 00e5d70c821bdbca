//! The package of the desktop program on this very machine: installed, used, removed; what is a person's stays.
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};

use super::Count;
use crate::bundle;
use crate::step::{self, root};

/// What the package is called.
const NAME: &str = "slipway";
const PROGRAM: &str = "/usr/bin/slipway";

/// Installs the package of a debug build, makes people's journeys with it and removes it.
pub fn run() -> Count {
    match why_not() {
        Some(reason) => Count::skip("package", reason),
        None => Count::of("package", round()),
    }
}

fn why_not() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root may install packages");
    }
    match installed_files() {
        Err(_) => Some("there is no dpkg"),
        Ok(Some(_)) => Some("a package slipway is installed here, which is not ours to remove"),
        Ok(None) => None,
    }
}

fn round() -> Result<()> {
    let packages = bundle::packages(false)?;
    let home = root().join("target/xtask/installed");
    if home.exists() {
        std::fs::remove_dir_all(&home)?;
    }
    std::fs::create_dir_all(&home)?;
    step::quiet(
        "Install the package",
        Command::new("dpkg").arg("--install").arg(&packages[0]),
    )?;
    let files = installed_files();
    let used = used(&home);
    step::quiet(
        "Remove the package",
        Command::new("dpkg").args(["--purge", NAME]),
    )?;
    used?;
    let files = files?.context("dpkg knows nothing of what it installed")?;
    for file in &files {
        ensure!(!file.exists(), "{} stayed behind", file.display());
    }
    let edited = std::fs::read_to_string(home.join("tides/tides.py"))?;
    ensure!(
        edited.contains("high water"),
        "the person's file is not as it was left"
    );
    ensure!(
        home.join("state/slipway").exists(),
        "the person's state is gone"
    );
    Ok(std::fs::remove_dir_all(&home)?)
}

/// Uses what was installed.
fn used(home: &Path) -> Result<()> {
    for file in [
        PROGRAM,
        "/usr/bin/slipway-window",
        "/usr/lib/slipway/slipway-agent",
        "/usr/share/applications/Slipway.desktop",
        "/usr/share/icons/hicolor/128x128/apps/slipway-window.png",
        "/usr/share/man/man1/slipway.1.gz",
        "/usr/share/man/man1/slipway-mirror.1.gz",
        "/usr/share/bash-completion/completions/slipway",
        "/usr/share/doc/slipway/copyright",
    ] {
        ensure!(Path::new(file).exists(), "{file} is not in the package");
    }
    let entry = std::fs::read_to_string("/usr/share/applications/Slipway.desktop")?;
    for line in ["Exec=slipway open %u", "Icon=slipway-window"] {
        ensure!(entry.contains(line), "the menu's entry lacks {line}");
    }
    for kind in ["x-scheme-handler/slipway", "inode/directory"] {
        ensure!(entry.contains(kind), "the menu's entry lacks {kind}");
    }
    step::quiet("Ask its version", Command::new(PROGRAM).arg("--version"))?;
    let mut blind = Command::new(PROGRAM);
    let blind = blind
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()?;
    let said = String::from_utf8_lossy(&blind.stderr);
    ensure!(
        !blind.status.success() && said.contains("mirror"),
        "without a display it names its commands; it said: {said}"
    );
    let picture = root().join("target/xtask/installed.png");
    let mut edit = Command::new("node");
    edit.arg(root().join("tests/desktop/installed.mjs"))
        .arg(PROGRAM)
        .arg(home)
        .arg(&picture);
    step::quiet("Edit a file with it", &mut edit)
        .with_context(|| format!("a picture of it: {}", picture.display()))?;
    let journeys = [
        "on_screen::journey",
        "on_screen::terminal",
        "--test-threads=1",
    ];
    let mut journeys =
        super::cargo_tests(&["--workspace", "--test", "it"], &journeys, Some(PROGRAM))?;
    step::quiet("Make people's journeys with it", &mut journeys)?;
    Ok(())
}

/// The files of the installed package; none when it is not installed.
fn installed_files() -> Result<Option<Vec<PathBuf>>> {
    let listed = Command::new("dpkg").args(["--listfiles", NAME]).output()?;
    if !listed.status.success() {
        return Ok(None);
    }
    let files = String::from_utf8(listed.stdout)?;
    let files = files
        .lines()
        .map(PathBuf::from)
        .filter(|path| path.is_file());
    let files: Vec<PathBuf> = files.collect();
    if files.is_empty() {
        bail!("dpkg lists no file of the package");
    }
    Ok(Some(files))
}
