//! `slipway open`, and `slipway` without a command: the window is a program of its own, which takes the place of this one.
use std::io;
use std::process::{Command, ExitCode};

use crate::config::{self, Config};
use crate::error::CliError;
use crate::opening::Opening;

/// Becomes the program that has the window.
///
/// # Errors
/// When there is no display, or that program is not installed.
pub fn open(config: &Config, opening: &Opening) -> Result<ExitCode, CliError> {
    if !config.display {
        return Err(CliError::NoDisplay);
    }
    let program = config::installed(&config.windows).ok_or(CliError::NoWindow)?;
    let mut command = Command::new(program);
    command.args(opening.arguments());
    instead(command).map_err(CliError::file(program))
}

/// Goes on as another program: the same process where the system can do that.
#[cfg(unix)]
pub(super) fn instead(mut command: Command) -> io::Result<ExitCode> {
    Err(std::os::unix::process::CommandExt::exec(&mut command))
}

/// Goes on as another program: the same process where the system can do that.
#[cfg(not(unix))]
pub(super) fn instead(mut command: Command) -> io::Result<ExitCode> {
    let code = command.status()?.code();
    let code = code.and_then(|code| u8::try_from(code).ok());
    Ok(code.unwrap_or(crate::error::exit::FAILED).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_display_or_without_its_program_there_is_no_window() {
        let config = |display| Config {
            display,
            windows: vec!["/nowhere/slipway-window".into()],
            ..Config::read().unwrap()
        };
        let open = |display| open(&config(display), &Opening::default());
        assert!(matches!(open(false), Err(CliError::NoDisplay)));
        assert!(matches!(open(true), Err(CliError::NoWindow)));
    }
}
