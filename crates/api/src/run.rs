//! Runs and the tasks they can be started from.

use crate::session::Exit;
use serde::{Deserialize, Serialize};
use slipway_core::{
    id::{RunId, SessionId, WorkspaceId},
    path::RelPath,
};
use time::OffsetDateTime;
use ts_rs::TS;
use utoipa::ToSchema;

/// What a run executes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum RunTarget {
    /// A file, by the interpreter of its kind.
    File {
        /// Which.
        path: RelPath,
    },
    /// A task of the workspace, by its name in the list of tasks.
    Task {
        /// Which.
        name: String,
    },
    /// A command line for the shell.
    Command {
        /// The line.
        line: String,
    },
}

/// Where a run is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Waits for the session to be ready.
    Queued,
    /// Waits for the revision to be on the session's disk.
    Waiting,
    /// Its program runs.
    Running,
    /// What it wrote is being committed.
    Flushing,
    /// Its program ended.
    Done,
    /// It never started, or its session was lost.
    Failed,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Run {
    /// Id; also the id of its terminal.
    pub id: RunId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its session; absent while queued without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session: Option<SessionId>,
    /// What was asked for.
    pub target: RunTarget,
    /// The command line.
    pub command: String,
    /// Revision that was on the disk when it started.
    #[ts(type = "number")]
    pub revision: u64,
    /// State.
    pub state: RunState,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exit: Option<Exit>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub created_at: OffsetDateTime,
    /// When its program started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub started_at: Option<OffsetDateTime>,
    /// How long its program ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[ts(type = "number")]
    pub duration_ms: Option<u64>,
    /// Most memory it used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[ts(type = "number")]
    pub peak_memory_bytes: Option<u64>,
    /// Bytes of output.
    #[ts(type = "number")]
    pub output_bytes: u64,
    /// Whether only the end of the output is kept.
    pub output_truncated: bool,
    /// Why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}

/// Starts a run; starts a session when there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct StartRun {
    /// What.
    pub target: RunTarget,
    /// Revision that the person sees; absent: the newest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[ts(type = "number")]
    pub revision: Option<u64>,
    /// Columns of its terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cols: Option<u32>,
    /// Rows of its terminal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rows: Option<u32>,
}

/// One page of runs, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Runs {
    /// Rows.
    pub runs: Vec<Run>,
    /// Asks for older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next: Option<String>,
}

/// Where a task comes from.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum TaskSource {
    /// `scripts` of package.json.
    PackageJson,
    /// A target of the Makefile.
    Makefile,
    /// `[tasks]` of slipway.toml.
    SlipwayToml,
}

/// A task of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Task {
    /// Name.
    pub name: String,
    /// Where it comes from.
    pub source: TaskSource,
    /// Its command line.
    pub command: String,
}

/// All tasks of the workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Tasks {
    /// Tasks.
    pub tasks: Vec<Task>,
    /// Files that could not be read as tasks, and why.
    pub problems: Vec<String>,
}
