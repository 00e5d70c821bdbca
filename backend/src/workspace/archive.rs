//! Workspaces as zip files: read safely against traversal, bombs, links and foreign names; written as a stream.
use std::fs::File;
use std::io::{Read as _, Write};

use bytes::Bytes;
use slipway_api::file::Kind;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{
    FILE_BYTES_MAX, MIB, WORKSPACE_BYTES_MAX, ZIP_ENTRIES_MAX, ZIP_RATIO_MAX,
};
use slipway_core::path::RelPath;
use tokio::sync::mpsc;

use crate::error::Error;
use crate::hub::{Content, Hub, NewNode, NodeRow, Proposal};

/// Contents of one commit of an import.
const BATCH_BYTES: u64 = 8 * MIB;
/// Files of one commit of an import.
const BATCH_FILES: usize = 4_000;
/// A small archive may unpack to this much whatever its ratio: a page of spaces is no bomb.
const RATIO_FROM: u64 = 10 * MIB;
const UNIX_TYPE: u32 = 0o170_000;
const UNIX_LINK: u32 = 0o120_000;

/// Reads a zip file on a thread of its own; batches of proposals come out, or why not.
pub fn read(file: File) -> mpsc::Receiver<Result<Vec<Proposal>, Error>> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read_all(file, &sender) {
            // Nobody listens any more when the request was cut.
            drop(sender.blocking_send(Err(error)));
        }
    });
    receiver
}

fn damaged(error: &zip::result::ZipError) -> Error {
    match error {
        zip::result::ZipError::UnsupportedArchive(why) if why.contains("assword") => Error::new(
            Code::ZipInvalid,
            "The zip file is encrypted. Export it without a password.",
        ),
        error => Error::new(
            Code::ZipInvalid,
            format!("The zip file cannot be read: {error}. Is it complete?"),
        ),
    }
}

fn bomb() -> Error {
    Error::new(
        Code::ZipBomb,
        "The zip file unpacks to far more than it holds, or than a workspace takes (1 GiB, 200,000 files).",
    )
}

fn read_all(file: File, sender: &mpsc::Sender<Result<Vec<Proposal>, Error>>) -> Result<(), Error> {
    let packed = file.metadata().map_err(Error::from)?.len();
    let mut archive = zip::ZipArchive::new(file).map_err(|error| damaged(&error))?;
    if archive.len() as u64 > ZIP_ENTRIES_MAX {
        return Err(bomb());
    }
    let strip = common_folder(&archive);
    let (mut batch, mut batch_bytes, mut total) = (Vec::new(), 0, 0);
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| damaged(&error))?;
        let name = std::str::from_utf8(entry.name_raw())
            .map_err(|_| {
                Error::new(
                    Code::PathInvalid,
                    "The zip file holds a name that is not UTF-8. Rename it and pack again.",
                )
            })?
            .to_owned();
        let Some(name) = name
            .strip_prefix(strip.as_str())
            .map(|name| name.trim_end_matches('/'))
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        let path = RelPath::parse(name)?;
        let mode = entry.unix_mode().unwrap_or(0);
        if mode & UNIX_TYPE == UNIX_LINK || entry.is_symlink() {
            return Err(Error::new(
                Code::LinkEscapes,
                format!(
                    "\"{path}\" is a symbolic link, which an import does not take. Pack the file itself."
                ),
            ));
        }
        if entry.is_dir() {
            batch.push(Proposal {
                path,
                expect: None,
                change: NewNode::Folder,
            });
            continue;
        }
        let mut content = Vec::new();
        // What the archive says of its sizes is not believed: the bytes are counted as they come.
        let most = FILE_BYTES_MAX.min(WORKSPACE_BYTES_MAX - total);
        entry
            .by_ref()
            .take(most + 1)
            .read_to_end(&mut content)
            .map_err(|error| {
                Error::new(
                    Code::ZipInvalid,
                    format!("\"{path}\" in the zip file is damaged: {error}."),
                )
            })?;
        total += content.len() as u64;
        if total > WORKSPACE_BYTES_MAX
            || (total > RATIO_FROM && total / packed.max(1) > ZIP_RATIO_MAX)
        {
            return Err(bomb());
        }
        if content.len() as u64 > FILE_BYTES_MAX {
            return Err(Error::new(
                Code::FileTooLarge,
                format!("\"{path}\" is larger than 100 MiB, which is the most a file may have."),
            ));
        }
        batch_bytes += content.len() as u64;
        batch.push(Proposal {
            path,
            expect: None,
            change: NewNode::File {
                content: Content::Inline(Bytes::from(content)),
                executable: mode & 0o100 != 0,
            },
        });
        if batch_bytes >= BATCH_BYTES || batch.len() >= BATCH_FILES {
            batch_bytes = 0;
            if sender
                .blocking_send(Ok(std::mem::take(&mut batch)))
                .is_err()
            {
                return Ok(());
            }
        }
    }
    drop(sender.blocking_send(Ok(batch)));
    Ok(())
}

/// The one folder in which everything lies, as most archives have it; it is not made again inside the workspace.
fn common_folder(archive: &zip::ZipArchive<File>) -> String {
    let mut names = archive.file_names();
    let Some(folder) = names
        .next()
        .and_then(|name| name.split_once('/'))
        .map(|(folder, _)| format!("{folder}/"))
    else {
        return String::new();
    };
    let plain = folder != "./" && folder != "../" && folder != "/";
    if plain && names.all(|name| name.starts_with(&folder)) {
        folder
    } else {
        String::new()
    }
}

/// Writes a tree as zip file, piece by piece, to a body.
pub fn write(hub: Hub, workspace: WorkspaceId, rows: Vec<NodeRow>) -> axum::body::Body {
    let (sender, receiver) = mpsc::channel::<std::io::Result<Bytes>>(4);
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let out = Pieces {
            buffer: Vec::with_capacity(1 << 16),
            sender: sender.clone(),
        };
        if let Err(error) = write_all(&runtime, &hub, workspace, rows, out) {
            // The body breaks off, so that nobody takes half an archive for a whole one.
            drop(sender.blocking_send(Err(error)));
        }
    });
    axum::body::Body::from_stream(tokio_stream::wrappers::ReceiverStream::new(receiver))
}

fn write_all(
    runtime: &tokio::runtime::Handle,
    hub: &Hub,
    workspace: WorkspaceId,
    rows: Vec<NodeRow>,
    out: Pieces,
) -> std::io::Result<()> {
    let mut zip = zip::ZipWriter::new_stream(out);
    for row in rows {
        let mode = if row.executable { 0o755 } else { 0o644 };
        let options = zip::write::SimpleFileOptions::default()
            .unix_permissions(mode)
            .large_file(row.size > u64::from(u32::MAX));
        match (row.kind, row.hash) {
            (Kind::Folder, _) => zip.add_directory(row.path.as_str(), options)?,
            (Kind::Symlink, _) => {
                zip.add_symlink(row.path.as_str(), row.target.unwrap_or_default(), options)?;
            }
            (Kind::File, Some(hash)) => {
                zip.start_file(row.path.as_str(), options)?;
                let reader = runtime
                    .block_on(hub.open(workspace, hash))
                    .map_err(std::io::Error::other)?;
                let mut reader =
                    reader.ok_or_else(|| std::io::Error::other("a content is missing"))?;
                while let Some(piece) = runtime
                    .block_on(reader.next())
                    .map_err(std::io::Error::other)?
                {
                    zip.write_all(&piece)?;
                }
            }
            (Kind::File, None) => {}
        }
    }
    zip.finish()?.into_inner().flush()
}

/// Hands bytes on in pieces; waits when the reader is slow.
struct Pieces {
    buffer: Vec<u8>,
    sender: mpsc::Sender<std::io::Result<Bytes>>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= 1 << 16 {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = Bytes::from(std::mem::take(&mut self.buffer));
        self.sender
            .blocking_send(Ok(piece))
            .map_err(|_| std::io::ErrorKind::BrokenPipe.into())
    }
}
