//! Processes of the session as /proc shows them: who belongs to which terminal, what they use.
use std::fs;

use rustix::process::{Pid, Signal};

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Whether it has ended and only waits to be noticed.
    pub ended: bool,
    /// Its parent.
    pub parent: i32,
    /// Its process group.
    pub group: i32,
    /// Its session; a terminal's program leads one.
    pub session: i32,
    /// Clock ticks of CPU used, by it and by children it waited for.
    pub cpu_ticks: u64,
    /// When it started, in clock ticks since the machine did: with the id it names the process for ever.
    pub started: u64,
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

/// The agent and the programs it is answerable for: all that it sees when it is the first process of its own place,
/// else only itself and its descendants, so that outside a sandbox nothing foreign is counted, let alone ended.
#[must_use]
pub fn of_agent() -> Vec<Process> {
    let own = own_pid();
    if own == 1 {
        return all();
    }
    descendants(all(), own)
}

fn descendants(all: Vec<Process>, own: i32) -> Vec<Process> {
    let mut ours = std::collections::HashSet::from([own]);
    loop {
        let before = ours.len();
        for process in &all {
            if ours.contains(&process.parent) {
                ours.insert(process.pid);
            }
        }
        if ours.len() == before {
            break;
        }
    }
    all.into_iter()
        .filter(|process| ours.contains(&process.pid))
        .collect()
}

/// One process, if it lives.
#[must_use]
pub fn read(pid: i32) -> Option<Process> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// Bytes that a process has sent to disks, as the system counts them; none when it may not be asked.
#[must_use]
pub fn written_bytes(pid: i32) -> Option<u64> {
    let io = fs::read_to_string(format!("/proc/{pid}/io")).ok()?;
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes:"));
    line?.trim().parse().ok()
}

/// The agent's process group; 0 when it was started by somebody whom it does not see.
#[must_use]
pub fn own_group() -> i32 {
    read(own_pid()).map_or(0, |own| own.group)
}

/// The agent's process id.
#[must_use]
pub fn own_pid() -> i32 {
    rustix::process::getpid().as_raw_nonzero().get()
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
    let (pid, _) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let id = |index: usize| fields.get(index)?.parse::<i32>().ok();
    Some(Process {
        pid: pid.trim().parse().ok()?,
        ended: matches!(*fields.first()?, "Z" | "X"),
        parent: id(1)?,
        group: id(2)?,
        session: id(3)?,
        cpu_ticks: number(11)? + number(12)? + number(13)? + number(14)?,
        threads: number(17)?,
        started: number(19)?,
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
    fn outside_a_sandbox_only_descendants_are_the_agents() {
        let process = |pid, parent| Process {
            pid,
            ended: false,
            parent,
            group: pid,
            session: pid,
            cpu_ticks: 0,
            started: 0,
            threads: 1,
            rss_bytes: 0,
        };
        let all = vec![
            process(1, 0),
            process(9, 7),
            process(5, 1),
            process(7, 5),
            process(8, 1),
        ];
        let ours: Vec<i32> = descendants(all, 5)
            .iter()
            .map(|process| process.pid)
            .collect();
        assert_eq!(ours, [9, 5, 7]);
    }

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let line = "16132 (a) (b c) R 16123 16122 9537 0 -1 4194304 102 0 0 0 1 2 3 4 20 0 5 0 495318 2998272 413 1";
        let process = parse(line).unwrap();
        assert_eq!(
            (process.parent, process.group, process.session),
            (16123, 16122, 9537)
        );
        assert_eq!((process.cpu_ticks, process.threads), (10, 5));
    }
}
