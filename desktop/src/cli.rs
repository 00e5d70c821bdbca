//! The command line: one file for each command, and what they share.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser, Subcommand};
use slipway_mirror::memory;
use tokio::runtime::{Builder, Runtime};

use crate::config::Config;
use crate::error::{CliError, exit};
use crate::opening::{self, Opening};
use crate::output::Output;
use crate::tty;

mod doctor;
mod export;
mod here;
pub(crate) mod hint;
mod login;
mod mirror;
mod names;
mod open;
mod relay;
mod run;
mod status;
mod terminal;
mod workspaces;

pub use open::open;

/// What `--help` says of exit codes; docs/command-line.md has the same.
const EXIT_CODES: &str = "\
Exit codes:
    0  done
    1  it did not work; the message says why
    2  the command line is not understood, or something is missing that cannot be
       asked for
    3  nobody is signed in, or no longer; or the password is wrong
    4  the server was not reached, or what answers is none
    5  there is no such workspace or terminal, or more than one
    6  the token can be neither kept nor found
    7  the folder cannot be taken, or is not kept in step
  run and terminal pass on the code of the program, 128+n when signal n ended it,
  and leave with 125 when Slipway itself failed.";

/// What `slipway` is started with.
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
    /// The server to speak to; by default the one chosen last.
    #[arg(long, global = true, value_name = "SERVER")]
    server: Option<String>,
    /// Draws the window without the graphics card.
    #[arg(long)]
    safe_graphics: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

/// Those with arguments of their own say there what they do.
#[derive(Subcommand)]
enum Command {
    /// Opens the window, and in it a file, a folder or a link.
    Open {
        /// A path, or an address that begins with slipway://.
        what: Option<String>,
    },
    Login(login::Login),
    Logout(login::Logout),
    /// Lists your workspaces.
    Workspaces,
    Clone(mirror::Clone),
    Mirror(mirror::Mirror),
    Status(status::Status),
    Conflicts(status::Conflicts),
    Run(run::RunArgs),
    Terminal(terminal::TerminalArgs),
    Export(export::Export),
    /// Looks whether everything that the other commands need is there.
    Doctor,
    /// Prints completions for a shell.
    Completions {
        /// Which.
        shell: clap_complete::Shell,
    },
    /// Writes the pages of the manual, as packages have them.
    #[command(hide = true)]
    Manual {
        /// Into this folder, which exists.
        folder: PathBuf,
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

/// What was asked for on the command line.
pub enum Asked {
    /// The window, and where it is told why there is none.
    Window(Opening, Output),
    /// Something without it.
    Command(Box<Args>),
}

/// Reads the command line, or leaves and says what is wrong with it.
#[must_use]
pub fn parse() -> Asked {
    let arguments: Vec<_> = std::env::args_os().collect();
    let args = Args::try_parse_from(&arguments)
        .unwrap_or_else(|error| refuse(&or_open(error), &arguments));
    let what = match &args.command {
        None => None,
        Some(Command::Open { what }) => what.as_deref(),
        Some(_) => return Asked::Command(Box::new(args)),
    };
    let opening = Opening {
        wish: what.map(opening::of_argument),
        server: args.server,
        safe: args.safe_graphics,
    };
    Asked::Window(opening, Output::new(args.json))
}

/// Leaves with what was asked for instead of a command (help, the version), or with what is wrong with the line.
fn refuse(error: &clap::Error, arguments: &[OsString]) -> ! {
    if !error.use_stderr() || !wants_json(arguments) {
        error.exit();
    }
    let error = CliError::Usage(said(error));
    Output::new(true).fail(&error);
    std::process::exit(error.exit().into())
}

/// With a word on how a folder or file is opened, where the name of one stands for a command.
fn or_open(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && Path::new(word).exists()
    {
        let tip = format!("to open it: slipway open {word}");
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    error
}

/// Whether JSON is asked for on a line that is not understood. What follows `--` is a program's own.
fn wants_json(arguments: &[OsString]) -> bool {
    let ours = arguments.iter().take_while(|argument| *argument != "--");
    ours.into_iter().any(|argument| argument == "--json")
}

/// What is wrong with the line, without the word that people are shown before it.
fn said(error: &clap::Error) -> String {
    let said = error.render().to_string();
    let said = said.trim();
    said.strip_prefix("error: ").unwrap_or(said).to_owned()
}

/// The whole command line, for completions and the manual.
#[must_use]
pub fn definition() -> clap::Command {
    Args::command()
}

/// Does what the arguments say; the exit code.
pub async fn run(args: Args) -> u8 {
    let Args {
        json,
        server,
        command,
        ..
    } = args;
    let output = Output::new(json);
    let Some(command) = command else {
        return exit::USAGE;
    };
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
        clap_complete::generate(shell, &mut definition(), "slipway", &mut script);
        output.bytes(&script)?;
        return Ok(0);
    }
    if let Command::Manual { folder } = &command {
        clap_mangen::generate_to(definition(), folder).map_err(CliError::file(folder))?;
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
        Command::Conflicts(conflicts) => status::conflicts(&here, conflicts).await?,
        Command::Run(args) => return run::run(&here, args).await.map_err(CliError::ours),
        Command::Terminal(args) => {
            return terminal::terminal(&here, args)
                .await
                .map_err(CliError::ours);
        }
        Command::Export(export) => export::export(&here, export).await?,
        Command::Doctor => return doctor::doctor(&here).await,
        Command::Open { .. } | Command::Completions { .. } | Command::Manual { .. } => {}
    }
    Ok(0)
}

/// Tells why there is no window, and what there is without one.
#[must_use]
pub fn fail(error: &CliError, output: Output) -> ExitCode {
    output.fail(error);
    if matches!(
        error,
        CliError::NoDisplay | CliError::ClosedDisplay | CliError::NoWindow
    ) {
        let commands = definition();
        let shown = commands
            .get_subcommands()
            .filter(|command| !command.is_hide_set() && command.get_name() != "open");
        let commands = shown.map(|command| {
            let about = command.get_about().map(ToString::to_string);
            format!(
                "    {:12} {}",
                command.get_name(),
                about.unwrap_or_default()
            )
        });
        let commands: Vec<String> = commands.collect();
        output.remark(&format!(
            "Without a window there are:\n{}",
            commands.join("\n")
        ));
    }
    ExitCode::from(error.exit())
}

/// Begins the program again in the place of this one; comes back only when that fails.
#[must_use]
pub fn begin_again(arguments: &[OsString]) -> ExitCode {
    let again = std::env::current_exe().and_then(|program| {
        let mut command = std::process::Command::new(program);
        command.args(arguments);
        open::instead(command)
    });
    again.unwrap_or_else(|error| {
        Output::new(false).remark(&format!("error: Slipway could not begin again: {error}."));
        ExitCode::from(exit::FAILED)
    })
}

/// What a command or the window runs on: so many threads, with few pools of free memory.
///
/// # Errors
/// The system gives no threads, so nothing at all can be begun: that was said, and this is the code to leave with.
pub fn runtime(threads: usize) -> Result<Runtime, ExitCode> {
    memory::share_pools();
    let runtime = Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build();
    runtime.map_err(|error| {
        Output::new(false).remark(&format!("error: The system gives no threads: {error}."));
        ExitCode::from(exit::FAILED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_has_a_manual() {
        definition().debug_assert();
        let folder = tempfile::tempdir().unwrap();
        clap_mangen::generate_to(definition(), folder.path()).unwrap();
        for page in ["slipway.1", "slipway-open.1", "slipway-run.1"] {
            assert!(folder.path().join(page).exists(), "{page}");
        }
    }

    #[test]
    fn a_line_that_is_not_understood_is_told_to_programs_without_what_people_are_shown_around_it() {
        let line = |words: &[&str]| -> Vec<OsString> {
            let words = std::iter::once("slipway").chain(words.iter().copied());
            words.map(OsString::from).collect()
        };
        for (words, json, named) in [
            (&["--json", "dance"][..], true, "dance"),
            (&["status", "--dance", "--json"], true, "--dance"),
            (&["mirror", "tides", "--json"], true, "<DIR>"),
            (&["--json"], true, ""),
            (&["run", "--dance", "--", "x", "--json"], false, "--dance"),
            (&["dance"], false, "dance"),
        ] {
            let line = line(words);
            assert_eq!(wants_json(&line), json, "{words:?}");
            if named.is_empty() {
                continue;
            }
            let told = said(&Args::try_parse_from(&line).err().unwrap());
            assert!(told.contains(named), "{told}");
            assert!(!told.starts_with("error"), "{told}");
            assert!(!told.contains('\x1b'), "{told}");
        }
    }

    #[test]
    fn a_folder_that_stands_for_a_command_is_said_how_to_open() {
        let told = |word| {
            let error = Args::try_parse_from(["slipway", word]).err().unwrap();
            said(&or_open(error))
        };
        assert!(told(".").contains("slipway open ."), "{}", told("."));
        assert!(!told("dance").contains("slipway open dance"));
    }
}
