//! Where the token of this device is kept: the system's keychain, or a file that only its owner reads when a person chose
//! that. Nothing else ever holds it: no argument, no log, no variable of the environment.
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use slipway_api::desktop::Keychain;
use slipway_core::secret::Secret;

use crate::clock;
use crate::server::Address;

/// As the keychain lists it.
const SERVICE: &str = "slipway";
/// Begin of the name of what is kept for a moment to see whether the keychain can be written.
const PROBE: &str = "slipway-probe";
/// A token is shorter by far.
const TOKEN_BYTES_MAX: u64 = 4096;
/// A keychain that waits longer waits for a person.
const KEYCHAIN_WITHIN: Duration = Duration::from_secs(5);

/// Where a token is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum TokenStore {
    /// The system's keychain.
    Keychain,
    /// A file that only you can read.
    File,
    /// Nowhere: it ends with the process.
    Memory,
}

impl std::fmt::Display for TokenStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Keychain => "the system's keychain",
            Self::File => "a file that only you can read",
            Self::Memory => "memory",
        })
    }
}

/// Why a token cannot be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// There is no keychain, or it is locked.
    #[error(
        "There is no system keychain to keep the token in ({0}). Unlock or install one (on Debian: gnome-keyring), or choose a file that only you can read."
    )]
    NoKeychain(String),
    /// The keychain has no token for a server at which somebody signed in.
    #[error("The system's keychain holds no token for {0}. Unlock it, or sign in again.")]
    NotInKeychain(Address),
    /// The file is gone.
    #[error("The token for {0} is no longer in its file. Sign in again.")]
    NotInFile(Address),
    /// Others can read the file.
    #[error("{} can be read by others, so its token is not used. Sign in again, and sign the old device out.", .0.display())]
    FileOpenToOthers(PathBuf),
    /// The file cannot be read or written.
    #[error("{} cannot be used: {source}.", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The command line has no process that stays.
    #[error(
        "A token in memory ends with this command, so nobody would be signed in. Choose keychain or file."
    )]
    MemoryEnds,
}

impl TokenError {
    /// A stable code for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoKeychain(_) => "no_keychain",
            Self::NotInKeychain(_) | Self::NotInFile(_) => "token_missing",
            Self::FileOpenToOthers(_) => "token_exposed",
            Self::File { .. } => "token_file",
            Self::MemoryEnds => "memory_ends",
        }
    }
}

/// The tokens of this machine.
#[derive(Clone, Debug)]
pub struct Tokens {
    folder: PathBuf,
    /// Those that end with the process; a command that is over at once has none.
    memory: Option<Memory>,
}

type Memory = Arc<Mutex<HashMap<String, Secret>>>;

impl Tokens {
    /// With files below the private state folder.
    #[must_use]
    pub fn new(state: &Path) -> Self {
        Self {
            folder: state.join("tokens"),
            memory: None,
        }
    }

    /// The same for a process that stays: tokens can be in its memory only.
    #[must_use]
    pub fn in_memory_too(self) -> Self {
        Self {
            memory: Some(Memory::default()),
            ..self
        }
    }

    /// Whether a token may be there: one in the memory of a process that ended is not.
    #[must_use]
    pub fn may_have(&self, store: TokenStore, server: &Address) -> bool {
        store != TokenStore::Memory || self.remembered(server).is_some()
    }

    fn remembered(&self, server: &Address) -> Option<Secret> {
        let memory = self.memory.as_ref()?.lock();
        let memory = memory.unwrap_or_else(PoisonError::into_inner);
        memory.get(server.as_str()).cloned()
    }

    /// What the system offers for keeping secrets now.
    pub async fn keychain(&self) -> Keychain {
        match tokio::time::timeout(KEYCHAIN_WITHIN, probe()).await {
            Ok(Ok(())) => Keychain::Ready,
            Ok(Err(keyring::Error::NoStorageAccess(_))) | Err(_) => Keychain::Locked,
            Ok(Err(_)) => Keychain::Absent,
        }
    }

    /// Where a server's token lies when it is kept in a file.
    #[must_use]
    pub fn file(&self, server: &Address) -> PathBuf {
        self.folder.join(server.file_name()).with_extension("token")
    }

    /// Whether the keychain takes something and gives it back.
    ///
    /// # Errors
    /// When it does not.
    pub async fn probe_keychain(&self) -> Result<(), TokenError> {
        probe()
            .await
            .map_err(|error| TokenError::NoKeychain(reason(&error)))
    }

    /// Keeps a token.
    ///
    /// # Errors
    /// When it cannot be kept there.
    pub async fn keep(
        &self,
        store: TokenStore,
        server: &Address,
        token: &Secret,
    ) -> Result<(), TokenError> {
        match store {
            TokenStore::Keychain => {
                let token = token.clone();
                keychain(server.as_str(), move |entry| {
                    entry.set_password(token.expose())
                })
                .await
                .map_err(|error| TokenError::NoKeychain(reason(&error)))
            }
            TokenStore::File => {
                let path = self.file(server);
                self.write(&path, token)
                    .map_err(|source| TokenError::File { path, source })
            }
            TokenStore::Memory => {
                let memory = self.memory.as_ref().ok_or(TokenError::MemoryEnds)?;
                let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                memory.insert(server.as_str().to_owned(), token.clone());
                Ok(())
            }
        }
    }

    /// The token for a server.
    ///
    /// # Errors
    /// When it is not there, or must not be used.
    pub async fn find(&self, store: TokenStore, server: &Address) -> Result<Secret, TokenError> {
        match store {
            TokenStore::Keychain => keychain(server.as_str(), |entry| entry.get_password())
                .await
                .map(Secret::new)
                .map_err(|error| match error {
                    keyring::Error::NoEntry => TokenError::NotInKeychain(server.clone()),
                    error => TokenError::NoKeychain(reason(&error)),
                }),
            TokenStore::File => read(&self.file(server), server),
            TokenStore::Memory => self.remembered(server).ok_or(TokenError::MemoryEnds),
        }
    }

    /// Forgets the token for a server; one that is not there is forgotten already.
    ///
    /// # Errors
    /// When it may still be there.
    pub async fn forget(&self, store: TokenStore, server: &Address) -> Result<(), TokenError> {
        match store {
            TokenStore::Keychain => {
                match keychain(server.as_str(), |entry| entry.delete_credential()).await {
                    Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
                    Err(error) => Err(TokenError::NoKeychain(reason(&error))),
                }
            }
            TokenStore::File => {
                let path = self.file(server);
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        Err(TokenError::File {
                            path,
                            source: error,
                        })
                    }
                    _ => Ok(()),
                }
            }
            TokenStore::Memory => {
                if let Some(memory) = &self.memory {
                    let mut memory = memory.lock().unwrap_or_else(PoisonError::into_inner);
                    memory.remove(server.as_str());
                }
                Ok(())
            }
        }
    }

    /// Writes a file of which nobody else sees even the beginning.
    fn write(&self, path: &Path, token: &Secret) -> io::Result<()> {
        crate::state::private_folder(&self.folder)?;
        // Made for the owner alone.
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(token.expose().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    }
}

/// Keeps something in the keychain for a moment, under a name of its own: others may look at the same time.
async fn probe() -> Result<(), keyring::Error> {
    keychain(&format!("{PROBE}-{}", clock::fresh_uuid()), |entry| {
        entry.set_password("probe")?;
        entry.get_password()?;
        entry.delete_credential()
    })
    .await
}

/// Asks the keychain, on a thread that may wait for a person to unlock it.
async fn keychain<T: Send + 'static>(
    user: &str,
    ask: impl FnOnce(&keyring::Entry) -> Result<T, keyring::Error> + Send + 'static,
) -> Result<T, keyring::Error> {
    let user = user.to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        let entry = keyring::Entry::new(SERVICE, &user)?;
        ask(&entry)
    });
    asked.await.unwrap_or(Err(keyring::Error::NoDefaultStore))
}

/// What a keychain's error says to a person.
fn reason(error: &keyring::Error) -> String {
    match error {
        keyring::Error::NoDefaultStore => "none is running".to_owned(),
        keyring::Error::NoStorageAccess(_) => "it is locked and nobody unlocked it".to_owned(),
        error => error.to_string(),
    }
}

fn read(path: &Path, server: &Address) -> Result<Secret, TokenError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => TokenError::NotInFile(server.clone()),
        _ => TokenError::File {
            path: path.to_owned(),
            source,
        },
    };
    let file = File::options()
        .read(true)
        .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
        .map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if found.mode() & 0o077 != 0 || found.uid() != rustix::process::geteuid().as_raw() {
        return Err(TokenError::FileOpenToOthers(path.to_owned()));
    }
    let mut token = String::new();
    file.take(TOKEN_BYTES_MAX)
        .read_to_string(&mut token)
        .map_err(failed)?;
    Ok(Secret::new(token.trim()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_file_keeps_a_token_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(folder.path());
        let server = Address::parse("localhost:1").unwrap();
        let token = Secret::new("quiet");
        tokens
            .keep(TokenStore::File, &server, &token)
            .await
            .unwrap();
        let path = tokens.file(&server);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
        let found = tokens.find(TokenStore::File, &server).await.unwrap();
        assert_eq!(found, token);

        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let exposed = tokens.find(TokenStore::File, &server).await;
        assert!(matches!(exposed, Err(TokenError::FileOpenToOthers(_))));

        tokens.forget(TokenStore::File, &server).await.unwrap();
        tokens.forget(TokenStore::File, &server).await.unwrap();
        let gone = tokens.find(TokenStore::File, &server).await;
        assert!(matches!(gone, Err(TokenError::NotInFile(_))));
    }

    #[tokio::test]
    async fn a_link_in_the_place_of_a_token_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let tokens = Tokens::new(folder.path());
        let server = Address::parse("localhost:1").unwrap();
        let elsewhere = folder.path().join("elsewhere");
        std::fs::write(&elsewhere, "planted").unwrap();
        std::fs::create_dir_all(tokens.file(&server).parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&elsewhere, tokens.file(&server)).unwrap();
        let found = tokens.find(TokenStore::File, &server).await;
        assert!(matches!(found, Err(TokenError::File { .. })), "{found:?}");
    }

    #[tokio::test]
    async fn memory_keeps_nothing_over_commands() {
        let tokens = Tokens::new(Path::new("/nowhere"));
        let server = Address::parse("localhost:1").unwrap();
        let kept = tokens
            .keep(TokenStore::Memory, &server, &Secret::new("x"))
            .await;
        assert!(matches!(kept, Err(TokenError::MemoryEnds)));
        let tokens = tokens.in_memory_too();
        assert!(!tokens.may_have(TokenStore::Memory, &server));
        let token = Secret::new("x");
        tokens
            .keep(TokenStore::Memory, &server, &token)
            .await
            .unwrap();
        let found = tokens.find(TokenStore::Memory, &server).await.unwrap();
        assert_eq!(found, token);
        tokens.forget(TokenStore::Memory, &server).await.unwrap();
        assert!(!tokens.may_have(TokenStore::Memory, &server));
    }
}
