//! The page in a fresh browser: ours until a typed character shows, code-server and JupyterLab until their files do.
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use slipway_api::workspace::Template;
use tokio::process::{Child, Command};

use super::lab::Lab;
use super::peer::{self, Peers, free_port, jupyter};
use super::{Beside, Row, Samples, figure, tell};

#[derive(serde::Deserialize)]
struct Load {
    ms: f64,
    bytes: f64,
    code: f64,
    settled: f64,
}

/// Seconds and megabytes of some loads.
#[derive(Default)]
struct Loads {
    seconds: Samples,
    megabytes: Samples,
    settled_megabytes: Samples,
    code_kilobytes: Samples,
}

/// An IDE of somebody else's.
struct Ide {
    name: &'static str,
    child: Child,
    url: String,
    /// What shows its files.
    selector: &'static str,
    loads: Loads,
}

/// Cold loads in turn, each in a browser of its own.
///
/// # Errors
/// When our page does not come up.
pub async fn cold(lab: &Lab, peers: &Peers, rounds: usize) -> Result<Vec<Row>> {
    let name = format!("cold-{}", lab.fresh());
    let workspace = lab.client.create_workspace(&name, Template::Python).await?;
    let id = workspace.id.to_string();
    let token = lab.client.token().context("the lab is signed in")?;
    let base = lab.server.base.as_str();
    // A throw-away account on this machine: its token may stand in an argument.
    let opened = ["workspace", base, token.expose(), &id];
    let mut ides = ides(peers, lab.folder.path()).await?;
    let (mut ours, mut sign_in) = (Loads::default(), Loads::default());
    for _ in 0..rounds {
        ours.take(&load(&opened).await?);
        sign_in.take(&load(&["ready", base, ".signin-form"]).await?);
        for ide in &mut ides {
            match load(&["ready", &ide.url, ide.selector]).await {
                Ok(load) => ide.loads.take(&load),
                Err(error) => tell(&format!("{}: {error:#}", ide.name)),
            }
        }
    }
    let beside = |what: fn(&Loads) -> &Samples| -> Beside {
        ides.iter()
            .map(|ide| (ide.name.to_owned(), what(&ide.loads).median()))
            .collect()
    };
    let detail =
        format!("median of {rounds} fresh browsers; peers: until their list of files shows");
    let settled: Vec<String> = std::iter::once(("we", &ours))
        .chain(ides.iter().map(|ide| (ide.name, &ide.loads)))
        .map(|(name, loads)| format!("{name} {:.2}", loads.settled_megabytes.median()))
        .collect();
    let settled = settled.join(", ");
    let mut rows = figure(
        "cold_load",
        ours.seconds.median(),
        format!("{detail}; {} s", ours.seconds.range()),
        &beside(|loads| &loads.seconds),
    )?;
    rows.extend(figure(
        "cold_bytes",
        ours.megabytes.median(),
        format!("{detail}; with what comes after it {settled}"),
        &beside(|loads| &loads.megabytes),
    )?);
    rows.extend(figure(
        "sign_in_bytes",
        sign_in.code_kilobytes.median(),
        format!(
            "page, scripts and styles of the sign-in, as they come; {:.0} KB with font and icons",
            sign_in.settled_megabytes.median() * 1e3
        ),
        &[],
    )?);
    for ide in ides {
        peer::stop(ide.child).await?;
    }
    Ok(rows)
}

impl Loads {
    fn take(&mut self, load: &Load) {
        self.seconds.push(load.ms / 1e3);
        self.megabytes.push(load.bytes / 1e6);
        self.settled_megabytes.push(load.settled / 1e6);
        self.code_kilobytes.push(load.code / 1e3);
    }
}

async fn load(words: &[&str]) -> Result<Load> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/cold.mjs");
    let done = Command::new("node")
        .arg(script)
        .args(words)
        .output()
        .await?;
    let told = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the page did not load: {told}");
    Ok(serde_json::from_slice(&done.stdout)?)
}

async fn ides(peers: &Peers, folder: &Path) -> Result<Vec<Ide>> {
    let project = folder.join("project");
    std::fs::create_dir_all(&project)?;
    std::fs::write(project.join("main.py"), "print(1)\n")?;
    let mut ides = Vec::new();
    for program in ["code-server", "jupyter-lab"] {
        let Some(binary) = peers.find(program) else {
            peer::missing(program);
            continue;
        };
        match ide(program, &binary, folder, &project).await {
            Ok(ide) => ides.push(ide),
            Err(error) => tell(&format!("{program} does NOT RUN: {error:#}")),
        }
    }
    Ok(ides)
}

async fn ide(program: &'static str, binary: &Path, folder: &Path, project: &Path) -> Result<Ide> {
    let (port, home) = (free_port()?, folder.join(program));
    std::fs::create_dir_all(&home)?;
    let mut command = Command::new(binary);
    let (url, selector) = if program == "code-server" {
        let settings = home.join("settings.yaml");
        std::fs::write(&settings, "")?;
        command
            .arg("--config")
            .arg(settings)
            .args([
                "--auth",
                "none",
                "--bind-addr",
                &format!("127.0.0.1:{port}"),
            ])
            .arg("--user-data-dir")
            .arg(home.join("data"))
            .arg("--extensions-dir")
            .arg(home.join("extensions"))
            .args(["--disable-telemetry", "--disable-update-check"])
            .arg("--disable-workspace-trust");
        let url = format!("http://127.0.0.1:{port}/?folder={}", project.display());
        (url, ".explorer-folders-view .monaco-list-row")
    } else {
        jupyter::open(&mut command, port, &home, project);
        command.arg("--IdentityProvider.token=");
        (
            format!("http://127.0.0.1:{port}/lab"),
            ".jp-DirListing-item",
        )
    };
    Ok(Ide {
        name: program,
        child: peer::start(command, port, &home).await?,
        url,
        selector,
        loads: Loads::default(),
    })
}
