//! The closed list of failures that a client may act on. One status each, in `slipway_api::problem`.

use serde::{Deserialize, Deserializer, Serialize};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        /// A stable code; clients act on it, never on text.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ts_rs::TS, utoipa::ToSchema)]
        pub enum Code { $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+ }

        impl Code {
            /// Every code, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];
            /// The code as clients see it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
            /// What it means, in a sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
            /// The code with this text, if there is one.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

codes! {
    /// The request's shape is wrong; the detail names the field.
    InvalidRequest = "invalid_request",
    /// No such thing, or none that you may know of.
    NotFound = "not_found",
    /// The method does not exist at this address.
    MethodNotAllowed = "method_not_allowed",
    /// Sign in first.
    SignInRequired = "sign_in_required",
    /// E-mail and password do not match.
    WrongCredentials = "wrong_credentials",
    /// The token has expired or was revoked.
    SignInExpired = "sign_in_expired",
    /// The account was disabled by an administrator.
    AccountDisabled = "account_disabled",
    /// Not allowed for this account.
    Forbidden = "forbidden",
    /// The request came from a page of another origin.
    ForeignOrigin = "foreign_origin",
    /// Registration is closed on this server.
    RegistrationClosed = "registration_closed",
    /// The e-mail address has an account.
    EmailTaken = "email_taken",
    /// The password is too short, too long or too common.
    WeakPassword = "weak_password",
    /// Too many tries; the answer says when to come back.
    TooManyRequests = "too_many_requests",
    /// The body is larger than this route takes.
    BodyTooLarge = "body_too_large",
    /// The body stopped arriving.
    BodyStalled = "body_stalled",
    /// The media type is not understood here.
    UnsupportedMediaType = "unsupported_media_type",
    /// What is there now is not what `If-Match` names.
    Stale = "stale",
    /// The route asks for `If-Match` or `If-None-Match`.
    PreconditionRequired = "precondition_required",
    /// The same idempotency key came with another request.
    IdempotencyMismatch = "idempotency_mismatch",
    /// The same request is being answered at this moment.
    InProgress = "in_progress",
    /// The range asked for lies outside of the content.
    RangeUnsatisfiable = "range_unsatisfiable",
    /// A path is not allowed: traversal, NUL, empty or over-long component.
    PathInvalid = "path_invalid",
    /// The rules of the workspace leave this path out.
    PathIgnored = "path_ignored",
    /// A name that some systems reserve or cannot hold.
    PathReserved = "path_reserved",
    /// Another entry differs only in letter case or Unicode form.
    PathCaseClash = "path_case_clash",
    /// A parent of the path is a file.
    PathNotFolder = "path_not_folder",
    /// Something stands at the path already.
    PathExists = "path_exists",
    /// Something that does not sync stands at the path on this disk.
    PathTaken = "path_taken",
    /// The file is larger than a file may be.
    FileTooLarge = "file_too_large",
    /// The workspace would exceed its size.
    WorkspaceFull = "workspace_full",
    /// The workspace would exceed its number of entries.
    TooManyEntries = "too_many_entries",
    /// A symlink would lead out of the workspace.
    LinkEscapes = "link_escapes",
    /// The content named by hash is not held by this workspace.
    ContentMissing = "content_missing",
    /// The name given for confirmation is not the workspace's.
    NameMismatch = "name_mismatch",
    /// The account has a workspace of this name.
    WorkspaceNameTaken = "workspace_name_taken",
    /// The account has as many workspaces as it may.
    TooManyWorkspaces = "too_many_workspaces",
    /// The workspace is archived or in the trash.
    WorkspaceInactive = "workspace_inactive",
    /// The zip file is damaged or encrypted.
    ZipInvalid = "zip_invalid",
    /// The zip file unpacks to far more than it holds.
    ZipBomb = "zip_bomb",
    /// The revision does not exist.
    RevisionUnknown = "revision_unknown",
    /// There is no live session.
    NoSession = "no_session",
    /// The session is starting or stopping.
    SessionNotReady = "session_not_ready",
    /// The account has as many live sessions as it may.
    TooManySessions = "too_many_sessions",
    /// The session's place cannot be reached now.
    SessionUnreachable = "session_unreachable",
    /// This server cannot run code; the detail says what is missing.
    SandboxUnavailable = "sandbox_unavailable",
    /// The execution image is missing or damaged.
    ImageMissing = "image_missing",
    /// The session could not be started.
    StartFailed = "start_failed",
    /// The session's processes asked for more memory than it has.
    OutOfMemory = "out_of_memory",
    /// The disk is full.
    DiskFull = "disk_full",
    /// The system does not allow this on the disk.
    DiskForbidden = "disk_forbidden",
    /// A program is writing the file at this moment.
    FileBusy = "file_busy",
    /// The folder of the workspace is gone, or another one is in its place.
    FolderGone = "folder_gone",
    /// A file cannot be read, so its changes are not saved.
    FileUnreadable = "file_unreadable",
    /// A change of the workspace cannot be written to the disk.
    WriteFailed = "write_failed",
    /// Two programs, one here and one elsewhere, change a file back and forth.
    FileContested = "file_contested",
    /// Two edits of one file were joined.
    EditsMerged = "edits_merged",
    /// Two edits of one file could not be joined; one is in a copy.
    ConflictCopy = "conflict_copy",
    /// A file was deleted on one side and changed on the other; the change stayed.
    EditKept = "edit_kept",
    /// A large part of all files was deleted.
    ManyDeleted = "many_deleted",
    /// A crash left files that are kept aside.
    FilesRecovered = "files_recovered",
    /// No server was chosen on this machine.
    NoServer = "no_server",
    /// The server does not answer; what can be done here goes on.
    Unreachable = "unreachable",
    /// The system keeps no secrets now; a person chooses where the token is kept.
    KeychainUnavailable = "keychain_unavailable",
    /// The folder cannot be a workspace, or no longer; the detail says why.
    FolderUnusable = "folder_unusable",
    /// The workspace is on no server: it has no sessions, runs or history there.
    OnlyHere = "only_here",
    /// The programs of this machine cannot be started for terminals.
    NoLocalTerminals = "no_local_terminals",
    /// What a run wrote is not in the workspace yet.
    RunNotSaved = "run_not_saved",
    /// The session has as many processes as it may.
    TooManyProcesses = "too_many_processes",
    /// The session has as many terminals as it may.
    TooManyTerminals = "too_many_terminals",
    /// The session was stopped because nothing happened in it.
    IdleStop = "idle_stop",
    /// The session reached its longest life.
    LifetimeReached = "lifetime_reached",
    /// The session's place vanished or its agent ended unexpectedly.
    SessionLost = "session_lost",
    /// The program could not be started; the detail names the cause.
    ExecFailed = "exec_failed",
    /// The run is already over.
    RunFinished = "run_finished",
    /// Too many runs wait for the session.
    TooManyRuns = "too_many_runs",
    /// The client speaks another version of the protocol.
    ProtocolMismatch = "protocol_mismatch",
    /// The server is shutting down; connect again.
    GoingAway = "going_away",
    /// The database does not answer.
    DatabaseUnavailable = "database_unavailable",
    /// The server's own disk is full.
    ServerDiskFull = "server_disk_full",
    /// A mistake of ours; the request id finds it in the log.
    Internal = "internal",
}

/// A server that is newer may tell a code that nobody here knows. What it says beside it is understood all the same.
impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(Self::parse(&text).unwrap_or(Self::Internal))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer as _;
    use serde::de::value::{Error, StrDeserializer};

    use super::*;

    #[test]
    fn every_code_is_read_as_it_is_written_and_one_of_tomorrow_as_a_mistake() {
        let read = |text: &str| {
            let text: StrDeserializer<'_, Error> = text.into_deserializer();
            Code::deserialize(text)
        };
        for &code in Code::ALL {
            assert_eq!(read(code.as_str()), Ok(code));
        }
        assert_eq!(read("of_tomorrow"), Ok(Code::Internal));
    }
}
