//! What stands behind the page: for now it answers that it knows nothing.
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use slipway_api::desktop::{ConnectionState, Told};
use tokio::sync::{broadcast, mpsc};

use crate::config::Config;
use crate::error::CliError;

/// Answers the page.
#[derive(Clone)]
pub struct Gateway {
    told: broadcast::Sender<Told>,
    runs: broadcast::Sender<RunEnded>,
}

/// The page's socket.
pub struct Wire {
    /// Frames of the page.
    pub to: mpsc::Sender<Bytes>,
    /// Frames for the page.
    pub from: mpsc::Receiver<Bytes>,
}

/// A run that has ended.
#[derive(Clone, Debug)]
pub struct RunEnded {
    /// The workspace's name.
    pub workspace: String,
    /// The command.
    pub command: String,
    /// Its exit code; none when it was stopped.
    pub exit: Option<i32>,
    /// How long it took.
    pub took: Duration,
}

impl Gateway {
    /// Begins.
    ///
    /// # Errors
    /// Never, for now.
    #[expect(clippy::unused_async, reason = "what will stand here waits")]
    pub async fn start(_config: &Config) -> Result<Self, CliError> {
        Ok(Self {
            told: broadcast::Sender::new(64),
            runs: broadcast::Sender::new(64),
        })
    }

    /// One exchange of the page.
    #[expect(clippy::unused_async, reason = "what will stand here waits")]
    pub async fn exchange(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let (status, body) = if request.uri().path() == "/desktop" {
            let version = serde_json::json!({ "version": env!("CARGO_PKG_VERSION") });
            (200, version)
        } else {
            (404, serde_json::json!({ "code": "not_found" }))
        };
        let mut response = http::Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap_or_default();
        response
    }

    /// The page's socket.
    #[must_use]
    pub fn wire(&self) -> Wire {
        let (to, _) = mpsc::channel(1);
        let (_, from) = mpsc::channel(1);
        Wire { to, from }
    }

    /// What the page is told.
    #[must_use]
    pub fn told(&self) -> broadcast::Receiver<Told> {
        self.told.subscribe()
    }

    /// How it stands with the server.
    #[must_use]
    pub fn standing(&self) -> Told {
        Told::Connection {
            state: ConnectionState::Idle,
            next_at: None,
        }
    }

    /// Tries the server at once.
    pub fn retry(&self) {}

    /// Writes what is answered at a path to a file.
    ///
    /// # Errors
    /// Always, for now.
    #[expect(clippy::unused_async, reason = "what will stand here waits")]
    pub async fn download(&self, path: &str, _to: &Path) -> Result<(), CliError> {
        Err(CliError::WorkspaceUnknown(path.to_owned()))
    }

    /// The page's address for a link, a file or a folder.
    ///
    /// # Errors
    /// Always, for now.
    #[expect(clippy::unused_async, reason = "what will stand here waits")]
    pub async fn address_of(&self, wish: &str) -> Result<String, CliError> {
        Err(CliError::WorkspaceUnknown(wish.to_owned()))
    }

    /// Runs that end.
    #[must_use]
    pub fn runs_ended(&self) -> broadcast::Receiver<RunEnded> {
        self.runs.subscribe()
    }

    /// Ends.
    #[expect(clippy::unused_async, reason = "what will stand here waits")]
    pub async fn stop(&self) {}
}
