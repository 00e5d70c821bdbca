//! Runs of workspaces of this machine: what is to run is brought to the server first, and their end is told also when
//! nobody looks.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{Response, header};
use serde_json::Value;
use slipway_api::desktop::SyncState;
use slipway_api::run::{Run, RunState, Runs as RunList, StartRun};
use slipway_client::error::ClientError;
use slipway_client::reconnect::backoff;
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::id::{RunId, WorkspaceId};
use slipway_proto::v1::event::Event;
use tokio::sync::broadcast;
use uuid::Uuid;

use super::Gateway;
use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::kept::Local;
use crate::clock;
use crate::folder::{Folder, Remote};
use crate::server::Address;

/// Until what was changed here is at the server.
const FLUSH_WITHIN: Duration = Duration::from_secs(20);
/// Ends that a slow listener may be behind.
const ENDED_MAX: usize = 64;
/// Sessions and runs whose server is remembered; one that is forgotten is asked for at the server of the page.
const KNOWN_MAX: usize = 4_096;
/// Runs that are waited for at once.
const WAITED_MAX: usize = 64;

/// A run that was started here and ended.
#[derive(Clone, Debug)]
pub struct RunEnded {
    /// The workspace's name.
    pub workspace: String,
    /// What ran.
    pub command: String,
    /// Its exit code; none when it was stopped.
    pub exit: Option<i32>,
    /// How long it ran.
    pub took: Duration,
}

/// What is known of runs and sessions.
pub(super) struct Runs {
    servers: Mutex<HashMap<Uuid, Address>>,
    ended: broadcast::Sender<RunEnded>,
    waited: Arc<tokio::sync::Semaphore>,
}

impl Default for Runs {
    fn default() -> Self {
        Self {
            servers: Mutex::default(),
            ended: broadcast::channel(ENDED_MAX).0,
            waited: Arc::new(tokio::sync::Semaphore::new(WAITED_MAX)),
        }
    }
}

impl Runs {
    pub(super) fn ended(&self) -> broadcast::Receiver<RunEnded> {
        self.ended.subscribe()
    }

    /// The server of a session or run that was heard of.
    pub(super) fn server_of(&self, id: &str) -> Option<Address> {
        let id: Uuid = id.parse().ok()?;
        let servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.get(&id).cloned()
    }

    /// Remembers of which server the ids of an answer are.
    pub(super) fn notes(&self, answer: &Response<Bytes>, remote: &Remote) {
        let kind = answer.headers().get(header::CONTENT_TYPE);
        if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
            return;
        }
        let Ok(body) = serde_json::from_slice::<Value>(answer.body()) else {
            return;
        };
        let mut found = Vec::new();
        ids(&body, &mut found);
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if servers.len() + found.len() > KNOWN_MAX {
            servers.clear();
        }
        for id in found {
            servers.insert(id, remote.server.clone());
        }
    }
}

/// The ids of sessions and runs in an answer.
fn ids(body: &Value, found: &mut Vec<Uuid>) {
    match body {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(text) if matches!(name.as_str(), "id" | "session" | "run") => {
                        found.extend(text.parse::<Uuid>());
                    }
                    value => ids(value, found),
                }
            }
        }
        Value::Array(rows) => rows.iter().for_each(|row| ids(row, found)),
        _ => {}
    }
}

impl Gateway {
    /// `GET /workspaces/{id}/runs`: those that wait come first; they are all that is told while the server is away.
    pub(super) async fn runs(&self, asked: &Asked, folder: &Folder) -> Answer {
        let is_first = asked.wish("after").is_none();
        let waiting = match is_first {
            true => self.0.workspaces.local(folder).await?.waiting_runs(),
            false => Vec::new(),
        };
        let answer = self.of_remote(asked, folder, "/runs").await;
        if waiting.is_empty() {
            return answer;
        }
        let told = match answer {
            Ok(answer) => serde_json::from_slice::<RunList>(answer.body()).ok(),
            Err(_) => None,
        };
        let told = told.unwrap_or(RunList {
            runs: Vec::new(),
            next: None,
        });
        answer::found(&RunList {
            runs: waiting.into_iter().chain(told.runs).collect(),
            next: told.next,
        })
    }

    /// `POST /workspaces/{id}/runs`: with `queue`, it waits for a server that is away.
    pub(super) async fn start_or_queue(&self, asked: &Asked, folder: &Folder) -> Answer {
        let mut wanted: Value = asked.json()?;
        let may_wait = wanted
            .as_object_mut()
            .and_then(|wanted| wanted.remove("queue"))
            .is_some_and(|queue| queue == true);
        let start: StartRun = answer::read(wanted.to_string().as_bytes())?;
        let plain = asked.with_json(&start);
        let answer = self.start_run(&plain, folder).await;
        match answer {
            Err(fault)
                if may_wait && matches!(fault.code(), Code::Unreachable | Code::RunNotSaved) =>
            {
                self.0.workspaces.local(folder).await?.enqueue(start)
            }
            answer => answer,
        }
    }

    /// `POST /workspaces/{id}/runs`: on what this disk holds, which is brought to the server first.
    pub(super) async fn start_run(&self, asked: &Asked, folder: &Folder) -> Answer {
        let remote = folder.remote()?;
        let local = self.0.workspaces.local(folder).await?;
        let start: StartRun = asked.json()?;
        let start = StartRun {
            revision: Some(flushed(&local).await?),
            ..start
        };
        let asked = asked.with_json(&start);
        let answer = self.of_remote(&asked, folder, "/runs").await?;
        if let Ok(run) = serde_json::from_slice::<Run>(answer.body()) {
            self.tell_end(folder, remote, &run);
        }
        Ok(answer)
    }

    /// Tells the end of a run, whenever that is.
    fn tell_end(&self, folder: &Folder, remote: &Remote, run: &Run) {
        let runs = &self.0.runs;
        let Ok(permit) = Arc::clone(&runs.waited).try_acquire_owned() else {
            return;
        };
        let (ended, run) = (runs.ended.clone(), run.id);
        let (name, remote) = (folder.name.clone(), remote.clone());
        self.spawn(|inner| async move {
            let _permit = permit;
            let Ok(client) = inner.servers.client(&remote.server).await else {
                return;
            };
            if let Some(over) = until_over(&client, remote.workspace, run).await {
                let told = RunEnded {
                    workspace: name,
                    exit: over.exit.and_then(|exit| exit.code),
                    took: Duration::from_millis(over.duration_ms.unwrap_or_default()),
                    command: over.command,
                };
                // Nobody may listen.
                ended.send(told).ok();
            }
        });
    }
}

/// Waits until a run is over, over as many connections as it takes.
async fn until_over(client: &Client, workspace: WorkspaceId, run: RunId) -> Option<Run> {
    let mut backoff = backoff();
    loop {
        match watch(client, workspace, run).await {
            Err(error) if error.is_passing() => {
                tokio::time::sleep(backoff.after(clock::chance())).await;
            }
            over => return over.ok(),
        }
    }
}

/// The same over one connection.
async fn watch(client: &Client, workspace: WorkspaceId, run: RunId) -> Result<Run, ClientError> {
    let mut events = client.subscribe(Some(workspace)).await?;
    loop {
        let found = client.run(run).await?;
        if matches!(found.state, RunState::Done | RunState::Failed) {
            return Ok(found);
        }
        loop {
            let Some(event) = events.next().await else {
                return Err(ClientError::Gone);
            };
            if matches!(event?.event, Some(Event::Run(_) | Event::Session(_))) {
                break;
            }
        }
    }
}

/// The server's revision that has what the folder holds.
async fn flushed(local: &Local) -> Result<u64, Fault> {
    if local.look().brief().state == SyncState::Offline {
        let message = "The server cannot be reached now, so nothing can be run there.";
        return Err(Fault::new(Code::Unreachable, message));
    }
    match tokio::time::timeout(FLUSH_WITHIN, local.kept().flush()).await {
        Ok(flushed) => Ok(flushed?),
        Err(_) => Err(Fault::new(
            Code::RunNotSaved,
            format!(
                "What was changed here is not at the server yet, so nothing was run. {}",
                local.look().why_not()
            ),
        )),
    }
}
