//! `slipway status` and `slipway conflicts`.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::here::Here;
use super::mirror::words;
use super::names;
use crate::control::{self, Ask};
use crate::error::CliError;
use crate::folder::{Folder, FolderError, Folders};
use crate::keep::Kept;
use crate::keep::stand::{OpenConflict, Stand};
use crate::output::quote;

/// Tells how folders stand that are kept in step.
#[derive(Args)]
pub(super) struct Status {
    /// One folder, or something in it; all without it.
    dir: Option<PathBuf>,
    /// Lets deletions that are held back go on to the workspace.
    #[arg(long, requires = "dir")]
    confirm: bool,
}

/// Lists the conflicts of a folder that nobody has resolved yet.
#[derive(Args)]
pub(super) struct Conflicts {
    /// The folder, or something in it; this folder without it.
    dir: Option<PathBuf>,
}

/// The folder around a path.
fn folder(here: &Here, dir: &Path) -> Result<Folder, CliError> {
    let found = here.folders().around(dir)?;
    found.ok_or_else(|| FolderError::Unknown(dir.to_owned()).into())
}

pub(super) async fn status(here: &Here, status: Status) -> Result<(), CliError> {
    let known = || match &status.dir {
        Some(dir) => folder(here, dir).map(|folder| vec![folder]),
        None => here.folders().all(),
    };
    let folders = known()?;
    if folders.is_empty() {
        here.output
            .remark("No folder is kept in step. Begin with: slipway mirror WORKSPACE DIR");
    }
    let question = match status.confirm {
        true => Ask::Confirm,
        false => Ask::Stand,
    };
    let mut answers = HashMap::new();
    for folder in &folders {
        let answer = control::ask(&here.folders().home(folder), question).await;
        match answer {
            Some(answer) => drop(answers.insert(folder.replica, answer.stand)),
            // Nobody is there who could hold anything back.
            None if status.confirm => {
                return Err(FolderError::Unknown(folder.path.clone()).into());
            }
            None => {}
        }
    }
    // Who keeps a folder in step hears what its workspace is called.
    let (_, alone): (Vec<_>, Vec<_>) = folders
        .into_iter()
        .partition(|folder| answers.contains_key(&folder.replica));
    names::ask(here, &alone).await;
    for folder in known()? {
        let stand = answers.remove(&folder.replica);
        tell(here, &folder, stand)?;
    }
    Ok(())
}

fn tell(here: &Here, folder: &Folder, stand: Option<Stand>) -> Result<(), CliError> {
    let stand = stand.unwrap_or_else(|| Stand::at_rest(folder));
    let there = folder.is_there();
    let shown = json!({ "folder": folder, "there": there, "stand": stand });
    here.output.tell(&shown, || {
        let path = folder.path.display();
        if !there {
            return format!(
                "{path}\n  {}: the folder is gone, or another stands there",
                folder.name
            );
        }
        let see = format!("see: slipway conflicts {}", quote(&path.to_string()));
        let copies = match stand.conflicts {
            None | Some(0) => String::new(),
            Some(1) => format!("\n  1 conflict copy; {see}"),
            Some(many) => format!("\n  {many} conflict copies; {see}"),
        };
        format!("{path}\n  {}{copies}", words(folder, &stand))
    })
}

pub(super) async fn conflicts(here: &Here, conflicts: Conflicts) -> Result<(), CliError> {
    let dir = conflicts.dir.unwrap_or_else(|| PathBuf::from("."));
    let folder = folder(here, &dir)?;
    let open = open(here.folders(), &folder, &here.config.host).await?;
    here.output.remark(match open.is_empty() {
        true => "There is no conflict copy.",
        false => {
            "Take what you want of a copy into its file and delete the copy, or merge both in the window: slipway open DIR"
        }
    });
    for conflict in open {
        here.output.tell(&conflict, || {
            format!("{}\n  is a copy of {}", conflict.copy, conflict.of)
        })?;
    }
    Ok(())
}

/// The open conflicts of a folder, as whoever keeps it knows them. Where nobody does, it is kept for a moment.
async fn open(
    folders: Folders,
    folder: &Folder,
    host: &str,
) -> Result<Vec<OpenConflict>, CliError> {
    if let Some(answer) = control::ask(&folders.home(folder), Ask::Conflicts).await {
        return Ok(answer.conflicts);
    }
    let kept = Kept::start(&folders, folder, host)?;
    let open = kept.conflicts().await;
    kept.stop().await;
    open
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use slipway_core::path::RelPath;

    use super::*;
    use crate::control::Control;

    const COPY: &str = "a (conflict laptop 0123ab).txt";

    #[tokio::test]
    async fn a_copy_that_is_left_out_or_was_kept_is_no_open_conflict() {
        let place = tempfile::tempdir().unwrap();
        let state = place.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let folders = Folders::new(&state);
        let folder = folders.make(&place.path().join("tides"), "tides").unwrap();
        for within in ["", ".git", "node_modules"] {
            let within = folder.path.join(within);
            std::fs::create_dir_all(&within).unwrap();
            std::fs::write(within.join(COPY), "mine\n").unwrap();
        }
        let open = || async { open(folders.clone(), &folder, "laptop").await.unwrap() };
        let copy = RelPath::parse(COPY).unwrap();
        let one = [OpenConflict {
            copy: copy.clone(),
            of: RelPath::parse("a.txt").unwrap(),
        }];
        assert_eq!(open().await, one, "nobody keeps it");
        let kept = Arc::new(Kept::start(&folders, &folder, "laptop").unwrap());
        let control = Control::listen(&folders.home(&folder), Arc::clone(&kept)).unwrap();
        assert_eq!(open().await, one);
        kept.engine().keep_copy(copy).await.unwrap();
        assert_eq!(open().await, []);
        let stand = control::ask(&folders.home(&folder), Ask::Stand).await;
        assert_eq!(stand.unwrap().stand.conflicts, Some(0));
        drop(control);
        kept.stop().await;
        assert_eq!(open().await, [], "it was kept for good");
    }
}
