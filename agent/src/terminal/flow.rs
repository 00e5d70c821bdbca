//! What the pump asks of a terminal: how much output it may take, output, input, and the end.
use std::io;
use std::mem::MaybeUninit;

use slipway_proto::v1;
use tokio::time::Instant;

use super::{Finished, Terminal, Viewer};
use crate::reaper::Ended;

/// Bytes taken by one read; the kernel hands out at most about this much.
const READ_BYTES: usize = 16 * 1024;

/// What the reader may take.
#[derive(Clone, Copy, Debug)]
pub(super) enum Room {
    /// Anything: nobody waits for it.
    Free,
    /// So much.
    Bytes(usize),
    /// Nothing until the driver parses or stalls.
    None { until: Instant },
}

/// What a turn took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken {
    pub(super) bytes: usize,
    /// Nothing was left.
    pub(super) all: bool,
}

impl Terminal {
    /// What the reader may take now. The driver paces: the visible, living viewer that typed last.
    pub(super) fn room(&self) -> Room {
        let state = self.lock();
        let now = self.clock.now_ms();
        if state.leaving {
            return Room::Free;
        }
        let pacing = |viewer: &&Viewer| viewer.attachment.credit().paces(now);
        let Some(driver) = state
            .viewers
            .iter()
            .filter(pacing)
            .max_by_key(|viewer| viewer.turn)
        else {
            return Room::Free;
        };
        match usize::try_from(driver.attachment.room(&state.log)).unwrap_or(usize::MAX) {
            0 => {
                let stall = driver.attachment.credit().stall_at_ms();
                let until = self.clock.at(stall.unwrap_or(now + 1_000));
                Room::None { until }
            }
            bytes => Room::Bytes(bytes),
        }
    }

    pub(super) async fn room_came(&self) {
        self.room.notified().await;
    }

    pub(super) async fn input_came(&self) {
        self.typed.notified().await;
    }

    pub(super) fn leaving(&self) -> bool {
        self.lock().leaving
    }

    /// The program has ended: what it left is read without waiting for anyone.
    pub(super) fn leave(&self) {
        self.lock().leaving = true;
        self.room.notify_one();
        self.typed.notify_one();
    }

    /// Takes output until there is none or enough.
    pub(super) fn take_output(&self, bytes_max: usize) -> io::Result<Taken> {
        let mut buffer = [MaybeUninit::uninit(); READ_BYTES];
        let (mut taken, mut all) = (0, false);
        let mut state = self.lock();
        let state = &mut *state;
        while taken < bytes_max && !all {
            let room = READ_BYTES.min(bytes_max - taken);
            match self.pty.read(&mut buffer[..room]) {
                Ok([]) if taken == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if taken == 0 => return Err(error),
                // An end is met again by the next turn.
                Ok([]) => break,
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => break,
                Err(_) => all = true,
                Ok(bytes) => {
                    state.log.push(bytes);
                    taken += bytes.len();
                    let answers = state.answerer.follow(bytes);
                    if !answers.is_empty() {
                        state.input.answer(answers.into());
                        self.typed.notify_one();
                    }
                }
            }
        }
        self.activity.touch();
        Ok(Taken { bytes: taken, all })
    }

    /// Writes waiting input until there is none or the program does not take more; `moved` tells whether it took any.
    pub(super) fn give_input(&self, moved: &mut bool) -> io::Result<()> {
        let mut state = self.lock();
        let state = &mut *state;
        while let Some(data) = state.input.front() {
            if state.leaving {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            let bytes = self.pty.write(&data)?;
            if bytes == 0 && !data.is_empty() {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            *moved = true;
            let Some((client, offset)) = state.input.wrote(bytes) else {
                continue;
            };
            for viewer in state
                .viewers
                .iter_mut()
                .filter(|viewer| viewer.client == client)
            {
                viewer.owe(offset);
            }
        }
        Ok(())
    }

    pub(super) fn wake_viewers(&self) {
        for viewer in &mut self.lock().viewers {
            viewer.wake();
        }
    }

    /// The log is complete: viewers are told how it ended.
    pub(super) fn finish(&self, ended: Option<Ended>, reason: String) {
        use std::os::unix::process::ExitStatusExt as _;
        let mut state = self.lock();
        state.leaving = true;
        state.input.discard();
        let status = ended.map(|ended| ended.status);
        let exit = v1::Exit {
            code: status.and_then(|status| status.code()),
            signal: status.and_then(|status| status.signal()),
            reason,
            final_offset: state.log.end(),
        };
        state.exit = Some(exit.clone());
        for viewer in &mut state.viewers {
            viewer.wake();
        }
        drop(state);
        self.typed.notify_one();
        let peak_memory_bytes = ended.map_or(0, |ended| ended.peak_memory_bytes);
        self.exit.send_replace(Some(Finished {
            exit,
            peak_memory_bytes,
        }));
    }
}
