//! The table: who answers what. What is not in it is the server's.
use bytes::Bytes;
use http::{Response, header};
use slipway_api::session::{OpenTerminal, Terminals};
use slipway_core::code::Code;
use slipway_core::id::TerminalId;

use super::answer::{self, Answer, Fault};
use super::asked::{Asked, path_of};
use super::standing::is_signed_out;
use super::{Gateway, account};
use super::{files, history, pass, queue, sync, upload};
use crate::error::CliError;
use crate::folder::{Folder, Remote};
use crate::server::Address;

impl Gateway {
    pub(super) async fn route(&self, asked: &Asked) -> Answer {
        let parts = asked.parts();
        match (asked.method.as_str(), parts.as_slice()) {
            ("GET", ["desktop"]) => account::about(self).await,
            ("PUT", ["desktop", "server"]) => account::choose(self, asked).await,
            ("GET", ["desktop", "workspaces"]) => self.0.workspaces.list().await,
            ("POST", ["desktop", "workspaces"]) => self.0.workspaces.make(asked).await,
            ("DELETE", ["desktop", "workspaces", id]) => self.0.workspaces.forget(id).await,
            ("POST", ["desktop", "workspaces", id, "again"]) => self.0.workspaces.again(id).await,
            ("POST", ["desktop", "open"]) => self.0.workspaces.open_folder(asked).await,
            ("POST", ["desktop", "clone"]) => self.0.workspaces.clone_workspace(asked).await,
            (_, ["desktop", ..]) => Err(Fault::not_found("address")),
            ("POST", ["sign-in" | "accounts"]) => account::sign_in(self, asked).await,
            ("POST", ["sign-out"]) => account::sign_out(self, asked).await,
            ("GET", ["account"]) => account::account(self, asked).await,
            (_, ["workspaces", id, rest @ ..]) => match self.0.workspaces.find(id)? {
                Some(folder) => Box::pin(self.of_workspace(asked, folder, rest)).await,
                None => self.chosen(asked).await,
            },
            (_, ["sessions", id, rest @ ..]) => match self.0.workspaces.with_terminals(id)? {
                Some(folder) => self.of_terminals(asked, &folder, rest).await,
                None => self.of_session(asked, id).await,
            },
            (_, ["runs", id, rest @ ..]) => self.of_run(asked, id, rest).await,
            _ => self.chosen(asked).await,
        }
    }

    /// What is asked of a workspace of this machine.
    async fn of_workspace(&self, asked: &Asked, folder: Folder, rest: &[&str]) -> Answer {
        let workspaces = &self.0.workspaces;
        match (asked.method.as_str(), rest) {
            ("GET", []) => workspaces.one(self, &folder).await,
            ("PATCH", []) => workspaces.rename(self, asked, folder).await,
            ("POST", ["upload"]) => workspaces.upload(asked, folder).await,
            ("GET", ["tree"]) if asked.wish("revision").is_none() => {
                let local = workspaces.local(&folder).await?;
                answer::found(&files::tree(&local).await?)
            }
            ("GET", ["changes"]) => {
                let local = workspaces.local(&folder).await?;
                files::changes(&local, asked).await
            }
            ("GET", ["files", path @ ..]) if asked.wish("revision").is_none() => {
                let local = workspaces.local(&folder).await?;
                files::read(&local, asked, &path_of(path)?).await
            }
            ("GET", ["files", ..]) if asked.is_of_here() => {
                let local = workspaces.kept(&folder).await?;
                history::content(&local, asked).await
            }
            ("GET", ["history"]) if asked.is_of_here() => {
                let local = workspaces.kept(&folder).await?;
                history::versions(&local, asked).await
            }
            ("PUT", ["files", path @ ..]) => {
                let local = workspaces.local(&folder).await?;
                files::write(&local, asked, path_of(path)?).await
            }
            ("DELETE", ["files", path @ ..]) => {
                let local = workspaces.local(&folder).await?;
                files::remove(&local, asked, path_of(path)?).await
            }
            ("POST", ["commits" | "folders" | "moves" | "uploads"]) => {
                let local = workspaces.local(&folder).await?;
                match rest {
                    ["commits"] => files::commit(&local, asked).await,
                    ["folders"] => files::create_folder(&local, asked).await,
                    ["moves"] => files::relocate(&local, asked).await,
                    _ => upload::upload(&local, asked).await,
                }
            }
            ("POST", ["restores"]) if asked.is_of_here() => {
                let local = workspaces.local(&folder).await?;
                files::restore(&local, asked).await
            }
            (_, ["sync" | "conflicts", ..]) => {
                let local = workspaces.kept(&folder).await?;
                match (asked.method.as_str(), rest) {
                    ("GET", ["sync"]) => sync::sync(&local).await,
                    ("POST", ["sync", "confirm"]) => sync::confirm(&local).await,
                    ("POST", ["sync", "bring-back"]) => sync::bring_back(&local).await,
                    ("POST", ["sync", "arrivals", id, "undo"]) => sync::undo(&local, id).await,
                    ("GET", ["conflicts"]) => sync::conflicts(&local).await,
                    ("GET", ["conflicts", "base"]) => sync::base(&local, asked).await,
                    ("POST", ["conflicts", "resolve"]) => sync::resolve(&local, asked).await,
                    _ => Err(Fault::not_found("address")),
                }
            }
            ("GET", ["runs"]) => self.runs(asked, &folder).await,
            ("POST", ["runs"]) => self.start_or_queue(asked, &folder).await,
            _ => {
                let rest: String = rest.iter().map(|part| format!("/{part}")).collect();
                self.of_remote(asked, &folder, &rest).await
            }
        }
    }

    /// What is asked of the server about a workspace of this machine; ids of this machine stand in the answer.
    pub(super) async fn of_remote(&self, asked: &Asked, folder: &Folder, rest: &str) -> Answer {
        let remote = folder.remote()?;
        let path = format!("/workspaces/{}{rest}{}", remote.workspace, asked.query());
        let answer = self.pass(&remote.server, asked, &path).await?;
        self.0.runs.notes(&answer, remote);
        Ok(with_our_ids(answer, [(folder, remote)]))
    }

    /// What is asked of the server of a session.
    async fn of_session(&self, asked: &Asked, session: &str) -> Answer {
        let server = match self.0.runs.server_of(session) {
            Some(server) => server,
            None => self.0.servers.chosen()?,
        };
        self.pass(&server, asked, &asked.path).await
    }

    /// The same of the server of a run.
    async fn of_run(&self, asked: &Asked, run: &str, rest: &[&str]) -> Answer {
        if let Some(local) = self.0.workspaces.with_waiting_run(run).await?
            && let Some(answer) = queue::of_run(&local, asked, run, rest)
        {
            return answer;
        }
        let answer = self.of_session(asked, run).await?;
        let folders = self.0.workspaces.all()?;
        let copies = folders
            .iter()
            .filter_map(|folder| Some((folder, folder.remote.as_ref()?)));
        Ok(with_our_ids(answer, copies))
    }

    /// Terminals of this machine.
    async fn of_terminals(&self, asked: &Asked, folder: &Folder, rest: &[&str]) -> Answer {
        let agents = &self.0.agents;
        match (asked.method.as_str(), rest) {
            ("GET", ["terminals"]) => {
                let terminals = match agents.find(folder.terminals()).await {
                    Some(agent) => agent.terminals().await?,
                    None => Vec::new(),
                };
                answer::found(&Terminals { terminals })
            }
            ("POST", ["terminals"]) => {
                let open: OpenTerminal = asked.json()?;
                let agent = agents.open(&folder.path, folder.terminals()).await?;
                let opened = agent.open_terminal(&open).await?;
                self.terminals_moved(folder);
                Ok(answer::json(201, &opened))
            }
            ("DELETE", ["terminals", id]) => {
                let unknown = || Fault::not_found("terminal");
                let id: TerminalId = id.parse().map_err(|_| unknown())?;
                let agent = agents.find(folder.terminals()).await.ok_or_else(unknown)?;
                agent.close_terminal(id).await?;
                self.terminals_moved(folder);
                answer::done()
            }
            _ => Err(Fault::not_found("address")),
        }
    }

    fn terminals_moved(&self, folder: &Folder) {
        if let Some(local) = self.0.workspaces.running_one(folder.id()) {
            local.terminals_moved();
        }
    }

    /// What is asked of the server that the page works with.
    pub(super) async fn chosen(&self, asked: &Asked) -> Answer {
        let server = self.0.servers.chosen()?;
        self.pass(&server, asked, &asked.path).await
    }

    /// One exchange with a server; what it tells of the sign-in and the database is heeded.
    pub(super) async fn pass(&self, server: &Address, asked: &Asked, path: &str) -> Answer {
        let client = self.0.servers.client(server).await?;
        let answer = pass::exchange(&client, asked, path)
            .await
            .map_err(|error| CliError::at(server, error))?;
        if let Some(problem) = pass::problem(&answer) {
            if is_signed_out(Some(problem.code)) {
                self.0.servers.expired(server, &client).await?;
            }
            let is_chosen = self.0.servers.chosen_if_any().as_ref() == Some(server);
            if problem.code == Code::DatabaseUnavailable && is_chosen {
                self.0.line.lacks_database(problem.retry_after_s);
            }
        }
        Ok(answer)
    }
}

/// An answer in which workspaces have their ids of this machine. In JSON they stand between quotes.
fn with_our_ids<'a>(
    answer: Response<Bytes>,
    copies: impl IntoIterator<Item = (&'a Folder, &'a Remote)>,
) -> Response<Bytes> {
    let kind = answer.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        return answer;
    }
    let Ok(mut text) = String::from_utf8(answer.body().to_vec()) else {
        return answer;
    };
    for (folder, remote) in copies {
        let (theirs, ours) = (
            format!("\"{}\"", remote.workspace),
            format!("\"{}\"", folder.id()),
        );
        if text.contains(&theirs) {
            text = text.replace(&theirs, &ours);
        }
    }
    answer.map(|_| text.into())
}
