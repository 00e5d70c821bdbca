//! How a folder becomes a workspace of this machine, and how it stops being one.
use std::path::{Path, PathBuf};

use slipway_api::desktop::{CloneWorkspace, NewLocal, OpenFolder, UploadWorkspace};
use slipway_api::template;
use slipway_api::workspace::Template;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::limits::WORKSPACE_NAME_CHARS_MAX;
use slipway_core::path::RelPath;

use super::Workspaces;
use crate::error::CliError;
use crate::folder::{Folder, FolderError, Remote, file_name};
use crate::gateway::answer::{self, Answer, Fault};
use crate::gateway::asked::Asked;

/// Folders of one name beside each other.
const BESIDE_MAX: u32 = 1_000;

impl Workspaces {
    /// A workspace that was just made or opened, with its engine running.
    async fn begun(&self, status: u16, folder: &Folder) -> Answer {
        self.local(folder).await?;
        let folder = self.opened(folder)?;
        Ok(answer::json(status, &self.shown(&folder)))
    }

    /// `POST /desktop/open`
    pub(in crate::gateway) async fn open_folder(&self, asked: &Asked) -> Answer {
        let wanted: OpenFolder = asked.json()?;
        let folder = self.take_as_it_is(Path::new(&wanted.folder))?;
        self.begun(200, &folder).await
    }

    /// A folder as it is; one that is known is what it was.
    pub(in crate::gateway) fn take_as_it_is(&self, path: &Path) -> Result<Folder, CliError> {
        if !path.is_absolute() {
            return Err(FolderError::NotFolder(path.to_owned()).into());
        }
        self.folders.open(path)
    }

    /// The folder that a path is, or lies in.
    pub(in crate::gateway) fn around(&self, path: &Path) -> Result<Option<Folder>, CliError> {
        self.folders.around(path)
    }

    /// `POST /desktop/workspaces`
    pub(in crate::gateway) async fn make(&self, asked: &Asked) -> Answer {
        let wanted: NewLocal = asked.json()?;
        let name = checked_name(&wanted.name)?;
        let within = self.within(wanted.within.as_deref().map(Path::new))?;
        let folder = self.folders.make(&within.join(&name), &name)?;
        write_template(&folder.path, wanted.template).map_err(CliError::file(&folder.path))?;
        self.begun(201, &folder).await
    }

    /// Where a new folder goes; the usual place is made if need be.
    fn within(&self, chosen: Option<&Path>) -> Result<PathBuf, CliError> {
        match chosen {
            Some(chosen) => Ok(chosen.to_owned()),
            None => {
                let home = &self.config.home;
                std::fs::create_dir_all(home).map_err(CliError::file(home))?;
                Ok(home.clone())
            }
        }
    }

    /// `POST /desktop/clone`
    pub(in crate::gateway) async fn clone_workspace(&self, asked: &Asked) -> Answer {
        let wanted: CloneWorkspace = asked.json()?;
        let server = self.servers.chosen()?;
        let remote = Remote {
            server: server.clone(),
            workspace: wanted.workspace,
        };
        if wanted.folder.is_none() {
            let is_copy = |folder: &Folder| folder.remote.as_ref() == Some(&remote);
            let mut copies = self.all()?.into_iter().filter(is_copy);
            if let Some(folder) = copies.find(Folder::is_there) {
                return self.begun(200, &folder).await;
            }
        }
        let client = self.servers.client(&server).await?;
        let workspace = client.workspace(wanted.workspace).await;
        let workspace = workspace.map_err(|error| CliError::at(&server, error))?;
        let folder = match &wanted.folder {
            Some(folder) => self.folders.take(Path::new(folder), &server, &workspace)?,
            None => {
                let path = self.free(&workspace.name)?;
                self.folders.take(&path, &server, &workspace)?
            }
        };
        self.begun(201, &folder).await
    }

    /// `POST /desktop/workspaces/{id}/again`: a folder that is gone comes from its server again, to the same place. It is
    /// the same workspace here: what is kept of it stays, drafts of the page among that.
    pub(in crate::gateway) async fn again(&self, id: &str) -> Answer {
        let folder = self.find(id)?;
        let folder = folder.ok_or_else(|| Fault::not_found("workspace on this machine"))?;
        let remote = folder.remote()?;
        if folder.is_there() {
            return self.begun(200, &folder).await;
        }
        // An empty folder is of no use while nothing can come.
        let client = self.servers.client(&remote.server).await?;
        let there = client.workspace(remote.workspace).await;
        there.map_err(|error| CliError::at(&remote.server, error))?;
        let root = self.folders.make_again(&folder)?;
        let folder = self.change(&folder, |folder| folder.root = root)?;
        // Who waits for the one before waits in vain.
        self.end(folder.id()).await;
        self.begun(201, &folder).await
    }

    /// A folder of this name in the usual place, at which nothing stands.
    fn free(&self, name: &str) -> Result<PathBuf, CliError> {
        let (within, name) = (self.within(None)?, file_name(name));
        let numbered = (2..BESIDE_MAX).map(|number| format!("{name} ({number})"));
        let mut paths = std::iter::once(name.clone())
            .chain(numbered)
            .map(|name| within.join(name));
        let free = paths.find(|path| std::fs::symlink_metadata(path).is_err());
        free.ok_or_else(|| CliError::Exists(within.join(name)))
    }

    /// `POST /workspaces/{id}/upload`: an empty workspace at the server, to which the folder then brings all it has.
    pub(in crate::gateway) async fn upload(&self, asked: &Asked, folder: Folder) -> Answer {
        let wanted: UploadWorkspace = asked.json()?;
        if folder.remote.is_some() {
            return Ok(answer::json(200, &self.shown(&folder)));
        }
        let local = self.local(&folder).await?;
        let server = self.servers.chosen()?;
        let client = self.servers.client(&server).await?;
        let name = checked_name(wanted.name.as_deref().unwrap_or(&folder.name))?;
        // Asked again after a crash, the server answers with the one that it made.
        let key = format!(
            "upload-{}-{}",
            folder.replica,
            ContentHash::of(name.as_bytes())
        );
        let made = client.create_workspace_once(&key, &name, Template::Empty);
        let made = made.await.map_err(|error| CliError::at(&server, error))?;
        let remote = Remote {
            server,
            workspace: made.id,
        };
        let folder = self.change(&folder, |folder| {
            (folder.remote, folder.name) = (Some(remote.clone()), made.name);
        })?;
        local.follow(&remote);
        Ok(answer::json(200, &self.shown(&folder)))
    }

    /// `DELETE /desktop/workspaces/{id}`: it is no longer kept here; its files stay.
    pub(in crate::gateway) async fn forget(&self, id: &str) -> Answer {
        let folder = self.find(id)?;
        let folder = folder.ok_or_else(|| Fault::not_found("workspace on this machine"))?;
        self.end(folder.id()).await;
        if self.folders.lock(&folder)?.is_none() {
            return Err(FolderError::InUse(folder.path).into());
        }
        self.folders.forget(&folder)?;
        self.moved();
        answer::done()
    }
}

/// A name that a workspace and its folder may have.
pub(super) fn checked_name(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    let many = name.chars().count();
    let is_one = RelPath::parse(name).is_ok_and(|path| path.parent().is_none());
    if many == 0 || many > WORKSPACE_NAME_CHARS_MAX || !is_one {
        let message = format!(
            "Give a name of 1 to {WORKSPACE_NAME_CHARS_MAX} characters that a folder may have."
        );
        return Err(Fault::of_field("name", Code::InvalidRequest, message));
    }
    Ok(name.to_owned())
}

fn write_template(root: &Path, template: Template) -> std::io::Result<()> {
    for (name, content) in template::files(template) {
        let path = root.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(path, content)?;
    }
    Ok(())
}
