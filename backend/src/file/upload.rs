//! Uploads of many files and folders at once, each with its own outcome.
use axum::extract::multipart::MultipartRejection;
use axum::extract::{DefaultBodyLimit, Multipart, State};
use serde::Deserialize;
use slipway_api::file::{OnConflict, OriginKind, OutcomeResult, Uploaded, UploadedFile};
use slipway_core::code::Code;
use slipway_core::id::{RequestId, WorkspaceId};
use slipway_core::limits::COMMIT_OPERATIONS_MAX;
use slipway_core::path::RelPath;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{convert, store};
use crate::audit::Action;
use crate::error::Error;
use crate::http::body;
use crate::http::extract::{Json, Path, Query, SignedIn};
use crate::hub::{self, Author, Content, Expect, Hub, NewNode, Proposal};
use crate::state::App;

/// Routes of this part.
pub fn routes() -> OpenApiRouter<App> {
    // Files are bounded one by one as they are stored.
    OpenApiRouter::new()
        .routes(routes!(upload))
        .layer(DefaultBodyLimit::disable())
}

#[derive(Deserialize)]
struct UploadQuery {
    #[serde(default)]
    folder: String,
    on_conflict: Option<OnConflict>,
}

/// Stores every part that has a file name; the name is the path below `folder`.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/uploads", tag = "files", params(("workspace" = WorkspaceId, Path), ("folder" = Option<String>, Query), ("on_conflict" = Option<OnConflict>, Query)), request_body(content_type = "multipart/form-data"), responses((status = 200, body = Uploaded)), extensions(("x-permission" = json!("workspace-owner"))))]
async fn upload(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Query(query): Query<UploadQuery>,
    parts: Result<Multipart, MultipartRejection>,
) -> Result<Json<Uploaded>, Error> {
    app.hub.access(workspace, user.user).await?;
    let mut parts = parts.map_err(|_| {
        Error::new(
            Code::UnsupportedMediaType,
            "Send the files as multipart/form-data with a boundary.",
        )
    })?;
    let on_conflict = query.on_conflict.unwrap_or(OnConflict::Ask);
    let (mut files, mut proposals, mut places) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        let Some(name) = part.file_name().map(str::to_owned) else {
            continue;
        };
        if files.len() >= COMMIT_OPERATIONS_MAX {
            return Err(Error::new(
                Code::InvalidRequest,
                "An upload takes at most 10,000 files. Import a zip file instead.",
            ));
        }
        let whole = if query.folder.is_empty() {
            name.clone()
        } else {
            format!("{}/{name}", query.folder.trim_matches('/'))
        };
        let mut file = UploadedFile {
            path: name,
            entry: None,
            result: OutcomeResult::Rejected,
            code: None,
            message: None,
        };
        match RelPath::parse(&whole) {
            Err(error) => {
                // The others still go; what this one holds is read over.
                while next(&mut part).await?.is_some() {}
                (file.code, file.message) = (Some(error.code()), Some(error.to_string()));
            }
            Ok(path) => {
                let mut writer = app.hub.writer(workspace);
                while let Some(piece) = next(&mut part).await? {
                    writer.push(&piece).await?;
                }
                let (hash, _) = writer.finish().await?;
                if let Some(proposal) =
                    place(&app, workspace, path, Content::Held(hash), on_conflict).await?
                {
                    places.push(files.len());
                    proposals.push(proposal);
                } else {
                    file.result = OutcomeResult::Converged;
                    file.message = Some("Skipped: something stands there already.".to_owned());
                }
            }
        }
        files.push(file);
    }
    let author = Author {
        kind: OriginKind::Upload,
        ..Hub::editor(user.user)
    };
    let paths: Vec<_> = proposals
        .iter()
        .map(|proposal| proposal.path.clone())
        .collect();
    let batch = app.clock.fresh::<RequestId>().to_string();
    let done = store(
        &app,
        workspace,
        user,
        &author,
        &batch,
        proposals,
        false,
        Action::FilesWrite,
    )
    .await?;
    for ((index, path), outcome) in places.into_iter().zip(paths).zip(done.outcomes) {
        let file = &mut files[index];
        (file.result, file.code, file.message) = (outcome.result, outcome.code, outcome.message);
        file.entry = hub::store::entry(&app.db, workspace, &path)
            .await?
            .map(convert::entry);
    }
    Ok(Json(Uploaded {
        revision: done.revision,
        files,
    }))
}

/// Where a file goes; `None` when it is skipped.
async fn place(
    app: &App,
    workspace: WorkspaceId,
    path: RelPath,
    content: Content,
    on_conflict: OnConflict,
) -> Result<Option<Proposal>, Error> {
    let change = NewNode::File {
        content,
        executable: false,
    };
    let taken = hub::store::entry(&app.db, workspace, &path)
        .await?
        .is_some();
    match on_conflict {
        _ if !taken => Ok(Some(Proposal {
            path,
            expect: Some(Expect::Absent),
            change,
        })),
        OnConflict::Ask => Ok(Some(Proposal {
            path,
            expect: Some(Expect::Absent),
            change,
        })),
        OnConflict::Overwrite => Ok(Some(Proposal {
            path,
            expect: None,
            change,
        })),
        OnConflict::Skip => Ok(None),
        OnConflict::KeepBoth => {
            let (stem, end) = path
                .as_str()
                .rsplit_once('.')
                .map_or((path.as_str(), String::new()), |(stem, end)| {
                    (stem, format!(".{end}"))
                });
            for number in 2..1_000 {
                let free = RelPath::parse(&format!("{stem} ({number}){end}"))?;
                if hub::store::entry(&app.db, workspace, &free)
                    .await?
                    .is_none()
                {
                    return Ok(Some(Proposal {
                        path: free,
                        expect: Some(Expect::Absent),
                        change,
                    }));
                }
            }
            Err(Error::new(
                Code::PathExists,
                format!("There are a thousand copies of \"{path}\" already."),
            ))
        }
    }
}

async fn next(
    part: &mut axum::extract::multipart::Field<'_>,
) -> Result<Option<bytes::Bytes>, Error> {
    part.chunk().await.map_err(broken)
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn broken(error: axum::extract::multipart::MultipartError) -> Error {
    if body::is_stalled(&error) {
        return body::broken(&error);
    }
    Error::new(
        Code::InvalidRequest,
        format!("The upload is not understood: {}.", error.body_text()),
    )
}
