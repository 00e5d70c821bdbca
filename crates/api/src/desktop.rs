//! What the desktop program answers itself: folders of this machine that are workspaces, how they stand with a server,
//! and who is signed in. The page asks below `/desktop` and, for one workspace, below `/workspaces/{id}`.

use serde::{Deserialize, Serialize};
use slipway_core::{
    code::Code,
    id::{SessionId, WorkspaceId},
    path::RelPath,
};
use time::OffsetDateTime;
use ts_rs::TS;
use utoipa::ToSchema;

use crate::{account::Account, file::Kind, workspace::Template};

/// The program itself: `GET /desktop`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Desktop {
    /// Its version.
    pub version: String,
    /// This machine's name.
    pub machine: String,
    /// Where new workspaces are put if nobody says otherwise.
    pub home: String,
    /// Whether the system has a keychain that can be used now.
    pub keychain: Keychain,
    /// The server that the page works with, if one was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<ServerHere>,
}

/// What the system offers for keeping secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Keychain {
    /// Secrets can be kept.
    Ready,
    /// There is one, and it is locked.
    Locked,
    /// There is none.
    Absent,
}

/// A server, and who is signed in there on this machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct ServerHere {
    /// Its address, as a person would write it.
    pub address: String,
    /// Whether what is sent there can be read on the way.
    #[serde(default)]
    pub open_to_readers: bool,
    /// The account as it was last seen; absent when nobody is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<Account>,
    /// Where the token is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub kept: Option<TokenKept>,
}

/// Where the token of a sign-in is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum TokenKept {
    /// The system's keychain.
    Keychain,
    /// A file that only its owner can read, after the person agreed.
    File,
    /// Nowhere: it ends with the program.
    Memory,
}

/// Chooses the server that the page works with: `PUT /desktop/server`. Answered with `ServerInfo`, asked there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ChooseServer {
    /// Its address; without a scheme `https://`, and `http://` on this machine.
    pub address: String,
}

/// What is said beside `POST /sign-in` and `POST /accounts`, in the header `slipway-token-kept`: see [`TokenKept`].
/// Without a usable keychain, and without the header, the answer is `keychain_unavailable`.
pub const TOKEN_KEPT_HEADER: &str = "slipway-token-kept";

/// Workspaces of this machine: `GET /desktop/workspaces`, the one opened last first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct LocalWorkspaces {
    /// All of them.
    pub workspaces: Vec<LocalWorkspace>,
}

/// A folder of this machine that is a workspace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct LocalWorkspace {
    /// Its id on this machine, which the page uses for everything; it is not the server's.
    pub id: WorkspaceId,
    /// What the workspace is called, as far as was heard; its folder may have another name.
    pub name: String,
    /// Where its files lie.
    pub folder: String,
    /// The same as people write it: `~` is their own folder.
    pub short: String,
    /// Whether the folder that was taken still stands there.
    pub there: bool,
    /// The workspace that it is a copy of; absent for one that no server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub remote: Option<Remote>,
    /// The session id under which terminals on this machine are opened, listed and attached to.
    pub terminals: SessionId,
    /// How it stands.
    pub sync: SyncBrief,
    /// When it was last opened.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub opened_at: OffsetDateTime,
}

/// A workspace at a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Remote {
    /// The server.
    pub address: String,
    /// Its id there.
    pub workspace: WorkspaceId,
}

/// Makes a folder with a template's files: `POST /desktop/workspaces`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct NewLocal {
    /// Its name; the folder is called so, too.
    pub name: String,
    /// What it begins with.
    pub template: Template,
    /// The folder to make it in; the usual one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub within: Option<String>,
}

/// Opens a folder that is there: `POST /desktop/open`. Answered with its `LocalWorkspace`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct OpenFolder {
    /// Where it lies.
    pub folder: String,
}

/// Brings a workspace of the server to this machine: `POST /desktop/clone`. Answered at once with its
/// `LocalWorkspace`; the files follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct CloneWorkspace {
    /// Its id at the server.
    pub workspace: WorkspaceId,
    /// The folder; one of its name in the usual place without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub folder: Option<String>,
}

/// Brings a workspace of this machine to the server: `POST /workspaces/{id}/upload`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct UploadWorkspace {
    /// Its name there; its own without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub name: Option<String>,
}

/// How a workspace stands, in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SyncBrief {
    /// In a word.
    pub state: SyncState,
    /// Why, where somebody should know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// The server's code behind the reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<Code>,
    /// Paths that wait to go out.
    pub up: u32,
    /// Paths that wait to come in.
    pub down: u32,
    /// Paths that cannot move now.
    pub blocked: u32,
    /// Conflicts that nobody resolved yet.
    pub conflicts: u32,
}

/// How a workspace stands, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SyncState {
    /// No server knows it.
    Local,
    /// The server is being reached.
    Connecting,
    /// Changes go both ways.
    Online,
    /// The server is away; it is tried again.
    Offline,
    /// The server refuses; a person has to do something.
    Refused,
    /// The folder is gone, or cannot be used.
    Broken,
}

/// Everything that can be seen of a workspace's sync: `GET /workspaces/{id}/sync`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Sync {
    /// In short.
    #[serde(flatten)]
    pub brief: SyncBrief,
    /// The newest revision of the server that the folder showed whole.
    #[ts(type = "number")]
    pub revision: u64,
    /// Since when it is offline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub offline_since: Option<OffsetDateTime>,
    /// When both sides were last the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[serde(with = "time::serde::rfc3339::option")]
    #[ts(type = "string")]
    pub in_step_at: Option<OffsetDateTime>,
    /// Bytes that wait to go out.
    #[ts(type = "number")]
    pub up_bytes: u64,
    /// Bytes that wait to come in.
    #[ts(type = "number")]
    pub down_bytes: u64,
    /// What waits, what moves and what is blocked; the first thousand.
    pub paths: Vec<SyncPath>,
    /// Some names on this computer that no server takes, with their folders, written so that they can be read.
    pub odd: Vec<String>,
    /// Deletions that wait for a person's word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub held: Option<HeldDeletions>,
    /// Some folders are not watched by the system: what changes there is found by looking, within half a minute.
    pub partly_watched: bool,
    /// What a person was told lately, newest first.
    pub notices: Vec<SyncNotice>,
    /// What came in lately, newest first; each can be undone.
    pub arrivals: Vec<Arrival>,
}

/// A path that is not in step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SyncPath {
    /// Which.
    pub path: RelPath,
    /// What about it.
    pub state: SyncPathState,
    /// Its size.
    #[ts(type = "number")]
    pub bytes: u64,
    /// How much of it has moved.
    #[ts(type = "number")]
    pub moved: u64,
    /// Why it is blocked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<Code>,
    /// The same in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub message: Option<String>,
}

/// What about a path that is not in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum SyncPathState {
    /// Changed here, not sent yet.
    Waiting,
    /// On its way out.
    Sending,
    /// Changed at the server, not here yet.
    Missing,
    /// On its way in.
    Receiving,
    /// Cannot move now.
    Blocked,
}

/// Deletions that wait for `POST /workspaces/{id}/sync/confirm`, or for `POST /workspaces/{id}/sync/bring-back`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct HeldDeletions {
    /// How many.
    pub many: u32,
    /// Of how many.
    pub of: u32,
    /// The first of them.
    pub paths: Vec<RelPath>,
}

/// Something that a person was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct SyncNotice {
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub at: OffsetDateTime,
    /// What kind.
    pub code: Code,
    /// In words.
    pub message: String,
    /// The file that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<RelPath>,
}

/// Changes that came in together. `POST /workspaces/{id}/sync/arrivals/{arrival}/undo` takes them back, as an edit made
/// here; answered with `Undone`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Arrival {
    /// Names it.
    #[ts(type = "number")]
    pub id: u64,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub at: OffsetDateTime,
    /// How many paths changed.
    pub many: u32,
    /// The first hundred of them.
    pub paths: Vec<RelPath>,
}

/// What taking back an arrival did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Undone {
    /// Paths that hold again what they held before.
    pub many: u32,
    /// Paths that do not, and stay as they are.
    pub left: Vec<NotUndone>,
}

/// A path that was not taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct NotUndone {
    /// Which.
    pub path: RelPath,
    /// Why: `stale` if it changed since, `content_missing` if what it held is not kept any more, or what the disk
    /// refused.
    pub code: Code,
}

/// Conflicts that nobody resolved yet: `GET /workspaces/{id}/conflicts`, the oldest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Conflicts {
    /// All of them.
    pub conflicts: Vec<Conflict>,
}

/// What both sides changed in ways that do not go together. The path holds theirs, the copy holds mine.
///
/// `GET /workspaces/{id}/conflicts/base?copy=PATH` is the content from which both began, `not_found` when nobody has
/// it any more. `POST /workspaces/{id}/conflicts/resolve` ends it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Conflict {
    /// Where it was, with theirs.
    pub path: RelPath,
    /// The copy, with mine.
    pub copy: RelPath,
    /// What the copy is.
    pub mine: Kind,
    /// What has the name now; absent when nothing has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub theirs: Option<Kind>,
    /// Whether the content from which both began can be read.
    pub base: bool,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub at: OffsetDateTime,
}

/// Ends a conflict: `POST /workspaces/{id}/conflicts/resolve`. The result was written to the path before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct ResolveConflict {
    /// The copy.
    pub copy: RelPath,
    /// Whether the copy stays as a file of its own; else it goes to the trash.
    pub keep_copy: bool,
}

/// What the program tells the page without being asked; one after another on a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(tag = "told", rename_all = "snake_case")]
pub enum Told {
    /// How it stands with the server that the page works with.
    Connection {
        /// In a word.
        state: ConnectionState,
        /// The next try, in milliseconds since 1970.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        #[ts(type = "number")]
        next_at: Option<i64>,
    },
    /// The sync of a workspace moved: what is shown of it is read anew.
    Sync {
        /// The workspace's id on this machine.
        workspace: WorkspaceId,
    },
    /// The list of workspaces on this machine moved.
    Workspaces,
    /// Somebody signed in or out, or another server was chosen.
    Account,
    /// Show this address of the page: a deep link, a file that was opened, or a second start of the program.
    Show {
        /// As the page's own addresses: `/w/{id}?open=path`.
        address: String,
    },
    /// An item of the program's menu was chosen.
    Menu {
        /// The id of the page's action.
        action: String,
    },
}

/// How it stands with a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// No server was chosen, or nobody is signed in.
    Idle,
    /// It is being reached.
    Connecting,
    /// It answers.
    Online,
    /// It does not; it is tried again at `next_at`.
    Waiting,
    /// It answers, but has no database; it is asked again at `next_at`.
    NoDatabase,
    /// What answers there is no Slipway server; it is tried again at `next_at`.
    NotSlipway,
}
