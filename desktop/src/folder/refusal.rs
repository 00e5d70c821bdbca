//! Why a folder cannot be a workspace, in words that say what to do.
use std::io;
use std::path::PathBuf;

/// Why a folder cannot be kept in step.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A link.
    #[error("{} is a link. Name the folder that it leads to.", .0.display())]
    Link(PathBuf),
    /// No folder.
    #[error("{} is not a folder. Name another one.", .0.display())]
    NotFolder(PathBuf),
    /// Nothing stands there.
    #[error("{} is not there. Look how it is spelled.", .0.display())]
    Missing(PathBuf),
    /// Inside of another.
    #[error("{} lies inside {}, which is kept in step already. Choose a folder outside of it.", .path.display(), .other.display())]
    Inside {
        /// The folder.
        path: PathBuf,
        /// The one around it.
        other: PathBuf,
    },
    /// Around another.
    #[error("{} holds {}, which is kept in step already. Choose a folder that does not.", .path.display(), .other.display())]
    Around {
        /// The folder.
        path: PathBuf,
        /// The one inside it.
        other: PathBuf,
    },
    /// Slipway's own state is there.
    #[error("{} and Slipway's own state folder lie inside each other. Choose another folder.", .0.display())]
    State(PathBuf),
    /// Not to be written.
    #[error("{} cannot be written: {source}. Allow it, or choose another folder.", .path.display())]
    NotWritable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Somebody's files are there.
    #[error("{} is not empty and was never kept in step. Choose an empty folder; files can be moved into it afterwards.", .0.display())]
    NotEmpty(PathBuf),
    /// Of another workspace.
    #[error("{} is a copy of the workspace \"{name}\". Choose another folder.", .path.display())]
    Taken {
        /// The folder.
        path: PathBuf,
        /// Its workspace.
        name: String,
    },
    /// Another process keeps it in step.
    #[error("{} is kept in step by another process already. End that first.", .0.display())]
    InUse(PathBuf),
    /// A fault of ours.
    #[error("{} is no longer kept in step, by a fault of Slipway's. Start it again; nothing is lost.", .0.display())]
    Ended(PathBuf),
    /// More than a workspace.
    #[error("{} is too much for a workspace. Open a folder inside of it.", .0.display())]
    Whole(PathBuf),
    /// Another folder stands there, or none.
    #[error("{} is no longer the folder that was opened: it is gone, or another one stands there. Put it back, or remove it from the list.", .0.display())]
    Gone(PathBuf),
    /// Where it lay is not there.
    #[error("{} lay on a disk that is not connected, or in a folder that is gone, too. Bring that back; it goes on from there by itself.", .0.display())]
    Away(PathBuf),
    /// No server knows it.
    #[error("{} is a workspace of this machine only. Upload it in the app first.", .0.display())]
    OnlyHere(PathBuf),
    /// Not one of ours.
    #[error("{} is not kept in step with a workspace.", .0.display())]
    Unknown(PathBuf),
}

impl FolderError {
    /// A stable code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Link(_) => "folder_is_link",
            Self::NotFolder(_) => "not_a_folder",
            Self::Missing(_) => "folder_missing",
            Self::Inside { .. } => "folder_inside",
            Self::Around { .. } => "folder_around",
            Self::State(_) => "folder_is_state",
            Self::NotWritable { .. } => "folder_not_writable",
            Self::NotEmpty(_) => "folder_not_empty",
            Self::Taken { .. } => "folder_taken",
            Self::InUse(_) => "folder_in_use",
            Self::Ended(_) => "folder_ended",
            Self::Whole(_) => "folder_whole",
            Self::Gone(_) => "folder_gone",
            Self::Away(_) => "folder_away",
            Self::OnlyHere(_) => "only_here",
            Self::Unknown(_) => "folder_unknown",
        }
    }
}
