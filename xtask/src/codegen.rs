//! TypeScript from the Rust types of the REST API, from the wire schema and from limits that both sides keep, committed
//! so that the UI builds without Rust.
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::build::{cargo, npm, ui_packages};
use crate::step::{self, root};

mod constants;

const GENERATED: &str = "src-ui/src/host/generated";

/// Constants that the UI goes by, too.
const CONSTANTS: [(&str, &str); 2] = [
    ("crates/core/src/limits.rs", "limits.ts"),
    ("crates/sync/src/ignore.rs", "ignored.ts"),
];

/// What a browser speaks; the rest of the schema is between servers and agents.
const SPOKEN: [&str; 2] = [
    "../proto/slipway/v1/ws.proto",
    "../proto/slipway/v1/terminal.proto",
];

/// Generates; with `check` fails when the result differs from what is committed.
pub fn run(check: bool) -> Result<()> {
    ui_packages()?;
    let api = root().join(GENERATED).join("api");
    step::quiet(
        "Generate TypeScript from the REST types",
        cargo()
            .args([
                "test",
                "--quiet",
                "-p",
                "slipway-api",
                "--lib",
                "export_bindings",
            ])
            .env("TS_RS_EXPORT_DIR", &api)
            .env("TS_RS_LARGE_INT", "number"),
    )?;
    step::quiet(
        "Generate TypeScript from the wire schema",
        npm(&["exec", "--", "buf", "generate", "../proto"])
            .args(SPOKEN.map(|path| format!("--path={path}"))),
    )?;
    translate_constants()?;
    if check {
        let output = Command::new("git")
            .current_dir(root())
            .args(["status", "--porcelain", "--", GENERATED])
            .output()?;
        let changed = String::from_utf8_lossy(&output.stdout);
        if !changed.trim().is_empty() {
            bail!(
                "generated TypeScript differs from what is committed; run `cargo xtask codegen` and commit:\n{changed}"
            );
        }
        wire()?;
    }
    Ok(())
}

fn translate_constants() -> Result<()> {
    for (source, target) in CONSTANTS {
        step::say(&format!("Generate TypeScript from {source}"));
        let rust = std::fs::read_to_string(root().join(source))
            .with_context(|| format!("read {source}"))?;
        let target = root().join(GENERATED).join(target);
        std::fs::write(target, constants::translate(&rust, source))?;
    }
    Ok(())
}

/// Holds the wire schema against that of the last release: its clients are still around.
fn wire() -> Result<()> {
    let git = |args: &[&str]| -> Result<String> {
        let output = Command::new("git")
            .current_dir(root())
            .args(args)
            .output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let release = git(&["describe", "--tags", "--abbrev=0", "--match", "v*"])?;
    if release.is_empty() {
        step::say("No release yet: the wire schema has nothing to stay compatible with");
        return Ok(());
    }
    let folder = git(&["rev-parse", "--path-format=absolute", "--git-common-dir"])?;
    let against = format!("{folder}#tag={release},subdir=proto");
    step::quiet(
        &format!("Hold the wire schema against {release}"),
        &mut npm(&[
            "exec",
            "--",
            "buf",
            "breaking",
            "../proto",
            "--against",
            &against,
        ]),
    )?;
    Ok(())
}
