//! What protects a session here, said honestly: each line is active, or tells why it is not.
use slipway_api::session::Protection;
use slipway_core::limits;

use super::Local;

impl Local {
    pub(super) fn protection_list(&self) -> Vec<Protection> {
        let limits = &self.config.limits;
        let sandboxed = !self.config.unsafe_no_sandbox && self.bwrap.is_ok();
        let say = |name: &str, active: bool, yes: String, no: &str| Protection {
            name: name.to_owned(),
            active,
            detail: if active { yes } else { no.to_owned() },
        };
        let unsafe_text = if self.config.unsafe_no_sandbox {
            "off: the server was started with --unsafe-no-sandbox"
        } else {
            "off: sessions cannot start here"
        };
        let no_group = "this machine hands the server no control group; the agent watches instead";
        let mebi = |bytes: u64| bytes / limits::MIB;
        let groups = &self.groups;
        vec![
            say("sandbox", sandboxed, "own namespaces for users, processes, mounts, network; read-only root; no capabilities".to_owned(), unsafe_text),
            say("system calls", sandboxed, "filtered: no mounts, namespaces, kernel interfaces".to_owned(), unsafe_text),
            say("network", sandboxed, if self.egress.is_some() { "no route; only the server's egress proxy" } else { "no route, no proxy" }.to_owned(), unsafe_text),
            say("own user", sandboxed && self.as_root, "one unprivileged user of the machine for each workspace".to_owned(), "sessions run as the server's own user; only root can give each another"),
            say("memory limit", groups.memory.is_some(), format!("{} MiB", mebi(limits.memory_bytes)), no_group),
            say("CPU limit", groups.cpu.is_some(), format!("{} thousandths of a core", limits.cpu_millis), no_group),
            say("process limit", groups.pids.is_some() || (sandboxed && self.as_root), format!("{} processes", limits.processes), no_group),
            say("disk limit", self.volumes.unlimited_because.is_none(), format!("{} MiB, a file system of its own", mebi(limits.disk_bytes)), &format!("measured by the agent: {}", self.volumes.unlimited_because.as_deref().unwrap_or_default())),
        ]
    }
}
