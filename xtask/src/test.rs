//! `cargo xtask test`: every check and test, in the order in which they fail soonest, and one line over all of them.
use std::process::Command;

use anyhow::{Result, bail};

use crate::step::{self, root};
use crate::{build, codegen, image, registries, setup, sim, smoke, sql, tidy};

mod count;
mod package;
use count::Count;

/// All suites in their order.
const SUITES: &[&str] = &[
    "tidy", "ui", "rust", "sim", "browser", "desktop", "smoke", "package",
];

/// Runs the named suites, or all.
pub fn run(names: &[String]) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !SUITES.contains(&name.as_str())) {
        bail!(
            "there is no suite {unknown}; there are {}",
            SUITES.join(", ")
        );
    }
    setup::install(setup::Needs::Everything)?;
    let mut total = Count::default();
    for suite in SUITES
        .iter()
        .filter(|suite| names.is_empty() || names.iter().any(|name| name == *suite))
    {
        let count = match *suite {
            "tidy" => checks(),
            "ui" => ui(),
            "rust" => rust()?,
            "sim" => simulation(),
            "browser" => browser()?,
            "desktop" => desktop()?,
            "package" => package::run(),
            _ => Count::of("smoke", smoke::run(true)),
        };
        total.add(count);
    }
    total.report();
    if total.failed > 0 {
        bail!("{} failed", total.failed);
    }
    Ok(())
}

/// What needs no test runner: each check counts as one.
fn checks() -> Count {
    let mut count = Count::of("tidy", tidy::run());
    count.add(Count::of(
        "rustfmt",
        step::quiet(
            "Check the format",
            build::cargo().args(["fmt", "--all", "--check"]),
        )
        .map(drop),
    ));
    count.add(Count::of(
        "clippy",
        step::quiet(
            "Lint",
            build::cargo().args([
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
        )
        .map(drop),
    ));
    count.add(Count::of("codegen", codegen::run(true)));
    count.add(Count::of("sql", sql::run(true)));
    count
}

/// The UI's own checks and unit tests.
fn ui() -> Count {
    let mut count = Count::of("ui packages", build::ui_packages());
    count.add(Count::of(
        "ui check",
        step::quiet(
            "Check the UI's types, format and borders",
            &mut build::npm(&["run", "check"]),
        )
        .map(drop),
    ));
    match step::shown("Test the UI", &mut build::npm(&["test"])) {
        Ok((ok, output)) => count.add(Count::vitest(ok, &output)),
        Err(error) => count.add(Count::of("ui tests", Err(error))),
    }
    count.add(Count::of("ui build", build::ui()));
    count.add(Count::of(
        "ui size",
        step::quiet(
            "Hold the UI's size against its budget",
            &mut build::npm(&["run", "size"]),
        )
        .map(drop),
    ));
    count
}

/// Unit, property, API and sandbox tests.
fn rust() -> Result<Count> {
    // A window for each test would stand in the way of all others.
    cargo_test(
        "Test",
        &["--workspace", "--no-fail-fast"],
        &["--skip", WINDOWS],
    )
}

/// Tests that open the desktop program's window.
const WINDOWS: &str = "on_screen::";

/// The desktop program on displays of its own, one at a time: its window, then people's journeys in it.
fn desktop() -> Result<Count> {
    let mut count = window()?;
    count.add(cargo_test(
        "Use the desktop program",
        &["--workspace", "--test", "it"],
        &[WINDOWS, "--test-threads=1"],
    )?);
    Ok(count)
}

/// Builds everything and tests a part of it.
fn cargo_test(title: &str, which: &[&str], how: &[&str]) -> Result<Count> {
    let mut command = cargo_tests(which, how, None)?;
    let (ok, output) = step::shown(title, &mut command)?;
    Ok(Count::cargo(ok, &output))
}

/// Builds everything; a command that tests a part of it, or an installed desktop program in place of the one that was built.
fn cargo_tests(which: &[&str], how: &[&str], installed: Option<&str>) -> Result<Command> {
    let image = image::ensure()?;
    // The server is embedded with the interface, so that comes first.
    build::ui()?;
    step::quiet(
        "Build all tests",
        build::cargo()
            .args(["test", "--workspace", "--no-run"])
            .args(build::PAGE_INSIDE),
    )?;
    let agent = build::server(false)?.agent;
    let slipway = build::desktop(false)?;
    let mut command = build::cargo();
    command
        .arg("test")
        .args(which)
        .args(build::PAGE_INSIDE)
        .args(["--", "--nocapture"])
        .args(how)
        .env("SLIPWAY_TEST_AGENT", agent)
        .env(
            "SLIPWAY_TEST_COMMAND",
            installed.map_or(slipway, Into::into),
        )
        .env("SLIPWAY_TEST_IMAGE", image);
    registries::allow(&mut command);
    Ok(command)
}

/// Simulated worlds of sync, and the proof that they find what they are to find.
fn simulation() -> Count {
    let mut count = Count::of("sim worlds", sim::worlds());
    count.add(Count::of("sim calls", sim::calls()));
    count.add(Count::of("sim planted", sim::planted()));
    count
}

/// The journey in a real browser against a real server.
fn browser() -> Result<Count> {
    let image = image::ensure()?;
    let built = build::server(false)?;
    let folder = root().join("tests/ui");
    build::browser_packages()?;
    let mut command = Command::new("npm");
    command
        .current_dir(&folder)
        .arg("test")
        .env("SLIPWAY_TEST_SERVER", built.server)
        .env("SLIPWAY_TEST_AGENT", built.agent)
        .env("SLIPWAY_TEST_IMAGE", image);
    registries::allow(&mut command);
    let (ok, output) = step::shown("Make the journey in a browser", &mut command)?;
    Ok(Count::playwright(ok, &output))
}

/// The window as the system shows it: its menu, its second start, its end.
fn window() -> Result<Count> {
    let slipway = build::desktop(false)?;
    let mut command = Command::new("node");
    command
        .current_dir(root().join("tests/desktop"))
        .args(["--test", "--test-reporter=tap"])
        .env("SLIPWAY_TEST_COMMAND", slipway);
    let (ok, output) = step::shown("Drive the window of the app", &mut command)?;
    Ok(Count::node(ok, &output))
}
