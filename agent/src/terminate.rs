//! SIGTERM, from outside only. As the first process of its pid namespace the agent gets no signal from its programs that
//! it has no handler for; with one, any of them could end it. So the signal is read together with its sender.
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};

use tokio::io::unix::AsyncFd;

/// Bytes of the kernel's `signalfd_siginfo`.
const RECORD_BYTES: usize = 128;

/// The signal, held back from its default effect and waiting to be read.
#[derive(Debug)]
pub struct Terminate(OwnedFd);

impl Terminate {
    /// Holds the signal back in this thread and in all that it starts from now on.
    ///
    /// # Errors
    /// When the system refuses.
    #[expect(
        unsafe_code,
        reason = "the system calls take a set that lives on this stack"
    )]
    pub fn block() -> io::Result<Self> {
        // SAFETY: a signal set is plain data; the pointers are valid for each call; the descriptor is new and ours.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut set);
            libc::sigaddset(&raw mut set, libc::SIGTERM);
            if libc::sigprocmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut()) < 0 {
                return Err(io::Error::last_os_error());
            }
            let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(Self(OwnedFd::from_raw_fd(fd)))
        }
    }

    /// Returns when somebody who may asks the agent to end.
    ///
    /// # Errors
    /// When the signal cannot be read.
    pub async fn asked(self) -> io::Result<()> {
        #[expect(
            unsafe_code,
            reason = "the safe constructor is deprecated in favour of this one"
        )]
        // SAFETY: the descriptor is owned by the value that is handed over.
        let signals = unsafe { AsyncFd::register(self.0)? };
        let first = rustix::process::getpid().as_raw_nonzero().get() == 1;
        loop {
            let mut ready = signals.readable().await?;
            let mut record = [0; RECORD_BYTES];
            let read = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut record)?));
            if let Ok(read) = read {
                read?;
                if !first || is_from_outside(&record) {
                    return Ok(());
                }
                tracing::debug!("A program of the session asked the agent to end");
            }
        }
    }
}

/// A sender that the namespace does not know has no number in it. The code tells `kill` from `sigqueue`, whose caller
/// may claim any sender.
fn is_from_outside(record: &[u8; RECORD_BYTES]) -> bool {
    let field = |at: usize| i32::from_ne_bytes([0, 1, 2, 3].map(|byte| record[at + byte]));
    let (code, pid) = (field(8), field(12));
    code == libc::SI_USER && pid == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(code: i32, pid: i32) -> [u8; RECORD_BYTES] {
        let mut record = [0; RECORD_BYTES];
        record[8..12].copy_from_slice(&code.to_ne_bytes());
        record[12..16].copy_from_slice(&pid.to_ne_bytes());
        record
    }

    #[test]
    fn a_program_of_the_session_cannot_pass_for_somebody_outside() {
        assert!(is_from_outside(&record(libc::SI_USER, 0)));
        assert!(!is_from_outside(&record(libc::SI_USER, 17)));
        assert!(!is_from_outside(&record(libc::SI_QUEUE, 0)));
        assert!(!is_from_outside(&record(libc::SI_TKILL, 0)));
    }
}
