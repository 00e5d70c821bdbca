//! `cargo xtask bench`: the program itself is tests/src/bin/bench.rs; docs/benchmarks.md says how it measures.
use anyhow::{Result, bail, ensure};

use crate::{build, image, registries, setup, step};

/// Builds in release mode and measures.
pub fn run(name: Option<&str>, gate: bool, bench_args: &[String]) -> Result<()> {
    known(name)?;
    setup::install(setup::Needs::Everything)?;
    let image = image::ensure()?;
    let built = build::server(true)?;
    let program = build::desktop(true)?;
    build::browser_packages()?;
    let mut command = build::cargo();
    command.args([
        "run",
        "--quiet",
        "--release",
        "-p",
        "slipway-tests",
        "--bin",
        "bench",
        "--",
    ]);
    command
        .arg("--server")
        .arg(&built.server)
        .arg("--agent")
        .arg(&built.agent)
        .arg("--image")
        .arg(&image)
        .arg("--program")
        .arg(&program);
    if gate {
        command.arg("--gate");
    }
    command.args(name).args(bench_args);
    registries::allow(&mut command);
    let (ok, _) = step::shown("Measure", &mut command)?;
    if !ok {
        bail!("the measurement failed or a goal was missed; see above");
    }
    Ok(())
}

/// Refuses a name that neither a benchmark nor a group has, before anything is built for it.
fn known(name: Option<&str>) -> Result<()> {
    let goals = include_str!("../../tests/bench/goals.toml");
    let names: Vec<&str> = goals
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect();
    let is_meant = |wanted: &str| {
        names.iter().any(|name| {
            let rest = name.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        })
    };
    ensure!(
        name.is_none_or(is_meant),
        "there is no benchmark {}; there are {}",
        name.unwrap_or_default(),
        names.join(", ")
    );
    Ok(())
}
