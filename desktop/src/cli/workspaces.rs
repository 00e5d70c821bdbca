//! `slipway workspaces`.
use std::path::PathBuf;

use serde::Serialize;
use slipway_api::session::SessionState;
use slipway_api::workspace::Workspace;

use super::here::Here;
use crate::error::CliError;
use crate::folder::{Folder, Remote};
use crate::output::table;

/// A workspace and its folders on this machine.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    workspace: Workspace,
    folders: Vec<PathBuf>,
}

pub(super) async fn list(here: &Here) -> Result<(), CliError> {
    let signed_in = here.signed_in().await?;
    let found = signed_in.workspaces().await;
    let found = found.map_err(|error| signed_in.told(error))?;
    let folders = here.folders().all()?;
    let found: Vec<_> = found
        .into_iter()
        .map(|workspace| {
            let remote = Remote {
                server: signed_in.server.clone(),
                workspace: workspace.id,
            };
            let own = |folder: &&Folder| folder.remote.as_ref() == Some(&remote);
            let own = folders.iter().filter(own);
            let folders = own.map(|folder| folder.path.clone()).collect();
            Listed { workspace, folders }
        })
        .collect();
    if here.output.is_json() {
        for listed in &found {
            here.output.tell(listed, String::new)?;
        }
        return Ok(());
    }
    if found.is_empty() {
        here.output
            .remark("There is no workspace yet. Make one in the browser.");
        return Ok(());
    }
    let rows: Vec<_> = found.iter().map(row).collect();
    let head = [
        "NAME", "FILES", "SIZE", "CHANGED", "SESSION", "ID", "FOLDER",
    ];
    here.output.tell(&(), || table(head, &rows))
}

fn row(Listed { workspace, folders }: &Listed) -> [String; 7] {
    let folders: Vec<_> = folders
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let changed = workspace.changed_at;
    let session = workspace.session.as_ref().map(|session| session.state);
    [
        workspace.name.clone(),
        workspace.entries.to_string(),
        size(workspace.bytes),
        format!(
            "{} {:02}:{:02}",
            changed.date(),
            changed.hour(),
            changed.minute()
        ),
        session.map_or("none", state).to_owned(),
        workspace.id.to_string(),
        folders.join(", "),
    ]
}

/// A session's state in a word.
const fn state(state: SessionState) -> &'static str {
    match state {
        SessionState::Requested | SessionState::Provisioning => "starting",
        SessionState::Ready => "ready",
        SessionState::Idle => "idle",
        SessionState::Stopping => "stopping",
        SessionState::Stopped => "none",
        SessionState::Failed => "failed",
    }
}

/// Bytes as people read them.
fn size(bytes: u64) -> String {
    let (mut rest, mut units) = (bytes, ["B", "KiB", "MiB"].iter());
    while rest >= 10_240 && units.len() > 1 {
        rest /= 1024;
        units.next();
    }
    format!("{rest} {}", units.next().unwrap_or(&"B"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_units_that_people_read() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(10_239), "10239 B");
        assert_eq!(size(10_240), "10 KiB");
        assert_eq!(size(1 << 30), "1024 MiB");
    }
}
