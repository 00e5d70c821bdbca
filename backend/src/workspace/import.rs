//! A workspace from a zip file: everything or nothing, in one transaction, large files piece by piece.
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use slipway_api::file::OriginKind;
use slipway_api::workspace::{Template, Workspace};
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::WORKSPACE_BYTES_MAX;
use slipway_core::path::RelPath;
use sqlx::PgConnection;
use tokio::io::AsyncWriteExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::archive::{self, Item};
use super::{author, begin, checked_name, finish};
use crate::audit::Action;
use crate::error::Error;
use crate::http::body::next_piece;
use crate::http::extract::{Query, SignedIn};
use crate::hub::content::write::Assembly;
use crate::hub::{Author, Content, Hub, NewNode, Proposal, ProposalOutcome};
use crate::state::App;

/// The route of this part.
pub fn routes() -> OpenApiRouter<App> {
    // The bytes are counted as they arrive.
    OpenApiRouter::new()
        .routes(routes!(import))
        .layer(axum::extract::DefaultBodyLimit::disable())
}

#[derive(Deserialize)]
struct ImportQuery {
    name: String,
}

/// Makes a workspace from a zip file. Nothing is made when any of it cannot be taken.
#[utoipa::path(post, path = "/api/v1/workspaces/import", tag = "workspaces", params(("name" = String, Query)), request_body(content_type = "application/zip"), responses((status = 201, body = Workspace)), extensions(("x-permission" = json!("signed-in"))))]
async fn import(
    State(app): State<App>,
    user: SignedIn,
    Query(query): Query<ImportQuery>,
    body: Body,
) -> Result<Response, Error> {
    checked_name(&query.name)?;
    let mut items = archive::read(to_file(&app, body).await?);
    let mut db = app.db.begin().await?;
    let id = begin(&app, &mut db, user, &query.name, Template::Import).await?;
    let mut import = Import {
        app: &app,
        id,
        author: author(user, OriginKind::Upload),
        commits: 0,
        large: None,
    };
    while let Some(item) = items.recv().await {
        import.take(&mut db, item?).await?;
    }
    let detail = json!({ "name": query.name });
    finish(&app, db, user, id, Action::WorkspaceImport, detail).await
}

struct Import<'a> {
    app: &'a App,
    id: WorkspaceId,
    author: Author,
    commits: u32,
    /// A large file that is not whole yet.
    large: Option<Assembly>,
}

impl Import<'_> {
    async fn take(&mut self, db: &mut PgConnection, item: Item) -> Result<(), Error> {
        match item {
            Item::Batch(batch) => self.commit(db, batch).await,
            Item::Piece(piece) => self.push(db, &piece).await,
            Item::Large { path, executable } => self.finish(db, path, executable).await,
        }
    }

    async fn push(&mut self, db: &mut PgConnection, piece: &Bytes) -> Result<(), Error> {
        let large = self.large.get_or_insert_with(|| Hub::assembly(self.id));
        Ok(large.push(db, piece, self.app.clock.now()).await?)
    }

    async fn finish(
        &mut self,
        db: &mut PgConnection,
        path: RelPath,
        executable: bool,
    ) -> Result<(), Error> {
        let large = self.large.take().unwrap_or_else(|| Hub::assembly(self.id));
        let (hash, _) = large.finish(db, self.app.clock.now()).await?;
        let file = Proposal {
            path,
            expect: None,
            change: NewNode::File {
                content: Content::Held(hash),
                executable,
                from: None,
            },
        };
        self.commit(db, vec![file]).await
    }

    async fn commit(&mut self, db: &mut PgConnection, batch: Vec<Proposal>) -> Result<(), Error> {
        let paths: Vec<_> = batch.iter().map(|proposal| proposal.path.clone()).collect();
        let name = format!("import-{}", self.commits);
        self.commits += 1;
        let hub = &self.app.hub;
        let done = hub
            .commit_in(db, self.id, &self.author, &name, batch, false)
            .await?;
        for (outcome, path) in done.outcomes.into_iter().zip(paths) {
            match outcome {
                ProposalOutcome::Applied | ProposalOutcome::Converged => {}
                ProposalOutcome::Rejected(code, message) => return Err(Error::new(code, message)),
                ProposalOutcome::Stale(_) | ProposalOutcome::NeedsContent => {
                    return Err(Error::new(
                        Code::PathExists,
                        format!("The zip file holds \"{path}\" twice."),
                    ));
                }
            }
        }
        Ok(())
    }
}

/// The body as an unnamed file on the data directory's disk.
async fn to_file(app: &App, body: Body) -> Result<std::fs::File, Error> {
    let file = tempfile::tempfile_in(&app.config.data_dir)?;
    let mut out = tokio::fs::File::from_std(file.try_clone()?);
    let mut pieces = body.into_data_stream();
    let mut size = 0;
    while let Some(piece) = next_piece(&mut pieces).await? {
        size += piece.len() as u64;
        if size > WORKSPACE_BYTES_MAX {
            return Err(Error::new(
                Code::BodyTooLarge,
                "The zip file is larger than 1 GiB, which is the most a workspace may have.",
            ));
        }
        out.write_all(&piece).await?;
    }
    out.flush().await?;
    Ok(file)
}
