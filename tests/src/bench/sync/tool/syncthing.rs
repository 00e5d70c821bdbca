//! syncthing: two of them on this machine that know each other and nobody else.
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::super::super::peer::{self, free_port};
use super::PATIENCE;

const KEY: &str = "bench";

/// Two that are connected.
pub(super) struct Syncthing {
    http: reqwest::Client,
    sides: [Side; 2],
}

struct Side {
    home: PathBuf,
    /// Of its REST interface.
    port: u16,
    /// Of the other's connections.
    listens: u16,
    id: String,
}

impl Syncthing {
    pub(super) async fn start(binary: &Path, home: &Path) -> Result<(Self, Vec<Child>)> {
        let (mut running, mut sides) = (Vec::new(), Vec::new());
        for name in ["syncthing-near", "syncthing-far"] {
            let mut side = Side {
                home: home.join(name),
                port: free_port()?,
                listens: free_port()?,
                id: String::new(),
            };
            running.push(side.start(binary).await?);
            sides.push(side);
        }
        let sides = <[Side; 2]>::try_from(sides).ok();
        let mut both = Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            sides: sides.context("invariant: there are two names")?,
        };
        both.meet().await?;
        Ok((both, running))
    }

    /// Tells each of the other and waits until they are connected.
    async fn meet(&mut self) -> Result<()> {
        for side in 0..2 {
            let status = self.ask(side, "system/status").await?;
            let id = status["myID"].as_str().context("no id")?;
            id.clone_into(&mut self.sides[side].id);
        }
        let device = |side: &Side| {
            let address = format!("tcp://127.0.0.1:{}", side.listens);
            json!({ "deviceID": side.id, "addresses": [address] })
        };
        let devices = json!([device(&self.sides[0]), device(&self.sides[1])]);
        for side in 0..2 {
            self.tell(side, "config/devices", &devices).await?;
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let known = self.ask(0, "system/connections").await?;
            if known["connections"][&self.sides[1].id]["connected"] == true {
                return Ok(());
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "its two sides do not meet"
            );
            tokio::time::sleep(Duration::from_millis(100)).await; // waits: a pace of the look
        }
    }

    /// Keeps two folders equal, with the shortest delay that it has, a second.
    pub(super) async fn begin(&self, near: &Path, far: &Path) -> Result<()> {
        let devices: Vec<_> = self
            .sides
            .iter()
            .map(|side| json!({ "deviceID": side.id }))
            .collect();
        for (side, folder) in [(1, far), (0, near)] {
            let folders = json!([{
                "id": "bench", "path": folder, "type": "sendreceive", "fsWatcherEnabled": true,
                "rescanIntervalS": 3600, "fsWatcherDelayS": 1, "devices": devices,
            }]);
            self.tell(side, "config/folders", &folders).await?;
        }
        Ok(())
    }

    fn address(&self, side: usize, path: &str) -> String {
        format!("http://127.0.0.1:{}/rest/{path}", self.sides[side].port)
    }

    async fn ask(&self, side: usize, path: &str) -> Result<Value> {
        let asked = self.http.get(self.address(side, path));
        let answer = asked.header("X-API-Key", KEY).send().await?;
        Ok(answer.error_for_status()?.json().await?)
    }

    async fn tell(&self, side: usize, path: &str, value: &Value) -> Result<()> {
        let told = self.http.put(self.address(side, path)).json(value);
        let answer = told.header("X-API-Key", KEY).send().await?;
        answer.error_for_status()?;
        Ok(())
    }
}

impl Side {
    async fn start(&mut self, binary: &Path) -> Result<Child> {
        std::fs::create_dir_all(&self.home)?;
        let equip = |command: &mut Command| {
            command
                .env("STNODEFAULTFOLDER", "1")
                .env("STNOUPGRADE", "1")
                .env("HOME", &self.home)
                .arg(format!("--home={}", self.home.display()));
        };
        let mut generate = Command::new(binary);
        generate.arg("generate");
        equip(&mut generate);
        let said = generate.output().await?;
        let error = String::from_utf8_lossy(&said.stderr);
        ensure!(said.status.success(), "syncthing generate: {error}");
        let path = self.home.join("config.xml");
        let mut config = std::fs::read_to_string(&path)?;
        let (api, listens) = (
            format!("127.0.0.1:{}", self.port),
            format!("tcp://127.0.0.1:{}", self.listens),
        );
        for (tag, value) in [
            ("apikey", KEY),
            ("listenAddress", &listens),
            ("globalAnnounceEnabled", "false"),
            ("localAnnounceEnabled", "false"),
            ("relaysEnabled", "false"),
            ("natEnabled", "false"),
            ("crashReportingEnabled", "false"),
            ("startBrowser", "false"),
            ("setLowPriority", "false"),
            ("urAccepted", "-1"),
        ] {
            set(&mut config, 0, tag, value);
        }
        let gui = config.find("<gui").context("no gui in its settings")?;
        set(&mut config, gui, "address", &api);
        std::fs::write(&path, config)?;
        let mut serve = Command::new(binary);
        serve.args(["serve", "--no-browser", "--no-restart"]);
        equip(&mut serve);
        peer::start(serve, self.port, &self.home).await
    }
}

/// Sets the first value of a tag after a place of an XML text.
fn set(xml: &mut String, from: usize, tag: &str, value: &str) {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    let begin = xml[from..].find(&open).map(|at| from + at + open.len());
    if let Some(begin) = begin
        && let Some(end) = xml[begin..].find(&close)
    {
        xml.replace_range(begin..begin + end, value);
    }
}
