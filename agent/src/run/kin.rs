//! The processes of one run: its program, what that started, and what made itself independent of it.
use std::collections::HashSet;
use std::fs;
use std::io::Read as _;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tokio::time::{Instant, sleep};

use crate::process::{self, Process};

/// Names the run in the environment of its programs. A process whose parents are gone is known by it.
pub(super) const VARIABLE: &str = "SLIPWAY_RUN";

/// So much of a process' environment is looked at.
const ENVIRONMENT_BYTES_MAX: u64 = 256 * 1024;
/// Processes that were killed are gone within this time, or wait for something that no signal ends.
const END: Duration = Duration::from_secs(2);
/// From one look for survivors to the next.
const END_POLL: Duration = Duration::from_millis(5);

/// An id is used again, an id with a start is not.
type Name = (i32, u64);

/// The processes of one run.
#[derive(Debug)]
pub(super) struct Kin {
    /// The program, which leads a session.
    leader: i32,
    mark: Vec<u8>,
    members: HashSet<Name>,
    strangers: HashSet<Name>,
}

impl Kin {
    pub(super) fn new(leader: Pid, run_id: &str) -> Self {
        Self {
            leader: leader.as_raw_nonzero().get(),
            mark: format!("{VARIABLE}={run_id}").into_bytes(),
            members: HashSet::new(),
            strangers: HashSet::new(),
        }
    }

    /// Those that live now.
    pub(super) fn living(&mut self) -> Vec<Process> {
        let mark = self.mark.clone();
        self.among(process::all(), |pid| is_marked(pid, &mark))
    }

    /// Memory that they hold together now.
    pub(super) fn resident_bytes(&mut self) -> u64 {
        self.living().iter().map(|process| process.rss_bytes).sum()
    }

    /// Sends a signal to each.
    pub(super) fn signal(&mut self, signal: Signal) {
        for process in self.living() {
            if let Some(pid) = Pid::from_raw(process.pid) {
                rustix::process::kill_process(pid, signal).ok();
            }
        }
    }

    /// Ends all of them, also what they start meanwhile.
    pub(super) async fn end(&mut self) {
        let until = Instant::now() + END;
        while !self.living().is_empty() && Instant::now() < until {
            self.signal(Signal::KILL);
            sleep(END_POLL).await;
        }
    }

    /// Adds to the members who is new among all; tells which of them live. Who cannot be told yet is asked again at the
    /// next look.
    fn among(
        &mut self,
        all: Vec<Process>,
        is_marked: impl Fn(i32) -> Option<bool>,
    ) -> Vec<Process> {
        let name = |process: &Process| (process.pid, process.started);
        let present: HashSet<Name> = all.iter().map(name).collect();
        self.members.retain(|member| present.contains(member));
        self.strangers.retain(|stranger| present.contains(stranger));
        loop {
            let parents: HashSet<i32> = self.members.iter().map(|(pid, _)| *pid).collect();
            let is_kin = |process: &&Process| {
                process.session == self.leader || parents.contains(&process.parent)
            };
            let before = self.members.len();
            let found: Vec<Name> = all.iter().filter(is_kin).map(name).collect();
            self.members.extend(found);
            if self.members.len() > before {
                continue;
            }
            // A child of a stranger may be ours: it was started while its parent lived and was looked at after.
            let unknown = all.iter().filter(|process| {
                !self.members.contains(&name(process)) && !self.strangers.contains(&name(process))
            });
            let (mut ours, mut others) = (Vec::new(), Vec::new());
            for process in unknown {
                match is_marked(process.pid) {
                    Some(true) => ours.push(name(process)),
                    Some(false) => others.push(name(process)),
                    None => {}
                }
            }
            let more = !ours.is_empty();
            self.members.extend(ours);
            self.strangers.extend(others);
            if !more {
                break;
            }
        }
        all.into_iter()
            .filter(|process| !process.ended && self.members.contains(&name(process)))
            .collect()
    }
}

/// `None` while nobody can tell: a process shows no environment for the moment in which it begins another program.
fn is_marked(pid: i32, mark: &[u8]) -> Option<bool> {
    let mut environment = Vec::new();
    let file = fs::File::open(format!("/proc/{pid}/environ")).ok()?;
    // A program can make its environment as large as it likes.
    let mut file = file.take(ENVIRONMENT_BYTES_MAX);
    file.read_to_end(&mut environment).ok()?;
    let mut variables = environment.split(|byte| *byte == 0);
    (!environment.is_empty()).then(|| variables.any(|one| one == mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, session: i32) -> Process {
        Process {
            pid,
            ended: false,
            parent,
            group: session,
            session,
            cpu_ticks: 0,
            started: 1,
            threads: 1,
            rss_bytes: 0,
        }
    }

    #[test]
    fn a_process_stays_of_the_run_when_it_leaves_the_session_and_loses_its_parent() {
        let mut kin = Kin::new(Pid::from_raw(10).unwrap(), "run");
        let mut pids = |all: Vec<Process>, marked: &[i32]| -> Vec<i32> {
            let living = kin.among(all, |pid| Some(marked.contains(&pid)));
            living.iter().map(|process| process.pid).collect()
        };
        let first = vec![
            process(1, 0, 1),
            process(10, 1, 10),
            process(11, 10, 10),
            process(12, 11, 12),
            process(20, 1, 20),
        ];
        assert_eq!(pids(first, &[]), [10, 11, 12]);
        // Its parents are gone; another has come and gone between two looks and left a child behind.
        let mut reused = process(11, 1, 20);
        reused.started = 2;
        let then = vec![
            process(1, 0, 1),
            process(12, 1, 12),
            process(13, 1, 13),
            process(14, 13, 14),
            process(20, 1, 20),
            reused,
        ];
        assert_eq!(pids(then, &[13]), [12, 13, 14]);
    }

    #[test]
    fn a_process_that_begins_another_program_while_it_is_looked_at_is_asked_again() {
        let mut kin = Kin::new(Pid::from_raw(10).unwrap(), "run");
        let all = vec![process(1, 0, 1), process(12, 1, 12)];
        let mut pids = |marked: Option<bool>| -> Vec<i32> {
            let living = kin.among(all.clone(), |pid| marked.filter(|_| pid == 12));
            living.iter().map(|process| process.pid).collect()
        };
        assert_eq!(pids(None), [0; 0]);
        assert_eq!(pids(Some(true)), [12]);
    }
}
