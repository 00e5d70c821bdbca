//! Workspaces and the templates they are made from.

use crate::session::SessionState;
use serde::{Deserialize, Serialize};
use slipway_core::id::{SessionId, WorkspaceId};
use time::OffsetDateTime;
use ts_rs::TS;
use utoipa::ToSchema;

/// The comment of a zip file of ours: what stands at its top is the workspace's, even when it is one folder alone.
pub const ARCHIVE_COMMENT: &str = "Slipway workspace";

/// A workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Workspace {
    /// Id.
    pub id: WorkspaceId,
    /// Name, unique for its owner.
    pub name: String,
    /// What it was made from.
    pub template: Template,
    /// Its newest revision.
    #[ts(type = "number")]
    pub head: u64,
    /// Files and folders.
    #[ts(type = "number")]
    pub entries: u64,
    /// Size of all files.
    #[ts(type = "number")]
    pub bytes: u64,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub created_at: OffsetDateTime,
    /// Last committed change.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub changed_at: OffsetDateTime,
    /// Set when it is archived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub archived_at: Option<OffsetDateTime>,
    /// Set when it is in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub deleted_at: Option<OffsetDateTime>,
    /// When the trash forgets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub purge_at: Option<OffsetDateTime>,
    /// Its newest session, if it ever had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub session: Option<SessionBrief>,
}

/// What a list shows of a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SessionBrief {
    /// Id.
    pub id: SessionId,
    /// State.
    pub state: SessionState,
    /// Why it ended or waits, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// When it became ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub ready_at: Option<OffsetDateTime>,
}

/// One page of workspaces.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Workspaces {
    /// Rows.
    pub workspaces: Vec<Workspace>,
    /// Asks for the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub next: Option<String>,
}

/// Which workspaces a list shows.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceFilter {
    /// Neither archived nor in the trash.
    Active,
    /// Archived.
    Archived,
    /// In the trash.
    Trash,
}

/// The order of a list of workspaces.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum WorkspaceSort {
    /// The last changed first.
    Changed,
    /// The newest first.
    Created,
    /// By name, from A.
    Name,
}

/// What a workspace starts with.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// Python with pandas and a small data set.
    Python,
    /// Node with a package.json.
    Node,
    /// Nothing.
    Empty,
    /// Files that were brought along.
    Import,
}

/// Makes a workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct CreateWorkspace {
    /// Name.
    pub name: String,
    /// What it starts with.
    pub template: Template,
}

/// Changes a workspace; absent fields stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct UpdateWorkspace {
    /// New name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
    /// Archive or bring back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub archived: Option<bool>,
}

/// Copies a workspace at its newest revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DuplicateWorkspace {
    /// Name of the copy.
    pub name: String,
}

/// Puts a workspace in the trash.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct DeleteWorkspace {
    /// The workspace's name, typed to be sure.
    pub name: String,
}
