//! What processes cost: CPU time and memory, read from /proc.
use std::path::Path;

/// CPU microseconds of a process: what its threads ran, to the nanosecond. The times in `/proc/PID/stat` are sampled a
/// hundred times a second, which says nothing of work that comes in pieces of some microseconds.
#[must_use]
pub fn cpu_us(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task"));
    let nanoseconds: u64 = threads
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|thread| {
            let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            text.split_whitespace().next()?.parse::<u64>().ok()
        })
        .sum();
    nanoseconds / 1_000
}

/// Proportional memory of a process in KiB.
#[must_use]
pub fn pss_kib(pid: u32) -> u64 {
    field_kib(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// Resident memory of a process in KiB.
#[must_use]
pub fn rss_kib(pid: u32) -> u64 {
    field_kib(&format!("/proc/{pid}/status"), "VmRSS:")
}

fn field_kib(file: &str, name: &str) -> u64 {
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .find_map(|line| line.strip_prefix(name))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Pids of the agents whose binary is this file.
#[must_use]
pub fn agents(binary: &Path) -> Vec<u32> {
    let wanted = std::fs::metadata(binary).ok();
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &u32| {
            use std::os::unix::fs::MetadataExt as _;
            let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            let same = match (std::fs::metadata(format!("/proc/{pid}/exe")), &wanted) {
                (Ok(exe), Some(wanted)) => exe.ino() == wanted.ino(),
                _ => true,
            };
            comm.trim() == "slipway-agent" && same
        })
        .collect()
}
