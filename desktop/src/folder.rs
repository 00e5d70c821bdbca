//! Folders of this machine that are workspaces: which there are, and which may become one. Long because its tests
//! show every refusal.
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, FlockOperation};
use serde::{Deserialize, Serialize};
use slipway_api::workspace::Workspace;
use slipway_core::id::{Id as _, ReplicaId, SessionId, WorkspaceId};
use slipway_mirror::disk::root;
use time::OffsetDateTime;

use crate::clock;
use crate::error::CliError;
use crate::server::Address;
use crate::state;

/// A folder that is a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Where it lies, without a link on the way.
    pub path: PathBuf,
    /// The workspace that it is a copy of; none while no server knows it.
    #[serde(flatten)]
    pub remote: Option<Remote>,
    /// Its name: the workspace's when the folder was taken.
    pub name: String,
    /// This copy of the workspace.
    pub replica: ReplicaId,
    /// Which folder it is: another one in its place is not it.
    pub root: String,
    /// When it was last opened in the app.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub opened_at: Option<OffsetDateTime>,
}

/// A workspace at a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remote {
    /// The server.
    pub server: Address,
    /// The workspace.
    pub workspace: WorkspaceId,
}

/// Why a folder cannot be kept in step.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A link.
    #[error("{} is a link. Name the folder that it leads to.", .0.display())]
    Link(PathBuf),
    /// No folder.
    #[error("{} is not a folder. Name another one.", .0.display())]
    NotFolder(PathBuf),
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
    #[error("{} is kept in step by another process already. `slipway status` tells how it stands.", .0.display())]
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
    /// No server knows it.
    #[error("{} is a workspace of this machine only. Upload it in the app first.", .0.display())]
    OnlyHere(PathBuf),
    /// Not one of ours.
    #[error("{} is not kept in step with a workspace. Begin with: slipway mirror WORKSPACE DIR", .0.display())]
    Unknown(PathBuf),
}

impl FolderError {
    /// A stable code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Link(_) => "folder_is_link",
            Self::NotFolder(_) => "not_a_folder",
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
            Self::OnlyHere(_) => "only_here",
            Self::Unknown(_) => "folder_unknown",
        }
    }
}

/// The folders of this machine.
#[derive(Clone, Debug)]
pub struct Folders {
    state: PathBuf,
}

impl Folders {
    /// Those that a state folder knows.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self {
            state: state.to_owned(),
        }
    }

    /// All, by their path.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn all(&self) -> Result<Vec<Folder>, CliError> {
        let list = self.state.join("folders");
        let entries = match std::fs::read_dir(&list) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(CliError::file(&list))?,
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry.map_err(CliError::file(&list))?;
            all.extend(state::read::<Folder>(&entry.path().join("folder.json"))?);
        }
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all)
    }

    /// The folder that a path is, or lies in.
    ///
    /// # Errors
    /// When the path or a record cannot be read.
    pub fn around(&self, path: &Path) -> Result<Option<Folder>, CliError> {
        let path = path.canonicalize().map_err(CliError::file(path))?;
        let all = self.all()?;
        Ok(all
            .into_iter()
            .find(|folder| path.starts_with(&folder.path)))
    }

    /// The folder that lies at a path, if it was taken.
    ///
    /// # Errors
    /// When a record cannot be read.
    pub fn at(&self, path: &Path) -> Result<Option<Folder>, CliError> {
        let is_link = std::fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink());
        let Some(path) = path.canonicalize().ok().filter(|_| !is_link) else {
            return Ok(None);
        };
        Ok(self.all()?.into_iter().find(|folder| folder.path == path))
    }

    /// Takes a folder for a workspace: one that was taken for it before, or an empty one, made if need be.
    ///
    /// # Errors
    /// When it must not be taken.
    pub fn take(
        &self,
        path: &Path,
        server: &Address,
        workspace: &Workspace,
    ) -> Result<Folder, CliError> {
        let remote = Some(Remote {
            server: server.clone(),
            workspace: workspace.id,
        });
        match self.place(path)? {
            Place::Known(known) if known.remote == remote => {
                writable(&known.path)?;
                Ok(known)
            }
            Place::Known(known) => {
                let (path, name) = (known.path, known.name);
                Err(FolderError::Taken { path, name }.into())
            }
            Place::Free(path) => {
                make(&path)?;
                self.record(path, workspace.name.clone(), remote)
            }
        }
    }

    /// Makes a folder that no server knows: an empty one, or one that is not there yet.
    ///
    /// # Errors
    /// When it must not be taken.
    pub fn make(&self, path: &Path, name: &str) -> Result<Folder, CliError> {
        match self.place(path)? {
            Place::Known(known) => {
                let (path, name) = (known.path, known.name);
                Err(FolderError::Taken { path, name }.into())
            }
            Place::Free(path) => {
                make(&path)?;
                self.record(path, name.to_owned(), None)
            }
        }
    }

    /// Opens a folder as it is, with all that lies in it; one that is known is what it was.
    ///
    /// # Errors
    /// When it is none, or must not be one.
    pub fn open(&self, path: &Path) -> Result<Folder, CliError> {
        match self.place(path)? {
            Place::Known(known) => {
                writable(&known.path)?;
                Ok(known)
            }
            Place::Free(path) => {
                if !path.is_dir() {
                    return Err(FolderError::NotFolder(path).into());
                }
                writable(&path)?;
                let name = path.file_name().unwrap_or_default();
                let name = name.to_string_lossy().into_owned();
                self.record(path, name, None)
            }
        }
    }

    /// What is known of a path, which is apart from every folder of ours if nothing is.
    fn place(&self, path: &Path) -> Result<Place, CliError> {
        let path = resolve(path)?;
        let (known, others): (Vec<_>, Vec<_>) = self
            .all()?
            .into_iter()
            .partition(|folder| folder.path == path);
        let (there, gone): (Vec<_>, Vec<_>) = known.into_iter().partition(Folder::is_there);
        if let Some(known) = there.into_iter().next() {
            return Ok(Place::Known(known));
        }
        self.is_apart(&path, &others)?;
        for gone in gone {
            // Its record tells of a folder that no longer exists.
            self.forget(&gone)?;
        }
        Ok(Place::Free(path))
    }

    fn record(
        &self,
        path: PathBuf,
        name: String,
        remote: Option<Remote>,
    ) -> Result<Folder, CliError> {
        let fresh = clock::fresh_uuid();
        let folder = Folder {
            root: root::identity(&path, &fresh.to_string()).map_err(CliError::file(&path))?,
            path,
            remote,
            name,
            replica: ReplicaId::from_uuid(fresh),
            opened_at: None,
        };
        self.keep(&folder)?;
        Ok(folder)
    }

    /// Writes what is known of a folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, folder: &Folder) -> Result<(), CliError> {
        state::write(&self.home(folder).join("folder.json"), folder)
    }

    /// Forgets a folder; its files stay.
    ///
    /// # Errors
    /// When its record cannot be removed.
    pub fn forget(&self, folder: &Folder) -> Result<(), CliError> {
        let home = self.home(folder);
        match std::fs::remove_dir_all(&home) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(CliError::file(home)(error))
            }
            _ => Ok(()),
        }
    }

    /// Looks whether a folder that is new to us lies apart from every other and from what is ours.
    fn is_apart(&self, path: &Path, others: &[Folder]) -> Result<(), CliError> {
        for other in others.iter().filter(|folder| folder.is_there()) {
            let (path, other) = (path.to_owned(), other.path.clone());
            if path.starts_with(&other) {
                return Err(FolderError::Inside { path, other }.into());
            }
            if other.starts_with(&path) {
                return Err(FolderError::Around { path, other }.into());
            }
        }
        let state = self.state.canonicalize();
        let state = state.map_err(CliError::file(&self.state))?;
        if state.starts_with(path) || path.starts_with(&state) {
            return Err(FolderError::State(path.to_owned()).into());
        }
        Ok(())
    }

    /// Where what belongs to a folder is kept.
    #[must_use]
    pub fn home(&self, folder: &Folder) -> PathBuf {
        self.state.join("folders").join(folder.replica.to_string())
    }

    /// Makes a folder ours alone for as long as what comes back lives; `None` while another process has it.
    ///
    /// # Errors
    /// When the lock cannot be made.
    pub fn lock(&self, folder: &Folder) -> Result<Option<File>, CliError> {
        let path = self.home(folder).join("lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(CliError::file(&path))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(file)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(CliError::file(path)(error.into())),
        }
    }
}

/// What is known of a path.
enum Place {
    Known(Folder),
    Free(PathBuf),
}

impl Folder {
    /// Its id on this machine.
    #[must_use]
    pub fn id(&self) -> WorkspaceId {
        WorkspaceId::from_uuid(self.replica.uuid())
    }

    /// The id under which its terminals on this machine are asked for.
    #[must_use]
    pub fn terminals(&self) -> SessionId {
        SessionId::from_uuid(self.replica.uuid())
    }

    /// The workspace that it is a copy of.
    ///
    /// # Errors
    /// When no server knows it.
    pub fn remote(&self) -> Result<&Remote, FolderError> {
        let only_here = || FolderError::OnlyHere(self.path.clone());
        self.remote.as_ref().ok_or_else(only_here)
    }

    /// Whether the folder that was taken still stands at its path.
    #[must_use]
    pub fn is_there(&self) -> bool {
        root::known(&self.path).is_ok_and(|root| root.as_ref() == Some(&self.root))
    }
}

/// A folder's path without links, also of one that is not there yet. The last part itself must be no link.
fn resolve(path: &Path) -> Result<PathBuf, CliError> {
    // A slash at the end would follow a link.
    let path: PathBuf = path.components().collect();
    match std::fs::symlink_metadata(&path) {
        Ok(found) if found.is_symlink() => Err(FolderError::Link(path).into()),
        Ok(found) if !found.is_dir() => Err(FolderError::NotFolder(path).into()),
        Ok(_) => path.canonicalize().map_err(CliError::file(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().unwrap_or_default();
            let above = match path.parent() {
                Some(above) if !above.as_os_str().is_empty() => above,
                _ => Path::new("."),
            };
            let above = above.canonicalize().map_err(CliError::file(above))?;
            Ok(above.join(name))
        }
        Err(error) => Err(CliError::file(path)(error)),
    }
}

/// A workspace's name as that of a file or folder here.
#[must_use]
pub fn file_name(workspace: &str) -> String {
    let plain = workspace.replace(['/', '\\', '\0'], "-");
    let plain = plain.trim_start_matches(['.', '-']);
    let name = if plain.is_empty() { "workspace" } else { plain };
    name.to_owned()
}

/// Sees to an empty folder that can be written.
fn make(path: &Path) -> Result<(), CliError> {
    match std::fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => made.map_err(CliError::file(path))?,
    }
    writable(path)?;
    let mut entries = std::fs::read_dir(path).map_err(CliError::file(path))?;
    if entries.next().is_some() {
        return Err(FolderError::NotEmpty(path.to_owned()).into());
    }
    Ok(())
}

fn writable(path: &Path) -> Result<(), CliError> {
    let wanted = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::access(path, wanted).map_err(|error| {
        let (path, source) = (path.to_owned(), error.into());
        FolderError::NotWritable { path, source }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lab {
        folder: tempfile::TempDir,
        folders: Folders,
    }

    fn workspace(id: u8) -> Workspace {
        let json = serde_json::json!({
            "id": format!("0199aaaa-0000-7000-8000-0000000000{id:02}"), "name": format!("w{id}"),
            "template": "empty", "head": 1, "entries": 0, "bytes": 0,
            "created_at": "2026-01-01T00:00:00Z", "changed_at": "2026-01-01T00:00:00Z",
        });
        serde_json::from_value(json).unwrap()
    }

    impl Lab {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            std::fs::create_dir(folder.path().join("state")).unwrap();
            let folders = Folders::new(&folder.path().join("state"));
            Self { folder, folders }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn take(&self, name: &str, id: u8) -> Result<Folder, &'static str> {
            let server = Address::parse("localhost:1").unwrap();
            let taken = self.folders.take(&self.path(name), &server, &workspace(id));
            taken.map_err(|error| error.code())
        }
    }

    #[test]
    fn a_folder_is_taken_once_and_found_again() {
        let lab = Lab::new();
        let taken = lab.take("a", 1).unwrap();
        std::fs::write(lab.path("a/mine.txt"), "mine").unwrap();
        assert_eq!(lab.take("a", 1).unwrap(), taken);
        assert_eq!(lab.take("a", 2), Err("folder_taken"));
        let inside = lab.folders.around(&lab.path("a/mine.txt")).unwrap();
        assert_eq!(inside.as_ref(), Some(&taken));
        assert_eq!(lab.folders.around(lab.folder.path()).unwrap(), None);
    }

    #[test]
    fn what_must_not_be_taken_is_refused_by_name() {
        let lab = Lab::new();
        std::fs::create_dir_all(lab.path("outer/inner")).unwrap();
        lab.take("outer/inner", 1).unwrap();
        std::fs::create_dir(lab.path("full")).unwrap();
        std::fs::write(lab.path("full/x"), "x").unwrap();
        std::os::unix::fs::symlink(lab.path("full"), lab.path("link")).unwrap();
        for (name, code) in [
            ("outer/inner/deep", "folder_inside"),
            ("outer", "folder_around"),
            ("full", "folder_not_empty"),
            ("full/x", "not_a_folder"),
            ("link", "folder_is_link"),
            ("link/", "folder_is_link"),
            ("", "folder_around"),
            ("state/x", "folder_is_state"),
            ("missing/x", "file"),
        ] {
            assert_eq!(lab.take(name, 2).map(drop), Err(code), "{name}");
        }
        assert_eq!(std::fs::read(lab.path("full/x")).unwrap(), b"x");
        assert!(!lab.path("outer/inner/deep").exists(), "nothing was made");
    }

    #[test]
    fn another_folder_in_the_same_place_is_another_folder() {
        let lab = Lab::new();
        let first = lab.take("a", 1).unwrap();
        std::fs::remove_dir(lab.path("a")).unwrap();
        std::fs::create_dir(lab.path("a")).unwrap();
        std::fs::write(lab.path("a/x"), "x").unwrap();
        assert_eq!(lab.take("a", 1), Err("folder_not_empty"));
        std::fs::remove_file(lab.path("a/x")).unwrap();
        let second = lab.take("a", 1).unwrap();
        assert_ne!(first.replica, second.replica);
        assert_eq!(lab.folders.all().unwrap(), [second]);
    }

    #[test]
    fn a_folder_with_files_is_opened_as_it_is_and_never_becomes_a_copy_of_another_workspace() {
        let lab = Lab::new();
        std::fs::create_dir(lab.path("full")).unwrap();
        std::fs::write(lab.path("full/x"), "x").unwrap();
        let opened = lab.folders.open(&lab.path("full")).unwrap();
        assert_eq!((opened.name.as_str(), &opened.remote), ("full", &None));
        assert_eq!(lab.folders.open(&lab.path("full")).unwrap(), opened);
        assert_eq!(lab.take("full", 1), Err("folder_taken"));
        let inside = lab.folders.open(&lab.path("full/x"));
        assert_eq!(
            inside.map_err(|error| error.code()).map(drop),
            Err("not_a_folder")
        );
        let missing = lab.folders.open(&lab.path("missing"));
        assert_eq!(
            missing.map_err(|error| error.code()).map(drop),
            Err("not_a_folder")
        );
        lab.folders.forget(&opened).unwrap();
        assert_eq!(lab.folders.all().unwrap(), []);
        assert_eq!(std::fs::read(lab.path("full/x")).unwrap(), b"x");
        // A copy is opened as what it is.
        let copy = lab.take("copy", 1).unwrap();
        assert_eq!(lab.folders.open(&lab.path("copy")).unwrap(), copy);
    }

    #[test]
    fn a_workspaces_name_makes_a_file_in_this_folder() {
        assert_eq!(file_name("tides"), "tides");
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_name("-"), "workspace");
    }

    #[test]
    fn a_record_of_before_is_read() {
        let old = serde_json::json!({
            "path": "/w", "server": "http://localhost:1", "name": "w", "root": "r",
            "workspace": "0199aaaa-0000-7000-8000-000000000001",
            "replica": "0199aaaa-0000-7000-8000-000000000002",
        });
        let read: Folder = serde_json::from_value(old).unwrap();
        assert_eq!(read.remote.unwrap().server.as_str(), "http://localhost:1");
        let local = serde_json::json!({
            "path": "/w", "name": "w", "root": "r", "replica": "0199aaaa-0000-7000-8000-000000000002",
        });
        let read: Folder = serde_json::from_value(local).unwrap();
        assert_eq!(read.remote, None);
    }

    #[test]
    fn one_process_has_a_folder_at_a_time() {
        let lab = Lab::new();
        let taken = lab.take("a", 1).unwrap();
        let lock = lab.folders.lock(&taken).unwrap();
        assert!(lock.is_some());
        assert!(lab.folders.lock(&taken).unwrap().is_none());
        drop(lock);
        assert!(lab.folders.lock(&taken).unwrap().is_some());
    }
}
