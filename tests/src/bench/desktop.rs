//! The window of the desktop program, driven through WebKitWebDriver on a display of its own (tests/desktop/bench.mjs).
use std::path::Path;

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::process::Command;

use super::{Row, Samples, figure, tell};

/// What is measured.
pub struct Program<'a> {
    /// `slipway`.
    pub app: &'a Path,
    /// What serves its terminals; an installed one finds it by itself.
    pub agent: &'a Path,
}

#[derive(Deserialize)]
struct Start {
    ms: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Work {
    rest: f64,
    most: f64,
    ctrl_c: f64,
    frame: f64,
}

const MB: f64 = 1e6;
const MIB: f64 = 1024.0 * 1024.0;

/// Starts: cold, with a new home and nothing of the program in memory, and warm.
///
/// # Errors
/// When the window does not come up.
pub async fn start(program: &Program<'_>, rounds: usize) -> Result<Vec<Row>> {
    let (mut cold, mut warm) = (Samples::default(), Samples::default());
    let mut is_cold = true;
    for _ in 0..rounds {
        let home = tempfile::tempdir()?;
        is_cold &= forget();
        for samples in [&mut cold, &mut warm] {
            let start: Start = measure("start", program, home.path()).await?;
            samples.push(start.ms / 1e3);
        }
    }
    if !is_cold {
        tell(
            "######## only root may empty the disk's cache: the cold starts are NOT COLD ########",
        );
    }
    let detail = |samples: &Samples, how: &str| {
        format!(
            "from the start of the program until a typed character shows, {how}; {} times, {} s",
            samples.len(),
            samples.range()
        )
    };
    let mut rows = figure(
        "desktop_cold",
        cold.median(),
        detail(&cold, "nothing in the disk's cache, a new home"),
        &[],
    )?;
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
    let [mut rest, mut grown, mut ctrl_c, mut frame] = std::array::from_fn(|_| Samples::default());
    for _ in 0..rounds {
        let home = tempfile::tempdir()?;
        let work: Work = measure("work", program, home.path()).await?;
        rest.push(work.rest / MB);
        grown.push((work.most - work.rest) / MIB);
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
            "the most PSS of all its processes in ten seconds of `yes`, above that at rest",
        ),
        (
            "desktop_ctrl_c",
            ctrl_c,
            "after ten seconds of `yes`, from the key until the shell's next prompt",
        ),
        (
            "desktop_frame",
            frame,
            "the longest time between two frames of the page meanwhile",
        ),
    ] {
        let detail = format!("{how}; {} times, {}", samples.len(), samples.range());
        rows.extend(figure(name, samples.median(), detail, &[])?);
    }
    Ok(rows)
}

/// Takes everything out of the disk's cache; false where we may not.
fn forget() -> bool {
    rustix::fs::sync();
    std::fs::write("/proc/sys/vm/drop_caches", "3").is_ok()
}

async fn measure<T: DeserializeOwned>(what: &str, program: &Program<'_>, home: &Path) -> Result<T> {
    let folder = home.join("tides");
    std::fs::create_dir_all(&folder)?;
    let file = folder.join("tides.py");
    std::fs::write(&file, "print('low water')\n".repeat(40))?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/desktop/bench.mjs");
    let done = Command::new("node")
        .arg(script)
        .arg(what)
        .arg(program.app)
        .arg(home)
        .arg(&file)
        .env("SLIPWAY_AGENT", program.agent)
        .output()
        .await?;
    let told = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the window: {told}");
    let last = done
        .stdout
        .rsplit(|byte| *byte == b'\n')
        .find(|line| line.starts_with(b"{"));
    Ok(serde_json::from_slice(last.unwrap_or_default())?)
}
