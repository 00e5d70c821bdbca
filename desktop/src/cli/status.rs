//! `slipway status` and `slipway conflicts`.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use slipway_mirror::disk::private::PRIVATE;
use slipway_sync::conflict;

use super::here::Here;
use super::mirror::words;
use super::names;
use crate::control::{self, Ask};
use crate::error::CliError;
use crate::folder::{Folder, FolderError};
use crate::keep::stand::Stand;
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

/// Lists the conflict copies in a folder that is kept in step.
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
    let (there, copies) = match folder.is_there() {
        true => (true, copies(&folder.path)?.len()),
        false => (false, 0),
    };
    let shown = json!({ "folder": folder, "there": there, "stand": stand, "conflicts": copies });
    here.output.tell(&shown, || {
        let path = folder.path.display();
        if !there {
            return format!(
                "{path}\n  {}: the folder is gone, or another stands there",
                folder.name
            );
        }
        let see = format!("see: slipway conflicts {}", quote(&path.to_string()));
        let copies = match copies {
            0 => String::new(),
            1 => format!("\n  1 conflict copy; {see}"),
            many => format!("\n  {many} conflict copies; {see}"),
        };
        format!("{path}\n  {}{copies}", words(folder, &stand))
    })
}

pub(super) fn conflicts(here: &Here, conflicts: Conflicts) -> Result<(), CliError> {
    let dir = conflicts.dir.unwrap_or_else(|| PathBuf::from("."));
    let folder = folder(here, &dir)?;
    let copies = copies(&folder.path)?;
    here.output.remark(match copies.is_empty() {
        true => "There is no conflict copy.",
        false => {
            "Take what you want of a copy into its file and delete the copy, or merge both in the window: slipway open DIR"
        }
    });
    for (copy, original) in copies {
        let shown = json!({ "copy": copy, "of": original });
        here.output.tell(&shown, || {
            format!("{}\n  is a copy of {}", copy.display(), original.display())
        })?;
    }
    Ok(())
}

/// Conflict copies below a folder and what they are copies of, both from the folder on.
fn copies(root: &Path) -> Result<Vec<(PathBuf, PathBuf)>, CliError> {
    let own = |entry: &walkdir::DirEntry| entry.file_name() != PRIVATE;
    let mut copies = Vec::new();
    for entry in walkdir::WalkDir::new(root)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(own)
    {
        // What cannot be read is told by whoever keeps the folder in step.
        let Ok(entry) = entry else { continue };
        let name = entry.file_name().to_str().and_then(conflict::original);
        if let Some(original) = name
            && let Ok(copy) = entry.path().strip_prefix(root)
        {
            copies.push((copy.to_owned(), copy.with_file_name(original)));
        }
    }
    Ok(copies)
}
