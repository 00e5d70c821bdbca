//! Folders of this machine that are workspaces: which there are, and which may become one.
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
pub use refusal::FolderError;

mod again;
mod names;
mod refusal;

/// A folder that is a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Folder {
    /// Where it lies, without a link on the way.
    pub path: PathBuf,
    /// The workspace that it is a copy of; none while no server knows it.
    #[serde(flatten)]
    pub remote: Option<Remote>,
    /// What its workspace is called, as far as was heard; the folder on the disk may have another name.
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
    /// When nothing stands at the path, or it or a record cannot be read.
    pub fn around(&self, path: &Path) -> Result<Option<Folder>, CliError> {
        let path = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FolderError::Missing(path.to_owned()).into(),
            _ => CliError::file(path)(error),
        })?;
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
                self.hear_names(server, std::slice::from_ref(workspace))?;
                let name = workspace.name.clone();
                Ok(Folder { name, ..known })
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
    let is_out = |character: char| matches!(character, '/' | '\\') || character.is_control();
    let plain = workspace.replace(is_out, "-");
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
mod tests;
