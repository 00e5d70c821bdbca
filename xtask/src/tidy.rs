//! What a machine can check about the house: layers, head lines, names, sizes, borders, licences.
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::build::cargo;
use crate::step::{self, root};

mod dependencies;
mod typescript;
mod unused;

/// Lines of a source file; above it the file's head says why.
const FILE_LINES_MAX: usize = 600;
/// Names that say nothing about what lives there.
const EMPTY_NAMES: &[&str] = &[
    "util", "utils", "helper", "helpers", "common", "misc", "mod",
];

/// Everything that was found, each with its place.
#[derive(Default)]
pub struct Findings(Vec<String>);

impl Findings {
    /// Notes a finding.
    pub fn add(&mut self, place: &Path, text: &str) {
        let place = place.strip_prefix(root()).unwrap_or(place);
        self.0.push(format!("{}: {text}", place.display()));
    }
}

/// Checks all of it; the error lists every finding.
pub fn run() -> Result<()> {
    step::say("Tidy: layers, head lines, names, sizes, borders, licences");
    // What follows asks cargo about crates without the network, so a fresh machine needs them first.
    step::quiet("Fetch the crates", cargo().args(["fetch", "--locked"]))?;
    let mut findings = Findings::default();
    let files = tracked()?;
    for file in &files {
        check_file(file, &mut findings)?;
    }
    typescript::borders(&files, &mut findings)?;
    dependencies::layers(&mut findings)?;
    unused::crates(&files, &mut findings)?;
    unused::packages(&files, &mut findings)?;
    dependencies::lock(&mut findings)?;
    if findings.0.is_empty() {
        return Ok(());
    }
    bail!("{} findings:\n{}", findings.0.len(), findings.0.join("\n"))
}

/// Every file that git tracks or would track.
fn tracked() -> Result<Vec<PathBuf>> {
    let output = std::process::Command::new("git")
        .current_dir(root())
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output()
        .context("list files with git")?;
    let mut files: Vec<PathBuf> = String::from_utf8(output.stdout)?
        .lines()
        .map(|line| root().join(line))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.dedup();
    Ok(files)
}

fn check_file(file: &Path, findings: &mut Findings) -> Result<()> {
    let relative = file.strip_prefix(root()).unwrap_or(file);
    let end = file.extension().and_then(|end| end.to_str()).unwrap_or("");
    let stem = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or("");
    if std::fs::metadata(file)?.len() > 1 << 20
        && file.file_name().is_none_or(|name| name != "Cargo.lock")
    {
        findings.add(file, "is larger than 1 MiB");
    }
    if !["rs", "ts", "tsx", "sql", "css", "md"].contains(&end)
        || relative
            .components()
            .any(|part| part.as_os_str() == "generated" || part.as_os_str() == "templates")
    {
        return Ok(());
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("read {}", file.display()))?;
    match end {
        "md" => links(file, &text, findings),
        "sql" if !text.starts_with("-- ") => {
            findings.add(file, "begins without a comment on why it exists")
        }
        "rs" | "ts" | "tsx" => source(file, stem, end, &text, findings),
        _ => {}
    }
    Ok(())
}

fn source(file: &Path, stem: &str, end: &str, text: &str, findings: &mut Findings) {
    let head_ok = if end == "rs" {
        text.starts_with("//! ")
    } else {
        text.starts_with("// ") || text.starts_with("/**")
    };
    if !head_ok {
        findings.add(file, "begins without a line that says what lives here");
    }
    let named_nothing = |name: &std::ffi::OsStr| EMPTY_NAMES.iter().any(|empty| name == *empty);
    if EMPTY_NAMES.contains(&stem) || file.iter().any(named_nothing) {
        findings.add(file, "has a name that says nothing; name the thing");
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX
        && !text
            .lines()
            .take(10)
            .any(|line| line.contains("Long because"))
    {
        findings.add(
            file,
            &format!("has {lines} lines; split it, or say in its head \"Long because ..\""),
        );
    }
    let is_test = file.components().any(|part| part.as_os_str() == "tests")
        || stem.ends_with(".test")
        || stem == "tests";
    let waits = ["thread::sleep(", "time::sleep(", "waitForTimeout("];
    for (number, line) in text.lines().enumerate() {
        if is_test && waits.iter().any(|wait| line.contains(wait)) && !line.contains("// waits:") {
            findings.add(file, &format!("line {}: a test waits by the clock; wait for a condition, or end the line with `// waits: why`", number + 1));
        }
    }
}

/// Relative links of a document lead somewhere.
fn links(file: &Path, text: &str, findings: &mut Findings) {
    for piece in text.split("](").skip(1) {
        let Some(target) = piece.split(')').next() else {
            continue;
        };
        let target = target.split('#').next().unwrap_or("");
        if target.is_empty()
            || target.contains("://")
            || target.starts_with("mailto:")
            || target.contains(' ')
        {
            continue;
        }
        let folder = file.parent().unwrap_or(file);
        if !folder.join(target).exists() {
            findings.add(file, &format!("links to {target}, which does not exist"));
        }
    }
}

/// The names of all crates that `package` depends on in normal builds, by `cargo tree`.
fn dependencies_of(package: &str) -> Result<BTreeSet<String>> {
    let output = cargo()
        .args([
            "tree",
            "--offline",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ])
        .output()
        .context("run cargo tree")?;
    if !output.status.success() {
        bail!(
            "cargo tree -p {package}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8(output.stdout)?
        .lines()
        .filter_map(|line| line.split(' ').next())
        .map(str::to_owned)
        .collect())
}
