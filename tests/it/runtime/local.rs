//! The contract, run against the local sandbox.
use std::sync::Arc;

use slipway_backend::session::runtime::local::Local;
use slipway_backend::session::runtime::{Place, SessionRuntime};
use slipway_core::id::WorkspaceId;

use super::{Subject, contract};
use crate::lab::config;

/// A data directory on which the local runtime works.
struct Sandboxes(tempfile::TempDir);

impl Sandboxes {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }
}

impl Subject for Sandboxes {
    fn runtime(&self) -> Arc<dyn SessionRuntime> {
        Arc::new(Local::from_config(&config(self.0.path(), &[])).expect("a runtime"))
    }

    async fn crash(&self, place: &Place) {
        let pid = place.0["process"][0].as_i64().expect("a process");
        let pid = rustix::process::Pid::from_raw(i32::try_from(pid).expect("a process id"));
        let kill = rustix::process::Signal::KILL;
        rustix::process::kill_process(pid.expect("a process id"), kill).expect("it is killed");
    }

    async fn has_volume(&self, workspace: WorkspaceId) -> bool {
        let volumes = self.0.path().join("volumes");
        volumes.join(workspace.to_string()).exists()
    }

    async fn left_behind(&self) -> Vec<String> {
        let own = self.0.path().display().to_string();
        let mounts = std::fs::read_to_string("/proc/self/mounts").expect("the mounts");
        let mounts = mounts.lines().filter(|line| line.contains(&own));
        let mut left: Vec<String> = mounts.map(|line| format!("mounted: {line}")).collect();
        let places = std::fs::read_dir(self.0.path().join("run")).expect("the places");
        left.extend(places.flatten().map(|place| format!("recorded: {place:?}")));
        for process in std::fs::read_dir("/proc").expect("the processes").flatten() {
            let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            if line.contains(&own) {
                left.push(format!("running: {line}"));
            }
        }
        left
    }
}

contract!(Sandboxes::new());
