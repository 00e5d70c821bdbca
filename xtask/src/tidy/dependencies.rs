//! Who may name whom among crates, and what may come in from outside (deny.toml).
use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::{Findings, dependencies_of};
use crate::build::cargo;
use crate::step::root;

/// Crate, and what it must never depend on, not even through others.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "slipway-core",
        &["tokio", "tonic", "notify", "axum", "sqlx"],
    ),
    (
        "slipway-sync",
        &["tokio", "tonic", "notify", "axum", "sqlx", "rustix"],
    ),
    (
        "slipway-terminal",
        &["tokio", "tonic", "notify", "axum", "sqlx", "rustix"],
    ),
    ("slipway-api", &["axum", "sqlx", "tokio"]),
    ("slipway-mirror", &["tauri", "kube", "sqlx", "axum"]),
    ("slipway-client", &["tauri", "kube", "sqlx", "axum"]),
    (
        "slipway-backend",
        &[
            "tauri",
            "notify",
            "portable-pty",
            "slipway-agent",
            "slipway-desktop",
            "slipway-mirror",
        ],
    ),
    (
        "slipway-agent",
        &[
            "sqlx",
            "kube",
            "tauri",
            "slipway-backend",
            "slipway-desktop",
        ],
    ),
    (
        "slipway-desktop",
        &[
            "slipway-backend",
            "slipway-agent",
            "kube",
            "sqlx",
            "axum",
            // What draws windows is of no use to a command, and none of it is in its memory.
            "tauri",
            "wry",
            "gtk",
            "slipway-window",
        ],
    ),
    (
        "slipway-window",
        &["slipway-backend", "slipway-agent", "kube", "sqlx", "axum"],
    ),
];

/// Proves the forbidden edges absent.
pub fn layers(findings: &mut Findings) -> Result<()> {
    for (package, forbidden) in FORBIDDEN {
        let dependencies = dependencies_of(package)?;
        for name in forbidden
            .iter()
            .filter(|name| dependencies.contains(**name))
        {
            findings.add(
                &root().join("Cargo.toml"),
                &format!(
                    "{package} depends on {name}; see `cargo tree -p {package} -e normal -i {name}`"
                ),
            );
        }
    }
    Ok(())
}

/// Holds what is locked against deny.toml: banned crates and licences.
pub fn lock(findings: &mut Findings) -> Result<()> {
    let rules: toml::Table = std::fs::read_to_string(root().join("deny.toml"))?
        .parse()
        .context("read deny.toml")?;
    let texts = |section: &str, list: &str| -> Vec<toml::Value> {
        rules
            .get(section)
            .and_then(|table| table.get(list))
            .and_then(toml::Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let allowed: BTreeSet<String> = texts("licenses", "allow")
        .iter()
        .filter_map(|value| value.as_str().map(str::to_owned))
        .collect();
    let banned: BTreeSet<String> = texts("bans", "deny")
        .iter()
        .filter_map(|value| value.get("crate")?.as_str().map(str::to_owned))
        .collect();

    let output = cargo()
        .args([
            "metadata",
            "--offline",
            "--format-version",
            "1",
            "--filter-platform",
            "x86_64-unknown-linux-gnu",
        ])
        .output()?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: Value = serde_json::from_slice(&output.stdout)?;
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let name = package["name"].as_str().unwrap_or_default();
        if banned.contains(name) {
            findings.add(
                &root().join("Cargo.lock"),
                &format!("{name} is banned by deny.toml"),
            );
        }
        if package["source"].is_null() {
            continue;
        }
        let licence = package["license"].as_str().unwrap_or_default();
        if !licence_allowed(licence, &allowed) {
            findings.add(
                &root().join("Cargo.lock"),
                &format!("{name} has the licence \"{licence}\", which deny.toml does not allow"),
            );
        }
    }
    Ok(())
}

/// Whether an SPDX expression can be met: every term joined by AND has an allowed alternative.
fn licence_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    expression
        .replace(['(', ')'], "")
        .split(" AND ")
        .all(|term| {
            term.split(" OR ")
                .flat_map(|choice| choice.split('/'))
                .any(|choice| allowed.contains(choice.trim()))
        })
}
