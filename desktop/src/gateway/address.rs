//! The page's address for what a person opens from outside: a deep link, a file or a folder.
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use slipway_core::id::WorkspaceId;

use super::Gateway;
use crate::error::CliError;
use crate::folder::{Folder, FolderError};

/// What deep links begin with.
const SCHEME: &str = "slipway://";
/// What stays as it is in a query.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'/');

/// `slipway://w/{workspace}?open={path}`, where the workspace has its id of this machine or of its server; else a path
/// of this machine.
pub(super) async fn address_of(gateway: &Gateway, wish: &str) -> Result<String, CliError> {
    if let Some(link) = wish.strip_prefix(SCHEME) {
        return of_link(gateway, link);
    }
    let path = PathBuf::from(wish.strip_prefix("file://").unwrap_or(wish));
    let path = path.canonicalize().map_err(CliError::file(&path))?;
    let workspaces = &gateway.0.workspaces;
    if let Some(folder) = workspaces.around(&path)?.filter(Folder::is_there) {
        return Ok(of_file(&folder, &path));
    }
    let root = if path.is_dir() {
        path.as_path()
    } else {
        path.parent().unwrap_or(&path)
    };
    // A whole home is nobody's workspace.
    if Some(root) == gateway.0.config.own.as_deref() || root.parent().is_none() {
        return Err(FolderError::Whole(root.to_owned()).into());
    }
    let folder = workspaces.take_as_it_is(root)?;
    workspaces.opened(&folder)?;
    Ok(of_file(&folder, &path))
}

fn of_link(gateway: &Gateway, link: &str) -> Result<String, CliError> {
    let unknown = || CliError::WorkspaceUnknown(link.to_owned());
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let id = path
        .trim_matches('/')
        .strip_prefix("w/")
        .ok_or_else(unknown)?;
    let id: WorkspaceId = id.parse().map_err(|_| unknown())?;
    let all = gateway.0.servers.state().folders().all()?;
    let is_it = |folder: &&Folder| {
        let remote = folder.remote.as_ref().map(|remote| remote.workspace);
        folder.id() == id || remote == Some(id)
    };
    // One that is not on this machine is brought here by the page.
    let id = all.iter().find(is_it).map_or(id, Folder::id);
    let open = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "open");
    Ok(address(id, open.as_ref().map(|(_, path)| path.as_ref())))
}

/// A workspace, with one of its files open.
fn of_file(folder: &Folder, path: &Path) -> String {
    let below = path.strip_prefix(&folder.path).ok();
    let file = below.filter(|_| path.is_file()).and_then(Path::to_str);
    address(folder.id(), file)
}

fn address(id: WorkspaceId, open: Option<&str>) -> String {
    match open {
        Some(path) => format!("/w/{id}?open={}", utf8_percent_encode(path, ESCAPED)),
        None => format!("/w/{id}"),
    }
}
