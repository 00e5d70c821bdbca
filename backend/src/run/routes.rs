//! Routes of runs and tasks.
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use slipway_api::file::Kind;
use slipway_api::problem::Problem;
use slipway_api::run::{Run, RunState, RunTarget, Runs, StartRun, TaskSource, Tasks};
use slipway_core::code::Code;
use slipway_core::id::{RunId, WorkspaceId};
use slipway_core::limits::{
    BLOB_INLINE_BYTES_MAX, RUN_OUTPUT_BYTES_MAX, RUNS_QUEUED_MAX, TERMINAL_SIDE_MAX,
};
use slipway_core::path::RelPath;
use slipway_proto::v1;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes as paths;

use super::command::{self, SHEBANG_BYTES_MAX};
use super::store::{self, NewRun};
use super::{output, task, tell};
use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::extract::{Json, Path, Query, SignedIn};
use crate::http::page::Page;
use crate::hub::{self, NodeRow};
use crate::state::App;

/// Runs of one page.
const PAGE: Page = Page::of(50);

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(paths!(start, list))
        .routes(paths!(one))
        .routes(paths!(output_of))
        .routes(paths!(stop))
        .routes(paths!(rerun))
        .routes(paths!(tasks))
}

/// Which page of runs.
#[derive(Deserialize, utoipa::IntoParams)]
struct After {
    /// `next` of the page before.
    after: Option<RunId>,
}

/// Starts a run; starts a session when there is none.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/runs", tag = "runs",
    params(("workspace" = WorkspaceId, Path)), request_body = StartRun,
    responses((status = 201, body = Run), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn start(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(start): Json<StartRun>,
) -> Result<(StatusCode, Json<Run>), Error> {
    app.hub.access(workspace, user.user).await?;
    let run = begin(&app, &user, workspace, start).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// Runs of a workspace, newest first.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/runs", tag = "runs",
    params(("workspace" = WorkspaceId, Path), After),
    responses((status = 200, body = Runs), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn list(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Query(page): Query<After>,
) -> Result<Json<Runs>, Error> {
    app.hub.access(workspace, user.user).await?;
    let mut runs = store::list(&app.db, workspace, page.after, PAGE.limit()).await?;
    let next = PAGE.cut(&mut runs, |run| run.id.to_string());
    Ok(Json(Runs { runs, next }))
}

/// One run.
#[utoipa::path(get, path = "/api/v1/runs/{run}", tag = "runs",
    params(("run" = RunId, Path)),
    responses((status = 200, body = Run), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn one(
    State(app): State<App>,
    user: SignedIn,
    Path(run): Path<RunId>,
) -> Result<Json<Run>, Error> {
    Ok(Json(find(&app, &user, run).await?))
}

/// What a run has printed so far, as bytes; of a long output the end.
#[utoipa::path(get, path = "/api/v1/runs/{run}/output", tag = "runs",
    params(("run" = RunId, Path)),
    responses((status = 200, body = Vec<u8>, content_type = "application/octet-stream"), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn output_of(
    State(app): State<App>,
    user: SignedIn,
    Path(run): Path<RunId>,
) -> Result<Response, Error> {
    let found = find(&app, &user, run).await?;
    let bytes = match (found.state, found.session) {
        (RunState::Queued | RunState::Waiting, _) => Vec::new(),
        (RunState::Running | RunState::Flushing, Some(session)) => {
            let agent = app.sessions.agent(session).await?;
            match output::fetch(&agent, run).await {
                Ok(output) => output.bytes,
                // It may have been stored and forgotten by the agent since we looked.
                Err(status) if status.code() == tonic::Code::NotFound => stored(&app, run).await?,
                Err(status) => {
                    tracing::warn!(run.id = %run, %status, "Cannot fetch the output of run {run}");
                    return Err(Error::new(
                        Code::SessionUnreachable,
                        "The session cannot be reached now. The run goes on; try again in a moment.",
                    )
                    .retry_after(2));
                }
            }
        }
        (RunState::Running | RunState::Flushing | RunState::Done | RunState::Failed, _) => {
            stored(&app, run).await?
        }
    };
    // What programs print is never shown as a page of ours.
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "private, no-cache"),
    ];
    Ok((headers, Bytes::from(bytes)).into_response())
}

/// Stops a run: INT, then TERM, then KILL; asking again goes on to the next at once.
#[utoipa::path(post, path = "/api/v1/runs/{run}/stop", tag = "runs",
    params(("run" = RunId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn stop(
    State(app): State<App>,
    user: SignedIn,
    Path(run): Path<RunId>,
) -> Result<StatusCode, Error> {
    let found = find(&app, &user, run).await?;
    let mut db = app.db.begin().await?;
    let Some(state) = store::wish_stop(&mut db, run).await? else {
        return Err(Error::new(Code::RunFinished, "The run is already over."));
    };
    let who = Some(user.user);
    let detail = json!({ "workspace": found.workspace });
    audit::record(
        &mut db,
        &app.clock,
        who,
        Action::RunStop,
        &run.to_string(),
        detail,
    )
    .await?;
    db.commit().await?;
    if state == RunState::Failed {
        tell(&app.events, found.workspace, run, "failed");
        return Ok(StatusCode::NO_CONTENT);
    }
    let Some(session) = found.session else {
        return Ok(StatusCode::NO_CONTENT);
    };
    let agent = app.sessions.agent(session).await?;
    let request = v1::StopRunRequest {
        run_id: run.to_string(),
    };
    if let Err(status) = agent.agent().stop_run(request).await {
        app.sessions.agent_lost(session);
        tracing::warn!(run.id = %run, %status, "The agent did not hear that run {run} shall stop");
        return Err(Error::new(
            Code::SessionUnreachable,
            "The session cannot be reached now, so the run goes on. Try again in a moment.",
        )
        .retry_after(2));
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Runs the same target again on the newest revision.
#[utoipa::path(post, path = "/api/v1/runs/{run}/rerun", tag = "runs",
    params(("run" = RunId, Path)),
    responses((status = 201, body = Run), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn rerun(
    State(app): State<App>,
    user: SignedIn,
    Path(run): Path<RunId>,
) -> Result<(StatusCode, Json<Run>), Error> {
    let found = find(&app, &user, run).await?;
    let again = StartRun {
        target: found.target,
        revision: None,
        cols: None,
        rows: None,
    };
    let run = begin(&app, &user, found.workspace, again).await?;
    Ok((StatusCode::CREATED, Json(run)))
}

/// What the workspace offers to run.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/tasks", tag = "runs",
    params(("workspace" = WorkspaceId, Path)),
    responses((status = 200, body = Tasks), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn tasks(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<Json<Tasks>, Error> {
    app.hub.access(workspace, user.user).await?;
    Ok(Json(read_tasks(&app, workspace).await?))
}

async fn find(app: &App, user: &SignedIn, run: RunId) -> Result<Run, Error> {
    let unknown = || Error::new(Code::NotFound, "There is no such run.");
    let found = store::find(&app.db, run).await?.ok_or_else(unknown)?;
    app.hub
        .access(found.workspace, user.user)
        .await
        .map_err(|error| error.or_not_found(unknown))?;
    Ok(found)
}

async fn stored(app: &App, run: RunId) -> Result<Vec<u8>, Error> {
    let Some(packed) = store::output(&app.db, run).await? else {
        return Ok(Vec::new());
    };
    let unpacked =
        tokio::task::spawn_blocking(move || zstd::bulk::decompress(&packed, RUN_OUTPUT_BYTES_MAX))
            .await;
    match unpacked {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) | Err(_) => Err(Error::new(
            Code::Internal,
            "The stored output of the run is damaged.",
        )),
    }
}

/// Stores a run and hands it to the workspace's session.
async fn begin(
    app: &App,
    user: &SignedIn,
    workspace: WorkspaceId,
    start: StartRun,
) -> Result<Run, Error> {
    let head = app.hub.head(workspace).await?.revision;
    let revision = start.revision.unwrap_or(head);
    if revision > head {
        return Err(Error::new(
            Code::RevisionUnknown,
            format!(
                "The workspace has no revision {revision}; its newest is {head}. Save first, then run."
            ),
        ));
    }
    let (cols, rows) = (start.cols.unwrap_or(80), start.rows.unwrap_or(24));
    if !(1..=TERMINAL_SIDE_MAX).contains(&cols) || !(1..=TERMINAL_SIDE_MAX).contains(&rows) {
        let text = format!("Give numbers from 1 to {TERMINAL_SIDE_MAX}.");
        return Err(
            Error::new(Code::InvalidRequest, "The terminal's size is not possible.").with_field(
                "cols",
                Code::InvalidRequest,
                text,
            ),
        );
    }
    let command = line_for(app, workspace, &start.target).await?;
    let session = app.sessions.start(user.user, workspace).await?;
    let run = NewRun {
        id: app.clock.fresh(),
        workspace,
        session: session.id,
        user: user.user,
        target: start.target,
        command,
        revision,
        cols,
        rows,
    };
    let mut db = app.db.begin().await?;
    store::lock_session(&mut db, session.id).await?;
    if store::open_count(&mut db, workspace).await? >= RUNS_QUEUED_MAX {
        return Err(Error::new(
            Code::TooManyRuns,
            format!(
                "{RUNS_QUEUED_MAX} runs of this workspace are not over yet, which is the most. Stop one first."
            ),
        ));
    }
    store::insert(&mut db, &run, app.clock.now()).await?;
    let who = Some(user.user);
    let detail = json!({ "workspace": workspace, "revision": revision });
    audit::record(
        &mut db,
        &app.clock,
        who,
        Action::RunStart,
        &run.id.to_string(),
        detail,
    )
    .await?;
    crate::session::store::notify(&mut db, session.id).await?;
    let stored = store::find(&mut *db, run.id).await?;
    let stored =
        stored.ok_or_else(|| Error::new(Code::NotFound, "The workspace was deleted meanwhile."))?;
    db.commit().await?;
    app.sessions.poke(session.id);
    let state = if stored.state == RunState::Failed {
        "failed"
    } else {
        "queued"
    };
    tell(&app.events, workspace, run.id, state);
    Ok(stored)
}

/// The command line that a target means in this workspace now.
async fn line_for(app: &App, workspace: WorkspaceId, target: &RunTarget) -> Result<String, Error> {
    match target {
        RunTarget::Command { line } => command::for_line(line),
        RunTarget::Task { name } => {
            let tasks = read_tasks(app, workspace).await?;
            let task = tasks.tasks.into_iter().find(|task| task.name == *name);
            task.map(|task| task.command).ok_or_else(|| {
                let more = tasks.problems.join(" ");
                Error::new(
                    Code::NotFound,
                    format!("There is no task \"{name}\". {more}").trim_end(),
                )
            })
        }
        RunTarget::File { path } => {
            let missing = || Error::new(Code::NotFound, format!("There is no file \"{path}\"."));
            let file = file(app, workspace, path).await?.ok_or_else(missing)?;
            let first = content(app, workspace, &file).await?;
            let first = &first[..first.len().min(SHEBANG_BYTES_MAX)];
            command::for_file(path, file.executable, first)
        }
    }
}

async fn read_tasks(app: &App, workspace: WorkspaceId) -> Result<Tasks, Error> {
    let mut files: Vec<(&str, TaskSource, Bytes)> = Vec::new();
    for (name, source) in task::FILES {
        let path = RelPath::parse(name)?;
        if let Some(file) = file(app, workspace, &path).await? {
            files.push((name, source, content(app, workspace, &file).await?));
        }
    }
    let files: Vec<_> = files
        .iter()
        .map(|(name, source, content)| (*name, *source, content.as_ref()))
        .collect();
    Ok(task::read(&files))
}

/// The file at a path, if one stands there.
async fn file(app: &App, workspace: WorkspaceId, path: &RelPath) -> Result<Option<NodeRow>, Error> {
    let entry = hub::store::entry(&app.db, workspace, path).await?;
    Ok(entry.filter(|entry| entry.kind == Kind::File))
}

/// A small file's content; a large one is no script, so nothing of it is read.
async fn content(app: &App, workspace: WorkspaceId, file: &NodeRow) -> Result<Bytes, Error> {
    let Some(hash) = file.hash.filter(|_| file.size <= BLOB_INLINE_BYTES_MAX) else {
        return Ok(Bytes::new());
    };
    let mut found = app.hub.contents(workspace, &[hash]).await?;
    Ok(found.remove(&hash).unwrap_or_default())
}
