//! A workspace of this machine as a zip file, as the server makes one.
use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use slipway_api::workspace::ARCHIVE_COMMENT;
use slipway_mirror::files::Files;
use slipway_mirror::local::{LocalEntry, LocalError};
use slipway_sync::node::Node;
use tokio::runtime::Handle;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::answer::Fault;
use super::kept::Local;
use crate::error::CliError;

/// Writes everything that the folder holds now.
pub(super) async fn export(local: &Local, file: File, to: &Path) -> Result<File, CliError> {
    let engine = local.engine();
    let told = |error: LocalError| CliError::Refused(Box::new(Fault::from(error).into_problem()));
    let entries = engine.tree().await.map_err(told)?.entries;
    let (files, runtime) = (engine.files(), Handle::current());
    let written = tokio::task::spawn_blocking(move || write(file, entries, &files, &runtime));
    let written = written
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
    written.map_err(CliError::file(to))
}

fn write(
    file: File,
    entries: Vec<LocalEntry>,
    files: &Files,
    runtime: &Handle,
) -> io::Result<File> {
    let mut zip = ZipWriter::new(file);
    zip.set_comment(ARCHIVE_COMMENT);
    for LocalEntry { path, node, .. } in entries {
        let options = |executable| {
            SimpleFileOptions::default().unix_permissions(if executable { 0o755 } else { 0o644 })
        };
        match node {
            Node::Folder => zip.add_directory(path.as_str(), options(false))?,
            Node::Symlink { target } => zip.add_symlink(path.as_str(), target, options(false))?,
            Node::File { .. } => match runtime.block_on(files.read(&path)) {
                Ok(content) => {
                    zip.start_file(path.as_str(), options(content.executable))?;
                    zip.write_all(&content.bytes)?;
                }
                // It went in this moment.
                Err(LocalError::NotFound) => {}
                Err(error) => return Err(io::Error::other(error)),
            },
        }
    }
    Ok(zip.finish()?)
}
