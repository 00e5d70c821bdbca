//! `Kept`: a folder that is being kept: its engine, its connection if a server knows it, and how it stands.
use std::fs::File;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use slipway_client::error::ClientError;
use slipway_client::rest::Client;
use slipway_core::id::ReplicaId;
use slipway_mirror::engine::{Brake, Engine, EngineError, Input, Settings};
use slipway_mirror::follow::{Follow, Incoming, Outgoing, Reason, Standing};
use slipway_mirror::notice::Notice;
use slipway_mirror::view::View;
use tokio::sync::{broadcast, oneshot, watch};

use crate::error::CliError;
use crate::folder::{Folder, FolderError, Folders, Remote};
use crate::server::Address;
use stand::{Apart, OpenConflict, Stand, Word};

pub mod stand;

/// Gives the client to dial with, asked before each dial: somebody may have signed in or out since the last.
pub type Dialler = Box<dyn Fn() -> BoxFuture<'static, Result<Client, Reason>> + Send + Sync>;

/// A folder that is being kept.
pub struct Kept {
    folder: watch::Sender<Folder>,
    engine: Engine,
    follow: OnceLock<Follow>,
    /// Nobody else keeps it meanwhile.
    lock: Mutex<Option<File>>,
}

impl Kept {
    /// Begins to keep a folder. Its conflict copies are named after this machine.
    ///
    /// # Errors
    /// When another process keeps it, or it cannot be opened.
    pub fn start(folders: &Folders, folder: &Folder, host: &str) -> Result<Self, CliError> {
        if !folder.is_there() {
            return Err(FolderError::Gone(folder.path.clone()).into());
        }
        let lock = folders.lock(folder)?;
        let lock = lock.ok_or_else(|| FolderError::InUse(folder.path.clone()))?;
        let settings = Settings {
            root: folder.path.clone(),
            state: folders.home(folder).join("engine"),
            name: short(host),
            fresh_id: folder.root.clone(),
            brake: Brake::Ask,
            undo: true,
        };
        let engine = Engine::start(settings).map_err(|error| match error {
            EngineError::Disk(source) => CliError::file(&folder.path)(source),
            EngineError::Base(source) => CliError::Engine {
                path: folders.home(folder),
                source,
            },
        })?;
        Ok(Self {
            folder: watch::channel(folder.clone()).0,
            engine,
            follow: OnceLock::new(),
            lock: Mutex::new(Some(lock)),
        })
    }

    /// The same, in step with its workspace by this client.
    ///
    /// # Errors
    /// When it cannot be kept, or no server knows it.
    pub fn following(
        folders: &Folders,
        folder: &Folder,
        client: &Client,
        host: &str,
    ) -> Result<Self, CliError> {
        let remote = folder.remote()?.clone();
        let kept = Self::start(folders, folder, host)?;
        let client = client.clone();
        kept.follow(
            remote,
            Box::new(move || std::future::ready(Ok(client.clone())).boxed()),
        );
        Ok(kept)
    }

    /// Brings it in step with a workspace from now on; the first one that is named.
    pub fn follow(&self, remote: Remote, dialler: Dialler) {
        let replica = self.folder().replica;
        self.folder
            .send_modify(|folder| folder.remote = Some(remote.clone()));
        self.follow.get_or_init(|| {
            Follow::start(self.engine.clone(), move |outgoing| {
                dial(dialler(), remote.clone(), replica, outgoing)
            })
        });
    }

    /// What is known of the folder.
    #[must_use]
    pub fn folder(&self) -> Folder {
        self.folder.borrow().clone()
    }

    /// The same, moving.
    #[must_use]
    pub fn known(&self) -> watch::Receiver<Folder> {
        self.folder.subscribe()
    }

    /// What is known of it changed.
    pub fn is_now(&self, folder: Folder) {
        self.folder.send_replace(folder);
    }

    /// Its engine.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// How it stands with the connection, moving; `None` while no server knows it.
    #[must_use]
    pub fn standing(&self) -> Option<watch::Receiver<Standing>> {
        self.follow.get().map(Follow::standing)
    }

    /// Tries at once to connect, if there is no connection.
    pub fn ask(&self) {
        if let Some(follow) = self.follow.get() {
            follow.ask();
        }
    }

    /// The newest revision that the folder has shown whole, moving.
    #[must_use]
    pub fn shown(&self) -> watch::Receiver<u64> {
        self.engine.applied()
    }

    /// What a person is told.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.engine.notices()
    }

    /// What of it is not as it is at the server, moving.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn view(&self) -> Result<watch::Receiver<Arc<View>>, CliError> {
        self.engine.view().await.map_err(|_| self.ended())
    }

    /// How it stands now, with what is seen of its paths.
    #[must_use]
    pub fn stand(&self, view: &View) -> Stand {
        let standing = self.standing();
        let standing = standing.as_ref().map(watch::Receiver::borrow);
        let Word { state, reason, .. } = Word::kept(&self.folder().path, standing.as_deref(), view);
        Stand {
            state,
            revision: *self.engine.applied().borrow(),
            reason,
            apart: Apart::of(view),
            conflicts: Some(view.conflicts),
        }
    }

    /// Conflicts that are open.
    ///
    /// # Errors
    /// When it has ended.
    pub async fn conflicts(&self) -> Result<Vec<OpenConflict>, CliError> {
        let open = self.engine.conflicts().await.map_err(|_| self.ended())?;
        let shown = open.into_iter().map(|conflict| OpenConflict {
            copy: conflict.copy,
            of: conflict.path,
        });
        Ok(shown.collect())
    }

    /// Waits until the folder shows a revision.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn until(&self, revision: u64) -> Result<(), CliError> {
        let mut shown = self.engine.applied();
        tokio::select! {
            found = shown.wait_for(|shown| *shown >= revision) => {
                found.map(drop).map_err(|_| self.ended())
            }
            refusal = self.refusal() => Err(refusal),
        }
    }

    /// Commits what the folder holds; the revision that has it.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn flush(&self) -> Result<u64, CliError> {
        let (answer, flushed) = oneshot::channel();
        let flush = async {
            self.engine.tell(Input::Flush(answer)).await.ok()?;
            flushed.await.ok()
        };
        tokio::select! {
            revision = flush => revision.ok_or_else(|| self.ended()),
            refusal = self.refusal() => Err(refusal),
        }
    }

    /// Tells the hub of deletions that are held back.
    pub async fn confirm(&self) {
        // An engine that ended holds nothing back.
        self.engine.tell(Input::Confirm).await.ok();
    }

    /// What the server refuses, once it does.
    pub async fn refusal(&self) -> CliError {
        let folder = self.folder();
        let (Some(mut standing), Some(remote)) = (self.standing(), folder.remote) else {
            return FolderError::OnlyHere(folder.path).into();
        };
        loop {
            if let Standing::Refused { code, message } = &*standing.borrow_and_update() {
                let closed = ClientError::Closed {
                    code: code.to_string(),
                    message: message.clone(),
                };
                return CliError::at(&remote.server, closed);
            }
            if standing.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn ended(&self) -> CliError {
        FolderError::Ended(self.folder().path).into()
    }

    /// Ends it; what was agreed on is stored, and another process may keep the folder.
    pub async fn stop(&self) {
        self.engine.stop().await;
        let lock = self.lock.lock();
        drop(lock.unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// A machine's name as part of a file's: short, and without what a name cannot hold.
fn short(host: &str) -> String {
    let first = host.split('.').next().unwrap_or_default();
    let plain = |c: &char| c.is_alphanumeric() || "-_".contains(*c);
    let name: String = first.chars().filter(plain).take(24).collect();
    if name.is_empty() {
        "desktop".to_owned()
    } else {
        name
    }
}

/// Why a connection was not made, or ended, in a sentence.
fn reason(server: &Address, error: ClientError) -> Reason {
    let code = error.code();
    let message = match error {
        // The server's own sentence; the code stands beside it.
        ClientError::Closed { message, .. } => message,
        error => CliError::at(server, error).to_string(),
    };
    Reason { code, message }
}

async fn dial(
    client: BoxFuture<'static, Result<Client, Reason>>,
    remote: Remote,
    replica: ReplicaId,
    outgoing: Outgoing,
) -> Result<Incoming, Reason> {
    let client = client.await?;
    let link = client
        .sync(remote.workspace, replica, outgoing.control, outgoing.bulk)
        .await;
    let link = match link {
        Ok(link) => link,
        Err(error) => return Err(reason(&remote.server, client.why_not(error).await)),
    };
    let ended = async move {
        let ended = link.ended.await.unwrap_or(ClientError::Gone);
        reason(&remote.server, ended)
    };
    Ok(Incoming {
        control: link.control,
        bulk: link.bulk,
        ended: Box::pin(ended),
    })
}

#[cfg(test)]
mod tests {
    use slipway_api::problem::Problem;
    use slipway_core::code::Code;

    use super::*;

    fn server() -> Address {
        Address::parse("https://slipway.example.org").unwrap()
    }

    /// One of each kind, made as they come.
    async fn each() -> Vec<ClientError> {
        let problem = Problem::new(Code::NotFound, "There is no such workspace.");
        // Nobody listens at port 0.
        let client = Client::new("http://127.0.0.1:0").unwrap();
        let network = client.server().await.unwrap_err();
        let connect = tonic::transport::Endpoint::from_static("http://127.0.0.1:0");
        let connect = connect.connect().await.unwrap_err();
        vec![
            ClientError::Problem(Box::new(problem)),
            network,
            ClientError::Connect(connect),
            ClientError::Silent,
            ClientError::Gone,
            ClientError::Dial(Box::new(std::io::Error::other("no route to host"))),
            ClientError::Stream(Box::new(tonic::Status::unavailable("error reading a body"))),
            ClientError::Closed {
                code: "sign_in_expired".to_owned(),
                message: "Sign in again.".to_owned(),
            },
            ClientError::Protocol("the first frame is no hello".to_owned()),
        ]
    }

    #[tokio::test]
    async fn each_reason_is_a_sentence_and_its_code_stands_beside_it() {
        for error in each().await {
            let (kind, code) = (format!("{error:?}"), error.code());
            // A fragment of what was being done is no reason.
            let fragment = error.to_string();
            let Reason {
                code: told,
                message,
            } = reason(&server(), error);
            assert_eq!(told, code, "{kind}");
            let first = message.chars().next().unwrap();
            let begins = first.is_uppercase() || message.starts_with(server().as_str());
            assert!(begins && message.ends_with('.'), "{kind}: {message}");
            assert_ne!(message, fragment, "{kind}");
            assert!(!message.contains("code:"), "{kind}: {message}");
        }
    }

    #[test]
    fn a_connection_that_ended_says_nothing_against_the_server() {
        let said = reason(&server(), ClientError::Gone).message;
        assert!(
            said.starts_with(
                "https://slipway.example.org cannot be reached: the connection ended."
            ),
            "{said}"
        );
    }

    #[tokio::test]
    async fn what_is_kept_of_a_folder_and_cannot_be_opened_is_told_with_its_cause() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let folders = Folders::new(&state);
        let folder = folders.make(&place.path().join("tides"), "tides").unwrap();
        let kept = Kept::start(&folders, &folder, "laptop").unwrap();
        kept.stop().await;
        drop(kept);
        // A folder stands where the database was.
        let engine = folders.home(&folder).join("engine");
        let entries = std::fs::read_dir(engine)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let base =
            |path: &std::path::PathBuf| path.extension().is_some_and(|ending| ending == "base");
        let base = entries.into_iter().find(base).unwrap();
        std::fs::remove_file(&base).unwrap();
        std::fs::create_dir(&base).unwrap();
        let error = Kept::start(&folders, &folder, "laptop").err().unwrap();
        assert_eq!(error.code(), "folder_state");
        assert!(error.to_string().contains("directory"), "{error}");
    }

    #[test]
    fn a_machines_name_fits_into_a_file_name() {
        assert_eq!(short("laptop.example.org"), "laptop");
        assert_eq!(short("a/b (c)"), "abc");
        assert_eq!(short(""), "desktop");
        assert_eq!(short(&"x".repeat(64)).len(), 24);
    }
}
