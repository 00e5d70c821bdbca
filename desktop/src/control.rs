//! How one command asks another that keeps a folder in step: one line each way on a socket in the folder's private state.
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use slipway_core::limits::MIB;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::keep::Kept;
use crate::keep::stand::{OpenConflict, Stand};

/// A question is shorter by far.
const QUESTION_BYTES_MAX: u64 = 64 * 1024;
/// An answer names every open conflict.
const ANSWER_BYTES_MAX: u64 = 64 * MIB;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// How it stands.
    Stand,
    /// Commit what the folder holds; answered when that is done.
    Flush,
    /// Tell the hub of deletions that are held back.
    Confirm,
    /// Which conflicts are open.
    Conflicts,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// How it stands.
    pub stand: Stand,
    /// After a flush: the revision that has what the folder held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flushed: Option<u64>,
    /// When it was asked for them: the conflicts that are open.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<OpenConflict>,
}

/// Answers until dropped.
pub struct Control {
    path: PathBuf,
    task: tokio::task::JoinHandle<()>,
}

impl Control {
    /// Listens for whoever asks about a folder that is kept here, and by nobody else.
    ///
    /// # Errors
    /// When the socket cannot be made, for example because its path is too long for one.
    pub fn listen(home: &Path, kept: Arc<Kept>) -> io::Result<Self> {
        let path = home.join("control");
        match std::fs::remove_file(&path) {
            // One that was killed left it.
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(&path)?;
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let kept = Arc::clone(&kept);
                tokio::spawn(async move {
                    // Whoever asked may have gone.
                    drop(answer(stream, &kept).await);
                });
            }
        });
        Ok(Self { path, task })
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        self.task.abort();
        drop(std::fs::remove_file(&self.path));
    }
}

async fn answer(stream: UnixStream, kept: &Kept) -> io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut line = String::new();
    BufReader::new(reader.take(QUESTION_BYTES_MAX))
        .read_line(&mut line)
        .await?;
    let (mut flushed, mut conflicts) = (None, Vec::new());
    match serde_json::from_str(&line)? {
        Ask::Stand => {}
        Ask::Flush => flushed = kept.flush().await.ok(),
        Ask::Confirm => kept.confirm().await,
        Ask::Conflicts => conflicts = kept.conflicts().await.unwrap_or_default(),
    }
    let Ok(view) = kept.view().await else {
        return Ok(());
    };
    let stand = kept.stand(&view.borrow());
    let answer = Answer {
        stand,
        flushed,
        conflicts,
    };
    writer.write_all(&serde_json::to_vec(&answer)?).await
}

/// Asks whoever keeps a folder in step; `None` when nobody answers.
pub async fn ask(home: &Path, ask: Ask) -> Option<Answer> {
    let mut stream = UnixStream::connect(home.join("control")).await.ok()?;
    let mut line = serde_json::to_vec(&ask).ok()?;
    line.push(b'\n');
    stream.write_all(&line).await.ok()?;
    let mut answer = Vec::new();
    let mut reader = stream.take(ANSWER_BYTES_MAX);
    reader.read_to_end(&mut answer).await.ok()?;
    serde_json::from_slice(&answer).ok()
}
