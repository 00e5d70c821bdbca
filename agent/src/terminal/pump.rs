//! Moves bytes between a pseudo terminal and its state: a reader that is paced by the viewers' credit and a writer that
//! waits for the program to read. Two tasks, so that a full one never stops the other.
use std::io;
use std::sync::Arc;
use std::time::Duration;

use slipway_core::limits::TERMINAL_FRAME_BYTES_MAX;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Terminal;
use super::flow::Room;
use crate::reaper::{Ended, Ending};

/// Viewers are told of output at once until this much came within `HOLD`; then in larger pieces.
const QUIET_BYTES: usize = 16 * 1024;
/// Longest time that bulk output is held back to gather.
const HOLD: Duration = Duration::from_millis(4);
/// Bytes read before other tasks get their turn.
const TURN_BYTES: usize = TERMINAL_FRAME_BYTES_MAX;
/// Output that nobody paces runs at 4 MB/s: a forgotten `yes` takes a seventh of a session's share of a processor then,
/// and what stands beside it seldom waits for the next share.
const FREE_TURN: Duration = Duration::from_millis(16);
/// The time that is left for the last bytes after a program has ended.
const DRAIN: Duration = Duration::from_secs(1);
/// How often a terminal is looked at whose program closed it without ending.
const CLOSED_POLL: Duration = Duration::from_millis(100);
/// How often the last bytes of an ended program are looked for.
const LAST_POLL: Duration = Duration::from_millis(5);
/// First and longest rest before input is offered again. Readiness of a pseudo terminal cannot be waited for: it stays
/// writable for the kernel while a program that does not read leaves no room.
const WRITE_REST: Duration = Duration::from_millis(1);
const WRITE_REST_MAX: Duration = Duration::from_millis(64);

/// Reads until the program has ended and its last byte is in the log.
pub(super) async fn read_until_end(terminal: Arc<Terminal>, ending: Ending) -> Option<Ended> {
    let reader = read(&terminal);
    tokio::pin!(reader);
    tokio::select! {
        ended = ending => {
            terminal.leave();
            drop(timeout(DRAIN, reader).await);
            ended.ok()
        }
        () = &mut reader => None,
    }
}

async fn read(terminal: &Terminal) {
    let mut burst = Burst::new();
    loop {
        let (bytes_max, free) = match terminal.room() {
            Room::Free => (TURN_BYTES, true),
            Room::Bytes(bytes) => (bytes.min(TURN_BYTES), false),
            Room::None { until } => {
                // Viewers can only give credit for what they were told of.
                burst.flush(terminal);
                tokio::select! {
                    () = terminal.room_came() => {}
                    () = sleep_until(until) => {}
                }
                continue;
            }
        };
        let Some(read) = read_turn(terminal, bytes_max, &mut burst).await else {
            // A hung-up terminal counts as readable although nothing is there: its last bytes come by themselves.
            if terminal.leaving() {
                sleep(LAST_POLL).await;
            }
            continue;
        };
        match read {
            Ok(bytes) => {
                burst.took(terminal, bytes);
                if free && bytes >= TURN_BYTES / 2 {
                    burst.flush(terminal);
                    tokio::select! {
                        () = terminal.room_came() => {}
                        () = sleep(FREE_TURN) => {}
                    }
                } else if bytes >= TURN_BYTES / 2 {
                    tokio::task::yield_now().await;
                }
            }
            Err(_) => {
                // Nothing has the program's end open. If it still lives it may open it again.
                burst.flush(terminal);
                if terminal.leaving() {
                    return;
                }
                tokio::select! {
                    () = terminal.room_came() => {}
                    () = sleep(CLOSED_POLL) => {}
                }
            }
        }
    }
}

/// Waits for output and takes one turn of it; `None` when it was only time to tell the viewers.
async fn read_turn(
    terminal: &Terminal,
    bytes_max: usize,
    burst: &mut Burst,
) -> Option<io::Result<usize>> {
    let readable = terminal.pty.fd().readable();
    let guard = match burst.flush_at() {
        None => readable.await,
        Some(at) => tokio::select! {
            biased;
            guard = readable => guard,
            () = sleep_until(at) => {
                burst.flush(terminal);
                return None;
            }
        },
    };
    match guard {
        Err(error) => Some(Err(error)),
        Ok(mut guard) => {
            let taken = guard.try_io(|_| terminal.take_output(bytes_max)).ok()?;
            if taken.as_ref().is_ok_and(|taken| taken.all) {
                guard.clear_ready();
            }
            Some(taken.map(|taken| taken.bytes))
        }
    }
}

/// Decides when viewers are told of output: at once while it is little, in pieces while it is much.
struct Burst {
    since: Instant,
    bytes: usize,
    untold: usize,
    untold_since: Instant,
}

impl Burst {
    fn new() -> Self {
        let now = Instant::now();
        Self {
            since: now,
            bytes: 0,
            untold: 0,
            untold_since: now,
        }
    }

    fn took(&mut self, terminal: &Terminal, bytes: usize) {
        let now = Instant::now();
        if now.duration_since(self.since) > HOLD {
            self.since = now;
            self.bytes = 0;
        }
        self.bytes += bytes;
        if self.untold == 0 {
            self.untold_since = now;
        }
        self.untold += bytes;
        let long = now.duration_since(self.untold_since) >= HOLD;
        if self.bytes <= QUIET_BYTES || self.untold >= TERMINAL_FRAME_BYTES_MAX || long {
            self.flush(terminal);
        }
    }

    fn flush_at(&self) -> Option<Instant> {
        (self.untold > 0).then(|| self.untold_since + HOLD)
    }

    fn flush(&mut self, terminal: &Terminal) {
        if self.untold > 0 {
            self.untold = 0;
            terminal.wake_viewers();
        }
    }
}

/// Writes what viewers typed, for as long as the program lives.
pub(super) async fn write(terminal: Arc<Terminal>) {
    let mut rest = WRITE_REST;
    loop {
        let mut moved = false;
        let given = terminal.give_input(&mut moved);
        if moved {
            // It reads: a long paste must not wait as if it did not.
            rest = WRITE_REST;
        }
        match given {
            Ok(()) => {
                terminal.input_came().await;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                sleep(rest).await;
                rest = (rest * 2).min(WRITE_REST_MAX);
            }
            Err(_) => {
                if terminal.leaving() {
                    return;
                }
                sleep(CLOSED_POLL).await;
            }
        }
        if terminal.leaving() {
            return;
        }
    }
}
