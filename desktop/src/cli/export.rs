//! `slipway export`.
use std::path::{Path, PathBuf};

use clap::Args;
use futures_util::StreamExt as _;
use serde_json::json;

use super::here::Here;
use crate::error::CliError;
use crate::folder::file_name;
use crate::part::Part;

/// Saves a workspace as a zip file.
#[derive(Args)]
pub(super) struct Export {
    /// The workspace's name or id.
    workspace: String,
    /// The file; `-` for the standard output. By default the workspace's name with .zip, in this folder.
    file: Option<PathBuf>,
    /// Replaces a file that exists.
    #[arg(long)]
    force: bool,
}

pub(super) async fn export(here: &Here, export: Export) -> Result<(), CliError> {
    let signed_in = here.signed_in().await?;
    let workspace = signed_in.workspace(&export.workspace).await?;
    let file = export
        .file
        .unwrap_or_else(|| PathBuf::from(format!("{}.zip", file_name(&workspace.name))));
    let is_stdout = file == Path::new("-");
    if !is_stdout && !export.force && file.exists() {
        return Err(CliError::Exists(file));
    }
    let zip = signed_in.client.export_stream(workspace.id).await;
    let mut zip = zip.map_err(|error| signed_in.told(error))?;
    if is_stdout {
        while let Some(piece) = zip.next().await {
            let piece = piece.map_err(|error| signed_in.told(error))?;
            here.output.bytes(&piece)?;
        }
        return Ok(());
    }
    let mut part = Part::begin(&file)?;
    let mut bytes = 0;
    while let Some(piece) = zip.next().await {
        let piece = piece.map_err(|error| signed_in.told(error))?;
        part.add(&piece)?;
        bytes += piece.len();
    }
    part.end(export.force)?;
    let shown = json!({ "workspace": workspace.id, "file": file, "bytes": bytes });
    here.output.tell(&shown, || {
        format!("Saved {} in {}.", workspace.name, file.display())
    })
}
