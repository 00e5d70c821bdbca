//! A pseudo terminal: opened, sized, read and written without blocking, and asked who is in its foreground.
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal};
use rustix::pty::OpenptFlags;
use rustix::termios::{InputModes, OptionalActions, Winsize};
use slipway_terminal::log::Size;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The agent's end.
#[derive(Debug)]
pub struct Pty {
    master: AsyncFd<OwnedFd>,
}

/// Opens a pair of this size: the agent's end and the program's.
///
/// # Errors
/// When the system has no pseudo terminal left.
pub fn open(size: Size) -> io::Result<(Pty, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = rustix::pty::openpt(flags)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let slave = match rustix::pty::ioctl_tiocgptpeer(&master, flags) {
        Ok(slave) => slave,
        Err(_) => {
            let name = rustix::pty::ptsname(&master, Vec::new())?;
            let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
            rustix::fs::open(name, flags, rustix::fs::Mode::empty())?
        }
    };
    let mut modes = rustix::termios::tcgetattr(&slave)?;
    // Backspace in a line removes a character, not a byte of it.
    modes.input_modes |= InputModes::IUTF8;
    rustix::termios::tcsetattr(&slave, OptionalActions::Now, &modes)?;
    rustix::termios::tcsetwinsize(&master, winsize(size))?;
    let status = rustix::fs::fcntl_getfl(&master)?;
    rustix::fs::fcntl_setfl(&master, status | OFlags::NONBLOCK)?;
    #[expect(
        unsafe_code,
        reason = "the safe constructor is deprecated in favour of this one"
    )]
    // SAFETY: the descriptor is owned by the value that is handed over, so it stays open as long as it is watched.
    let master = unsafe { AsyncFd::register_with_interest(master, Interest::READABLE)? };
    Ok((Pty { master }, slave))
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
        Ok(rustix::termios::tcsetwinsize(
            self.master.get_ref(),
            winsize(size),
        )?)
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
fn winsize(size: Size) -> Winsize {
    let side = |side: u32| u16::try_from(side.max(1)).unwrap_or(u16::MAX);
    Winsize {
        ws_row: side(size.rows),
        ws_col: side(size.cols),
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}
