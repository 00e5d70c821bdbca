//! The reference: a shell on a pseudo terminal of our own, without any server. What the kernel and the program cost.
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command};

use anyhow::{Context as _, Result};
use rustix::pty::OpenptFlags;

/// A shell on a pseudo terminal; read and written by the thread that measures.
pub struct Plain {
    master: File,
    child: Child,
}

impl Plain {
    /// Starts it.
    ///
    /// # Errors
    /// When the system has no terminal left.
    pub fn start() -> Result<Self> {
        let master = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::pty::grantpt(&master)?;
        rustix::pty::unlockpt(&master)?;
        let name = rustix::pty::ptsname(&master, Vec::new())?;
        let slave = File::options()
            .read(true)
            .write(true)
            .open(name.to_str()?)?;
        let child = Command::new("setsid")
            .args(["--ctty", "bash", "--norc"])
            .stdin(slave.try_clone()?)
            .stdout(slave.try_clone()?)
            .stderr(slave)
            .spawn()
            .context("start setsid")?;
        Ok(Self {
            master: File::from(master),
            child,
        })
    }

    /// Types bytes.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.master.write_all(bytes)?)
    }

    /// The next output.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        Ok(self.master.read(buffer)?)
    }

    /// Reads until the output contains `wanted`.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn read_until(&mut self, wanted: &str) -> Result<()> {
        let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
        while !seen
            .windows(wanted.len())
            .any(|window| window == wanted.as_bytes())
        {
            let bytes = self.read(&mut buffer)?;
            seen.extend_from_slice(&buffer[..bytes]);
        }
        Ok(())
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
