//! Processes of the session as /proc shows them: who belongs to which terminal, what they use.
use std::fs;

use rustix::process::{Pid, Signal};

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Name of its program.
    pub name: String,
    /// Its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session; a terminal's program leads one.
    pub session: i32,
    /// Clock ticks of CPU used, by it and by children it waited for.
    pub cpu_ticks: u64,
    /// Its threads.
    pub threads: u64,
    /// Memory it holds.
    pub rss_bytes: u64,
}

/// Every process that can be seen.
#[must_use]
pub fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(read).collect()
}

/// One process, if it lives.
#[must_use]
pub fn read(pid: i32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Sends a signal to every process of a session.
pub fn signal_session(session: Pid, signal: Signal) {
    let session = session.as_raw_nonzero().get();
    for process in all().iter().filter(|process| process.session == session) {
        if let Some(pid) = Pid::from_raw(process.pid) {
            rustix::process::kill_process(pid, signal).ok();
        }
    }
}

/// Reads a line of /proc/PID/stat. The name may hold anything, so the fields are counted from its last parenthesis.
fn parse(stat: &str) -> Option<Process> {
    let (before, after) = stat.rsplit_once(')')?;
    let (pid, name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let id = |index: usize| fields.get(index)?.parse::<i32>().ok();
    Some(Process {
        pid: pid.trim().parse().ok()?,
        name: name.to_owned(),
        parent: id(1)?,
        group: id(2)?,
        session: id(3)?,
        cpu_ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        threads: number(17)?,
        rss_bytes: number(21)? * page_bytes(),
    })
}

#[expect(unsafe_code, reason = "sysconf reads a constant of the system")]
fn page_bytes() -> u64 {
    // SAFETY: takes and returns a plain number.
    u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let line = "16132 (a) (b c) R 16123 16122 9537 0 -1 4194304 102 0 0 0 1 2 3 4 20 0 5 0 495318 2998272 413 1";
        let process = parse(line).unwrap();
        assert_eq!(process.name, "a) (b c");
        assert_eq!(
            (process.parent, process.group, process.session),
            (16123, 16122, 9537)
        );
        assert_eq!((process.cpu_ticks, process.threads), (10, 5));
    }
}
