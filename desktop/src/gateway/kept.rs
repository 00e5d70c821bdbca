//! `Local`: a workspace of this machine that is being kept by the app: its engine, what a person was told of it, and
//! whoever else asks about it.
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use slipway_api::desktop::{SyncNotice, Told};
use slipway_core::code::Code;
use slipway_core::path::RelPath;
use slipway_mirror::engine::Engine;
use slipway_mirror::follow::{Reason, Standing};
use slipway_mirror::notice::Notice;
use slipway_mirror::view::View;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::answer::Fault;
use super::history::Past;
use super::look::Look;
use super::queue::Queue;
use super::servers::Servers;
use super::standing::is_signed_out;
use crate::clock;
use crate::control::Control;
use crate::folder::{Folder, Folders, Remote};
use crate::keep::{Dialler, Kept};
use crate::server::Address;

/// Of what a person was told; older ones are forgotten.
const NOTICES_MAX: usize = 100;
/// Between two words that something moved.
const PACE: Duration = Duration::from_millis(200);

/// Something that a person was told.
struct Said {
    notice: SyncNotice,
    /// Only as long as deletions wait for their word.
    while_held: bool,
}

/// A workspace that is being kept.
pub(super) struct Local {
    kept: Arc<Kept>,
    past: Past,
    servers: Servers,
    told: broadcast::Sender<Told>,
    notices: Mutex<VecDeque<Said>>,
    queue: Queue,
    view: watch::Receiver<Arc<View>>,
    /// Whether it follows a server.
    follows: watch::Sender<bool>,
    /// Moves when a terminal of this machine is opened or closed.
    terminals: watch::Sender<u64>,
    control: Mutex<Option<Control>>,
    over: CancellationToken,
    _ends: DropGuard,
}

impl Local {
    /// Begins to keep a folder.
    pub(super) async fn start(
        folders: &Folders,
        folder: &Folder,
        host: &str,
        servers: &Servers,
        told: &broadcast::Sender<Told>,
    ) -> Result<Arc<Self>, Fault> {
        let (ours, this, name) = (folders.clone(), folder.clone(), host.to_owned());
        // It looks at every file first.
        let started = tokio::task::spawn_blocking(move || Kept::start(&ours, &this, &name));
        let kept = started
            .await
            .map_err(|_| Fault::new(Code::Internal, "The folder cannot be opened."))??;
        let kept = Arc::new(kept);
        let view = kept.engine().view().await?;
        let over = CancellationToken::new();
        let ends = over.clone().drop_guard();
        let past = Past::start(&folders.home(folder), kept.engine(), over.clone());
        let local = Arc::new(Self {
            // A socket's path may be too long; then other commands cannot ask, and nothing else is lost.
            control: Mutex::new(Control::listen(&folders.home(folder), Arc::clone(&kept)).ok()),
            kept,
            past,
            servers: servers.clone(),
            told: told.clone(),
            notices: Mutex::default(),
            view,
            queue: Queue::open(&folders.home(folder))?,
            follows: watch::channel(false).0,
            terminals: watch::channel(0).0,
            _ends: ends,
            over: over.clone(),
        });
        if let Some(remote) = &folder.remote {
            local.follow(remote);
        }
        let watched = Arc::downgrade(&local);
        let mut watch = Watch::of(&local);
        tokio::spawn(over.run_until_cancelled_owned(async move {
            loop {
                let heard = watch.next().await;
                let Some(local) = watched.upgrade() else {
                    return;
                };
                local.heard(heard).await;
                if watch.standing.is_none() {
                    watch.standing = local.kept.standing();
                }
                drop(local);
                tokio::time::sleep(PACE).await;
            }
        }));
        Ok(local)
    }

    pub(super) const fn kept(&self) -> &Arc<Kept> {
        &self.kept
    }

    pub(super) fn folder(&self) -> Folder {
        self.kept.folder()
    }

    /// Brings it in step with a workspace of a server from now on.
    pub(super) fn follow(&self, remote: &Remote) {
        let dialler = dialler(self.servers.clone(), remote.server.clone());
        self.kept.follow(remote.clone(), dialler);
        self.follows.send_replace(true);
    }

    /// Resolves when it follows a server.
    pub(super) async fn follows(&self) {
        // It lives as long as this.
        self.follows
            .subscribe()
            .wait_for(|follows| *follows)
            .await
            .ok();
    }

    /// A terminal of this machine was opened or closed.
    pub(super) fn terminals_moved(&self) {
        self.terminals.send_modify(|moved| *moved += 1);
    }

    /// Moves with every such.
    pub(super) fn terminals(&self) -> watch::Receiver<u64> {
        self.terminals.subscribe()
    }

    /// The count of changes, moving.
    pub(super) fn moved(&self) -> watch::Receiver<u64> {
        self.engine().moved()
    }

    pub(super) fn engine(&self) -> &Engine {
        self.kept.engine()
    }

    /// What its files were.
    pub(super) const fn past(&self) -> &Past {
        &self.past
    }

    /// How it stands at this moment.
    pub(super) fn look(&self) -> Look {
        Look {
            view: Arc::clone(&self.view.borrow()),
            standing: self.kept.standing().map(|now| now.borrow().clone()),
            path: self.folder().path,
        }
    }

    async fn heard(&self, heard: Heard) {
        match heard {
            Heard::Notice(notice) => self.note(&notice),
            Heard::Standing => self.reached(),
            Heard::Moved => {}
        }
        if let (Some(code), Some(remote)) = (self.refusal(), self.folder().remote)
            && is_signed_out(Some(code))
            && let Ok(client) = self.servers.client(&remote.server).await
        {
            // What is still to be done about it is shown where the person signs in.
            self.servers.expired(&remote.server, &client).await.ok();
        }
        let workspace = self.folder().id();
        // Nobody may listen.
        self.told.send(Told::Sync { workspace }).ok();
    }

    /// Who waits for the same server need not wait longer.
    fn reached(&self) {
        let standing = self.kept.standing();
        let online = standing.is_some_and(|now| *now.borrow() == Standing::Online);
        if let Some(remote) = self.folder().remote.filter(|_| online) {
            self.servers.reached(&remote.server);
        }
    }

    fn refusal(&self) -> Option<Code> {
        match &*self.kept.standing()?.borrow() {
            Standing::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    fn note(&self, notice: &Notice) {
        let path = match notice {
            Notice::Blocked { path, .. } | Notice::Copied { path, .. } => Some(path.clone()),
            Notice::Merged(path) | Notice::Restored(path) => Some(path.clone()),
            _ => None,
        };
        let while_held = matches!(notice, Notice::Deleted { held: 1.., .. });
        self.remember(notice.code(), notice.to_string(), path, while_held);
    }

    /// Tells a person something about the workspace.
    pub(super) fn tell(&self, code: Code, message: String) {
        self.remember(code, message, None, false);
        let workspace = self.folder().id();
        // Nobody may listen.
        self.told.send(Told::Sync { workspace }).ok();
    }

    fn remember(&self, code: Code, message: String, path: Option<RelPath>, while_held: bool) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if while_held {
            // What waited before has its word by now.
            notices.retain(|said| !said.while_held);
        }
        let notice = SyncNotice {
            at: clock::now(),
            code,
            message,
            path,
        };
        notices.push_front(Said { notice, while_held });
        notices.truncate(NOTICES_MAX);
    }

    /// Runs that wait for the server.
    pub(super) const fn queue(&self) -> &Queue {
        &self.queue
    }

    /// What a person was told lately and is so, the newest first.
    pub(super) fn notices(&self) -> Vec<SyncNotice> {
        let held = self.view.borrow().held.is_some();
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        let so = notices.iter().filter(|said| held || !said.while_held);
        so.map(|said| said.notice.clone()).collect()
    }

    /// Ends it; what was agreed on is stored.
    pub(super) async fn stop(&self) {
        self.past.is_up_to_date().await;
        self.over.cancel();
        self.past.end().await;
        let control = self.control.lock();
        drop(control.unwrap_or_else(PoisonError::into_inner).take());
        self.kept.stop().await;
    }
}

/// Gives the client of a server, with whoever is signed in there at that time.
fn dialler(servers: Servers, server: Address) -> Dialler {
    Box::new(move || {
        let (servers, server) = (servers.clone(), server.clone());
        let client = async move {
            let client = servers.client(&server).await.map_err(|fault| Reason {
                code: Some(fault.code()),
                message: fault.detail().to_owned(),
            })?;
            if client.token().is_none() {
                return Err(Reason {
                    code: Some(Code::SignInRequired),
                    message: format!(
                        "Nobody is signed in at {server}. What is changed here goes out after the next sign-in."
                    ),
                });
            }
            Ok(client)
        };
        client.boxed()
    })
}

/// Everything that may move about a workspace.
struct Watch {
    standing: Option<watch::Receiver<Standing>>,
    shown: watch::Receiver<u64>,
    view: watch::Receiver<Arc<View>>,
    notices: broadcast::Receiver<Notice>,
    follows: watch::Receiver<bool>,
}

enum Heard {
    Moved,
    Standing,
    Notice(Notice),
}

impl Watch {
    fn of(local: &Arc<Local>) -> Self {
        Self {
            standing: local.kept.standing(),
            shown: local.kept.shown(),
            view: local.view.clone(),
            notices: local.kept.notices(),
            follows: local.follows.subscribe(),
        }
    }

    async fn next(&mut self) -> Heard {
        tokio::select! {
            notice = self.notices.recv() => match notice {
                Ok(notice) => Heard::Notice(notice),
                Err(RecvError::Lagged(_)) => Heard::Moved,
                Err(RecvError::Closed) => std::future::pending().await,
            },
            Ok(()) = self.shown.changed() => Heard::Moved,
            Ok(()) = self.view.changed() => Heard::Moved,
            () = moved(&mut self.standing) => Heard::Standing,
            Ok(()) = self.follows.changed() => Heard::Moved,
            else => std::future::pending().await,
        }
    }
}

async fn moved(standing: &mut Option<watch::Receiver<Standing>>) {
    let moved = match standing {
        Some(standing) => standing.changed().await.is_ok(),
        None => false,
    };
    if !moved {
        std::future::pending::<()>().await;
    }
}
