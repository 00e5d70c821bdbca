//! `Kept`: a folder that is being kept in step: its engine, its connection, and how it stands.
use std::fs::File;

use serde::{Deserialize, Serialize};
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_core::id::{ReplicaId, WorkspaceId};
use slipway_mirror::engine::{Brake, Engine, EngineError, Input, Settings};
use slipway_mirror::follow::{Follow, Incoming, Outgoing, Reason, Standing};
use slipway_mirror::notice::Notice;
use tokio::sync::{broadcast, oneshot, watch};

use crate::error::CliError;
use crate::folder::{Folder, FolderError, Folders};

/// A folder that is being kept in step.
pub struct Kept {
    folder: Folder,
    engine: Engine,
    follow: Follow,
    /// Nobody else keeps it meanwhile.
    _lock: File,
}

/// How a folder stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    /// In a word.
    pub state: StandState,
    /// The newest revision that the folder showed whole.
    pub revision: u64,
    /// Why it is not connected, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a folder stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandState {
    /// The server is being reached.
    Connecting,
    /// Changes go both ways.
    Connected,
    /// The server is away; it is tried again.
    Offline,
    /// The server refuses; a person has to do something.
    Refused,
    /// Nobody keeps it in step now.
    Stopped,
}

impl Kept {
    /// Begins to keep a folder in step. Its conflict copies are named after this machine.
    ///
    /// # Errors
    /// When another process keeps it, or it cannot be opened.
    pub fn start(
        folders: &Folders,
        folder: &Folder,
        client: &Client,
        host: &str,
    ) -> Result<Self, CliError> {
        let lock = folders.lock(folder)?;
        let lock = lock.ok_or_else(|| FolderError::InUse(folder.path.clone()))?;
        let settings = Settings {
            root: folder.path.clone(),
            state: folders.home(folder).join("engine"),
            name: short(host),
            fresh_id: folder.root.clone(),
            brake: Brake::Ask,
            undo: true,
        };
        let engine = Engine::start(settings).map_err(|error| match error {
            EngineError::Disk(source) => CliError::file(&folder.path)(source),
            EngineError::Base(_) => CliError::StateDamaged(folders.home(folder)),
        })?;
        let (client, workspace, replica) = (client.clone(), folder.workspace, folder.replica);
        let follow = Follow::start(engine.clone(), move |outgoing| {
            dial(client.clone(), workspace, replica, outgoing)
        });
        Ok(Self {
            folder: folder.clone(),
            engine,
            follow,
            _lock: lock,
        })
    }

    /// How it stands with the connection, moving.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.follow.standing()
    }

    /// The newest revision that the folder has shown whole, moving.
    #[must_use]
    pub fn shown(&self) -> watch::Receiver<u64> {
        self.engine.applied()
    }

    /// What a person is told.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.engine.notices()
    }

    /// How it stands now.
    #[must_use]
    pub fn stand(&self) -> Stand {
        let (state, reason) = match &*self.follow.standing().borrow() {
            Standing::Connecting => (StandState::Connecting, None),
            Standing::Online => (StandState::Connected, None),
            Standing::Offline { reason, .. } => (StandState::Offline, Some(reason.message.clone())),
            Standing::Refused { message, .. } => (StandState::Refused, Some(message.clone())),
        };
        Stand {
            state,
            revision: *self.engine.applied().borrow(),
            reason,
        }
    }

    /// Waits until the folder shows a revision.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn until(&self, revision: u64) -> Result<(), CliError> {
        let mut shown = self.engine.applied();
        tokio::select! {
            found = shown.wait_for(|shown| *shown >= revision) => {
                found.map(drop).map_err(|_| self.ended())
            }
            refusal = self.refusal() => Err(refusal),
        }
    }

    /// Commits what the folder holds; the revision that has it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn flush(&self) -> Result<u64, CliError> {
        let (answer, flushed) = oneshot::channel();
        let flush = async {
            self.engine.tell(Input::Flush(answer)).await.ok()?;
            flushed.await.ok()
        };
        tokio::select! {
            revision = flush => revision.ok_or_else(|| self.ended()),
            refusal = self.refusal() => Err(refusal),
        }
    }

    /// Tells the hub of deletions that are held back.
    pub async fn confirm(&self) {
        // An engine that ended holds nothing back.
        self.engine.tell(Input::Confirm).await.ok();
    }

    /// What the server refuses, once it does.
    pub async fn refusal(&self) -> CliError {
        let mut standing = self.follow.standing();
        loop {
            if let Standing::Refused { code, message } = &*standing.borrow_and_update() {
                let closed = ClientError::Closed {
                    code: code.to_string(),
                    message: message.clone(),
                };
                return CliError::at(&self.folder.server, closed);
            }
            if standing.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn ended(&self) -> CliError {
        FolderError::Ended(self.folder.path.clone()).into()
    }

    /// Ends it; what was agreed on is stored.
    pub async fn stop(&self) {
        self.engine.stop().await;
    }
}

/// A machine's name as part of a file's: short, and without what a name cannot hold.
fn short(host: &str) -> String {
    let first = host.split('.').next().unwrap_or_default();
    let plain = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
    let name: String = first.chars().filter(plain).take(24).collect();
    if name.is_empty() {
        "desktop".to_owned()
    } else {
        name
    }
}

fn reason(error: &ClientError) -> Reason {
    Reason {
        code: error.code(),
        message: error.to_string(),
    }
}

async fn dial(
    client: Client,
    workspace: WorkspaceId,
    replica: ReplicaId,
    outgoing: Outgoing,
) -> Result<Incoming, Reason> {
    let link = client
        .sync(workspace, replica, outgoing.control, outgoing.bulk)
        .await
        .map_err(|error| reason(&error))?;
    let ended = async move {
        let gone = || ClientError::Protocol("the connection is gone".to_owned());
        reason(&link.ended.await.unwrap_or_else(|_| gone()))
    };
    Ok(Incoming {
        control: link.control,
        bulk: link.bulk,
        ended: Box::pin(ended),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machines_name_fits_into_a_file_name() {
        assert_eq!(short("laptop.example.org"), "laptop");
        assert_eq!(short("a/b (c)"), "abc");
        assert_eq!(short(""), "desktop");
        assert_eq!(short(&"x".repeat(64)).len(), 24);
    }
}
