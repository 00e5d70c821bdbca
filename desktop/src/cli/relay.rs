//! `Relay`: a terminal of a session, shown on the terminal at which a person sits, or written to wherever the output goes.
use std::io::{self, Read as _};
use std::time::Duration;

use rustix::process::Signal;
use slipway_client::steady::{Heard, Steady};
use slipway_client::terminal::Told;
use slipway_proto::v1;
use slipway_terminal::onward::Onward;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::here::SignedIn;
use crate::error::CliError;
use crate::output::Output;
use crate::tty;

/// Ctrl-], which leaves when it is pressed this often within this time.
const LEAVE: u8 = 0x1d;
const LEAVE_TIMES: usize = 3;
const LEAVE_WITHIN: Duration = Duration::from_secs(1);
/// How to leave, for people.
pub(super) const HOW_TO_LEAVE: &str = "Ctrl-] three times";
/// Ctrl-C.
const INTERRUPT: u8 = 0x03;
/// Typed while the program reads nothing, or the connection is away.
const TYPED_BYTES_MAX: usize = 1024 * 1024;

/// How it ended.
#[derive(Debug)]
pub(super) enum End {
    /// The program ended.
    Exited(v1::Exit),
    /// The person left; the program goes on.
    Left,
    /// A signal to us; the program goes on.
    Signal(i32),
}

/// Where the output goes.
pub(super) trait Sink {
    /// Takes a piece of output.
    fn take(&mut self, output: &[u8]) -> Result<(), CliError>;
    /// The screen begins anew.
    fn reset(&mut self) -> Result<(), CliError>;
    /// The connection was lost, or is there again.
    fn connection(&mut self, lost: bool) -> Result<(), CliError>;
}

/// Shows a terminal on ours until its program ends, the person leaves or a signal comes.
pub(super) async fn sit(
    signed_in: &SignedIn,
    steady: &mut Steady,
    output: Output,
) -> Result<End, CliError> {
    let raw = tty::Changed::raw().map_err(CliError::Terminal)?;
    let mut screen = Screen::new(output);
    let end = relay(signed_in, steady, &mut screen, Some(&raw)).await;
    // Whatever the program had set is undone before the settings are put back.
    screen.leave().and(end)
}

/// Writes a terminal's output to a sink until its program ends or a signal comes. With `raw`, keys go the other way.
pub(super) async fn relay(
    signed_in: &SignedIn,
    steady: &mut Steady,
    sink: &mut impl Sink,
    raw: Option<&tty::Changed>,
) -> Result<End, CliError> {
    let mut keys = raw.map(|_| Keys::listen());
    let mut resized = signal(SignalKind::window_change()).map_err(CliError::Terminal)?;
    let mut continued =
        signal(SignalKind::from_raw(Signal::CONT.as_raw())).map_err(CliError::Terminal)?;
    let mut ended = Box::pin(tty::ended());
    loop {
        if let Some(keys) = &mut keys {
            keys.send(steady);
        }
        tokio::select! {
            heard = steady.next() => match heard.map_err(|error| signed_in.told(error))? {
                Heard::Told(Told::Output(bytes) | Told::Restored(bytes)) => sink.take(&bytes)?,
                Heard::Told(Told::Reset) => sink.reset()?,
                Heard::Told(Told::Gap(_)) => {}
                Heard::Told(Told::Exited(exit)) => return Ok(End::Exited(exit)),
                Heard::Lost => sink.connection(true)?,
                Heard::Back => sink.connection(false)?,
            },
            typed = typed(&mut keys) => if let Some(keys) = &mut keys
                && keys.take(typed, steady)
            {
                return Ok(End::Left);
            },
            _ = resized.recv() => steady.resize(tty::size()),
            _ = continued.recv() => if let Some(raw) = raw {
                raw.again().map_err(CliError::Terminal)?;
                steady.resize(tty::size());
            },
            number = &mut ended => return Ok(End::Signal(number)),
        }
    }
}

/// Waits for keys while there is room for them; `None` when the terminal has gone.
async fn typed(keys: &mut Option<Keys>) -> Option<Vec<u8>> {
    match keys {
        Some(keys) if keys.waiting.len() < TYPED_BYTES_MAX => keys.typed.recv().await,
        _ => std::future::pending().await,
    }
}

/// What a person types, on its way.
struct Keys {
    typed: mpsc::Receiver<Vec<u8>>,
    /// Not taken by the terminal yet.
    waiting: Vec<u8>,
    leave: Leave,
}

impl Keys {
    /// Reads the input on a thread of its own, which waits for keys as long as the process lives.
    fn listen() -> Self {
        let (sender, typed) = mpsc::channel(16);
        let read = move || {
            let mut buffer = [0; 4096];
            while let Ok(many) = io::stdin().read(&mut buffer)
                && many > 0
                && sender.blocking_send(buffer[..many].to_vec()).is_ok()
            {}
        };
        // Without a thread nothing can be typed, and the terminal is only looked at.
        drop(
            std::thread::Builder::new()
                .name("keys".to_owned())
                .spawn(read),
        );
        Self {
            typed,
            waiting: Vec::new(),
            leave: Leave::default(),
        }
    }

    /// Sends what the terminal has room for.
    fn send(&mut self, steady: &mut Steady) {
        let many = self.waiting.len().min(steady.room());
        if many > 0 {
            steady.write(&self.waiting[..many]);
            self.waiting.drain(..many);
        }
    }

    /// Takes what was typed; whether the person leaves.
    fn take(&mut self, typed: Option<Vec<u8>>, steady: &mut Steady) -> bool {
        let Some(keys) = typed else { return true };
        let now = Instant::now();
        if keys.iter().any(|key| self.leave.press(*key, now)) {
            return true;
        }
        if keys.contains(&INTERRUPT) && steady.room() == 0 {
            // Behind what the program does not read, it would not be heard.
            self.waiting.clear();
            steady.interrupt();
        } else {
            self.waiting.extend_from_slice(&keys);
        }
        false
    }
}

/// Counts the presses of the key that leaves.
#[derive(Default)]
struct Leave {
    presses: Vec<Instant>,
}

impl Leave {
    /// Whether this press is the one that leaves.
    fn press(&mut self, key: u8, now: Instant) -> bool {
        if key != LEAVE {
            self.presses.clear();
            return false;
        }
        self.presses
            .retain(|press| now.duration_since(*press) <= LEAVE_WITHIN);
        self.presses.push(now);
        self.presses.len() >= LEAVE_TIMES
    }
}

/// A terminal at which a person sits.
pub(super) struct Screen {
    output: Output,
    onward: Onward,
    shown: bool,
    lost: usize,
}

impl Screen {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            onward: Onward::default(),
            shown: false,
            lost: 0,
        }
    }

    /// Undoes what the program set.
    fn leave(&mut self) -> Result<(), CliError> {
        let undo = self.onward.undo();
        self.output.bytes(&undo)
    }
}

impl Sink for Screen {
    fn take(&mut self, output: &[u8]) -> Result<(), CliError> {
        self.shown = true;
        let onward = self.onward.pass(output);
        self.output.bytes(&onward)
    }

    fn reset(&mut self) -> Result<(), CliError> {
        if !self.shown {
            return Ok(());
        }
        self.leave()?;
        self.output.bytes(b"\x1b[H\x1b[2J")
    }

    fn connection(&mut self, lost: bool) -> Result<(), CliError> {
        if !lost {
            self.lost = 0;
            return Ok(());
        }
        self.lost += 1;
        // A connection that is back at once is not worth a word on somebody's screen.
        if self.lost == 2 {
            let told = format!(
                "\r\n[slipway: the connection is lost and is tried again; {HOW_TO_LEAVE} leaves]\r\n"
            );
            return self.output.bytes(told.as_bytes());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quick_presses_leave_and_nothing_else_does() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut leave = Leave::default();
        let left = |leave: &mut Leave, keys: &[(u8, u64)]| {
            keys.iter()
                .map(|(key, ms)| leave.press(*key, at(*ms)))
                .collect::<Vec<_>>()
        };
        let quick = [(LEAVE, 0), (LEAVE, 300), (LEAVE, 900)];
        assert_eq!(left(&mut leave, &quick), [false, false, true]);
        let mut leave = Leave::default();
        let slow = [(LEAVE, 0), (LEAVE, 600), (LEAVE, 1200)];
        assert_eq!(left(&mut leave, &slow), [false; 3]);
        let mut leave = Leave::default();
        let apart = [(LEAVE, 0), (LEAVE, 1), (b'x', 2), (LEAVE, 3)];
        assert_eq!(left(&mut leave, &apart), [false; 4]);
    }
}
