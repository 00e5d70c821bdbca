//! The workspaces of this machine: which there are, and each as it is kept.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::Response;
use slipway_api::desktop::{LocalWorkspace, LocalWorkspaces, Remote as Shown, SyncBrief, Told};
use slipway_api::file::Kind;
use slipway_api::workspace::{Template, UpdateWorkspace, Workspace};
use slipway_core::id::{RunId, SessionId, WorkspaceId};
use time::{Duration, OffsetDateTime};
use tokio::sync::{OnceCell, broadcast};

use self::begin::checked_name;
use super::Gateway;
use super::answer::{self, Answer, Fault};
use super::asked::Asked;
use super::kept::Local;
use super::look::small;
use super::queue;
use super::servers::Servers;
use crate::clock;
use crate::config::Config;
use crate::control::{self, Ask};
use crate::error::CliError;
use crate::folder::{Folder, FolderError, Folders};
use crate::keep::stand::{StandState, Word};
use crate::server::Address;

mod begin;

/// Opened so lately, a workspace is kept in step also while nobody looks at it; so many at most.
const LATELY: Duration = Duration::days(7);
const RECENT_MAX: usize = 16;

/// The workspaces of this machine.
pub(super) struct Workspaces {
    folders: Folders,
    config: Config,
    servers: Servers,
    told: broadcast::Sender<Told>,
    kept: Mutex<HashMap<WorkspaceId, Arc<OnceCell<Arc<Local>>>>>,
    /// Held while what is known of a folder is changed.
    changes: Mutex<()>,
}

impl Workspaces {
    pub(super) fn open(
        config: &Config,
        servers: Servers,
        told: broadcast::Sender<Told>,
    ) -> Result<Self, CliError> {
        let folders = servers.state().folders();
        // A record that cannot be read is told at once.
        folders.all()?;
        Ok(Self {
            folders,
            config: config.clone(),
            servers,
            told,
            kept: Mutex::default(),
            changes: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<WorkspaceId, Arc<OnceCell<Arc<Local>>>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those that are being kept.
    pub(super) fn running(&self) -> Vec<Arc<Local>> {
        let kept = self.lock();
        kept.values()
            .filter_map(|cell| cell.get().cloned())
            .collect()
    }

    /// The one with an id of this machine, if it is being kept.
    pub(super) fn running_one(&self, id: WorkspaceId) -> Option<Arc<Local>> {
        self.lock().get(&id)?.get().cloned()
    }

    /// All that are known.
    pub(super) fn all(&self) -> Result<Vec<Folder>, Fault> {
        Ok(self.folders.all()?)
    }

    /// The one with an id of this machine.
    pub(super) fn find(&self, id: &str) -> Result<Option<Folder>, Fault> {
        let Ok(id) = id.parse::<WorkspaceId>() else {
            return Ok(None);
        };
        if let Some(local) = self.running_one(id) {
            return Ok(Some(local.folder()));
        }
        Ok(self.all()?.into_iter().find(|folder| folder.id() == id))
    }

    /// The one whose terminals have this id.
    pub(super) fn with_terminals(&self, id: &str) -> Result<Option<Folder>, Fault> {
        let found = self.find(id)?;
        let is_it = |folder: &Folder| {
            id.parse::<SessionId>()
                .is_ok_and(|id| folder.terminals() == id)
        };
        Ok(found.filter(is_it))
    }

    /// A workspace as it is being kept, from now on if need be.
    pub(super) async fn local(&self, folder: &Folder) -> Result<Arc<Local>, Fault> {
        let local = self.kept(folder).await?;
        match folder.is_there() {
            true => Ok(local),
            false => Err(FolderError::Gone(folder.path.clone()).into()),
        }
    }

    /// The same, also while its folder is away: who keeps it tells of that, and waits for it.
    pub(super) async fn kept(&self, folder: &Folder) -> Result<Arc<Local>, Fault> {
        if let Some(local) = self.running_one(folder.id()) {
            return Ok(local);
        }
        if !folder.is_there() {
            return Err(FolderError::Gone(folder.path.clone()).into());
        }
        // Who waits for another folder in this place waits in vain.
        for other in self.running() {
            let other = other.folder();
            // Another call may have begun to keep this one meanwhile.
            if other.path == folder.path && other.id() != folder.id() {
                self.end(other.id()).await;
            }
        }
        let cell = Arc::clone(self.lock().entry(folder.id()).or_default());
        let start = || {
            let host = &self.config.host;
            Local::start(&self.folders, folder, host, &self.servers, &self.told)
        };
        cell.get_or_try_init(start).await.cloned()
    }

    /// The one in which a run waits for its server.
    pub(super) async fn with_waiting_run(&self, run: &str) -> Result<Option<Arc<Local>>, Fault> {
        let Ok(run) = run.parse::<RunId>() else {
            return Ok(None);
        };
        for folder in self.all()? {
            if queue::waits(&self.folders.home(&folder), run)? {
                return self.local(&folder).await.map(Some);
            }
        }
        Ok(None)
    }

    async fn end(&self, id: WorkspaceId) {
        let cell = self.lock().remove(&id);
        if let Some(cell) = cell {
            close(&cell).await;
        }
    }

    /// Brings what was opened lately in step, with no window looking.
    pub(super) async fn open_recent(&self) {
        let since = clock::now() - LATELY;
        let mut recent = self.folders.all().unwrap_or_default();
        recent.retain(|folder| folder.opened_at.is_some_and(|at| at >= since));
        recent.sort_by_key(|folder| std::cmp::Reverse(folder.opened_at));
        for folder in recent.iter().take(RECENT_MAX) {
            // One that cannot be opened is told where it is listed.
            drop(self.local(folder).await);
        }
        self.moved();
    }

    /// Lets all try at once to connect.
    pub(super) fn ask_all(&self) {
        for local in self.running() {
            local.kept().ask();
        }
    }

    /// Ends all.
    pub(super) async fn stop(&self) {
        let kept = std::mem::take(&mut *self.lock());
        let stops = kept.values().map(|cell| close(cell));
        futures_util::future::join_all(stops).await;
    }

    /// Notes that the page opened a workspace.
    pub(super) fn opened(&self, folder: &Folder) -> Result<Folder, CliError> {
        self.change(folder, |folder| folder.opened_at = Some(clock::now()))
    }

    /// Changes what is known of a folder, as it is by now: more may be known than when it was looked at.
    fn change(&self, seen: &Folder, to: impl FnOnce(&mut Folder)) -> Result<Folder, CliError> {
        let _one = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let running = self.running_one(seen.id());
        let known = match &running {
            Some(local) => Some(local.folder()),
            None => self
                .folders
                .all()?
                .into_iter()
                .find(|one| one.id() == seen.id()),
        };
        let mut folder = known.ok_or_else(|| FolderError::Unknown(seen.path.clone()))?;
        to(&mut folder);
        self.folders.keep(&folder)?;
        if let Some(local) = running {
            local.kept().is_now(folder.clone());
        }
        self.moved();
        Ok(folder)
    }

    /// Takes in what a server calls these workspaces by now.
    pub(super) fn hear_names(&self, server: &Address, workspaces: &[Workspace]) {
        // A record that cannot be read is told where folders are listed.
        for folder in self.folders.all().unwrap_or_default() {
            let folder = self
                .running_one(folder.id())
                .map_or(folder, |local| local.folder());
            if let Some(name) = folder.new_name(server, workspaces) {
                self.change(&folder, |folder| folder.name = name).ok();
            }
        }
    }

    fn moved(&self) {
        // Nobody may listen.
        self.told.send(Told::Workspaces).ok();
    }

    /// `GET /desktop/workspaces`: the one opened last first.
    pub(super) async fn list(&self) -> Answer {
        let mut all = self.all()?;
        all.sort_by_key(|folder| std::cmp::Reverse(opened_at(folder)));
        let mut workspaces: Vec<_> = all.iter().map(|folder| self.shown(folder)).collect();
        for (shown, folder) in workspaces.iter_mut().zip(&all) {
            if shown.there && self.running_one(folder.id()).is_none() {
                self.ask_others(shown, folder).await;
            }
        }
        answer::found(&LocalWorkspaces { workspaces })
    }

    /// Another process may keep it: the command line does.
    async fn ask_others(&self, shown: &mut LocalWorkspace, folder: &Folder) {
        let home = self.folders.home(folder);
        let Some(answer) = control::ask(&home, Ask::Stand).await else {
            return;
        };
        shown.sync.state = answer.stand.state.into();
        shown.sync.blocked = small(answer.stand.apart.blocked);
        shown.sync.conflicts = small(answer.stand.conflicts.unwrap_or_default());
        let who = "`slipway mirror` keeps it in step. End that to open it here.";
        shown.sync.reason = Some(who.to_owned());
    }

    fn shown(&self, folder: &Folder) -> LocalWorkspace {
        let there = folder.is_there();
        LocalWorkspace {
            id: folder.id(),
            name: folder.name.clone(),
            folder: folder.path.display().to_string(),
            short: self.config.short(&folder.path),
            there,
            remote: folder.remote.as_ref().map(|remote| Shown {
                address: remote.server.as_str().to_owned(),
                workspace: remote.workspace,
            }),
            terminals: folder.terminals(),
            sync: match self.running_one(folder.id()).filter(|_| there) {
                Some(local) => local.look().brief(),
                None => at_rest(folder),
            },
            opened_at: opened_at(folder),
        }
    }

    /// `PATCH /workspaces/{id}`: at the server, too, if it knows it.
    pub(super) async fn rename(&self, gateway: &Gateway, asked: &Asked, folder: Folder) -> Answer {
        let wanted: UpdateWorkspace = asked.json()?;
        if folder.remote.is_some() {
            let answer = gateway.of_remote(asked, &folder, "").await?;
            self.hear_name(&folder, &answer);
            return Ok(answer);
        }
        let name = checked_name(wanted.name.as_deref().unwrap_or(&folder.name))?;
        let folder = self.change(&folder, |folder| folder.name = name)?;
        answer::found(&self.as_workspace(&folder).await?)
    }

    /// `GET /workspaces/{id}`: as the server has it, else as this disk does.
    pub(super) async fn one(&self, gateway: &Gateway, folder: &Folder) -> Answer {
        if folder.remote.is_some() {
            let asked = Asked::get("");
            if let Ok(answer) = gateway.of_remote(&asked, folder, "").await
                && answer.status().is_success()
            {
                self.hear_name(folder, &answer);
                return Ok(answer);
            }
        }
        answer::found(&self.as_workspace(folder).await?)
    }

    /// A server's answer says what the workspace of a folder is called.
    fn hear_name(&self, folder: &Folder, answer: &Response<Bytes>) {
        if let Ok(Workspace { name, .. }) = serde_json::from_slice(answer.body())
            && name != folder.name
        {
            // The answer is right all the same.
            self.change(folder, |folder| folder.name = name).ok();
        }
    }

    /// A workspace as this disk has it.
    async fn as_workspace(&self, folder: &Folder) -> Result<Workspace, Fault> {
        let local = self.local(folder).await?;
        let tree = super::files::tree(&local).await?;
        let at = opened_at(folder);
        Ok(Workspace {
            id: folder.id(),
            name: folder.name.clone(),
            template: Template::Import,
            head: tree.revision,
            entries: tree.entries.len() as u64,
            bytes: tree
                .entries
                .iter()
                .filter(|entry| entry.kind == Kind::File)
                .map(|entry| entry.size)
                .sum(),
            created_at: at,
            changed_at: at,
            archived_at: None,
            deleted_at: None,
            purge_at: None,
            session: None,
        })
    }
}

/// Ends one. One that is just being opened has its folder already: it is waited for.
async fn close(cell: &OnceCell<Arc<Local>>) {
    let opening = cell.get_or_try_init(|| std::future::ready(Err(())));
    if let Ok(local) = opening.await {
        local.stop().await;
    }
}

/// When a folder was opened last; before it ever was, long ago.
fn opened_at(folder: &Folder) -> OffsetDateTime {
    folder.opened_at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// How a folder stands that is not being kept now.
fn at_rest(folder: &Folder) -> SyncBrief {
    let Word {
        state,
        reason,
        code,
    } = Word::at_rest(folder);
    let waits = || "It is brought in step when it is opened.".to_owned();
    SyncBrief {
        state: state.into(),
        reason: reason.or_else(|| (state == StandState::Stopped).then(waits)),
        code,
        up: 0,
        down: 0,
        blocked: 0,
        conflicts: 0,
    }
}
