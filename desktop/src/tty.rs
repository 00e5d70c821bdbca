//! The terminal at which a person sits: asked for a line, with or without showing it, or taken over byte by byte. Every
//! change of its settings is undone when its guard is dropped, by whatever way the command ends.
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{SignalKind, signal};

use crate::error::CliError;

/// Whether a person can be asked: input is a terminal, and questions are seen.
#[must_use]
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether what is read is typed, and so would be shown.
#[must_use]
pub fn is_typed() -> bool {
    io::stdin().is_terminal()
}

/// Whether what is written is seen by a person.
#[must_use]
pub fn is_seen() -> bool {
    io::stdout().is_terminal()
}

/// Whether a program can be given this terminal.
#[must_use]
pub fn is_whole() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Columns and rows of the terminal, or those of an old one.
#[must_use]
pub fn size() -> (u32, u32) {
    let usual = (80, 24);
    match tcgetwinsize(io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => usual,
    }
}

/// Settings of the terminal that are put back.
pub struct Changed {
    before: Termios,
    now: Termios,
}

impl Changed {
    /// Every byte comes as it is typed, and nothing is shown or done with it here.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn raw() -> io::Result<Self> {
        Self::with(Termios::make_raw)
    }

    /// Lines come as ever, but are not shown.
    ///
    /// # Errors
    /// When there is no terminal.
    pub fn hidden() -> io::Result<Self> {
        Self::with(|termios| {
            termios.local_modes.remove(LocalModes::ECHO);
            termios.local_modes.insert(LocalModes::ECHONL);
        })
    }

    fn with(change: impl FnOnce(&mut Termios)) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut now = before.clone();
        change(&mut now);
        let changed = Self { before, now };
        changed.again()?;
        Ok(changed)
    }

    /// Sets them once more: after a stop, a shell has put back its own.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn again(&self) -> io::Result<()> {
        Ok(tcsetattr(io::stdin(), OptionalActions::Now, &self.now)?)
    }
}

impl Drop for Changed {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.before).ok();
    }
}

/// Asks for a line.
///
/// # Errors
/// When there is none, or a signal comes instead.
pub async fn ask(question: &str) -> Result<String, CliError> {
    let mut stderr = io::stderr();
    write!(stderr, "{question}: ")?;
    stderr.flush()?;
    line().await
}

/// Asks for a line that is not shown.
///
/// # Errors
/// When there is none, or a signal comes instead.
pub async fn ask_hidden(question: &str) -> Result<String, CliError> {
    let _hidden = Changed::hidden().map_err(CliError::Terminal)?;
    ask(question).await
}

/// The next line of the input. A signal ends the wait, so that whoever changed the terminal can put it back.
///
/// # Errors
/// When it cannot be read, or a signal comes instead.
pub async fn line() -> Result<String, CliError> {
    // The thread may wait for a line for ever; the process does not wait for it.
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    let line = tokio::select! {
        line = read => line.map_err(|_| CliError::Interrupted(0))?.map_err(CliError::Terminal)?,
        number = ended() => return Err(CliError::Interrupted(number)),
    };
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Waits for a signal that ends programs; its number. From the call on, such a signal does nothing else.
pub fn ended() -> impl Future<Output = i32> + Send {
    let kinds = [
        SignalKind::interrupt(),
        SignalKind::terminate(),
        SignalKind::hangup(),
        SignalKind::quit(),
    ];
    let waits = kinds.map(|kind| {
        let heard = signal(kind);
        Box::pin(async move {
            match heard {
                Ok(mut signal) => signal.recv().await,
                // Without a handler the signal ends the process by itself.
                Err(_) => std::future::pending().await,
            };
            kind.as_raw_value()
        })
    });
    async { futures_util::future::select_all(waits).await.0 }
}
