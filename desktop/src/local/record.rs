//! What an app leaves for the next one: how an agent is reached that may still run.
use std::fs::File;
use std::path::{Path, PathBuf};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};
use slipway_core::secret::Secret;

use super::LocalError;
use crate::error::CliError;
use crate::state;

/// An agent that was started.
#[derive(Debug)]
pub(super) struct Record {
    /// Its process, for whoever has to look after it.
    pub(super) pid: u32,
    /// Where it listens. Each agent has a socket of its own name: one that ends takes away its own.
    pub(super) socket: PathBuf,
    /// What it asks for.
    pub(super) key: Secret,
}

/// The same in a file that only its owner reads.
#[derive(Serialize, Deserialize)]
struct Written {
    pid: u32,
    socket: PathBuf,
    key: String,
}

fn file(home: &Path) -> PathBuf {
    home.join("agent.json")
}

/// The agent that was started last, if any was.
pub(super) fn read(home: &Path) -> Result<Option<Record>, LocalError> {
    match state::read::<Written>(&file(home)) {
        Ok(written) => Ok(written.map(|Written { pid, socket, key }| Record {
            pid,
            socket,
            key: Secret::new(key),
        })),
        // One that cannot be understood leads nowhere.
        Err(CliError::File { path, source }) => Err(LocalError::File { path, source }),
        Err(_) => Ok(None),
    }
}

/// Takes the place of the record before.
pub(super) fn write(home: &Path, record: &Record) -> Result<(), LocalError> {
    let written = Written {
        pid: record.pid,
        socket: record.socket.clone(),
        // The next app must show it.
        key: record.key.expose().to_owned(),
    };
    state::write(&file(home), &written).map_err(|error| match error {
        CliError::File { path, source } => LocalError::File { path, source },
        other => LocalError::File {
            path: file(home),
            source: std::io::Error::other(other.to_string()),
        },
    })
}

/// Waits until nobody else looks for an agent of this folder, for as long as what comes back lives.
pub(super) async fn lock(home: &Path) -> Result<File, LocalError> {
    let home = home.to_owned();
    let path = home.join("lock");
    let wait = move || {
        state::private_folder(&home)?;
        let file = File::create(home.join("lock"))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)?;
        Ok(file)
    };
    let locked = tokio::task::spawn_blocking(wait).await;
    locked
        .map_err(std::io::Error::other)
        .flatten()
        .map_err(LocalError::file(path))
}
