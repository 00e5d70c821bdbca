//! The command line: one file for each command, and what they share.
use std::io;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::config::Config;
use crate::error::{CliError, exit};
use crate::output::Output;
use crate::tty;

mod doctor;
mod export;
mod here;
mod login;
mod mirror;
mod relay;
mod run;
mod status;
mod terminal;
mod workspaces;

/// What `--help` says of exit codes; docs/command-line.md has the same.
const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  it did not work; the message says why
    2  the command line is not understood
    3  nobody is signed in, or no longer
    4  the server was not reached
    5  there is no such workspace or terminal, or more than one
    6  the token can be neither kept nor found
    7  the folder cannot be taken, or is not kept in step
  run and terminal pass on the code of the program, 128+n when signal n ended it,
  and leave with 125 when Slipway itself failed.";

/// What was asked for.
#[derive(Parser)]
#[command(
    name = "slipway",
    version,
    about = "Slipway: workspaces whose code runs elsewhere. Without a command it opens its window",
    after_help = EXIT_CODES
)]
pub struct Args {
    /// Answers in JSON, one object a line.
    #[arg(long, global = true)]
    json: bool,
    /// The server to speak to; by default that of the newest sign-in.
    #[arg(long, global = true, value_name = "SERVER")]
    server: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

impl Args {
    /// The program's own arguments; ends it where they are not understood.
    #[must_use]
    pub fn read() -> Self {
        Self::parse()
    }

    /// Whether the window is asked for: no command is.
    #[must_use]
    pub const fn is_window(&self) -> bool {
        self.command.is_none()
    }
}

#[derive(Subcommand)]
enum Command {
    /// Signs this device in at a server.
    Login(login::Login),
    /// Signs this device out.
    Logout(login::Logout),
    /// Lists your workspaces.
    Workspaces,
    /// Makes a folder with all files of a workspace.
    Clone(mirror::Clone),
    /// Keeps a folder in step with a workspace until Ctrl-C.
    Mirror(mirror::Mirror),
    /// Tells how folders stand that are kept in step.
    Status(status::Status),
    /// Lists the conflict copies in a folder.
    Conflicts(status::Conflicts),
    /// Runs a command in a workspace's session, shows its output and passes on its exit code.
    Run(run::RunArgs),
    /// Opens a terminal in a workspace's session, or comes back to one.
    Terminal(terminal::TerminalArgs),
    /// Saves a workspace as a zip file.
    Export(export::Export),
    /// Looks whether everything that the other commands need is there.
    Doctor,
    /// Prints completions for a shell.
    Completions {
        /// Which.
        shell: clap_complete::Shell,
    },
}

impl Command {
    /// Whether it does something of its own when a signal comes.
    const fn minds_signals(&self) -> bool {
        matches!(
            self,
            Self::Clone(_) | Self::Mirror(_) | Self::Run(_) | Self::Terminal(_)
        )
    }
}

/// Does what a command says; the exit code.
pub async fn run(args: Args) -> u8 {
    let Args {
        json,
        server,
        command: Some(command),
    } = args
    else {
        return 0;
    };
    let output = Output::new(json);
    let minds_signals = command.minds_signals();
    let done = tokio::select! {
        biased;
        done = dispatch(command, server, output) => done,
        // Dropped, a command puts back what it changed of the terminal.
        number = tty::ended(), if !minds_signals => Err(CliError::Interrupted(number)),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            output.fail(&error);
            error.exit()
        }
    }
}

async fn dispatch(
    command: Command,
    server: Option<String>,
    output: Output,
) -> Result<u8, CliError> {
    if let Command::Completions { shell } = command {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Args::command(), "slipway", &mut script);
        output.bytes(&script)?;
        return Ok(0);
    }
    let here = here::Here::new(Config::read()?, output, server.as_deref())?;
    match command {
        Command::Login(login) => login::login(&here, login).await?,
        Command::Logout(logout) => login::logout(&here, logout).await?,
        Command::Workspaces => workspaces::list(&here).await?,
        Command::Clone(clone) => mirror::clone(&here, clone).await?,
        Command::Mirror(mirror) => mirror::mirror(&here, mirror).await?,
        Command::Status(status) => status::status(&here, status).await?,
        Command::Conflicts(conflicts) => status::conflicts(&here, conflicts)?,
        Command::Run(args) => return run::run(&here, args).await.map_err(CliError::ours),
        Command::Terminal(args) => {
            return terminal::terminal(&here, args)
                .await
                .map_err(CliError::ours);
        }
        Command::Export(export) => export::export(&here, export).await?,
        Command::Doctor => return doctor::doctor(&here).await,
        Command::Completions { .. } => {}
    }
    Ok(0)
}

/// A workspace's name as that of a file or folder here.
fn file_name(workspace: &str) -> String {
    let plain = workspace.replace(['/', '\\', '\0'], "-");
    let plain = plain.trim_start_matches(['.', '-']);
    let name = if plain.is_empty() { "workspace" } else { plain };
    name.to_owned()
}

/// Says that nothing at all can be begun.
#[must_use]
pub fn no_runtime(error: &io::Error) -> std::process::ExitCode {
    Output::new(false).remark(&format!("error: The system gives no threads: {error}."));
    std::process::ExitCode::from(exit::FAILED)
}

/// Says that there is no window.
#[must_use]
pub fn no_window(error: &tauri::Error) -> std::process::ExitCode {
    Output::new(false).remark(&format!("error: The window cannot be shown: {error}."));
    std::process::ExitCode::from(exit::FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_workspaces_name_makes_a_file_in_this_folder() {
        assert_eq!(file_name("tides"), "tides");
        assert_eq!(file_name("../../etc/passwd"), "etc-passwd");
        assert_eq!(file_name("-"), "workspace");
    }
}
