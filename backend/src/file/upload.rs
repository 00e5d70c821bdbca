//! Uploads of many files and folders at once, each with its own outcome.
use std::collections::{HashMap, HashSet};

use axum::extract::multipart::{Field, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Multipart, State};
use serde::Deserialize;
use slipway_api::file::{OnConflict, OriginKind, OutcomeResult, Uploaded, UploadedFile};
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::{RequestId, WorkspaceId};
use slipway_core::limits::{COMMIT_OPERATIONS_MAX, WORKSPACE_BYTES_MAX};
use slipway_core::path::RelPath;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{convert, finish, store};
use crate::audit::Action;
use crate::error::Error;
use crate::http::body;
use crate::http::extract::{Json, Path, Query, SignedIn};
use crate::hub::{self, Author, Content, Expect, Hub, HubError, NewNode, Proposal};
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
    let mut upload = Upload {
        app: &app,
        workspace,
        folder: query.folder.trim_matches('/').to_owned(),
        on_conflict: query.on_conflict.unwrap_or(OnConflict::Ask),
        stored: 0,
        names: HashSet::new(),
        files: Vec::new(),
        places: Vec::new(),
        proposals: Vec::new(),
    };
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        if let Some(name) = part.file_name().map(str::to_owned) {
            upload.take(name, &mut part).await?;
        }
    }
    Ok(Json(upload.commit(user).await?))
}

/// An upload under way.
struct Upload<'a> {
    app: &'a App,
    workspace: WorkspaceId,
    folder: String,
    on_conflict: OnConflict,
    /// Bytes of all files so far.
    stored: u64,
    /// Where files of this upload go.
    names: HashSet<RelPath>,
    files: Vec<UploadedFile>,
    /// For each proposal its place among the files.
    places: Vec<usize>,
    proposals: Vec<Proposal>,
}

impl Upload<'_> {
    /// Takes the next file. What is wrong with it is its own outcome; the others still go.
    async fn take(&mut self, name: String, part: &mut Field<'_>) -> Result<(), Error> {
        if self.files.len() >= COMMIT_OPERATIONS_MAX {
            return Err(Error::new(
                Code::InvalidRequest,
                "An upload takes at most 10,000 files. Import a zip file instead.",
            ));
        }
        let path = if self.folder.is_empty() {
            RelPath::parse(&name)
        } else {
            RelPath::parse(&format!("{}/{name}", self.folder))
        };
        let content = match &path {
            Ok(_) => self.receive(part).await?,
            Err(error) => {
                read_over(part).await?;
                Err(Error::new(error.code(), error.to_string()))
            }
        };
        let mut file = UploadedFile {
            path: name,
            entry: None,
            result: OutcomeResult::Rejected,
            code: None,
            message: None,
        };
        match (path, content) {
            (Ok(path), Ok(hash)) => match self.place(path, hash).await? {
                Some(proposal) => {
                    self.names.insert(proposal.path.clone());
                    self.places.push(self.files.len());
                    self.proposals.push(proposal);
                }
                None => {
                    file.result = OutcomeResult::Converged;
                    file.message = Some("Skipped: something stands there already.".to_owned());
                }
            },
            (_, Err(refused)) => {
                (file.code, file.message) =
                    (Some(refused.code()), Some(refused.detail().to_owned()));
            }
            (Err(_), Ok(_)) => {}
        }
        self.files.push(file);
        Ok(())
    }

    /// Stores a file's content as it arrives, or says why it is not taken.
    async fn receive(&mut self, part: &mut Field<'_>) -> Result<Result<ContentHash, Error>, Error> {
        let mut writer = self.app.hub.writer(self.workspace);
        let mut size = 0;
        while let Some(piece) = next(part).await? {
            size += piece.len() as u64;
            let refused = if self.stored + size > WORKSPACE_BYTES_MAX {
                Error::new(
                    Code::WorkspaceFull,
                    "The upload exceeds 1 GiB, which is the most a workspace may have.",
                )
            } else {
                match writer.push(&piece).await {
                    Ok(()) => continue,
                    Err(error @ HubError::TooLarge) => error.into(),
                    Err(error) => return Err(error.into()),
                }
            };
            writer.discard().await?;
            read_over(part).await?;
            return Ok(Err(refused));
        }
        self.stored += size;
        Ok(Ok(writer.finish().await?.0))
    }

    /// Where a file goes; `None` when it is skipped.
    async fn place(&self, path: RelPath, hash: ContentHash) -> Result<Option<Proposal>, Error> {
        let (path, expect) = match self.on_conflict {
            OnConflict::Ask => (path, Some(Expect::Absent)),
            OnConflict::Overwrite => (path, None),
            OnConflict::Skip if self.is_taken(&path).await? => return Ok(None),
            OnConflict::Skip => (path, Some(Expect::Absent)),
            OnConflict::KeepBoth => (self.free(path).await?, Some(Expect::Absent)),
        };
        let change = NewNode::File {
            content: Content::Held(hash),
            executable: false,
            from: None,
        };
        Ok(Some(Proposal {
            path,
            expect,
            change,
        }))
    }

    async fn is_taken(&self, path: &RelPath) -> Result<bool, Error> {
        Ok(self.names.contains(path)
            || hub::store::entry(&self.app.db, self.workspace, path)
                .await?
                .is_some())
    }

    /// The path itself, or the first one beside it at which nothing stands.
    async fn free(&self, path: RelPath) -> Result<RelPath, Error> {
        if !self.is_taken(&path).await? {
            return Ok(path);
        }
        for number in 2..1_000 {
            let free = path.beside(number)?;
            if !self.is_taken(&free).await? {
                return Ok(free);
            }
        }
        Err(Error::new(
            Code::PathExists,
            format!("There are a thousand copies of \"{path}\" already."),
        ))
    }

    async fn commit(mut self, user: SignedIn) -> Result<Uploaded, Error> {
        let author = Author {
            kind: OriginKind::Upload,
            ..Hub::editor(user.user)
        };
        let proposals = std::mem::take(&mut self.proposals);
        let paths: Vec<_> = proposals
            .iter()
            .map(|proposal| proposal.path.clone())
            .collect();
        let batch = self.app.clock.fresh::<RequestId>().to_string();
        let (mut db, done) = store(
            self.app,
            self.workspace,
            user,
            &author,
            &batch,
            proposals,
            false,
            Action::FilesWrite,
        )
        .await?;
        let names: Vec<_> = paths.iter().map(ToString::to_string).collect();
        let entries = hub::store::entries(&mut *db, self.workspace, &names).await?;
        let mut entries: HashMap<_, _> = entries
            .into_iter()
            .map(|entry| (entry.path.clone(), entry))
            .collect();
        finish(self.app, db, self.workspace, done.revision).await?;
        for ((index, path), outcome) in self.places.into_iter().zip(paths).zip(done.outcomes) {
            let file = &mut self.files[index];
            (file.result, file.code, file.message) =
                (outcome.result, outcome.code, outcome.message);
            file.entry = entries.remove(&path).map(convert::entry);
        }
        Ok(Uploaded {
            revision: done.revision,
            files: self.files,
        })
    }
}

async fn read_over(part: &mut Field<'_>) -> Result<(), Error> {
    while next(part).await?.is_some() {}
    Ok(())
}

async fn next(part: &mut Field<'_>) -> Result<Option<bytes::Bytes>, Error> {
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
