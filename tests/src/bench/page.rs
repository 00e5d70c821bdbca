//! The page: from its address in a fresh browser until a typed character shows.
use anyhow::{Context as _, Result, ensure};
use slipway_api::workspace::Template;

use super::lab::Lab;
use super::{Row, Samples, row};

#[derive(serde::Deserialize)]
struct Load {
    ms: f64,
    bytes: f64,
}

/// Cold loads of a workspace in Chromium, each in a browser of its own.
///
/// # Errors
/// When the browser or the page does not come up.
pub async fn cold(lab: &Lab, rounds: usize) -> Result<Vec<Row>> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/cold.mjs");
    let name = format!("cold-{}", lab.fresh());
    let workspace = lab.client.create_workspace(&name, Template::Python).await?;
    let token = lab.client.token().context("the lab is signed in")?;
    let (mut seconds, mut megabytes) = (Samples::default(), Samples::default());
    for _ in 0..rounds {
        let done = tokio::process::Command::new("node")
            .arg(script)
            .arg(&lab.server.base)
            .arg(token.expose()) // a throw-away account on this machine
            .arg(workspace.id.to_string())
            .output()
            .await?;
        let words = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "the page did not load: {words}");
        let load: Load = serde_json::from_slice(&done.stdout)?;
        seconds.push(load.ms / 1e3);
        megabytes.push(load.bytes / 1e6);
    }
    let detail = format!("median of {rounds} fresh browsers, driven by Playwright");
    Ok(vec![
        row(
            "cold_load",
            seconds.quantile(0.5),
            detail.clone(),
            Some(("code-server (measured apart)", 2.7)),
        )?,
        row(
            "cold_bytes",
            megabytes.quantile(0.5),
            detail,
            Some(("code-server (measured apart)", 14.7)),
        )?,
    ])
}
