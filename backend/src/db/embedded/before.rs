//! The Postgres of before on the same data: found if it runs, waited for while it ends, and its locks removed once it is
//! dead.
use std::path::PathBuf;

use super::{Embedded, EmbeddedError, LOOK, START_WITHIN, io};

impl Embedded {
    /// The pid of a postmaster of this data directory, if it is alive.
    pub(super) fn postmaster(&self) -> Option<u32> {
        self.last_pid().filter(|pid| self.processes().contains(pid))
    }

    /// Who was the last postmaster, alive or not.
    fn last_pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// The last postmaster when it was killed and nobody has heard of its end yet: it works nowhere any more, but its
    /// number still keeps another from starting.
    fn dying(&self) -> Option<u32> {
        let pid = self.last_pid()?;
        let process = PathBuf::from(format!("/proc/{pid}"));
        let name = std::fs::read_to_string(process.join("comm")).ok()?;
        let place = std::fs::read_link(process.join("cwd"));
        let nowhere = place.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound);
        (nowhere && name.starts_with("postgres")).then_some(pid)
    }

    /// Processes of a Postgres on this data directory: each works in it. Numbers are used again, places are not.
    fn processes(&self) -> Vec<u32> {
        let Ok(data) = std::fs::canonicalize(self.folder.join("data")) else {
            return Vec::new();
        };
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter(|entry| {
                std::fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd == data)
            })
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .collect()
    }

    /// Children of a Postgres that was killed go by themselves; until then a new one is refused.
    pub(super) async fn wait_for_the_last_one(&self) -> Result<(), EmbeddedError> {
        let deadline = tokio::time::Instant::now() + START_WITHIN;
        loop {
            let worker = self.processes().first().copied();
            let Some(pid) = worker.or_else(|| self.dying()) else {
                return Ok(());
            };
            if worker.is_none() && is_over(pid) {
                // Its parent may never ask for its end, as in a container whose first program reaps nobody; its
                // number alone keeps another from starting.
                return self.unlock();
            }
            if tokio::time::Instant::now() > deadline {
                return Err(EmbeddedError::Start(format!(
                    "process {pid} of the Postgres before does not end\n{}",
                    self.last_words()
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Removes what a postmaster that is dead has left to keep others out.
    fn unlock(&self) -> Result<(), EmbeddedError> {
        let socket = self.socket.join(".s.PGSQL.5432.lock");
        for lock in [self.folder.join("data/postmaster.pid"), socket] {
            match std::fs::remove_file(lock) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(io("forget the Postgres before".to_owned())(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a process has ended, heard of or not.
pub(super) fn is_over(pid: u32) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return true;
    };
    // The name may hold anything; the state follows its last parenthesis.
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    state.starts_with(['Z', 'X'])
}
