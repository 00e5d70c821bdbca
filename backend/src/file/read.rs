//! What stands in a workspace, stood there and changed: tree, journal, contents, history.
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use slipway_api::file::{Changes, History, Kind, Tree};
use slipway_api::problem::Problem;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::PAGE_ROWS_MAX;
use slipway_core::path::RelPath;

use super::convert::{change, entry, version};
use super::range;
use crate::error::Error;
use crate::http::extract::{Json, Path, Query, SignedIn};
use crate::http::page::Page;
use crate::hub::content::read::ContentReader;
use crate::hub::{self, NodeRow};
use crate::state::App;

/// Versions in one answer.
const VERSIONS: Page = Page::of(100);

#[derive(Deserialize)]
pub(super) struct At {
    revision: Option<u64>,
}

/// The whole tree, now or at a revision.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/tree", tag = "files", params(("workspace" = WorkspaceId, Path), ("revision" = Option<u64>, Query)), responses((status = 200, body = Tree)), extensions(("x-permission" = json!("workspace-owner"))))]
pub(super) async fn tree(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Query(at): Query<At>,
) -> Result<Json<Tree>, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    let (revision, rows) = match at.revision {
        None => app.hub.listing(workspace).await?,
        Some(revision) if revision > row.head => return Err(unknown_revision(row.head)),
        Some(revision) => (
            revision,
            hub::store::tree_at(&mut *app.db.acquire().await?, workspace, revision).await?,
        ),
    };
    Ok(Json(Tree {
        revision,
        entries: rows.into_iter().map(entry).collect(),
    }))
}

pub(super) fn unknown_revision(head: u64) -> Error {
    Error::new(
        Code::RevisionUnknown,
        format!("There is no such revision; the newest is {head}."),
    )
}

#[derive(Deserialize)]
pub(super) struct After {
    #[serde(default)]
    after: u64,
}

/// The journal after a revision, whole revisions at a time.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/changes", tag = "files", params(("workspace" = WorkspaceId, Path), ("after" = Option<u64>, Query)), responses((status = 200, body = Changes)), extensions(("x-permission" = json!("workspace-owner"))))]
pub(super) async fn changes(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Query(after): Query<After>,
) -> Result<Json<Changes>, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    let rows = app
        .hub
        .changes_after(workspace, after.after, PAGE_ROWS_MAX as usize)
        .await?;
    let last = rows.last().map_or(after.after, |row| row.revision);
    let head = row.head.max(last);
    Ok(Json(Changes {
        head,
        more: last < head,
        changes: rows.into_iter().map(change).collect(),
    }))
}

/// A file's content, now or at a revision; `Range` for parts.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/files/{*path}", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Path), ("revision" = Option<u64>, Query)), responses((status = 200, content_type = "application/octet-stream"), (status = 206, content_type = "application/octet-stream"), (status = 416, body = Problem)), extensions(("x-permission" = json!("workspace-owner"))))]
pub(super) async fn read(
    State(app): State<App>,
    user: SignedIn,
    Path((workspace, path)): Path<(WorkspaceId, String)>,
    Query(at): Query<At>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    let path = RelPath::parse(&path)?;
    let found = match at.revision {
        None => hub::store::entry(&app.db, workspace, &path).await?,
        Some(revision) if revision > row.head => return Err(unknown_revision(row.head)),
        Some(revision) => hub::store::entry_at(&app.db, workspace, &path, revision).await?,
    };
    let Some(NodeRow {
        kind: Kind::File,
        hash: Some(hash),
        ..
    }) = found
    else {
        return Err(Error::not_found("file"));
    };
    let etag = format!("\"{hash}\"");
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|value| value.as_bytes() == etag.as_bytes())
    {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response());
    }
    let reader = app.hub.open(workspace, hash).await?.ok_or_else(|| {
        Error::new(
            Code::ContentMissing,
            "The content of this version is not kept any more.",
        )
    })?;
    let size = reader.size();
    let range = range::asked(&headers, &etag, size)?;
    let (status, from, many) = match &range {
        None => (StatusCode::OK, 0, size),
        Some(range) => (StatusCode::PARTIAL_CONTENT, range.from, range.bytes()),
    };
    let mut response = (status, content(reader.from_offset(from), many)).into_response();
    let mut fixed = vec![
        (header::ETAG, etag),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::CONTENT_LENGTH, many.to_string()),
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        // What a workspace holds is never a page of ours, whatever a browser makes of it.
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
    ];
    fixed.extend(range.map(|range| (header::CONTENT_RANGE, range.header(size))));
    for (name, value) in fixed {
        response.headers_mut().insert(
            name,
            HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("")),
        );
    }
    Ok(response)
}

/// The next `many` bytes of a content, piece by piece.
fn content(reader: ContentReader, many: u64) -> Body {
    Body::from_stream(futures_util::stream::try_unfold(
        (reader, many),
        |(mut reader, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            let piece = reader.next().await.map_err(std::io::Error::other)?;
            let Some(mut piece) = piece else {
                return Ok::<_, std::io::Error>(None);
            };
            piece.truncate(usize::try_from(left).unwrap_or(usize::MAX));
            let left = left - piece.len() as u64;
            Ok(Some((piece, (reader, left))))
        },
    ))
}

#[derive(Deserialize)]
pub(super) struct HistoryQuery {
    path: RelPath,
    before: Option<u64>,
}

/// Versions of one path, the newest first, also from before it was moved there.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/history", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Query), ("before" = Option<u64>, Query)), responses((status = 200, body = History)), extensions(("x-permission" = json!("workspace-owner"))))]
pub(super) async fn history(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<History>, Error> {
    app.hub.access(workspace, user.user).await?;
    let mut rows = hub::store::history(
        &app.db,
        workspace,
        &query.path,
        query.before.unwrap_or(u64::MAX),
        VERSIONS.limit(),
    )
    .await?;
    let next = VERSIONS.cut_whole(&mut rows, |row| row.change.revision);
    Ok(Json(History {
        versions: rows.into_iter().map(version).collect(),
        next,
    }))
}
