//! Sessions and their terminals.

use serde::{Deserialize, Serialize};
use slipway_core::{
    code::Code,
    id::{RunId, SessionId, TerminalId, WorkspaceId},
};
use time::OffsetDateTime;
use ts_rs::TS;
use utoipa::ToSchema;

/// Where a session is in its life.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// Asked for, not yet begun.
    Requested,
    /// Its place is being made.
    Provisioning,
    /// Terminals and runs work.
    Ready,
    /// Nothing happened for a while; a countdown runs.
    Idle,
    /// Being ended.
    Stopping,
    /// Ended as wished.
    Stopped,
    /// Ended by a fault; `reason` says which.
    Failed,
}

/// A step of a session's start.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum StageName {
    /// The request is stored.
    Accepted,
    /// Waiting for a free place.
    Queue,
    /// The execution image is there.
    Image,
    /// The isolated place is made.
    Place,
    /// The agent answers.
    Agent,
    /// Files are on the session's disk.
    Files,
    /// A shell can be opened.
    Shell,
}

/// A step of a session's start and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Stage {
    /// Which.
    pub name: StageName,
    /// More about it: "163 of 214".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub detail: Option<String>,
    /// When it began.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub started_at: OffsetDateTime,
    /// How long it took; absent while it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[ts(type = "number")]
    pub ms: Option<u64>,
}

/// Why a session ended or waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Reason {
    /// For programs.
    pub code: Code,
    /// For people.
    pub text: String,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Session {
    /// Id.
    pub id: SessionId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// State.
    pub state: SessionState,
    /// Start steps in order.
    pub stages: Vec<Stage>,
    /// Why it ended or waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<Reason>,
    /// When it was asked for.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub created_at: OffsetDateTime,
    /// When it became ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub ready_at: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub ended_at: Option<OffsetDateTime>,
    /// When it will be stopped if nothing happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub idle_stop_at: Option<OffsetDateTime>,
    /// Idle stop waits until programs end.
    pub keep_until_done: bool,
    /// Memory limit in bytes.
    #[ts(type = "number")]
    pub memory_bytes: u64,
    /// Disk limit in bytes.
    #[ts(type = "number")]
    pub disk_bytes: u64,
    /// CPU limit in thousandths of a core.
    pub cpu_millis: u32,
    /// Median start time of this server in milliseconds, from history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[ts(type = "number")]
    pub usual_start_ms: Option<u64>,
    /// Protections that are active, for people.
    pub protections: Vec<Protection>,
}

/// The last sessions of a workspace, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Sessions {
    /// Rows.
    pub sessions: Vec<Session>,
}

/// One protection of a session's place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Protection {
    /// Which: "memory limit", "network", "system calls".
    pub name: String,
    /// Whether it is active.
    pub active: bool,
    /// How, or why not.
    pub detail: String,
}

/// Keeps a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct KeepSession {
    /// True: no idle stop while programs run. False: the usual rule.
    pub until_done: bool,
}

/// A terminal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Terminal {
    /// Id.
    pub id: TerminalId,
    /// Title.
    pub title: String,
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
    /// Set for the terminal of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub run: Option<RunId>,
    /// Set when its program ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exit: Option<Exit>,
}

/// All terminals of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Terminals {
    /// In the order they were opened.
    pub terminals: Vec<Terminal>,
}

/// Opens a terminal with a shell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct OpenTerminal {
    /// Columns.
    pub cols: u32,
    /// Rows.
    pub rows: u32,
    /// Folder, relative to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cwd: Option<String>,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Exit {
    /// Exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<i32>,
    /// Signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub signal: Option<i32>,
    /// Why, when the system ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
}
