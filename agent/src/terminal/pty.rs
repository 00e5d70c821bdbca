//! A pseudo terminal: opened and sized by portable-pty, read and written without blocking, and asked who is in its
//! foreground. Its program is started by `spawn`, since portable-pty's own way hides a failed exec.
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use portable_pty::{MasterPty, PtySize, native_pty_system};
use rustix::fs::OFlags;
use rustix::process::{Pid, Signal};
use rustix::termios::{InputModes, OptionalActions};
use slipway_terminal::log::Size;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The agent's end.
pub struct Pty {
    /// Sizes the terminal.
    sized: Mutex<Box<dyn MasterPty + Send>>,
    /// The same end, waited for.
    master: AsyncFd<OwnedFd>,
}

/// Opens a pair of this size: the agent's end and the program's.
///
/// # Errors
/// When the system has no pseudo terminal left.
pub fn open(size: Size) -> io::Result<(Pty, OwnedFd)> {
    let pair = native_pty_system()
        .openpty(pty_size(size))
        .map_err(io::Error::other)?;
    let path = pair.master.tty_name().ok_or(io::ErrorKind::NotFound)?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(path, flags, rustix::fs::Mode::empty())?;
    let mut modes = rustix::termios::tcgetattr(&slave)?;
    // Backspace in a line removes a character, not a byte of it.
    modes.input_modes |= InputModes::IUTF8;
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
    let fd = pair.master.as_raw_fd().ok_or(io::ErrorKind::Unsupported)?;
    #[expect(
        unsafe_code,
        reason = "portable-pty lends its descriptor as a number; the safe constructor of AsyncFd is deprecated"
    )]
    // SAFETY: `pair.master` keeps the number open while it is duplicated; the duplicate is owned by the value that is
    // handed over, so it stays open as long as it is watched.
    let master = unsafe {
        let master = BorrowedFd::borrow_raw(fd).try_clone_to_owned()?;
        let status = rustix::fs::fcntl_getfl(&master)?;
        rustix::fs::fcntl_setfl(&master, status | OFlags::NONBLOCK)?;
        AsyncFd::register_with_interest(master, Interest::READABLE)?
    };
    let sized = Mutex::new(pair.master);
    Ok((Pty { sized, master }, slave))
}

impl std::fmt::Debug for Pty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pty").field(&self.master).finish()
    }
}

impl Pty {
    /// The master, to wait for.
    #[must_use]
    pub fn fd(&self) -> &AsyncFd<OwnedFd> {
        &self.master
    }

    /// Tells the program a new size.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&self, size: Size) -> io::Result<()> {
        let sized = self.sized.lock().unwrap_or_else(PoisonError::into_inner);
        sized.resize(pty_size(size)).map_err(io::Error::other)
    }

    /// Reads what is there, into memory that need not be cleared before.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there, another when the program's end is closed.
    pub fn read<'a>(&self, buffer: &'a mut [MaybeUninit<u8>]) -> io::Result<&'a [u8]> {
        let (read, _) = rustix::io::read(self.master.get_ref(), buffer)?;
        Ok(read)
    }

    /// Writes what fits.
    ///
    /// # Errors
    /// `WouldBlock` when nothing fits, another when the program's end is closed.
    pub fn write(&self, data: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(self.master.get_ref(), data)?)
    }

    /// The process group in the foreground.
    #[must_use]
    pub fn foreground(&self) -> Option<Pid> {
        rustix::termios::tcgetpgrp(self.master.get_ref().as_fd()).ok()
    }

    /// Sends a signal to the foreground, or to this group when the terminal cannot tell.
    ///
    /// # Errors
    /// When there is no such group any more.
    pub fn signal(&self, signal: Signal, otherwise: Pid) -> io::Result<()> {
        let group = self.foreground().unwrap_or(otherwise);
        Ok(rustix::process::kill_process_group(group, signal)?)
    }
}

/// A size that a program can live with: no side is 0.
fn pty_size(size: Size) -> PtySize {
    let side = |side: u32| u16::try_from(side.max(1)).unwrap_or(u16::MAX);
    PtySize {
        rows: side(size.rows),
        cols: side(size.cols),
        pixel_width: 0,
        pixel_height: 0,
    }
}
