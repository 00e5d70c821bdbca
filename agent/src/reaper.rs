//! The one place that waits for processes. As the first process of its pid namespace the agent inherits every orphan,
//! so it reaps all and hands statuses to those who registered a pid.
use std::collections::HashMap;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::sync::{Mutex, PoisonError};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

/// How a process ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// Exit code or signal.
    pub status: ExitStatus,
    /// Largest memory of the process or of a child that it waited for.
    pub peak_memory_bytes: u64,
}

/// Waiting for one process.
pub type Ending = oneshot::Receiver<Ended>;

/// One table for the whole process, as children belong to the process.
static WAITING: Mutex<Option<HashMap<i32, oneshot::Sender<Ended>>>> = Mutex::new(None);

/// Starts a process; its status goes to the returned receiver and nowhere else. The table is locked over fork, so that
/// a process that ends at once cannot be reaped before it is registered, and over the wait that `Command` itself does
/// when exec fails.
///
/// # Errors
/// When fork or exec fails.
pub fn spawn(command: &mut Command) -> io::Result<(i32, Ending)> {
    let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
    let child = command.spawn()?;
    let pid = i32::try_from(child.id()).map_err(io::Error::other)?;
    let (sender, receiver) = oneshot::channel();
    waiting.get_or_insert_default().insert(pid, sender);
    // Dropping `Child` neither kills nor waits.
    drop(child);
    Ok((pid, receiver))
}

/// Reaps until told to stop.
///
/// # Errors
/// When the system does not let us listen for SIGCHLD.
pub async fn run(stop: CancellationToken) -> io::Result<()> {
    let mut children = signal(SignalKind::child())?;
    loop {
        reap();
        tokio::select! {
            _ = children.recv() => {}
            () = stop.cancelled() => return Ok(()),
        }
    }
}

fn reap() {
    loop {
        let mut waiting = WAITING.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((pid, ended)) = wait_any() else {
            return;
        };
        if let Some(sender) = waiting.as_mut().and_then(|waiting| waiting.remove(&pid)) {
            sender.send(ended).ok();
        }
    }
}

#[expect(
    unsafe_code,
    reason = "wait4 fills two plain values that live on this stack"
)]
fn wait_any() -> Option<(i32, Ended)> {
    let mut status = 0;
    // SAFETY: rusage is plain data for which all zeroes are a value; both pointers are valid for the call.
    let (pid, usage) = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        let pid = libc::wait4(-1, &raw mut status, libc::WNOHANG, &raw mut usage);
        (pid, usage)
    };
    let peak_kib = u64::try_from(usage.ru_maxrss).unwrap_or(0);
    let ended = Ended {
        status: ExitStatus::from_raw(status),
        peak_memory_bytes: peak_kib * 1024,
    };
    (pid > 0).then_some((pid, ended))
}
