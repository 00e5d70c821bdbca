//! What workspaces are called: a folder keeps the name that it has on the disk, and shows the one that its workspace has.
use slipway_api::workspace::Workspace;

use super::{Folder, Folders};
use crate::error::CliError;
use crate::server::Address;

impl Folder {
    /// What a server calls the workspace of this folder by now, if it is among these and called otherwise.
    #[must_use]
    pub fn new_name(&self, server: &Address, workspaces: &[Workspace]) -> Option<String> {
        let remote = self.remote.as_ref().filter(|at| at.server == *server)?;
        let found = workspaces.iter().find(|one| one.id == remote.workspace)?;
        (found.name != self.name).then(|| found.name.clone())
    }
}

impl Folders {
    /// Takes in what a server calls these workspaces by now.
    ///
    /// # Errors
    /// When a record cannot be read or written.
    pub fn hear_names(&self, server: &Address, workspaces: &[Workspace]) -> Result<(), CliError> {
        for folder in self.all()? {
            if let Some(name) = folder.new_name(server, workspaces) {
                self.keep(&Folder { name, ..folder })?;
            }
        }
        Ok(())
    }
}
