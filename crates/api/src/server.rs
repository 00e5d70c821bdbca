//! The server itself: version, what it can do, who may register.

use serde::{Deserialize, Serialize};
use ts_rs::TS;
use utoipa::ToSchema;

/// What anyone may know before signing in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ServerInfo {
    /// Version of the server.
    pub version: String,
    /// Version of the wire protocol.
    pub protocol: u32,
    /// Whether new accounts may be made.
    pub registration_open: bool,
    /// True while there is no account: the next one becomes administrator.
    pub first_account: bool,
    /// Whether sessions can run here.
    pub can_run: bool,
    /// Why not, when they cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub cannot_run_reason: Option<String>,
}

/// Changes to the server's settings; absent fields stay.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct UpdateServer {
    /// Whether new accounts may be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub registration_open: Option<bool>,
}
