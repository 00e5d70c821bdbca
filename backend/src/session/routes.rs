//! Routes of sessions and their terminals.
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;
use slipway_api::problem::Problem;
use slipway_api::session::{
    Exit, KeepSession, OpenTerminal, Session, Sessions as SessionList, Terminal, Terminals,
};
use slipway_core::code::Code;
use slipway_core::id::{RunId, SessionId, TerminalId, WorkspaceId};
use slipway_core::limits::TERMINAL_SIDE_MAX;
use slipway_core::path::RelPath;
use slipway_proto::{relay, v1};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes as paths;

use super::store;
use crate::audit::{self, Action};
use crate::error::Error;
use crate::http::extract::{Json, Path, SignedIn};
use crate::state::App;

/// Sessions in one answer of the history.
const HISTORY_ROWS: i64 = 20;

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(paths!(start, current, stop))
        .routes(paths!(keep))
        .routes(paths!(history))
        .routes(paths!(terminals, open))
        .routes(paths!(close))
}

/// Starts a session, or answers with the live one.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/session", tag = "sessions",
    params(("workspace" = WorkspaceId, Path)),
    responses((status = 200, body = Session), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn start(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<Json<Session>, Error> {
    Ok(Json(app.sessions.start(user.user, workspace).await?))
}

/// The newest session of a workspace; `null` when it never had one.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/session", tag = "sessions",
    params(("workspace" = WorkspaceId, Path)),
    responses((status = 200, body = Option<Session>), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn current(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<Json<Option<Session>>, Error> {
    app.hub.access(workspace, user.user).await?;
    Ok(Json(app.sessions.current(workspace).await?))
}

/// Stops the live session; fine when there is none.
#[utoipa::path(delete, path = "/api/v1/workspaces/{workspace}/session", tag = "sessions",
    params(("workspace" = WorkspaceId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn stop(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<StatusCode, Error> {
    app.sessions.stop(user.user, workspace).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps the live session: ends its countdown.
#[utoipa::path(post, path = "/api/v1/workspaces/{workspace}/session/keep", tag = "sessions",
    params(("workspace" = WorkspaceId, Path)), request_body = KeepSession,
    responses((status = 200, body = Session), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn keep(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
    Json(keep): Json<KeepSession>,
) -> Result<Json<Session>, Error> {
    let session = app
        .sessions
        .keep(user.user, workspace, keep.until_done)
        .await?;
    Ok(Json(session))
}

/// The last sessions of a workspace, newest first.
#[utoipa::path(get, path = "/api/v1/workspaces/{workspace}/sessions", tag = "sessions",
    params(("workspace" = WorkspaceId, Path)),
    responses((status = 200, body = SessionList), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn history(
    State(app): State<App>,
    user: SignedIn,
    Path(workspace): Path<WorkspaceId>,
) -> Result<Json<SessionList>, Error> {
    app.hub.access(workspace, user.user).await?;
    let mut sessions = Vec::new();
    for record in store::newest(&app.db, workspace, HISTORY_ROWS).await? {
        sessions.push(app.sessions.answer(&record).await);
    }
    Ok(Json(SessionList { sessions }))
}

/// The terminals of a session; waits while it is starting.
#[utoipa::path(get, path = "/api/v1/sessions/{session}/terminals", tag = "sessions",
    params(("session" = SessionId, Path)),
    responses((status = 200, body = Terminals), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn terminals(
    State(app): State<App>,
    user: SignedIn,
    Path(session): Path<SessionId>,
) -> Result<Json<Terminals>, Error> {
    app.sessions.find(user.user, session).await?;
    let agent = app.sessions.agent(session).await?;
    let list = agent.terminals().list(v1::ListTerminalsRequest {}).await;
    let mut list = answered(&app, session, list)?.terminals;
    list.sort_by_key(|terminal| terminal.created_unix_ms);
    Ok(Json(Terminals {
        terminals: list.iter().filter_map(terminal).collect(),
    }))
}

/// Opens a terminal with a shell; waits while the session is starting.
#[utoipa::path(post, path = "/api/v1/sessions/{session}/terminals", tag = "sessions",
    params(("session" = SessionId, Path)), request_body = OpenTerminal,
    responses((status = 201, body = Terminal), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn open(
    State(app): State<App>,
    user: SignedIn,
    Path(session): Path<SessionId>,
    Json(open): Json<OpenTerminal>,
) -> Result<(StatusCode, Json<Terminal>), Error> {
    let request = checked(&app, &open)?;
    app.sessions.find(user.user, session).await?;
    let agent = app.sessions.agent(session).await?;
    let id = request.terminal_id.clone();
    let mut client = agent.terminals();
    let detail = json!({ "session": session });
    // The audit row is written while the shell starts, and stays only if it did.
    let audited = async {
        let mut db = app.db.begin().await?;
        let who = Some(user.user);
        audit::record(&mut db, &app.clock, who, Action::TerminalOpen, &id, detail).await?;
        Ok::<_, Error>(db)
    };
    let (opened, audited) = tokio::join!(client.open(request), audited);
    let opened = answered(&app, session, opened)?;
    audited?.commit().await?;
    let terminal = terminal(&opened).ok_or_else(|| {
        Error::new(
            Code::SessionUnreachable,
            "The session's agent gave an answer that is not understood. Stop the session and start it again.",
        )
    })?;
    Ok((StatusCode::CREATED, Json(terminal)))
}

/// Ends a terminal's program and forgets its output.
#[utoipa::path(delete, path = "/api/v1/sessions/{session}/terminals/{terminal}", tag = "sessions",
    params(("session" = SessionId, Path), ("terminal" = TerminalId, Path)),
    responses((status = 204), (status = "4XX", body = Problem)),
    extensions(("x-permission" = json!("workspace-owner"))))]
async fn close(
    State(app): State<App>,
    user: SignedIn,
    Path((session, terminal)): Path<(SessionId, TerminalId)>,
) -> Result<StatusCode, Error> {
    app.sessions.find(user.user, session).await?;
    let agent = app.sessions.agent(session).await?;
    let terminal_id = terminal.to_string();
    let list = agent.terminals().list(v1::ListTerminalsRequest {}).await;
    let known = answered(&app, session, list)?.terminals;
    if known.iter().all(|known| known.terminal_id != terminal_id) {
        return Err(Error::new(Code::NotFound, "There is no such terminal."));
    }
    let mut db = app.db.begin().await?;
    let detail = json!({ "session": session });
    let who = Some(user.user);
    audit::record(
        &mut db,
        &app.clock,
        who,
        Action::TerminalClose,
        &terminal_id,
        detail,
    )
    .await?;
    let closed = agent
        .terminals()
        .close(v1::CloseTerminalRequest { terminal_id })
        .await;
    answered(&app, session, closed)?;
    db.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

fn checked(app: &App, open: &OpenTerminal) -> Result<v1::OpenTerminalRequest, Error> {
    for (field, side) in [("cols", open.cols), ("rows", open.rows)] {
        if side == 0 || side > TERMINAL_SIDE_MAX {
            let text = format!("Give a number from 1 to {TERMINAL_SIDE_MAX}.");
            return Err(
                Error::new(Code::InvalidRequest, "The terminal's size is not possible.")
                    .with_field(field, Code::InvalidRequest, text),
            );
        }
    }
    let cwd = match open.cwd.as_deref() {
        None | Some("") => String::new(),
        Some(cwd) => RelPath::parse(cwd)?.to_string(),
    };
    let id: TerminalId = app.clock.fresh();
    Ok(v1::OpenTerminalRequest {
        terminal_id: id.to_string(),
        cols: open.cols,
        rows: open.rows,
        cwd,
        ..v1::OpenTerminalRequest::default()
    })
}

/// An agent's answer, or its refusal as a problem.
fn answered<T>(
    app: &App,
    session: SessionId,
    answer: Result<tonic::Response<T>, tonic::Status>,
) -> Result<T, Error> {
    answer.map(tonic::Response::into_inner).map_err(|status| {
        let code = relay::code_of(&status);
        if code == Code::SessionUnreachable {
            app.sessions.agent_lost(session);
            tracing::warn!(session.id = %session, %status, "The agent of session {session} did not answer");
            return Error::new(
                code,
                "The session cannot be reached now. Its programs go on; try again in a moment.",
            )
            .retry_after(2);
        }
        if code == Code::NotFound {
            return Error::new(code, "There is no such terminal.");
        }
        Error::new(code, status.message())
    })
}

fn terminal(info: &v1::TerminalInfo) -> Option<Terminal> {
    Some(Terminal {
        id: info.terminal_id.parse().ok()?,
        title: info.title.clone(),
        cols: info.cols,
        rows: info.rows,
        run: info.run_id.parse::<RunId>().ok(),
        exit: info.exit.as_ref().map(exit),
    })
}

/// How a program ended, as the API says it.
pub(crate) fn exit(exit: &v1::Exit) -> Exit {
    Exit {
        code: exit.code,
        signal: exit.signal,
        reason: (!exit.reason.is_empty()).then(|| exit.reason.clone()),
    }
}
