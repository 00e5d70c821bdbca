//! A workspace as zip file, written as a stream: nobody holds the whole of it.
use std::io::Write;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use slipway_api::file::Kind;
use slipway_api::workspace::ARCHIVE_COMMENT;
use slipway_core::id::WorkspaceId;
use slipway_core::path::RelPath;
use tokio::sync::mpsc;

use crate::error::Error;
use crate::http::extract::{Path, SignedIn};
use crate::hub::{Hub, NodeRow};
use crate::state::App;

/// The workspace as zip file.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/export", tag = "workspaces", params(("workspace" = WorkspaceId, Path)), responses((status = 200, content_type = "application/zip")), extensions(("x-permission" = json!("workspace-owner"))))]
pub(super) async fn export(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<Response, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    let (_, rows) = app.hub.listing(workspace).await?;
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/zip"),
        ),
        (header::CONTENT_DISPOSITION, disposition(&row.name)),
    ];
    Ok((headers, write(app.hub.clone(), workspace, rows)).into_response())
}

/// The archive's name: as it is for whoever reads `filename*` (RFC 6266), else in ASCII.
fn disposition(name: &str) -> HeaderValue {
    // What a system keeps for itself, such as `con`, is no name of a file there.
    let name = match RelPath::parse(name) {
        Ok(_) => format!("{name}.zip"),
        Err(_) => format!("workspace {}.zip", name.replace(['/', '\\'], "-")),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_ .".contains(c);
    let ascii: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let header = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&header).unwrap_or(HeaderValue::from_static("attachment"))
}

/// Writes a tree as zip file, piece by piece, to a body.
fn write(hub: Hub, workspace: WorkspaceId, rows: Vec<NodeRow>) -> axum::body::Body {
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
    zip.set_comment(ARCHIVE_COMMENT);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_the_workspaces_name_in_every_script_and_none_of_a_system() {
        let told = |name| disposition(name).to_str().unwrap().to_owned();
        assert_eq!(
            told("Öl"),
            "attachment; filename=\"_l.zip\"; filename*=UTF-8''%C3%96l.zip"
        );
        assert!(told("con").contains("filename=\"workspace con.zip\""));
        assert!(told("a/../b").contains("filename=\"workspace a-..-b.zip\""));
    }
}
