//! The window of the desktop program on a display of its own: looked at as a person does (tests/desktop/person.mjs), and
//! driven through WebKitWebDriver where only the page knows (tests/desktop/bench.mjs).
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use slipway_client::socket::Socket;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::lab::Lab;
use super::sync::tool::slipway::Desk;
use super::workload::text;
use super::{Row, Samples, figure, tell};

/// What is measured.
pub struct Program<'a> {
    /// `slipway`.
    pub app: &'a Path,
    /// What serves its terminals; an installed one finds it by itself.
    pub agent: &'a Path,
}

/// The program on a desktop: what every desktop has is there before it starts.
struct Stage<'a> {
    program: &'a Program<'a>,
    bus: String,
    _daemon: Child,
}

#[derive(Deserialize)]
struct Start {
    ms: f64,
}

#[derive(Deserialize)]
struct Rest {
    bytes: f64,
}

#[derive(Deserialize)]
struct Saves {
    ms: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    before: f64,
    first: f64,
    last: f64,
    ctrl_c: f64,
    frame: f64,
}

const SAVED_BYTES: usize = 2048;
const MB: f64 = 1e6;
const MIB: f64 = 1024.0 * 1024.0;

/// Starts: cold, with a new home and nothing of the program in memory, and warm.
///
/// # Errors
/// When the window does not come up.
pub async fn start(program: &Program<'_>, rounds: usize) -> Result<Vec<Row>> {
    let stage = Stage::set(program).await?;
    let look = stage.look().await?;
    let (mut cold, mut warm) = (Samples::default(), Samples::default());
    let mut is_cold = true;
    for _ in 0..rounds {
        let home = tempfile::tempdir()?;
        is_cold &= forget();
        for samples in [&mut cold, &mut warm] {
            let start: Start = stage.sit("start", home.path(), &look).await?;
            samples.push(start.ms / 1e3);
        }
    }
    if !is_cold {
        tell("######## only root may empty the disk's cache: no start is COLD ########");
    }
    let detail = |samples: &Samples, how: &str| {
        format!(
            "from the start of the program until a typed character shows, {how}; {} times, {} s",
            samples.len(),
            samples.range()
        )
    };
    let mut rows = Vec::new();
    if is_cold {
        let how = "nothing in the disk's cache, a new home";
        rows = figure("desktop_cold", cold.median(), detail(&cold, how), &[])?;
    }
    rows.extend(figure(
        "desktop_warm",
        warm.median(),
        detail(&warm, "the second start in a home"),
        &[],
    )?);
    Ok(rows)
}

/// Memory of all processes at rest, and a terminal that prints without end.
///
/// # Errors
/// When the window does not come up, or Ctrl-C ends nothing.
pub async fn work(program: &Program<'_>, rounds: usize) -> Result<Vec<Row>> {
    let stage = Stage::set(program).await?;
    let [mut rest, mut grown, mut creep, mut ctrl_c, mut frame] =
        std::array::from_fn(|_| Samples::default());
    let look = stage.look().await?;
    for _ in 0..rounds {
        let home = tempfile::tempdir()?;
        let there: Rest = stage.sit("rest", home.path(), &look).await?;
        rest.push(there.bytes / MB);
        let file = file_in(home.path())?;
        let work: Work = stage
            .run("bench.mjs", "work", home.path(), &file, &[])
            .await?;
        grown.push((work.first.max(work.last) - work.before) / MIB);
        creep.push((work.last - work.first) / MIB);
        ctrl_c.push(work.ctrl_c);
        frame.push(work.frame);
    }
    let mut rows = Vec::new();
    for (name, samples, how) in [
        (
            "desktop_rest",
            rest,
            "PSS of all its processes, shells and local agent too, an editor and two terminals",
        ),
        (
            "desktop_yes_growth",
            grown,
            "the most PSS of all its processes in ten seconds of `yes`, above that before",
        ),
        (
            "desktop_yes_creep",
            creep,
            "the most in the last five of these seconds above the most in the first five",
        ),
        (
            "desktop_ctrl_c",
            ctrl_c,
            "after ten seconds of `yes`, from the key until the shell's next prompt shows",
        ),
        (
            "desktop_frame",
            frame,
            "the longest time between two frames of the page meanwhile",
        ),
    ] {
        let detail = format!("{how}; {} times, {}", samples.len(), samples.range());
        // What may not be exceeded is judged by the worst.
        rows.extend(figure(name, samples.quantile(1.0), detail, &[])?);
    }
    Ok(rows)
}

/// From Ctrl+S in the window until the session's disk has the file.
///
/// # Errors
/// When the window does not come up, or a save does not arrive.
pub async fn save(lab: &Lab, program: &Program<'_>, saves: usize) -> Result<Vec<Row>> {
    let socket = Socket::connect(&lab.client).await?;
    let (workspace, _) = lab.session(&socket).await?;
    let written = lab
        .client
        .write_file(workspace.id, "main.py", None, text(1, SAVED_BYTES));
    written.await?;
    let home = lab.folder.path().join("window");
    let desk = Desk::sign_in(program.app, &home, &lab.server.base).await?;
    let folder = home.join("tides");
    let mut clone = desk.command();
    clone.args(["clone", &workspace.name]).arg(&folder);
    ensure!(clone.status().await?.success(), "slipway clone failed");
    let there = lab.volume(&workspace)?.join("main.py");
    let many = saves.to_string();
    let more = [there.as_os_str(), many.as_ref()];
    let stage = Stage::set(program).await?;
    let file = folder.join("main.py");
    let done: Saves = stage.run("bench.mjs", "save", &home, &file, &more).await?;
    let mut samples = Samples::default();
    for ms in done.ms {
        samples.push(ms);
    }
    let detail = format!(
        "{} saves of 2 KB, from Ctrl+S in the window until the file on the session's disk was changed",
        samples.len()
    );
    let mut rows = figure("desktop_save_p50", samples.median(), detail.clone(), &[])?;
    rows.extend(figure(
        "desktop_save_p99",
        samples.quantile(0.99),
        detail,
        &[],
    )?);
    Ok(rows)
}

/// Takes everything out of the disk's cache; false where we may not.
fn forget() -> bool {
    rustix::fs::sync();
    std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

/// A new file in a folder of a home, as short as files are; its first line is empty.
fn file_in(home: &Path) -> Result<PathBuf> {
    let folder = home.join("tides");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("tides.py");
    std::fs::write(&file, format!("\n{}", "print('low water')\n".repeat(40)))?;
    Ok(file)
}

impl<'a> Stage<'a> {
    /// With a session's bus.
    async fn set(program: &'a Program<'a>) -> Result<Self> {
        let mut daemon = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--nopidfile", "--print-address"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("start dbus-daemon")?;
        let said = daemon.stdout.take().context("invariant: stdout is piped")?;
        let bus = BufReader::new(said).lines().next_line().await?;
        Ok(Self {
            program,
            bus: bus.context("dbus-daemon ended at once")?,
            _daemon: daemon,
        })
    }

    /// How the screen looks with a file open, to know it again.
    async fn look(&self) -> Result<String> {
        let home = tempfile::tempdir()?;
        let file = file_in(home.path())?;
        let look: serde_json::Value = self
            .run("person.mjs", "look", home.path(), &file, &[])
            .await?;
        Ok(look.to_string())
    }

    /// Opens the window on a file as a person does; what was measured there.
    async fn sit<T: DeserializeOwned>(&self, what: &str, home: &Path, look: &str) -> Result<T> {
        let file = file_in(home)?;
        self.run("person.mjs", what, home, &file, &[look.as_ref()])
            .await
    }

    /// Opens the window on a file; what was measured there.
    async fn run<T: DeserializeOwned>(
        &self,
        script: &str,
        what: &str,
        home: &Path,
        file: &Path,
        more: &[&OsStr],
    ) -> Result<T> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("desktop")
            .join(script);
        let done = Command::new("node")
            .arg(script)
            .arg(what)
            .arg(self.program.app)
            .arg(home)
            .arg(file)
            .args(more)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus)
            .env("SLIPWAY_AGENT", self.program.agent)
            .output()
            .await?;
        let told = String::from_utf8_lossy(&done.stderr);
        ensure!(done.status.success(), "the window: {told}");
        let last = done
            .stdout
            .rsplit(|byte| *byte == b'\n')
            .find(|line| line.starts_with(b"{"));
        let last = last.context("the window told nothing")?;
        Ok(serde_json::from_slice(last)?)
    }
}
