//! `slipway run`.
use std::path::Path;

use clap::Args;
use serde_json::json;
use slipway_api::run::{Run, RunState, RunTarget, StartRun};
use slipway_client::error::ClientError;
use slipway_client::reconnect::persist;
use slipway_client::socket::Socket;
use slipway_client::steady::Steady;
use slipway_client::terminal::Place;
use slipway_core::id::{Id as _, SessionId, TerminalId};

use super::here::{Here, SignedIn};
use super::mirror;
use super::relay::{self, End, Screen, Sink};
use super::terminal::exit_code;
use crate::error::CliError;
use crate::output::{Output, quote};
use crate::{clock, tty};

/// Runs a command in a workspace's session on the newest files, shows its output and passes on its exit code.
///
/// A session is started if there is none. On a terminal the command is given this one; otherwise it reads nothing. Ctrl-]
/// pressed three times leaves it running, with the exit code 0.
#[derive(Args)]
pub(super) struct RunArgs {
    /// The workspace's name or id.
    workspace: String,
    /// The command and its arguments. One alone is a line for the shell.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) async fn run(here: &Here, args: RunArgs) -> Result<u8, CliError> {
    let signed_in = here.signed_in().await?;
    let workspace = signed_in.workspace(&args.workspace).await?;
    // What a person just saved in this folder is among it; otherwise the newest that the server has.
    let dir = Path::new(".");
    let flushed = mirror::flushed(here, &signed_in, workspace.id, dir).await?;
    let revision = flushed.unwrap_or(workspace.head);
    let (cols, rows) = tty::size();
    let start = StartRun {
        target: RunTarget::Command {
            line: line(&args.command),
        },
        revision: Some(revision),
        cols: Some(cols),
        rows: Some(rows),
    };
    let started = signed_in.client.start_run(workspace.id, &start).await;
    let started = started.map_err(|error| signed_in.told(error))?;
    let mut watch = Watch {
        here,
        signed_in: &signed_in,
        run: started,
    };
    let over = watch.follow().await?;
    match over {
        Over::Left => {
            here.output
                .remark("\nThe run goes on; its output is kept in the workspace's list of runs.");
            Ok(0)
        }
        Over::Ended => watch.tell(),
    }
}

/// Whether a program runs, or has just ended.
fn is_begun(state: RunState) -> bool {
    matches!(state, RunState::Running | RunState::Flushing)
}

/// How a run was left.
enum Over {
    Ended,
    Left,
}

/// A run that is looked at.
struct Watch<'a> {
    here: &'a Here,
    signed_in: &'a SignedIn,
    run: Run,
}

impl Watch<'_> {
    /// Shows the output as it comes, until the run is over or left.
    async fn follow(&mut self) -> Result<Over, CliError> {
        if self.run.state == RunState::Queued {
            self.here.output.remark("Waiting for the session");
        }
        self.until(is_begun).await?;
        let mut shown = 0;
        let live = self.run.session.filter(|_| is_begun(self.run.state));
        if let Some(session) = live {
            let (end, offset) = self.show(session).await?;
            shown = offset;
            match end {
                Some(End::Left) => return Ok(Over::Left),
                Some(End::Signal(number)) => self.stop(number).await?,
                Some(End::Exited(_)) | None => {}
            }
        }
        self.until(|_| false).await?;
        self.rest(shown).await?;
        Ok(Over::Ended)
    }

    /// Waits until the run is in a state or over, over as many connections as it takes. A signal stops the run first.
    async fn until(&mut self, wanted: fn(RunState) -> bool) -> Result<(), CliError> {
        let (client, run) = (&self.signed_in.client, &self.run);
        let waited = persist(
            |_| {},
            async || {
                let socket = Socket::connect(client).await?;
                client
                    .wait_for_run(&socket, run.workspace, run.id, wanted)
                    .await
            },
        );
        let found = tokio::select! {
            found = waited => Some(found.map_err(|error| self.signed_in.told(error))?),
            number = tty::ended() => {
                self.stop(number).await?;
                None
            }
        };
        match found {
            Some(found) => {
                self.run = found;
                Ok(())
            }
            None => Box::pin(self.until(|_| false)).await,
        }
    }

    /// Shows what the run prints while it runs; how that ended, and how far its output was shown.
    async fn show(&self, session: SessionId) -> Result<(Option<End>, u64), CliError> {
        let terminal = TerminalId::from_uuid(self.run.id.uuid());
        let viewer = clock::fresh_uuid().to_string();
        let (cols, rows) = tty::size();
        let place = Place::new(session, terminal, viewer, cols, rows);
        let output = self.here.output;
        let mut steady = match Steady::attach(&self.signed_in.client, place).await {
            Ok(steady) => steady,
            // What it prints meanwhile is kept.
            Err(error) if error.is_passing() => return Ok((None, 0)),
            Err(error) => return Err(self.signed_in.told(error)),
        };
        let end = if tty::is_whole() && !output.is_json() {
            relay::sit(self.signed_in, &mut steady, output).await
        } else if tty::is_seen() && !output.is_json() {
            let mut screen = Screen::new(output);
            relay::relay(self.signed_in, &mut steady, &mut screen, None).await
        } else {
            // Nobody types: a program that reads finds the end.
            steady.write(&[END_OF_INPUT]);
            let mut plain = Plain::new(output);
            let end = relay::relay(self.signed_in, &mut steady, &mut plain, None).await;
            plain.end().and(end)
        };
        let offset = steady.offset();
        match end {
            Ok(end) => Ok((Some(end), offset)),
            // The run ended and was forgotten by its session before we came; its output is stored.
            Err(CliError::Ended { .. } | CliError::Refused(_)) => Ok((None, offset)),
            Err(error) => Err(error),
        }
    }

    /// Shows what was printed after what was shown.
    async fn rest(&self, shown: u64) -> Result<(), CliError> {
        if shown >= self.run.output_bytes {
            return Ok(());
        }
        let client = &self.signed_in.client;
        let stored = persist(|_| {}, async || client.run_output(self.run.id).await);
        let stored = tokio::select! {
            stored = stored => stored,
            number = tty::ended() => return Err(CliError::Interrupted(number)),
        };
        let stored = stored.map_err(|error| self.signed_in.told(error))?;
        // Of a long output only the end is kept.
        let begin = self.run.output_bytes.saturating_sub(stored.len() as u64);
        let skip = usize::try_from(shown.saturating_sub(begin)).unwrap_or(usize::MAX);
        let rest = stored.get(skip..).unwrap_or_default();
        if tty::is_seen() && !self.here.output.is_json() {
            let mut screen = Screen::new(self.here.output);
            screen.take(rest)
        } else {
            let mut plain = Plain::new(self.here.output);
            plain.take(rest)?;
            plain.end()
        }
    }

    /// Asks the run to stop; a second signal leaves at once.
    async fn stop(&self, number: i32) -> Result<(), CliError> {
        self.here.output.remark("Stopping the run");
        let client = &self.signed_in.client;
        let stopped = persist(|_| {}, async || client.stop_run(self.run.id).await);
        let stopped: Result<(), ClientError> = tokio::select! {
            stopped = stopped => stopped,
            _ = tty::ended() => return Err(CliError::Interrupted(number)),
        };
        match stopped {
            // It is over already.
            Err(error) if error.code() == Some(slipway_core::code::Code::RunFinished) => Ok(()),
            stopped => stopped.map_err(|error| self.signed_in.told(error)),
        }
    }

    /// Tells how it ended, as the exit code and in words where that says too little.
    fn tell(&self) -> Result<u8, CliError> {
        let Some(exit) = &self.run.exit else {
            let reason = self.run.reason.clone();
            return Err(CliError::NotRun(
                reason.unwrap_or_else(|| "no reason was given".to_owned()),
            ));
        };
        if let Some(reason) = &exit.reason {
            self.here
                .output
                .remark(&format!("The program was ended: {reason}"));
        }
        let code = exit_code(exit);
        if self.here.output.is_json() {
            let shown =
                json!({ "event": "exit", "run": self.run.id, "exit_code": code, "exit": exit });
            self.here.output.tell(&shown, String::new)?;
        }
        Ok(code)
    }
}

/// Ctrl-D.
const END_OF_INPUT: u8 = 0x04;

/// Output for a file, a pipe or a program: lines end as they do in files.
struct Plain {
    output: Output,
    /// A carriage return that came last, or the beginning of a character.
    cut: Vec<u8>,
}

impl Plain {
    const fn new(output: Output) -> Self {
        Self {
            output,
            cut: Vec::new(),
        }
    }

    fn put(&self, bytes: &[u8]) -> Result<(), CliError> {
        if bytes.is_empty() {
            return Ok(());
        }
        if self.output.is_json() {
            let text = String::from_utf8_lossy(bytes);
            return self
                .output
                .tell(&json!({ "event": "output", "text": text }), String::new);
        }
        self.output.bytes(bytes)
    }

    /// Nothing follows.
    fn end(&mut self) -> Result<(), CliError> {
        let cut = std::mem::take(&mut self.cut);
        self.put(&cut)
    }
}

impl Sink for Plain {
    fn take(&mut self, output: &[u8]) -> Result<(), CliError> {
        let mut joined = std::mem::take(&mut self.cut);
        joined.extend_from_slice(output);
        let whole = joined.len() - held_back(&joined, self.output.is_json());
        self.cut = joined.split_off(whole);
        self.put(&with_plain_lines(&joined))
    }

    fn reset(&mut self) -> Result<(), CliError> {
        Ok(())
    }

    fn connection(&mut self, _lost: bool) -> Result<(), CliError> {
        Ok(())
    }
}

/// Bytes at the end that mean something only with what follows.
fn held_back(bytes: &[u8], characters: bool) -> usize {
    if bytes.last() == Some(&b'\r') {
        return 1;
    }
    match std::str::from_utf8(bytes) {
        Err(error) if characters && error.error_len().is_none() => {
            bytes.len() - error.valid_up_to()
        }
        _ => 0,
    }
}

/// A terminal ends lines with two characters, a file with one.
fn with_plain_lines(bytes: &[u8]) -> Vec<u8> {
    let ends = |at: usize| bytes[at] == b'\r' && bytes.get(at + 1) == Some(&b'\n');
    (0..bytes.len())
        .filter(|at| !ends(*at))
        .map(|at| bytes[at])
        .collect()
}

/// The line for the shell: one argument is a line, several are one command.
fn line(command: &[String]) -> String {
    match command {
        [line] => line.clone(),
        words => words
            .iter()
            .map(|word| quote(word))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_argument_is_a_line_and_several_are_a_command() {
        let words = |words: &[&str]| {
            line(
                &words
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert_eq!(words(&["ls | wc -l"]), "ls | wc -l");
        assert_eq!(words(&["python3", "main.py"]), "python3 main.py");
        assert_eq!(
            words(&["echo", "a b", "it's", ""]),
            r"echo 'a b' 'it'\''s' ''"
        );
    }

    #[test]
    fn lines_end_as_in_files_also_when_they_come_in_pieces() {
        assert_eq!(with_plain_lines(b"a\r\nb\rc\r\n"), b"a\nb\rc\n");
        assert_eq!(held_back(b"a\r", false), 1);
        assert_eq!(held_back(b"gr\xc3", false), 0);
        assert_eq!(held_back(b"gr\xc3", true), 1);
        assert_eq!(held_back(b"\xff", true), 0);
    }
}
