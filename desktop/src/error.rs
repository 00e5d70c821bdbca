//! What can go wrong: a sentence that says what happened and what to do, a code for programs, and an exit code. Which
//! command helps is said where a command failed (`cli/hint.rs`).
use std::error::Error as _;
use std::io;
use std::path::PathBuf;

use slipway_api::problem::Problem;
use slipway_client::error::ClientError;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_mirror::store::StoreError;

use crate::folder::FolderError;
use crate::server::Address;
use crate::token::TokenError;

/// Exit codes; docs/command-line.md has the same table.
pub mod exit {
    /// It did not work.
    pub const FAILED: u8 = 1;
    /// The command line is not understood.
    pub const USAGE: u8 = 2;
    /// Nobody is signed in, or no longer.
    pub const SIGN_IN: u8 = 3;
    /// The server was not reached.
    pub const UNREACHABLE: u8 = 4;
    /// There is no such thing, or more than one.
    pub const NOT_FOUND: u8 = 5;
    /// The token can be neither kept nor found.
    pub const KEYCHAIN: u8 = 6;
    /// The folder cannot be taken.
    pub const FOLDER: u8 = 7;
    /// `run` and `terminal`: Slipway failed, not the program.
    pub const OURS: u8 = 125;
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The command line is not understood.
    #[error("{0}")]
    Usage(String),
    /// The environment names no home.
    #[error("Neither HOME nor XDG_STATE_HOME names a folder. Set one of them.")]
    NoHome,
    /// What was typed is no address.
    #[error(
        "\"{0}\" is not a server's address. Give one such as https://slipway.example.org or localhost:8002."
    )]
    AddressInvalid(String),
    /// A window, and nowhere to show it.
    #[error("There is no display to open a window on: neither WAYLAND_DISPLAY nor DISPLAY is set.")]
    NoDisplay,
    /// There is one by name, and it lets nobody in.
    #[error(
        "The display that this shell names cannot be opened. It may be gone, or another account's: look at DISPLAY and WAYLAND_DISPLAY."
    )]
    ClosedDisplay,
    /// A window, and no program that has one.
    #[error(
        "Slipway is installed here without its window: the program slipway-window is missing. Install Slipway again, or use the commands."
    )]
    NoWindow,
    /// The system gave no window.
    #[error("The window cannot be opened: {0}.")]
    Window(Box<dyn std::error::Error + Send + Sync>),
    /// Nobody has signed in.
    #[error("Nobody is signed in on this machine. Sign in first.")]
    NotSignedIn,
    /// Nobody has signed in at this server.
    #[error("Nobody is signed in at {0} on this machine. Sign in first.")]
    NotSignedInAt(Address),
    /// The device was signed out elsewhere, or not used for long.
    #[error("This device is no longer signed in at {0}. Sign in again.")]
    SignInEnded(Address),
    /// E-mail and password do not match.
    #[error("E-mail and password do not match. Check both and try again.")]
    WrongCredentials,
    /// Something must be typed and nobody is there.
    #[error("{0} is missing, and there is no terminal to ask at. Give it as {1}.")]
    Missing(&'static str, &'static str),
    /// The server was not reached.
    #[error(
        "{server} cannot be reached: {cause}. Check the address and the network, then try again."
    )]
    Unreachable {
        /// Which.
        server: Address,
        /// The innermost reason.
        cause: String,
    },
    /// The certificate of the server is not valid at the time that the clock here shows.
    #[error(
        "{0} is not trusted now: its certificate is not valid at the time that the clock of this computer shows. Set the clock if it is wrong; else the server needs another certificate."
    )]
    OutOfDate(Address),
    /// Something else answers at the address.
    #[error(
        "What answers at {0} is not a Slipway server that this version understands. Check the address."
    )]
    NotSlipway(Address),
    /// The server speaks another version of the protocol.
    #[error(
        "{server} speaks version {theirs} of the protocol, and this program version {ours}. Update the older one."
    )]
    Protocol {
        /// Which.
        server: Address,
        /// Its version.
        theirs: u32,
        /// Ours.
        ours: u32,
    },
    /// The server said no.
    #[error("{}", sentence(.0))]
    Refused(Box<Problem>),
    /// A stream was ended by the server.
    #[error("{message}")]
    Ended {
        /// One of the API's codes.
        code: Option<Code>,
        /// For people.
        message: String,
    },
    /// There is no such workspace.
    #[error("There is no workspace \"{0}\".")]
    WorkspaceUnknown(String),
    /// More than one workspace matches.
    #[error("\"{name}\" may be any of these; name one by its id:\n{}", lines(.found))]
    WorkspaceAmbiguous {
        /// What was given.
        name: String,
        /// What it may be.
        found: Vec<(WorkspaceId, String)>,
    },
    /// The session ended or could not start.
    #[error("The session of the workspace ended: {0}")]
    SessionEnded(String),
    /// There is no such terminal.
    #[error("There is no terminal \"{0}\".")]
    TerminalUnknown(String),
    /// A terminal needs a terminal.
    #[error("This needs a terminal on both its input and its output.")]
    NoTerminal,
    /// A run never ran.
    #[error("The command did not run: {0}")]
    NotRun(String),
    /// Where the token is kept.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A folder that shall be kept in step.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file or folder of ours.
    #[error("{} cannot be used: {source}.", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file stands where one shall be made.
    #[error("{} exists already. Name another file.", .0.display())]
    Exists(PathBuf),
    /// What is kept of a folder.
    #[error("What Slipway keeps in {} of a folder cannot be used: {}. The files in the folder are as they were.", .path.display(), innermost(.source))]
    Engine {
        /// Where it is kept.
        path: PathBuf,
        /// Why.
        source: StoreError,
    },
    /// A state file that this version cannot read.
    #[error("{} is damaged or of another version. Move it away and sign in again.", .0.display())]
    StateDamaged(PathBuf),
    /// The terminal or another device of ours.
    #[error("The terminal cannot be used: {0}.")]
    Terminal(io::Error),
    /// Whoever read our output has gone.
    #[error("Nobody takes the output.")]
    NobodyListens,
    /// A signal ended us.
    #[error("Ended by a signal.")]
    Interrupted(i32),
    /// Something of `run` or `terminal` that is not the program's.
    #[error(transparent)]
    Ours(Box<Self>),
}

impl CliError {
    /// What a client's error at a server means for a person.
    #[must_use]
    pub fn at(server: &Address, error: ClientError) -> Self {
        match (error.code(), error) {
            (Some(Code::SignInRequired | Code::SignInExpired), _) => {
                Self::SignInEnded(server.clone())
            }
            (Some(Code::WrongCredentials), _) => Self::WrongCredentials,
            (_, ClientError::Problem(problem)) => Self::Refused(problem),
            (code, ClientError::Closed { message, .. }) => Self::Ended { code, message },
            (_, ClientError::Protocol(_)) => Self::NotSlipway(server.clone()),
            (_, error) if error.is_out_of_date() => Self::OutOfDate(server.clone()),
            (
                _,
                error @ (ClientError::Network(_)
                | ClientError::Socket(_)
                | ClientError::Connect(_)
                | ClientError::Dial(_)
                | ClientError::Silent
                | ClientError::Gone
                | ClientError::Stream(_)),
            ) => Self::Unreachable {
                server: server.clone(),
                cause: cause(&error),
            },
        }
    }

    /// A file's error.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            path: path.into(),
            source,
        }
    }

    /// A stable code for programs; those of the server are passed on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::NoHome => "no_home",
            Self::AddressInvalid(_) => "address_invalid",
            Self::NoDisplay => "no_display",
            Self::ClosedDisplay => "closed_display",
            Self::NoWindow => "no_window",
            Self::Window(_) => "window",
            Self::NotSignedIn | Self::NotSignedInAt(_) => "not_signed_in",
            Self::SignInEnded(_) => Code::SignInExpired.as_str(),
            Self::WrongCredentials => Code::WrongCredentials.as_str(),
            Self::Missing(..) => "input_missing",
            Self::Unreachable { .. } | Self::OutOfDate(_) => Code::Unreachable.as_str(),
            Self::NotSlipway(_) => "not_slipway",
            Self::Protocol { .. } => Code::ProtocolMismatch.as_str(),
            Self::Refused(problem) => problem.code.as_str(),
            Self::Ended { code, .. } => code.map_or("stream_ended", Code::as_str),
            Self::WorkspaceUnknown(_) => "workspace_unknown",
            Self::WorkspaceAmbiguous { .. } => "workspace_ambiguous",
            Self::SessionEnded(_) => "session_ended",
            Self::TerminalUnknown(_) => "terminal_unknown",
            Self::NoTerminal => "no_terminal",
            Self::NotRun(_) => "not_run",
            Self::Token(error) => error.code(),
            Self::Folder(error) => error.code(),
            Self::File { .. } => "file",
            Self::Exists(_) => "file_exists",
            Self::Engine { .. } => "folder_state",
            Self::StateDamaged(_) => "state_damaged",
            Self::Terminal(_) => "terminal",
            Self::NobodyListens => "nobody_listens",
            Self::Interrupted(_) => "interrupted",
            Self::Ours(error) => error.code(),
        }
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> u8 {
        match self {
            Self::Usage(_) | Self::AddressInvalid(_) | Self::Missing(..) => exit::USAGE,
            Self::NotSignedIn
            | Self::NotSignedInAt(_)
            | Self::SignInEnded(_)
            | Self::WrongCredentials => exit::SIGN_IN,
            Self::Unreachable { .. }
            | Self::OutOfDate(_)
            | Self::NotSlipway(_)
            | Self::Protocol { .. } => exit::UNREACHABLE,
            Self::WorkspaceUnknown(_)
            | Self::WorkspaceAmbiguous { .. }
            | Self::TerminalUnknown(_) => exit::NOT_FOUND,
            Self::Token(_) => exit::KEYCHAIN,
            Self::Folder(_) => exit::FOLDER,
            // As the shell says of a program that wrote to nobody.
            Self::NobodyListens => 128 + 13,
            Self::Interrupted(signal) => signal_exit(*signal),
            Self::Ours(_) => exit::OURS,
            Self::NoHome
            | Self::NoDisplay
            | Self::ClosedDisplay
            | Self::NoWindow
            | Self::Window(_)
            | Self::Refused(_)
            | Self::Ended { .. }
            | Self::SessionEnded(_)
            | Self::NoTerminal
            | Self::NotRun(_)
            | Self::File { .. }
            | Self::Exists(_)
            | Self::Engine { .. }
            | Self::StateDamaged(_)
            | Self::Terminal(_) => exit::FAILED,
        }
    }

    /// The same of `run` and `terminal`, whose exit code is the program's otherwise.
    #[must_use]
    pub fn ours(self) -> Self {
        match self {
            Self::Ours(_) | Self::NobodyListens | Self::Interrupted(_) => self,
            error => Self::Ours(Box::new(error)),
        }
    }
}

/// Our own output: its reader may leave at any time.
impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyListens,
            _ => Self::Terminal(error),
        }
    }
}

/// As shells tell of a program that a signal ended.
#[must_use]
pub fn signal_exit(signal: i32) -> u8 {
    u8::try_from(128 + signal).unwrap_or(exit::FAILED)
}

/// A problem and its fields in words.
fn sentence(problem: &Problem) -> String {
    let fields = problem.fields.iter();
    let fields: String = fields
        .map(|field| format!("\n  {}: {}", field.field, field.message))
        .collect();
    format!("{}{fields}", problem.detail)
}

fn lines(found: &[(WorkspaceId, String)]) -> String {
    let line = |(id, name): &(WorkspaceId, String)| format!("  {id}  {name}");
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Why a server was not reached.
fn cause(error: &ClientError) -> String {
    match error {
        // A status tells itself with its number, and what was said of it is enough.
        ClientError::Stream(status)
            if status.source().is_none() && !status.message().is_empty() =>
        {
            status.message().to_owned()
        }
        error => innermost(error),
    }
}

/// The last cause of an error: what the system said.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
