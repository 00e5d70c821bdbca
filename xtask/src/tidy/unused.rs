//! Dependencies that nobody names: each crate and package that is asked for is used, or says why it stands there.
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::Findings;
use crate::step::root;

/// Crates that a crate's manifest lists and its sources never name. A comment behind the line is a reason.
pub fn crates(files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    let manifests = || files.iter().filter(|file| file.ends_with("Cargo.toml"));
    let folders: Vec<&Path> = manifests()
        .filter_map(|manifest| manifest.parent())
        .collect();
    let texts = manifests()
        .map(std::fs::read_to_string)
        .collect::<Result<Vec<_>, _>>()?;
    for (manifest, text) in manifests().zip(&texts) {
        let folder = manifest.parent().unwrap_or(manifest);
        // A crate in a folder of this one names what it needs in its own manifest.
        let is_inner = |other: &&&Path| other.starts_with(folder) && **other != folder;
        let inner: Vec<&&Path> = folders.iter().filter(is_inner).collect();
        let is_own = |file: &&PathBuf| !inner.iter().any(|other| file.starts_with(other));
        let own: Vec<PathBuf> = files.iter().filter(is_own).cloned().collect();
        let sources = sources_below(&own, folder, &["rs"])?;
        let mut list = List::None;
        for line in text.lines() {
            if line.starts_with('[') {
                list = List::of(line);
                continue;
            }
            let name = line.split(['.', ' ', '=']).next().unwrap_or("");
            if name.is_empty() || line.contains('#') {
                continue;
            }
            let is_used = match list {
                List::None => true,
                List::Own => names(&sources, &name.replace('-', "_")),
                List::Shared => {
                    let taken = format!("\n{name}.workspace = ");
                    texts.iter().any(|text| text.contains(&taken))
                }
            };
            if !is_used {
                findings.add(manifest, &format!("lists {name}, which nothing here names"));
            }
        }
    }
    Ok(())
}

/// npm packages that a manifest lists and that neither sources, settings and scripts beside it nor xtask name.
pub fn packages(files: &[PathBuf], findings: &mut Findings) -> Result<()> {
    const ENDS: &[&str] = &["ts", "tsx", "mjs", "css", "json", "yaml", "html"];
    // A template's package is its user's.
    let is_ours = |file: &&PathBuf| {
        file.ends_with("package.json") && !file.iter().any(|part| part == "templates")
    };
    for manifest in files.iter().filter(is_ours) {
        let list: Value = serde_json::from_str(&std::fs::read_to_string(manifest)?)
            .with_context(|| format!("read {}", manifest.display()))?;
        let folder = manifest.parent().unwrap_or(manifest);
        let mut texts = sources_below(files, folder, ENDS)?;
        texts.extend(sources_below(files, &root().join("xtask"), &["rs"])?);
        texts.push(list["scripts"].to_string());
        let lists = [&list["dependencies"], &list["devDependencies"]];
        for name in lists
            .iter()
            .filter_map(|list| list.as_object())
            .flat_map(|list| list.keys())
        {
            // Types come with what they describe, and some are only called by their command.
            let is_used = name.starts_with("@types/")
                || texts.iter().any(|text| text.contains(name.as_str()))
                || names(&texts, command(name));
            if !is_used {
                findings.add(manifest, &format!("lists {name}, which nothing here names"));
            }
        }
    }
    Ok(())
}

/// What a package is called by in scripts.
fn command(package: &str) -> &str {
    match package {
        "typescript" => "tsc",
        name => name.rsplit('/').next().unwrap_or(name),
    }
}

/// Which list a line of a manifest stands in.
enum List {
    None,
    /// What this crate takes.
    Own,
    /// What the workspace offers to its crates.
    Shared,
}

impl List {
    fn of(heading: &str) -> Self {
        match heading {
            "[workspace.dependencies]" => Self::Shared,
            heading if heading.ends_with("dependencies]") => Self::Own,
            _ => Self::None,
        }
    }
}

/// The texts of tracked files below a folder, manifests and locks left out.
fn sources_below(files: &[PathBuf], folder: &Path, ends: &[&str]) -> Result<Vec<String>> {
    files
        .iter()
        .filter(|file| file.starts_with(folder))
        .filter(|file| {
            file.extension()
                .and_then(|end| end.to_str())
                .is_some_and(|end| ends.contains(&end))
        })
        .filter(|file| !file.ends_with("package.json") && !file.ends_with("package-lock.json"))
        .map(|file| Ok(std::fs::read_to_string(file)?))
        .collect()
}

/// Whether a text holds `name` as a whole word.
fn names(texts: &[String], name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    texts.iter().any(|text| {
        text.match_indices(name).any(|(at, _)| {
            !text[..at].ends_with(is_part) && !text[at + name.len()..].starts_with(is_part)
        })
    })
}
