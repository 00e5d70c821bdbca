//! Files: the tree, commits, history.

use serde::{Deserialize, Serialize};
use slipway_core::{code::Code, hash::ContentHash, id::UserId, path::RelPath};
use time::OffsetDateTime;
use ts_rs::TS;
use utoipa::ToSchema;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link that stays inside the workspace.
    Symlink,
}

/// One entry of a tree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Entry {
    /// Where.
    pub path: RelPath,
    /// What.
    pub kind: Kind,
    /// Bytes; 0 for folders.
    #[ts(type = "number")]
    pub size: u64,
    /// Of the content, or of a link's target; absent for folders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hash: Option<ContentHash>,
    /// Whether it may be executed.
    pub executable: bool,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub target: Option<String>,
    /// Revision of its last change.
    #[ts(type = "number")]
    pub revision: u64,
}

/// All entries at one revision, sorted by path.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Tree {
    /// The revision.
    #[ts(type = "number")]
    pub revision: u64,
    /// Entries.
    pub entries: Vec<Entry>,
}

/// One change of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Change {
    /// Revision.
    #[ts(type = "number")]
    pub revision: u64,
    /// Where.
    pub path: RelPath,
    /// What stands there since; absent: deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub entry: Option<Entry>,
    /// Where it came from, if it was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<RelPath>,
    /// Content before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub previous: Option<ContentHash>,
    /// Who wrote it.
    pub origin: Origin,
    /// When.
    #[serde(with = "time::serde::rfc3339")]
    #[ts(type = "string")]
    pub at: OffsetDateTime,
}

/// One version of a file. Its path is the one that it had then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Version {
    /// The change that made it.
    #[serde(flatten)]
    pub change: Change,
    /// Whether its content can still be had; an old one goes when the history takes too much room.
    pub kept: bool,
}

/// Who wrote a change.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum OriginKind {
    /// A person in the editor.
    Editor,
    /// A program or shell in a session.
    Session,
    /// An upload or import.
    Upload,
    /// A desktop mirror.
    Desktop,
    /// A restore from history.
    Restore,
    /// The template.
    Template,
}

/// Who wrote a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Origin {
    /// Kind.
    pub kind: OriginKind,
    /// The person, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub user: Option<UserId>,
}

/// Part of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Changes {
    /// Newest revision.
    #[ts(type = "number")]
    pub head: u64,
    /// In order.
    pub changes: Vec<Change>,
    /// True: ask again from the last revision shown.
    pub more: bool,
}

/// What one operation expects and does. No `kind` means: nothing shall stand there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// Where. One that cannot live in a workspace is this operation's failure, not the commit's.
    pub path: String,
    /// What must stand there. Absent or `null`: anything may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub expect: Option<Expectation>,
    /// What shall stand there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub kind: Option<Kind>,
    /// Content by hash that the workspace holds already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hash: Option<ContentHash>,
    /// Content as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub text: Option<String>,
    /// Content as base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub base64: Option<String>,
    /// Whether it may be executed.
    #[serde(default)]
    pub executable: bool,
    /// Where a link leads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub target: Option<String>,
    /// Moves what stands at this path here; `expect` then names its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<String>,
}

/// What must stand at a path before an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum Expectation {
    /// Nothing.
    Absent,
    /// A folder.
    Folder,
    /// A file or link with this content.
    Content(ContentHash),
}

impl Expectation {
    /// What the headers `If-Match` and `If-None-Match` ask for; `None`: anything may stand there. One of them must be
    /// given, so that nothing is overwritten unseen.
    ///
    /// # Errors
    /// When neither is, or one names no content.
    pub fn of_headers(
        if_match: Option<&str>,
        if_none_match: Option<&str>,
    ) -> Result<Option<Self>, (Code, &'static str)> {
        match (if_match, if_none_match) {
            (Some("*"), _) => Ok(None),
            (Some(etag), _) => {
                let hash = etag.trim_matches('"').parse();
                hash.map(|hash| Some(Self::Content(hash))).map_err(|_| {
                    let words = "If-Match takes the ETag of the file that you read.";
                    (Code::InvalidRequest, words)
                })
            }
            (None, Some("*")) => Ok(Some(Self::Absent)),
            (None, _) => Err((
                Code::PreconditionRequired,
                "Send If-Match with the ETag that you read, or If-None-Match: * for a new file.",
            )),
        }
    }
}

/// Several operations in one transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Key of this batch: a repeated commit with it returns the first answer.
    pub batch: String,
    /// At most 10,000.
    pub operations: Vec<Operation>,
    /// All or nothing.
    #[serde(default)]
    pub atomic: bool,
}

/// How one operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeResult {
    /// Done.
    Applied,
    /// Exactly this stood there already.
    Converged,
    /// Something else stands there; see `current`.
    Stale,
    /// Not allowed; see `code`.
    Rejected,
}

/// How one operation ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Outcome {
    /// Result.
    pub result: OutcomeResult,
    /// What stands there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub current: Option<Entry>,
    /// Why it was rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<Code>,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub message: Option<String>,
}

/// Answer to a commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Committed {
    /// Newest revision after it.
    #[ts(type = "number")]
    pub revision: u64,
    /// One outcome for each operation.
    pub outcomes: Vec<Outcome>,
}

/// Answer to a write, move or delete of one file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Written {
    /// Revision.
    #[ts(type = "number")]
    pub revision: u64,
    /// What stands there now; absent after a delete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub entry: Option<Entry>,
}

/// Moves a file or folder with all in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// From.
    pub from: RelPath,
    /// To; nothing may stand there.
    pub to: RelPath,
}

/// Makes an empty folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct CreateFolder {
    /// Where; parents are made.
    pub path: RelPath,
}

/// What to do when a path is taken.
#[derive(Clone, Debug, PartialEq, Eq, Copy, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// Answer stale for it.
    Ask,
    /// Replace.
    Overwrite,
    /// Leave what is there.
    Skip,
    /// Store beside it under a free name.
    KeepBoth,
}

/// Answer to an upload of several files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct Uploaded {
    /// Revision.
    #[ts(type = "number")]
    pub revision: u64,
    /// One for each file, in order.
    pub files: Vec<UploadedFile>,
}

/// How the upload of one file ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct UploadedFile {
    /// As sent.
    pub path: String,
    /// Where it is stored; absent when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub entry: Option<Entry>,
    /// Result.
    pub result: OutcomeResult,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub code: Option<Code>,
    /// Why not, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub message: Option<String>,
}

/// Versions of one file, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
pub struct History {
    /// Versions.
    pub versions: Vec<Version>,
    /// Asks for older ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    #[ts(type = "number")]
    pub next: Option<u64>,
}

/// Brings back a file or the whole workspace. The present stays in the history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, TS, ToSchema)]
#[ts(export)]
#[serde(deny_unknown_fields)]
pub struct Restore {
    /// As it was at this revision.
    #[ts(type = "number")]
    pub revision: u64,
    /// One path with all below it; absent: the whole workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub path: Option<RelPath>,
    /// What that path was called then, where it was called otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub from: Option<RelPath>,
}
