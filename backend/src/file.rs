//! Files over REST: tree, journal, read and write, folders, moves, history and restore.
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use slipway_api::file::{
    Changes, Commit, Committed, CreateFolder, History, Kind, Move, OriginKind, Outcome,
    OutcomeResult, Restore, Tree, Written,
};
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{COMMIT_BYTES_MAX, FILE_BYTES_MAX};
use slipway_core::path::RelPath;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::body::next_piece;
use crate::http::extract::{Json, Path, Query, SignedIn};
use crate::hub::{self, Author, Content, Expect, Hub, NewNode, NodeRow, Proposal};
use crate::state::App;

pub mod convert;
pub mod restore;
pub mod upload;

use convert::{change, entry, outcome, proposal};

/// Rows of the journal in one answer.
const CHANGES_PAGE: usize = 1_000;
/// Versions in one answer.
const HISTORY_PAGE: i64 = 100;

/// Routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tree))
        .routes(routes!(changes))
        .merge(
            OpenApiRouter::new()
                .routes(routes!(commit))
                .layer(axum::extract::DefaultBodyLimit::max(COMMIT_BYTES_MAX)),
        )
        .merge(
            OpenApiRouter::new()
                .routes(routes!(read, write, remove))
                .layer(axum::extract::DefaultBodyLimit::disable()),
        )
        .routes(routes!(relocate))
        .routes(routes!(create_folder))
        .merge(upload::routes())
        .routes(routes!(history))
        .routes(routes!(restore_to))
}

#[derive(Deserialize)]
struct At {
    revision: Option<u64>,
}

/// The whole tree, now or at a revision.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/tree", tag = "files", params(("workspace" = WorkspaceId, Path), ("revision" = Option<u64>, Query)), responses((status = 200, body = Tree)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn tree(
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

fn unknown_revision(head: u64) -> Error {
    Error::new(
        Code::RevisionUnknown,
        format!("There is no such revision; the newest is {head}."),
    )
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

/// The journal after a revision, whole revisions at a time.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/changes", tag = "files", params(("workspace" = WorkspaceId, Path), ("after" = Option<u64>, Query)), responses((status = 200, body = Changes)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn changes(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Query(after): Query<After>,
) -> Result<Json<Changes>, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    let rows = app
        .hub
        .changes_after(workspace, after.after, CHANGES_PAGE)
        .await?;
    let last = rows.last().map_or(after.after, |row| row.revision);
    let head = row.head.max(last);
    Ok(Json(Changes {
        head,
        more: last < head,
        changes: rows.into_iter().map(change).collect(),
    }))
}

/// Several operations in one transaction; a repeated batch gets the first answer.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/commits", tag = "files", params(("workspace" = WorkspaceId, Path)), request_body = Commit, responses((status = 200, body = Committed)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn commit(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<Commit>,
) -> Result<Json<Committed>, Error> {
    app.hub.access(workspace, user.user).await?;
    let proposals = body
        .operations
        .into_iter()
        .map(proposal)
        .collect::<Result<Vec<_>, _>>()?;
    let done = store(
        &app,
        workspace,
        user,
        &Hub::editor(user.user),
        &body.batch,
        proposals,
        body.atomic,
        Action::FilesWrite,
    )
    .await?;
    Ok(Json(done))
}

/// Commits with the audit row in the same transaction.
#[expect(
    clippy::too_many_arguments,
    reason = "one transaction with all that belongs to it"
)]
async fn store(
    app: &App,
    workspace: WorkspaceId,
    user: SignedIn,
    author: &Author,
    batch: &str,
    proposals: Vec<Proposal>,
    atomic: bool,
    action: Action,
) -> Result<Committed, Error> {
    let mut db = app.db.begin().await?;
    let done = app
        .hub
        .commit_in(&mut db, workspace, author, batch, proposals, atomic)
        .await?;
    audit::record(
        &mut db,
        &app.clock,
        Some(user.user),
        action,
        &workspace.to_string(),
        json!({ "revision": done.revision }),
    )
    .await?;
    db.commit().await?;
    app.hub.moved(workspace, done.revision);
    Ok(Committed {
        revision: done.revision,
        outcomes: done.outcomes.into_iter().map(outcome).collect(),
    })
}

/// One operation that must pass.
async fn one(
    app: &App,
    workspace: WorkspaceId,
    user: SignedIn,
    proposal: Proposal,
) -> Result<Written, Error> {
    let path = proposal.path.clone();
    let batch = app.clock.fresh::<slipway_core::id::RequestId>().to_string();
    let mut done = store(
        app,
        workspace,
        user,
        &Hub::editor(user.user),
        &batch,
        vec![proposal],
        false,
        Action::FilesWrite,
    )
    .await?;
    let outcome = done
        .outcomes
        .pop()
        .ok_or_else(|| Error::new(Code::Internal, "The hub gave no outcome."))?;
    passed(outcome, &path)?;
    let entry = hub::store::entry(&app.db, workspace, &path)
        .await?
        .map(entry);
    Ok(Written {
        revision: done.revision,
        entry,
    })
}

/// An outcome that did not pass, as error.
fn passed(outcome: Outcome, path: &RelPath) -> Result<(), Error> {
    match outcome.result {
        OutcomeResult::Applied | OutcomeResult::Converged => Ok(()),
        OutcomeResult::Stale => {
            let error = Error::new(
                Code::Stale,
                format!(
                    "\"{path}\" changed since you read it. Nothing was overwritten; compare and decide."
                ),
            );
            Err(match outcome.current.and_then(|current| current.hash) {
                Some(hash) => error.with_etag(format!("\"{hash}\"")),
                None => error,
            })
        }
        OutcomeResult::Rejected => Err(Error::new(
            outcome.code.unwrap_or(Code::InvalidRequest),
            outcome.message.unwrap_or_default(),
        )),
    }
}

/// What `If-Match` and `If-None-Match` expect; one of them is asked for, so that nothing is overwritten unseen.
fn expectation(headers: &HeaderMap) -> Result<Option<Expect>, Error> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .map(str::trim)
    };
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (Some("*"), _) => Ok(None),
        (Some(etag), _) => {
            let hash = etag.trim_matches('"').parse::<ContentHash>();
            hash.map(|hash| Some(Expect::Content(hash))).map_err(|_| {
                Error::new(
                    Code::InvalidRequest,
                    "If-Match takes the ETag of the file that you read.",
                )
            })
        }
        (None, Some("*")) => Ok(Some(Expect::Absent)),
        (None, _) => Err(Error::new(
            Code::PreconditionRequired,
            "Send If-Match with the ETag that you read, or If-None-Match: * for a new file.",
        )),
    }
}

/// A file's content, now or at a revision; `Range` for parts.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/files/{*path}", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Path), ("revision" = Option<u64>, Query)), responses((status = 200, content_type = "application/octet-stream")), extensions(("x-permission" = json!("workspace-owner"))))]
async fn read(
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
        Some(revision) => hub::store::history(&app.db, workspace, &path, revision + 1, 1)
            .await?
            .pop()
            .and_then(|row| row.node),
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
    let body = Body::from_stream(futures_util::stream::try_unfold(
        reader,
        |mut reader| async move {
            let piece = reader.next().await.map_err(std::io::Error::other)?;
            Ok::<_, std::io::Error>(piece.map(|piece| (piece, reader)))
        },
    ));
    let mut response = body.into_response();
    let fixed = [
        (header::ETAG, etag),
        (header::CONTENT_LENGTH, size.to_string()),
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        // What a workspace holds is never a page of ours, whatever a browser makes of it.
        (
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'".to_owned(),
        ),
        (header::CONTENT_DISPOSITION, "attachment".to_owned()),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(
            name,
            HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("")),
        );
    }
    Ok(response)
}

/// Writes a file over the content named by `If-Match`, or makes it with `If-None-Match: *`.
#[utoipa::path(put, path = "/api/v1/workspaces/{workspace}/files/{*path}", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Path)), request_body(content_type = "application/octet-stream"), responses((status = 200, body = Written)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn write(
    State(app): State<App>,
    user: SignedIn,
    Path((workspace, path)): Path<(WorkspaceId, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Error> {
    let expect = expectation(&headers)?;
    app.hub.access(workspace, user.user).await?;
    let path = RelPath::parse(&path)?;
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > FILE_BYTES_MAX) {
        return Err(hub::HubError::TooLarge.into());
    }
    let content = receive(&app, workspace, body).await?;
    let current = hub::store::entry(&app.db, workspace, &path).await?;
    let executable = current.is_some_and(|current| current.executable);
    let written = one(
        &app,
        workspace,
        user,
        Proposal {
            path,
            expect,
            change: NewNode::File {
                content,
                executable,
            },
        },
    )
    .await?;
    let etag = written
        .entry
        .as_ref()
        .and_then(|entry| entry.hash)
        .map(|hash| format!("\"{hash}\""))
        .unwrap_or_default();
    Ok(([(header::ETAG, etag)], Json(written)).into_response())
}

/// A body as content: small ones stay in memory, large ones are stored as they arrive.
async fn receive(app: &App, workspace: WorkspaceId, body: Body) -> Result<Content, Error> {
    let mut pieces = body.into_data_stream();
    let mut start = bytes::BytesMut::new();
    while let Some(piece) = next_piece(&mut pieces).await? {
        start.extend_from_slice(&piece);
        if start.len() as u64 > slipway_core::limits::BLOB_INLINE_BYTES_MAX {
            let mut writer = app.hub.writer(workspace);
            writer.push(&start).await?;
            while let Some(piece) = next_piece(&mut pieces).await? {
                writer.push(&piece).await?;
            }
            return Ok(Content::Held(writer.finish().await?.0));
        }
    }
    Ok(Content::Inline(start.freeze()))
}

/// Deletes a file, or a folder with all below it.
#[utoipa::path(delete, path = "/api/v1/workspaces/{workspace}/files/{*path}", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Path)), responses((status = 200, body = Written)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn remove(
    State(app): State<App>,
    user: SignedIn,
    Path((workspace, path)): Path<(WorkspaceId, String)>,
    headers: HeaderMap,
) -> Result<Json<Written>, Error> {
    let expect = expectation(&headers)?;
    app.hub.access(workspace, user.user).await?;
    let path = RelPath::parse(&path)?;
    if hub::store::entry(&app.db, workspace, &path)
        .await?
        .is_none()
    {
        return Err(Error::not_found("file"));
    }
    Ok(Json(
        one(
            &app,
            workspace,
            user,
            Proposal {
                path,
                expect,
                change: NewNode::Absent,
            },
        )
        .await?,
    ))
}

/// Moves a file or folder with all in it.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/moves", tag = "files", params(("workspace" = WorkspaceId, Path)), request_body = Move, responses((status = 200, body = Written)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn relocate(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    headers: HeaderMap,
    Json(body): Json<Move>,
) -> Result<Json<Written>, Error> {
    app.hub.access(workspace, user.user).await?;
    let expect = if headers.contains_key(header::IF_MATCH) {
        expectation(&headers)?
    } else {
        None
    };
    if hub::store::entry(&app.db, workspace, &body.from)
        .await?
        .is_none()
    {
        return Err(Error::not_found("file"));
    }
    Ok(Json(
        one(
            &app,
            workspace,
            user,
            Proposal {
                path: body.to,
                expect,
                change: NewNode::MoveFrom(body.from),
            },
        )
        .await?,
    ))
}

/// Makes an empty folder.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/folders", tag = "files", params(("workspace" = WorkspaceId, Path)), request_body = CreateFolder, responses((status = 200, body = Written)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn create_folder(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<CreateFolder>,
) -> Result<Json<Written>, Error> {
    app.hub.access(workspace, user.user).await?;
    if hub::store::entry(&app.db, workspace, &body.path)
        .await?
        .is_some()
    {
        return Err(Error::new(
            Code::PathExists,
            format!(
                "Something stands at \"{}\" already. Choose another name.",
                body.path
            ),
        ));
    }
    Ok(Json(
        one(
            &app,
            workspace,
            user,
            Proposal {
                path: body.path,
                expect: Some(Expect::Absent),
                change: NewNode::Folder,
            },
        )
        .await?,
    ))
}

#[derive(Deserialize)]
struct HistoryQuery {
    path: RelPath,
    before: Option<u64>,
}

/// Versions of one path, the newest first.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/history", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Query), ("before" = Option<u64>, Query)), responses((status = 200, body = History)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn history(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<History>, Error> {
    app.hub.access(workspace, user.user).await?;
    let rows = hub::store::history(
        &app.db,
        workspace,
        &query.path,
        query.before.unwrap_or(u64::MAX),
        HISTORY_PAGE,
    )
    .await?;
    let full = i64::try_from(rows.len()).unwrap_or(i64::MAX) == HISTORY_PAGE;
    let next = rows.last().filter(|_| full).map(|row| row.revision);
    Ok(Json(History {
        versions: rows.into_iter().map(change).collect(),
        next,
    }))
}

/// Brings back a path, or the whole workspace, as it was at a revision. The present stays in the history.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/restores", tag = "files", params(("workspace" = WorkspaceId, Path)), request_body = Restore, responses((status = 200, body = Committed)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn restore_to(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(body): Json<Restore>,
) -> Result<Json<Committed>, Error> {
    let row = app.hub.access(workspace, user.user).await?;
    if body.revision > row.head {
        return Err(unknown_revision(row.head));
    }
    let proposals = restore::proposals(&app, workspace, body.revision, body.path.as_ref()).await?;
    let author = Author {
        kind: OriginKind::Restore,
        ..Hub::editor(user.user)
    };
    let batch = app.clock.fresh::<slipway_core::id::RequestId>().to_string();
    Ok(Json(
        store(
            &app,
            workspace,
            user,
            &author,
            &batch,
            proposals,
            false,
            Action::FilesRestore,
        )
        .await?,
    ))
}
