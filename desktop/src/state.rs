//! The private state folder: who is signed in where, and which folders are workspaces. Every file is replaced as a whole,
//! so that programs that run at the same time see one state or the other.
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use slipway_api::account::Account;

use crate::error::CliError;
use crate::folder::Folders;
use crate::part::Part;
use crate::server::Address;
use crate::token::{TokenStore, Tokens};

/// Who is signed in at a server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignIn {
    /// Where.
    pub server: Address,
    /// The account's name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// Where the token is kept.
    pub token_store: TokenStore,
    /// The account as it was last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
}

/// The state folder.
#[derive(Clone, Debug)]
pub struct State {
    root: PathBuf,
}

impl State {
    /// Opens the folder, made if need be.
    ///
    /// # Errors
    /// When it cannot be made, or is another's.
    pub fn open(root: &Path) -> Result<Self, CliError> {
        private_folder(root).map_err(CliError::file(root))?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The tokens.
    #[must_use]
    pub fn tokens(&self) -> Tokens {
        Tokens::new(&self.root)
    }

    /// The folders that are kept in step.
    #[must_use]
    pub fn folders(&self) -> Folders {
        Folders::new(&self.root)
    }

    /// Who is signed in at a server.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn sign_in(&self, server: &Address) -> Result<Option<SignIn>, CliError> {
        read(&self.sign_in_file(server))
    }

    /// The server that was chosen last: by a sign-in, or in the window.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn current(&self) -> Result<Option<Address>, CliError> {
        read(&self.root.join("current.json"))
    }

    /// Remembers a sign-in; its server is the one that is spoken to from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, sign_in: &SignIn) -> Result<(), CliError> {
        self.note(sign_in)?;
        self.choose(&sign_in.server)
    }

    /// Remembers what is known of a sign-in.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn note(&self, sign_in: &SignIn) -> Result<(), CliError> {
        write(&self.sign_in_file(&sign_in.server), sign_in)
    }

    /// Speaks to a server from now on.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn choose(&self, server: &Address) -> Result<(), CliError> {
        write(&self.root.join("current.json"), server)
    }

    /// Forgets a sign-in.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(&self, server: &Address) -> Result<(), CliError> {
        let is_current = self.current()?.is_some_and(|current| current == *server);
        let current = is_current.then(|| self.root.join("current.json"));
        for path in current.into_iter().chain([self.sign_in_file(server)]) {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(CliError::file(path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn sign_in_file(&self, server: &Address) -> PathBuf {
        self.root.join("servers").join(server.file_name())
    }
}

/// Writes a record in the place of the one before.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &Path, record: &impl Serialize) -> Result<(), CliError> {
    let folder = path.parent().unwrap_or(path);
    private_folder(folder).map_err(CliError::file(path))?;
    let mut text =
        serde_json::to_vec_pretty(record).map_err(|error| CliError::file(path)(error.into()))?;
    text.push(b'\n');
    let mut part = Part::begin(path)?;
    part.add(&text)?;
    part.end(true)
}

/// Reads a record; `None` when there is none.
///
/// # Errors
/// When it cannot be read or understood.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, CliError> {
    match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|_| CliError::StateDamaged(path.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CliError::file(path)(error)),
    }
}

/// Makes a folder that only its owner enters, or closes one to others.
///
/// # Errors
/// When it is another's, or no folder.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    let found = std::fs::metadata(path)?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another account",
        ));
    }
    if found.mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_remembered_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("state");
        let state = State::open(&root).unwrap();
        assert_eq!(std::fs::metadata(&root).unwrap().mode() & 0o777, 0o700);
        assert_eq!(state.current().unwrap(), None);
        let sign_in = |server: &str| SignIn {
            server: Address::parse(server).unwrap(),
            name: "Ada".to_owned(),
            email: "ada@example.org".to_owned(),
            token_store: TokenStore::File,
            account: None,
        };
        let (first, second) = (sign_in("localhost:1"), sign_in("localhost:2"));
        state.keep(&first).unwrap();
        state.keep(&second).unwrap();
        assert_eq!(state.current().unwrap(), Some(second.server.clone()));
        assert_eq!(state.sign_in(&first.server).unwrap(), Some(first.clone()));
        state.forget(&first.server).unwrap();
        assert_eq!(state.sign_in(&first.server).unwrap(), None);
        assert_eq!(state.current().unwrap(), Some(second.server.clone()));
        state.forget(&second.server).unwrap();
        assert_eq!(state.current().unwrap(), None);
    }

    #[test]
    fn a_folder_that_others_can_enter_is_closed_and_a_damaged_record_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("state");
        std::fs::create_dir(&root).unwrap();
        std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o755)).unwrap();
        let state = State::open(&root).unwrap();
        assert_eq!(std::fs::metadata(&root).unwrap().mode() & 0o777, 0o700);
        std::fs::write(root.join("current.json"), "{").unwrap();
        assert!(matches!(state.current(), Err(CliError::StateDamaged(_))));
    }
}
