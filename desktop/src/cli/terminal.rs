//! `slipway terminal`.
use std::time::Duration;

use clap::Args;
use serde_json::json;
use slipway_api::session::{Exit, Session, SessionState, Terminal};
use slipway_client::reconnect::persist;
use slipway_client::socket::Socket;
use slipway_client::steady::Steady;
use slipway_client::terminal::Place;
use slipway_core::id::WorkspaceId;
use slipway_proto::v1;

use super::here::{Here, SignedIn};
use super::relay::{self, End, HOW_TO_LEAVE};
use crate::error::{CliError, signal_exit};
use crate::output::{quote, table};
use crate::{clock, tty};

/// A person who left a shell is not kept waiting.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);

/// Opens a terminal in a workspace's session, or comes back to one.
///
/// It goes on when the connection is lost, and when you leave it by pressing Ctrl-] three times.
#[derive(Args)]
pub(super) struct TerminalArgs {
    /// The workspace's name or id.
    workspace: String,
    /// Comes back to a terminal that is open, by the beginning of its id.
    #[arg(long, value_name = "TERMINAL")]
    attach: Option<String>,
    /// Lists the terminals that are open.
    #[arg(long, conflicts_with = "attach")]
    list: bool,
}

pub(super) async fn terminal(here: &Here, args: TerminalArgs) -> Result<u8, CliError> {
    if !args.list && !tty::is_whole() {
        return Err(CliError::NoTerminal);
    }
    let signed_in = here.signed_in().await?;
    let workspace = signed_in.workspace(&args.workspace).await?;
    if args.list {
        return list(here, &signed_in, workspace.id).await;
    }
    let session = ready(here, &signed_in, workspace.id).await?;
    let terminal = match &args.attach {
        Some(begins) => find(&signed_in, &session, begins).await?,
        None => {
            let (cols, rows) = tty::size();
            let opened = signed_in.client.open_terminal(session.id, cols, rows);
            opened.await.map_err(|error| signed_in.told(error))?
        }
    };
    here.output.remark(&format!(
        "{}: {HOW_TO_LEAVE} leaves; the terminal goes on.",
        workspace.name
    ));
    let (cols, rows) = tty::size();
    let viewer = clock::fresh_uuid().to_string();
    let place = Place::new(session.id, terminal.id, viewer, cols, rows);
    let steady = Steady::attach(&signed_in.client, place).await;
    let mut steady = steady.map_err(|error| signed_in.told(error))?;
    let end = relay::sit(&signed_in, &mut steady, here.output).await?;
    if let End::Exited(_) = &end {
        // Its output was seen. Somebody else closes it when the server is away now.
        let closed = signed_in.client.close_terminal(session.id, terminal.id);
        drop(tokio::time::timeout(CLOSE_WITHIN, closed).await);
    }
    finish(here, &args.workspace, &terminal, &end)
}

/// Says how it ended.
fn finish(here: &Here, named: &str, terminal: &Terminal, end: &End) -> Result<u8, CliError> {
    let (code, left) = match end {
        End::Exited(exit) => (exit_code(&told(exit)), false),
        End::Left => (0, true),
        End::Signal(number) => return Err(CliError::Interrupted(*number)),
    };
    let shown = json!({ "terminal": terminal.id, "left": left, "exit_code": code });
    here.output.tell(&shown, || match end {
        End::Left => format!(
            "\nThe terminal goes on. Come back to it: slipway terminal {} --attach {}",
            quote(named),
            terminal.id
        ),
        _ => String::new(),
    })?;
    Ok(code)
}

async fn list(here: &Here, signed_in: &SignedIn, workspace: WorkspaceId) -> Result<u8, CliError> {
    let session = signed_in.client.session(workspace).await;
    let session = session.map_err(|error| signed_in.told(error))?;
    let live = session.filter(|session| is_live(session.state));
    let terminals = match live {
        Some(session) => {
            let found = signed_in.client.terminals(session.id).await;
            found.map_err(|error| signed_in.told(error))?.terminals
        }
        None => Vec::new(),
    };
    if here.output.is_json() {
        for terminal in &terminals {
            here.output.tell(terminal, String::new)?;
        }
    } else if terminals.is_empty() {
        here.output.remark("No terminal is open.");
    } else {
        let row = |terminal: &Terminal| {
            let state = terminal.exit.as_ref().map_or("open", |_| "ended");
            [
                terminal.id.to_string(),
                state.to_owned(),
                terminal.title.clone(),
            ]
        };
        let rows: Vec<_> = terminals.iter().map(row).collect();
        here.output
            .tell(&(), || table(["ID", "STATE", "TITLE"], &rows))?;
    }
    Ok(0)
}

/// A session that works, started if there is none.
async fn ready(
    here: &Here,
    signed_in: &SignedIn,
    workspace: WorkspaceId,
) -> Result<Session, CliError> {
    let client = &signed_in.client;
    let started = client.start_session(workspace).await;
    let started = started.map_err(|error| signed_in.told(error))?;
    if works(started.state) {
        return Ok(started);
    }
    here.output.remark("Starting the session");
    let waited = persist(
        |_| {},
        async || {
            let socket = Socket::connect(client).await?;
            client.wait_for_session(&socket, workspace, works).await
        },
    );
    let session = waited.await.map_err(|error| signed_in.told(error))?;
    if works(session.state) {
        return Ok(session);
    }
    let reason = session.reason.map(|reason| reason.text);
    Err(CliError::SessionEnded(
        reason.unwrap_or_else(|| "no reason was given".to_owned()),
    ))
}

const fn works(state: SessionState) -> bool {
    matches!(state, SessionState::Ready | SessionState::Idle)
}

const fn is_live(state: SessionState) -> bool {
    !matches!(state, SessionState::Stopped | SessionState::Failed)
}

/// The open terminal whose id begins so.
async fn find(signed_in: &SignedIn, session: &Session, begins: &str) -> Result<Terminal, CliError> {
    let all = signed_in.client.terminals(session.id).await;
    let all = all.map_err(|error| signed_in.told(error))?.terminals;
    let mut found = all
        .into_iter()
        .filter(|terminal| terminal.id.to_string().starts_with(begins));
    match (found.next(), found.next()) {
        (Some(terminal), None) => Ok(terminal),
        _ => Err(CliError::TerminalUnknown(begins.to_owned())),
    }
}

/// The wire's end of a program as the API tells it.
pub(super) fn told(exit: &v1::Exit) -> Exit {
    Exit {
        code: exit.code,
        signal: exit.signal,
        reason: Some(exit.reason.clone()).filter(|reason| !reason.is_empty()),
    }
}

/// The exit code that says the same of us.
pub(super) fn exit_code(exit: &Exit) -> u8 {
    match (exit.code, exit.signal) {
        (_, Some(signal)) => signal_exit(signal),
        (code, None) => u8::try_from(code.unwrap_or(0) & 0xff).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_passed_on_and_signals_told_as_shells_do() {
        let exit = |code, signal| Exit {
            code,
            signal,
            reason: None,
        };
        assert_eq!(exit_code(&exit(Some(0), None)), 0);
        assert_eq!(exit_code(&exit(Some(42), None)), 42);
        assert_eq!(exit_code(&exit(None, Some(9))), 137);
    }
}
