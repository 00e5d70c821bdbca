//! One process owns the window of a state folder. Whoever starts another rings at its door, says what shall be shown,
//! and leaves.
//!
//! A lock says who owns the window, because the system gives it back however a process ends; a socket that was left
//! behind says nothing.
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use slipway_desktop::opening::Opening;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;

/// What is said at the door is shorter by far.
const LINE_BYTES_MAX: u64 = 64 * 1024;
/// How long whoever has the lock may take until it opens its door, or to answer.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// What is said at the door.
#[derive(Serialize, Deserialize)]
struct Ring {
    wish: Option<String>,
    server: Option<String>,
}

/// The door of the process that owns the window.
pub(super) struct Bell {
    rings: mpsc::Receiver<Opening>,
    task: tokio::task::JoinHandle<()>,
    /// Held as long as we live.
    _lock: File,
}

impl Bell {
    /// The next who rang.
    pub(super) async fn rung(&mut self) -> Option<Opening> {
        self.rings.recv().await
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Owns the window from now on; `None` when another process does, and has been told.
pub(super) async fn take(state: &Path, opening: &Opening) -> io::Result<Option<Bell>> {
    let lock = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(state.join("window.lock"))?;
    let door = state.join("window.door");
    let took = tokio::time::timeout(PATIENCE, async {
        loop {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(true),
                Err(rustix::io::Errno::WOULDBLOCK) => {}
                Err(error) => return Err(error.into()),
            }
            match ring(&door, opening).await {
                Ok(()) => return Ok(false),
                // It is about to open its door, or just closed it.
                Err(_) => tokio::time::sleep(LOOK_AGAIN).await,
            }
        }
    });
    let took = took.await.unwrap_or_else(|_| {
        let text = "another Slipway has its window and does not answer";
        Err(io::Error::new(io::ErrorKind::TimedOut, text))
    })?;
    if !took {
        return Ok(None);
    }
    match std::fs::remove_file(&door) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&door)?;
    let (rang, rings) = mpsc::channel(1);
    Ok(Some(Bell {
        rings,
        task: tokio::spawn(open(listener, rang)),
        _lock: lock,
    }))
}

/// Says what shall be shown, and hears that it was understood.
async fn ring(door: &Path, opening: &Opening) -> io::Result<()> {
    let mut stream = UnixStream::connect(door).await?;
    let mut line = serde_json::to_vec(&Ring {
        wish: opening.wish.clone(),
        server: opening.server.clone(),
    })?;
    line.push(b'\n');
    stream.write_all(&line).await?;
    stream.read_u8().await?;
    Ok(())
}

/// Opens to everybody who rings, one after another.
async fn open(listener: UnixListener, rang: mpsc::Sender<Opening>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Whoever says nothing keeps nobody else waiting for long.
        let heard = tokio::time::timeout(PATIENCE, hear(stream)).await;
        let Ok(Ok(opening)) = heard else { continue };
        if rang.send(opening).await.is_err() {
            return;
        }
    }
}

async fn hear(stream: UnixStream) -> io::Result<Opening> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(LINE_BYTES_MAX))
        .read_line(&mut line)
        .await?;
    let Ring { wish, server } = serde_json::from_str(&line)?;
    writer.write_u8(b'\n').await?;
    Ok(Opening {
        wish,
        server,
        safe: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(wish: &str) -> Opening {
        Opening {
            wish: Some(wish.to_owned()),
            ..Opening::default()
        }
    }

    #[tokio::test]
    async fn the_second_rings_at_the_first_and_leaves() {
        let state = tempfile::tempdir().unwrap();
        let first = take(state.path(), &Opening::default()).await.unwrap();
        let mut bell = first.expect("nobody else owns the window");
        let second = take(state.path(), &opening("/tides")).await.unwrap();
        assert!(second.is_none());
        assert_eq!(bell.rung().await, Some(opening("/tides")));
        let third = take(state.path(), &Opening::default()).await.unwrap();
        assert!(third.is_none());
        assert_eq!(bell.rung().await, Some(Opening::default()));
    }

    #[tokio::test]
    async fn a_door_that_was_left_behind_keeps_nobody_out() {
        let state = tempfile::tempdir().unwrap();
        drop(UnixListener::bind(state.path().join("window.door")).unwrap());
        let taken = take(state.path(), &Opening::default()).await.unwrap();
        let bell = taken.expect("nobody owns the window");
        drop(bell);
        let again = take(state.path(), &Opening::default()).await.unwrap();
        assert!(again.is_some());
    }

    #[tokio::test]
    async fn nonsense_at_the_door_is_not_answered() {
        let state = tempfile::tempdir().unwrap();
        let taken = take(state.path(), &Opening::default()).await.unwrap();
        let mut bell = taken.expect("nobody owns the window");
        let mut stream = UnixStream::connect(state.path().join("window.door"))
            .await
            .unwrap();
        stream.write_all(b"{}}\n").await.unwrap();
        assert!(stream.read_u8().await.is_err());
        take(state.path(), &opening("/after")).await.unwrap();
        assert_eq!(bell.rung().await, Some(opening("/after")));
    }
}
