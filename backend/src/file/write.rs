//! Changes of one file or folder: write, delete, move, make. Nothing is overwritten unseen.
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use slipway_api::file::{CreateFolder, Expectation, Move, Outcome, OutcomeResult, Written};
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::FILE_BYTES_MAX;
use slipway_core::path::RelPath;

use super::convert::{entry, expect};
use super::{finish, store};
use crate::audit::Action;
use crate::error::Error;
use crate::http::body::next_piece;
use crate::http::extract::{Json, Path, SignedIn};
use crate::hub::{self, Content, Expect, Hub, NewNode, Proposal};
use crate::state::App;

/// Writes a file over the content named by `If-Match`, or makes it with `If-None-Match: *`.
#[utoipa::path(put, path = "/api/v1/workspaces/{workspace}/files/{*path}", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Path)), request_body(content_type = "application/octet-stream"), responses((status = 200, body = Written)), extensions(("x-permission" = json!("workspace-owner"))))]
pub(super) async fn write(
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
                from: None,
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
    Ok(Content::Inline(start.freeze().into()))
}

/// Deletes a file, or a folder with all below it.
#[utoipa::path(delete, path = "/api/v1/workspaces/{workspace}/files/{*path}", tag = "files", params(("workspace" = WorkspaceId, Path), ("path" = String, Path)), responses((status = 200, body = Written)), extensions(("x-permission" = json!("workspace-owner"))))]
pub(super) async fn remove(
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
pub(super) async fn relocate(
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
pub(super) async fn create_folder(
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

/// One operation that must pass.
async fn one(
    app: &App,
    workspace: WorkspaceId,
    user: SignedIn,
    proposal: Proposal,
) -> Result<Written, Error> {
    let path = proposal.path.clone();
    let batch = app.clock.fresh::<slipway_core::id::RequestId>().to_string();
    let (mut db, mut done) = store(
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
    let entry = hub::store::entry(&mut *db, workspace, &path)
        .await?
        .map(entry);
    finish(app, db, workspace, done.revision).await?;
    let outcome = done
        .outcomes
        .pop()
        .ok_or_else(|| Error::new(Code::Internal, "The hub gave no outcome."))?;
    passed(outcome, &path)?;
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

/// What `If-Match` and `If-None-Match` expect.
fn expectation(headers: &HeaderMap) -> Result<Option<Expect>, Error> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
            .map(str::trim)
    };
    let expected = Expectation::of_headers(text(header::IF_MATCH), text(header::IF_NONE_MATCH));
    let expected = expected.map_err(|(code, words)| Error::new(code, words))?;
    Ok(expected.as_ref().map(expect))
}
