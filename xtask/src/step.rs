//! Running programs: every step says what it does, shows that it still goes on, and what went wrong.
use std::io::{BufRead as _, BufReader, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("invariant: xtask lies in the repository")
        .to_owned()
}

/// Says what happens next.
pub fn say(text: &str) {
    let mut out = std::io::stderr().lock();
    let _ = if out.is_terminal() {
        writeln!(out, "\x1b[1m▸ {text}\x1b[0m")
    } else {
        writeln!(out, "▸ {text}")
    };
}

/// Runs a program with its output collected; shows a line every few seconds, and all of it on failure.
pub fn quiet(what: &str, command: &mut Command) -> Result<String> {
    let (ok, output) = collect(what, command, false)?;
    if !ok {
        bail!("{what} failed:\n{}", tail(&output, 200));
    }
    Ok(output)
}

/// Runs a program, shows and collects its output, and tells whether it succeeded.
pub fn shown(what: &str, command: &mut Command) -> Result<(bool, String)> {
    collect(what, command, true)
}

/// The last lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn collect(what: &str, command: &mut Command, show: bool) -> Result<(bool, String)> {
    say(what);
    let start = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {:?}; is it installed?", command.get_program()))?;
    let lines = Arc::new(Mutex::new(String::new()));
    let readers = [
        reader(child.stdout.take(), &lines, show),
        reader(child.stderr.take(), &lines, show),
    ];
    let over = Arc::new(AtomicBool::new(false));
    let heartbeat = (!show).then(|| {
        heartbeat(
            what.to_owned(),
            start,
            Arc::clone(&over),
            Arc::clone(&lines),
        )
    });
    let status = child.wait()?;
    over.store(true, Ordering::Relaxed);
    for handle in readers {
        handle.join().expect("invariant: readers do not panic");
    }
    if let Some(handle) = heartbeat {
        handle.thread().unpark();
        handle
            .join()
            .expect("invariant: the heartbeat does not panic");
    }
    say(&format!(
        "{what}: {} in {:.1} s",
        if status.success() { "done" } else { "FAILED" },
        start.elapsed().as_secs_f64()
    ));
    let text = lines
        .lock()
        .expect("invariant: readers do not panic")
        .clone();
    Ok((status.success(), text))
}

fn reader<R: Read + Send + 'static>(
    from: Option<R>,
    lines: &Arc<Mutex<String>>,
    show: bool,
) -> std::thread::JoinHandle<()> {
    let lines = Arc::clone(lines);
    std::thread::spawn(move || {
        let Some(from) = from else { return };
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while matches!(from.read_until(b'\n', &mut line), Ok(n) if n > 0) {
            let text = String::from_utf8_lossy(&line);
            if show {
                let _ = write!(std::io::stdout().lock(), "{text}");
            }
            lines
                .lock()
                .expect("invariant: readers do not panic")
                .push_str(&text);
            line.clear();
        }
    })
}

fn heartbeat(
    what: String,
    start: Instant,
    over: Arc<AtomicBool>,
    lines: Arc<Mutex<String>>,
) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        loop {
            std::thread::park_timeout(Duration::from_secs(10));
            if over.load(Ordering::Relaxed) {
                return;
            }
            let last = lines
                .lock()
                .map(|text| {
                    text.lines()
                        .last()
                        .unwrap_or("")
                        .trim()
                        .chars()
                        .take(100)
                        .collect::<String>()
                })
                .unwrap_or_default();
            say(&format!(
                "{what}: {:.0} s … {last}",
                start.elapsed().as_secs_f64()
            ));
        }
    })
}

/// Whether `inputs` have changed since `done` was called with the same name; for steps that need not be repeated.
pub struct Stamp {
    file: PathBuf,
    hash: String,
}

impl Stamp {
    /// Hashes all files below `inputs` (folders named `skip` left out).
    pub fn of(name: &str, inputs: &[PathBuf], skip: &[&str]) -> Result<Self> {
        let mut hasher = blake3::Hasher::new();
        for input in inputs {
            let walk = walkdir::WalkDir::new(input)
                .sort_by_file_name()
                .into_iter()
                .filter_entry(|entry| !skip.iter().any(|name| entry.file_name() == *name));
            for entry in walk {
                let entry = entry?;
                if entry.file_type().is_file() {
                    hasher.update(entry.path().to_string_lossy().as_bytes());
                    hasher.update(blake3::hash(&std::fs::read(entry.path())?).as_bytes());
                }
            }
        }
        let file = root().join("target/xtask").join(format!("{name}.stamp"));
        Ok(Self {
            file,
            hash: hasher.finalize().to_hex().to_string(),
        })
    }

    /// Whether the step was done with exactly these inputs.
    pub fn is_done(&self) -> bool {
        std::fs::read_to_string(&self.file).is_ok_and(|text| text == self.hash)
    }

    /// Remembers that the step is done.
    pub fn done(&self) -> Result<()> {
        std::fs::create_dir_all(
            self.file
                .parent()
                .expect("invariant: the stamp lies in a folder"),
        )?;
        Ok(std::fs::write(&self.file, &self.hash)?)
    }
}
