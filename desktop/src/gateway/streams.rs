//! What the page's streams carry: a terminal, of this machine or of a session, and events, in which what the engine of a
//! workspace sees is joined with what its server tells.
use std::sync::Arc;

use bytes::Bytes;
use futures_util::SinkExt as _;
use futures_util::stream::{BoxStream, StreamExt as _};
use slipway_client::error::ClientError;
use slipway_client::reconnect::backoff;
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use slipway_proto::relay::{self, Input};
use slipway_proto::v1;
use slipway_proto::v1::agent_event;
use slipway_proto::v1::event::Event;
use slipway_proto::v1::ws_server;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::Gateway;
use super::answer::Fault;
use super::kept::Local;
use super::standing::is_signed_out;
use super::wire::{Gone, Out};
use crate::clock;
use crate::error::CliError;
use crate::folder::Remote;

/// What the page types.
pub(super) struct Typed(pub(super) mpsc::Receiver<v1::TerminalClient>);

/// Frames of a terminal, not looked into, or how they ended.
type Shown = BoxStream<'static, Result<Bytes, Fault>>;

/// A terminal, from its hello to its end.
pub(super) async fn attach(
    gateway: &Gateway,
    stream: u32,
    attach: v1::AttachTerminal,
    typed: Typed,
    out: &Out,
) -> Result<(), Gone> {
    let (input, shown) = match reach(gateway, attach).await {
        Ok(reached) => reached,
        Err(fault) => return out.close(stream, Some(fault.code()), fault.detail()).await,
    };
    let typing = type_on(typed, input);
    let showing = show(stream, shown, out);
    tokio::pin!(typing, showing);
    tokio::select! {
        biased;
        shown = &mut showing => shown,
        // What was typed last may still be answered.
        () = &mut typing => showing.await,
    }
}

/// The agent or the server that has a terminal.
async fn reach(gateway: &Gateway, attach: v1::AttachTerminal) -> Result<(Input, Shown), Fault> {
    let no_session = || Fault::new(Code::NotFound, "There is no such session.");
    let session = attach.session_id;
    let mut hello = attach.hello.ok_or_else(no_session)?;
    if let Some(folder) = gateway.0.workspaces.with_terminals(&session)? {
        let (input, attachment) = relay::attach(hello);
        let agents = &gateway.0.agents;
        let agent = agents.find(folder.terminals()).await.ok_or_else(|| {
            Fault::new(Code::NotFound, "The terminals on this machine have ended.")
        })?;
        let frames = agent.attach(attachment).await?;
        let ended = |status: tonic::Status| {
            let message = "The terminal's program was lost. Attach again from the last offset.";
            Fault::new(relay::code_of(&status), message)
        };
        let frames = frames.map(move |frame| frame.map_err(ended));
        return Ok((input, frames.boxed()));
    }
    let server = match gateway.0.runs.server_of(&session) {
        Some(server) => server,
        None => gateway.0.servers.chosen()?,
    };
    hello.session_id = session;
    let (input, attachment) = relay::attach(hello);
    let client = gateway.0.servers.client(&server).await?;
    let fault = move |error: ClientError| Fault::from(CliError::at(&server, error));
    let frames = client.attach(attachment).await.map_err(&fault)?;
    let frames = frames.map(move |frame| frame.map_err(&fault));
    Ok((input, frames.boxed()))
}

async fn type_on(mut typed: Typed, mut input: Input) {
    while let Some(frame) = typed.0.recv().await {
        if input.send(frame).await.is_err() {
            return;
        }
    }
}

async fn show(stream: u32, mut shown: Shown, out: &Out) -> Result<(), Gone> {
    while let Some(frame) = shown.next().await {
        match frame {
            Ok(frame) => out.pass(stream, &frame).await?,
            Err(fault) => return out.close(stream, Some(fault.code()), fault.detail()).await,
        }
    }
    out.close(stream, Some(Code::Unreachable), "The connection is closed.")
        .await
}

/// Events of a workspace, or of the account.
pub(super) async fn subscribe(
    gateway: &Gateway,
    stream: u32,
    wanted: &v1::SubscribeEvents,
    out: &Out,
) -> Result<(), Gone> {
    let tell = Tell { stream, out };
    if wanted.workspace_id.is_empty() {
        return of_account(gateway, &tell).await;
    }
    let found = match gateway.0.workspaces.find(&wanted.workspace_id) {
        Ok(Some(folder)) => gateway.0.workspaces.kept(&folder).await,
        // One of the server, which is looked at and not worked on.
        Ok(None) => return of_server(gateway, &wanted.workspace_id, &tell).await,
        Err(fault) => Err(fault),
    };
    match found {
        Ok(local) => {
            // Nothing depends on it.
            gateway.0.workspaces.opened(&local.folder()).ok();
            of_workspace(gateway, &local, &tell).await
        }
        Err(fault) => tell.over(&fault).await,
    }
}

/// Events on their way to the page.
struct Tell<'a> {
    stream: u32,
    out: &'a Out,
}

impl Tell<'_> {
    async fn event(&self, event: Event) -> Result<(), Gone> {
        let event = v1::Event { event: Some(event) };
        self.out
            .send(self.stream, ws_server::Body::Event(event))
            .await
    }

    async fn over(&self, fault: &Fault) -> Result<(), Gone> {
        self.out
            .close(self.stream, Some(fault.code()), fault.detail())
            .await
    }
}

/// The list moves with every connection, and with every event of it.
async fn of_account(gateway: &Gateway, tell: &Tell<'_>) -> Result<(), Gone> {
    let mut events = gateway.0.line.events();
    tell.event(Event::Workspaces(v1::WorkspacesMoved {}))
        .await?;
    loop {
        match events.recv().await {
            Ok(event) => {
                if let Some(event) = event.event {
                    tell.event(event).await?;
                }
            }
            Err(RecvError::Lagged(_)) => {
                tell.event(Event::Workspaces(v1::WorkspacesMoved {}))
                    .await?;
            }
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

async fn of_server(gateway: &Gateway, id: &str, tell: &Tell<'_>) -> Result<(), Gone> {
    let subscribed = async {
        let workspace = id
            .parse::<WorkspaceId>()
            .map_err(|_| Fault::not_found("workspace"))?;
        let server = gateway.0.servers.chosen()?;
        let client = gateway.0.servers.client(&server).await?;
        let events = client.subscribe(Some(workspace)).await;
        Ok::<_, Fault>(events.map_err(|error| CliError::at(&server, error))?)
    };
    let mut events = match subscribed.await {
        Ok(events) => events,
        Err(fault) => return tell.over(&fault).await,
    };
    while let Some(Ok(event)) = events.next().await {
        if let Some(event) = event.event {
            tell.event(event).await?;
        }
    }
    tell.over(&Fault::new(Code::Unreachable, "The connection is closed."))
        .await
}

/// What moves on this disk, for as long as it is kept; and beside it what its server tells, whenever that is reached.
async fn of_workspace(gateway: &Gateway, local: &Arc<Local>, tell: &Tell<'_>) -> Result<(), Gone> {
    let told = async {
        loop {
            if let Some(remote) = local.folder().remote {
                told_by_server(gateway, local, &remote, tell).await?;
            }
            local.follows().await;
        }
    };
    let seen = async {
        let mut moved = local.moved();
        loop {
            let head = *moved.borrow_and_update();
            tell.event(Event::Workspace(v1::WorkspaceMoved {
                workspace_id: local.folder().id().to_string(),
                head,
            }))
            .await?;
            if moved.changed().await.is_err() {
                let gone = Fault::new(Code::FolderUnusable, "The folder is no longer kept.");
                return tell.over(&gone).await;
            }
        }
    };
    let waiting = async {
        let mut moved = local.queue().moved();
        while moved.changed().await.is_ok() {
            tell.event(Event::Run(v1::RunMoved {
                workspace_id: local.folder().id().to_string(),
                ..v1::RunMoved::default()
            }))
            .await?;
        }
        std::future::pending().await
    };
    tokio::select! {
        done = seen => done,
        done = told => done,
        done = waiting => done,
        done = terminals_here(gateway, local, tell) => done,
    }
}

/// Terminals of this machine, as long as the agent of the folder lives, and again when the next one does.
async fn terminals_here(gateway: &Gateway, local: &Local, tell: &Tell<'_>) -> Result<(), Gone> {
    let session = local.folder().terminals();
    let told = || {
        let session_id = session.to_string();
        tell.event(Event::Terminals(v1::TerminalsMoved { session_id }))
    };
    let mut moved = local.terminals();
    loop {
        moved.borrow_and_update();
        told().await?;
        if let Some(agent) = gateway.0.agents.find(session).await
            && let Ok(mut events) = agent.watch().await
        {
            while let Some(Ok(event)) = events.next().await {
                if matches!(
                    event.event,
                    Some(agent_event::Event::Terminal(_) | agent_event::Event::TerminalClosed(_))
                ) {
                    told().await?;
                }
            }
            told().await?;
        }
        if moved.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Sessions, runs and terminals as the server tells of them, over as many connections as it takes; it goes on until the
/// page has gone.
async fn told_by_server(
    gateway: &Gateway,
    local: &Local,
    remote: &Remote,
    tell: &Tell<'_>,
) -> Result<(), Gone> {
    let (theirs, ours) = (
        remote.workspace.to_string(),
        local.folder().id().to_string(),
    );
    let mut moved = gateway.0.servers.moved();
    let mut backoff = backoff();
    loop {
        moved.borrow_and_update();
        let error = match gateway.0.servers.client(&remote.server).await {
            Ok(client) if client.token().is_some() => {
                match client.subscribe(Some(remote.workspace)).await {
                    Ok(mut events) => loop {
                        match events.next().await {
                            Some(Ok(event)) => {
                                backoff.worked();
                                if let Some(event) =
                                    event.event.and_then(|event| ours_of(event, &theirs, &ours))
                                {
                                    tell.event(event).await?;
                                }
                            }
                            Some(Err(error)) => break Some(error),
                            None => break None,
                        }
                    },
                    Err(error) => Some(error),
                }
            }
            // Nobody is signed in there.
            _ => {
                moved.changed().await.ok();
                continue;
            }
        };
        let code = error.as_ref().and_then(ClientError::code);
        if is_signed_out(code) || code == Some(Code::NotFound) {
            moved.changed().await.ok();
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(backoff.after(clock::chance())) => {}
            () = gateway.0.line.is_back() => {}
            _ = moved.changed() => {}
        }
    }
}

/// An event with the workspace's id of this machine. What the server's head is, is the engine's business.
fn ours_of(event: Event, theirs: &str, ours: &str) -> Option<Event> {
    let mine = |id: String| if id == theirs { ours.to_owned() } else { id };
    Some(match event {
        Event::Workspace(_) => return None,
        Event::Session(moved) => Event::Session(v1::SessionMoved {
            workspace_id: mine(moved.workspace_id),
            ..moved
        }),
        Event::Run(moved) => Event::Run(v1::RunMoved {
            workspace_id: mine(moved.workspace_id),
            ..moved
        }),
        event => event,
    })
}
