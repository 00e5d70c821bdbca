//! JupyterLab: a terminal is made through REST and outlives its connections; JSON arrays both ways.
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

use super::{Protocol, Told, Way};

const TOKEN: &str = "bench";

/// Its protocol.
pub(super) struct Jupyter;

pub(super) fn arguments(command: &mut Command, port: u16, folder: &Path) {
    open(command, port, folder, folder);
    command
        .arg(format!("--IdentityProvider.token={TOKEN}"))
        .arg("--ServerApp.terminado_settings={\"shell_command\":[\"bash\",\"--norc\"]}");
}

/// What every JupyterLab here is started with: its settings and state below `folder`, the files of `root`.
pub fn open(command: &mut Command, port: u16, folder: &Path, root: &Path) {
    command
        .args(["--allow-root", "--no-browser", "--ip=127.0.0.1"])
        .arg(format!("--port={port}"))
        .arg(format!("--ServerApp.root_dir={}", root.display()))
        .arg("--ServerApp.disable_check_xsrf=True")
        .env("JUPYTER_CONFIG_DIR", folder.join("config"))
        .env("JUPYTER_RUNTIME_DIR", folder.join("runtime"));
}

pub(super) async fn way(port: u16) -> Result<Way> {
    let made: Value = reqwest::Client::new()
        .post(format!(
            "http://127.0.0.1:{port}/api/terminals?token={TOKEN}"
        ))
        .send()
        .await?
        .error_for_status()?
        .json()
        .await?;
    let name = made["name"].as_str().context("a terminal has a name")?;
    Ok(Way {
        url: format!("ws://127.0.0.1:{port}/terminals/websocket/{name}?token={TOKEN}"),
        headers: Vec::new(),
        first: vec![Message::text(
            json!(["set_size", 24, 80, 480, 800]).to_string(),
        )],
        says_ready: true,
    })
}

impl Protocol for Jupyter {
    fn typed(&mut self, bytes: &[u8]) -> Message {
        Message::text(json!(["stdin", String::from_utf8_lossy(bytes)]).to_string())
    }

    fn told(&mut self, message: Message) -> Result<Told> {
        let Message::Text(text) = message else {
            return Ok(Told::default());
        };
        let told: Vec<Value> = serde_json::from_str(text.as_str())?;
        let output = match told.get(1) {
            Some(Value::String(output)) => output.clone(),
            _ => String::new(),
        };
        Ok(match told.first().and_then(Value::as_str) {
            Some("stdout") => Told::output(output),
            Some("setup") => Told {
                ready: true,
                ..Told::default()
            },
            Some("disconnect") => Told {
                ended: true,
                ..Told::default()
            },
            _ => Told::default(),
        })
    }
}
