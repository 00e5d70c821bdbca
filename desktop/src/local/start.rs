//! Starts an agent that outlives the app: it makes a session of its own, and writes to a file of its own.
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use slipway_core::secret::Secret;
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use super::LocalError;
use super::record::{self, Record};
use crate::clock;

/// An agent listens within this time, however busy the machine is.
const START: Duration = Duration::from_secs(10);

/// Where an agent says what goes wrong.
pub(super) fn log(home: &Path) -> PathBuf {
    home.join("log")
}

/// Starts an agent for a folder, and returns when it listens and its record is written.
pub(super) async fn start(program: &Path, home: &Path, folder: &Path) -> Result<(), LocalError> {
    clear(home).map_err(LocalError::file(home))?;
    let key = clock::fresh_key();
    let name = &clock::fresh_uuid().simple().to_string()[24..];
    let socket = home.join(format!("{name}.sock"));
    let mut child =
        spawn(program, home, folder, &socket, &key).map_err(LocalError::file(program))?;
    // Written first: an app that is ended now leaves no agent that nobody finds.
    let pid = child.id().unwrap_or_default();
    record::write(home, &Record { pid, socket, key })?;
    let mut ready = [0];
    let told = match child.stdout.take() {
        Some(mut stdout) => tokio::time::timeout(START, stdout.read(&mut ready)).await,
        None => Ok(Ok(0)),
    };
    match told {
        Ok(Ok(1..)) => Ok(()),
        Ok(_) => Err(LocalError::Ended(log(home))),
        Err(_) => Err(LocalError::Silent(pid)),
    }
}

/// Takes away the sockets of agents that were killed.
fn clear(home: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(home)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "sock") {
            std::fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn spawn(
    program: &Path,
    home: &Path,
    folder: &Path,
    socket: &Path,
    key: &Secret,
) -> io::Result<Child> {
    Command::new(program)
        .arg("--beside")
        .arg("--workspace")
        .arg(folder)
        .arg("--socket")
        .arg(socket)
        // The agent asks for it, and takes it out of sight first.
        .env("SLIPWAY_AGENT_KEY", key.expose())
        // It keeps no file system busy that somebody may want to unmount.
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(log(home))?)
        .spawn()
}
