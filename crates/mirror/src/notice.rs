//! What a person is told about the files: in words, with a code that a client can act on.
use std::path::PathBuf;

use slipway_core::code::Code;
use slipway_core::path::RelPath;
use slipway_sync::ignore::RulesError;

/// Something that a person must know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Paths that cannot be kept in step now.
    Blocked {
        /// Why.
        code: Code,
        /// The first of them.
        path: RelPath,
        /// How many besides.
        more: usize,
    },
    /// Names that no hub takes.
    Odd {
        /// The first of them, with its folder, so that it can be read.
        first: String,
        /// How many besides.
        more: usize,
    },
    /// Two edits of one file were joined.
    Merged(RelPath),
    /// Two edits of one file could not be joined: both are there.
    Copied {
        /// Has the hub's.
        path: RelPath,
        /// Has what this disk had.
        copy: RelPath,
    },
    /// Deleted here while it was changed elsewhere: it came back.
    Restored(RelPath),
    /// A large part of all files was deleted here.
    Deleted {
        /// How many.
        many: usize,
        /// Of so many.
        of: usize,
        /// How many of them wait for a person's word before the hub is told.
        held: usize,
    },
    /// Rules came that would let in what was left out here.
    RulesHeld,
    /// The rules that the file has now cannot be followed.
    RulesRefused(RulesError),
    /// The same, and none were followed before: what they are to leave out is not known.
    RulesUnknown(RulesError),
    /// The hub tells of more files than a workspace may have.
    TooMuch,
    /// The folder is gone, or another one is in its place.
    Gone(PathBuf),
    /// A crash left files whose content is nowhere else.
    Recovered {
        /// How many.
        many: usize,
        /// Where they are.
        folder: PathBuf,
    },
}

impl Notice {
    /// The code that clients act on.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::Blocked { code, .. } => *code,
            Self::Odd { .. } => Code::PathInvalid,
            Self::Merged(_) => Code::EditsMerged,
            Self::Copied { .. } => Code::ConflictCopy,
            Self::Restored(_) => Code::EditKept,
            Self::Deleted { .. } => Code::ManyDeleted,
            Self::RulesHeld | Self::RulesRefused(_) | Self::RulesUnknown(_) => Code::PathIgnored,
            Self::TooMuch => Code::TooManyEntries,
            Self::Gone(_) => Code::FolderGone,
            Self::Recovered { .. } => Code::FilesRecovered,
        }
    }
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Blocked { code, path, more } => {
                write!(f, "\"{path}\"{}: {}.", and(*more), why(*code))
            }
            Self::Odd { first, more } => write!(
                f,
                "\"{first}\"{}: {}. Rename it.",
                and(*more),
                why(Code::PathInvalid)
            ),
            Self::Merged(path) => write!(
                f,
                "\"{path}\" was changed here and elsewhere at the same time. Both changes are in it now."
            ),
            Self::Copied { path, copy } => write!(
                f,
                "\"{path}\" was changed here and elsewhere in ways that do not go together. What was here is in \"{copy}\"."
            ),
            Self::Restored(path) => write!(
                f,
                "\"{path}\" was deleted here while it was changed elsewhere. The changed file came back."
            ),
            Self::Deleted { many, of, held } => {
                write!(f, "{many} of {of} files and folders were deleted. ")?;
                match *held {
                    0 => f.write_str("They can be brought back from the history."),
                    held if held == *many => f.write_str("They are kept until you confirm."),
                    held => write!(
                        f,
                        "{held} of them are kept until you confirm; the others went before and can be brought back from the history."
                    ),
                }
            }
            Self::RulesHeld => f.write_str(
                "\".slipwayignore\" was changed elsewhere so that it leaves out less. What it left out on this computer stays out until you change the file here.",
            ),
            Self::RulesUnknown(error) => write!(
                f,
                "\".slipwayignore\" cannot be followed: {error}. What it is to leave out is not known, so nothing but itself syncs in this folder until you change it."
            ),
            Self::RulesRefused(error) => write!(
                f,
                "\".slipwayignore\" cannot be followed: {error}. What it left out before stays out; what it says now counts for nothing."
            ),
            Self::TooMuch => f.write_str(
                "The server tells of more files than a workspace may have. Nothing more is taken from it before it is asked again.",
            ),
            Self::Gone(folder) => write!(
                f,
                "The folder {} is gone, or another one is in its place. Nothing is changed at the server; it goes on when the folder is back.",
                folder.display()
            ),
            Self::Recovered { many, folder } => write!(
                f,
                "After an unexpected end, {many} files whose content is nowhere else are kept for a week in {}.",
                folder.display()
            ),
        }
    }
}

fn and(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => " and one more".to_owned(),
        more => format!(" and {more} more"),
    }
}

/// Why a path is not in step, as the end of a sentence.
#[must_use]
pub const fn why(code: Code) -> &'static str {
    match code {
        Code::DiskFull => {
            "changes cannot be written because the disk is full. Free some space; it is tried again by itself"
        }
        Code::WriteFailed => "changes cannot be written to the disk. It is tried again by itself",
        Code::FileContested => {
            "changed back and forth by a program here and one elsewhere. It stays as it is here until that ends; let only one of them write it"
        }
        Code::PathTaken => {
            "cannot come to this disk because something that does not sync has its name here. Rename or remove that; it comes by itself then"
        }
        Code::FileUnreadable => "cannot be read, so changes of it are not saved. Allow reading it",
        Code::FileTooLarge => {
            "larger than 100 MiB, so it stays on this disk only. Name it in .slipwayignore, or make it smaller"
        }
        Code::WorkspaceFull => {
            "not saved because the workspace is full. Delete something; it is tried again by itself"
        }
        Code::TooManyEntries => {
            "not saved because the workspace has too many files. Delete some; it is tried again by itself"
        }
        Code::LinkEscapes => "a link that leads out of the workspace is not carried over",
        Code::PathCaseClash => {
            "differs from another name only in letter case or accents, so it stays on this disk only"
        }
        Code::PathReserved | Code::PathInvalid => {
            "a name that other systems cannot hold, so it stays on this disk only"
        }
        Code::WorkspaceInactive => "not saved because the workspace is archived or in the trash",
        _ => "not saved. It is tried again when it changes",
    }
}
