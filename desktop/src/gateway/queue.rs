//! Runs that wait for their server: kept with the workspace, started once when it is there again, in their order.
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use slipway_api::desktop::{SyncState, Told};
use slipway_api::run::{Run, RunState, RunTarget, StartRun};
use slipway_core::code::Code;
use slipway_core::id::{Id as _, RunId, WorkspaceId};
use slipway_core::limits::RUNS_QUEUED_MAX;
use time::OffsetDateTime;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::kept::Local;
use super::{Gateway, Inner, pass};
use crate::clock;
use crate::error::CliError;
use crate::state;

/// A run that waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Queued {
    id: RunId,
    start: StartRun,
    #[serde(with = "time::serde::rfc3339")]
    created_at: OffsetDateTime,
}

impl Queued {
    /// As the page sees it.
    fn as_run(&self, workspace: WorkspaceId) -> Run {
        let command = match &self.start.target {
            RunTarget::File { path } => path.to_string(),
            RunTarget::Task { name } => name.clone(),
            RunTarget::Command { line } => line.clone(),
        };
        Run {
            id: self.id,
            workspace,
            session: None,
            target: self.start.target.clone(),
            command,
            revision: 0,
            state: RunState::Queued,
            exit: None,
            created_at: self.created_at,
            started_at: None,
            duration_ms: None,
            peak_memory_bytes: None,
            output_bytes: 0,
            output_truncated: false,
            reason: None,
        }
    }
}

/// Where the runs of a workspace wait, in what is kept of it.
fn file(home: &Path) -> PathBuf {
    home.join("queued.json")
}

/// Whether a run waits there.
pub(super) fn waits(home: &Path, run: RunId) -> Result<bool, CliError> {
    let runs: Vec<Queued> = state::read(&file(home))?.unwrap_or_default();
    Ok(runs.iter().any(|queued| queued.id == run))
}

/// The runs of one workspace that wait.
pub(super) struct Queue {
    file: PathBuf,
    runs: Mutex<Vec<Queued>>,
    moved: watch::Sender<u64>,
}

impl Queue {
    pub(super) fn open(home: &Path) -> Result<Self, CliError> {
        let file = file(home);
        let runs = state::read(&file)?.unwrap_or_default();
        Ok(Self {
            file,
            runs: Mutex::new(runs),
            moved: watch::channel(0).0,
        })
    }

    /// Moves with every change.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.moved.subscribe()
    }

    fn all(&self) -> Vec<Queued> {
        let runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.clone()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Queued>)) -> Result<(), CliError> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = runs.clone();
        change(&mut next);
        state::write(&self.file, &next)?;
        *runs = next;
        drop(runs);
        self.moved.send_modify(|moved| *moved += 1);
        Ok(())
    }

    fn add(&self, start: StartRun) -> Result<Queued, Fault> {
        if self.all().len() as u64 >= RUNS_QUEUED_MAX {
            let message = format!("{RUNS_QUEUED_MAX} runs wait already. Cancel some first.");
            return Err(Fault::new(Code::TooManyRuns, message));
        }
        let queued = Queued {
            id: RunId::from_uuid(clock::fresh_uuid()),
            start,
            created_at: clock::now(),
        };
        self.change(|runs| runs.push(queued.clone()))?;
        Ok(queued)
    }

    /// Takes a run out; whether it was there.
    fn take(&self, id: RunId) -> Result<bool, CliError> {
        let is_there = self.all().iter().any(|run| run.id == id);
        if is_there {
            self.change(|runs| runs.retain(|run| run.id != id))?;
        }
        Ok(is_there)
    }
}

impl Local {
    /// Keeps a run until the server is there.
    pub(super) fn enqueue(&self, start: StartRun) -> Answer {
        let queued = self.queue().add(start)?;
        Ok(answer::json(201, &queued.as_run(self.folder().id())))
    }

    /// Runs that wait, the newest first.
    pub(super) fn waiting_runs(&self) -> Vec<Run> {
        let id = self.folder().id();
        let all = self.queue().all();
        all.iter().rev().map(|run| run.as_run(id)).collect()
    }
}

/// What is asked of a run, if it is one that waits.
pub(super) fn of_run(local: &Local, asked: &Asked, run: &str, rest: &[&str]) -> Option<Answer> {
    let id: RunId = run.parse().ok()?;
    let queued = local.queue().all().into_iter().find(|run| run.id == id)?;
    Some(match (asked.method.as_str(), rest) {
        ("GET", []) => answer::found(&queued.as_run(local.folder().id())),
        ("GET", ["output"]) => Ok(answer::bytes(200, Bytes::new())),
        ("POST", ["stop"]) => local
            .queue()
            .take(id)
            .map_err(Fault::from)
            .and_then(|_| answer::done()),
        _ => Err(Fault::new(
            Code::RunFinished,
            "The run waits for the server.",
        )),
    })
}

/// Starts what waits, whenever a workspace is in touch with its server.
pub(super) async fn start_waiting(inner: Arc<Inner>) {
    let gateway = Gateway(inner);
    let mut told = gateway.told();
    loop {
        let workspaces = match told.recv().await {
            Ok(Told::Sync { workspace }) => gateway
                .0
                .workspaces
                .running_one(workspace)
                .into_iter()
                .collect(),
            Ok(_) => continue,
            Err(RecvError::Lagged(_)) => gateway.0.workspaces.running(),
            Err(RecvError::Closed) => return,
        };
        for local in workspaces {
            if local.look().brief().state == SyncState::Online {
                start_all(&gateway, &local).await;
            }
        }
    }
}

async fn start_all(gateway: &Gateway, local: &Local) {
    for queued in local.queue().all() {
        let mut asked = Asked::get("").with_json(&queued.start);
        asked.method = http::Method::POST;
        let json = http::HeaderValue::from_static("application/json");
        asked.headers.insert(http::header::CONTENT_TYPE, json);
        // The server starts it once, however often it is asked.
        if let Ok(key) = queued.id.to_string().parse() {
            asked.headers.insert("idempotency-key", key);
        }
        let started = gateway.start_run(&asked, &local.folder()).await;
        let refused = match &started {
            Ok(answer) => pass::problem(answer).map(|problem| (problem.code, problem.detail)),
            Err(fault) => Some((fault.code(), fault.detail().to_owned())),
        };
        if let Some((code, why)) = refused {
            if passes(code) {
                return;
            }
            // The answer to an earlier try was lost; it was on another revision.
            if code == Code::IdempotencyMismatch {
                local.queue().take(queued.id).ok();
                continue;
            }
            let message = format!("A run that waited was not started: {why}");
            local.tell(code, message);
        }
        // It runs, or never will.
        local.queue().take(queued.id).ok();
    }
}

/// Whether what hindered a run passes by itself.
const fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::Unreachable
            | Code::RunNotSaved
            | Code::GoingAway
            | Code::DatabaseUnavailable
            | Code::TooManyRequests
            | Code::InProgress
            | Code::SignInRequired
            | Code::SignInExpired
            | Code::KeychainUnavailable
    )
}
