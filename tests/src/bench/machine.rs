//! On what a run was made, in one line: when, of which commit, how busy the machine was, which versions.
use std::process::Command;

use crate::server::Parts;

/// The line; what cannot be told is left out.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "a run has a date")]
pub fn line(parts: &Parts) -> String {
    let first = |program: &str, arguments: &[&str]| {
        let told = Command::new(program).args(arguments).output().ok()?;
        let told = String::from_utf8(told.stdout).ok()?;
        Some(told.lines().next()?.trim().to_owned())
    };
    let read = |file: &str| {
        let text = std::fs::read_to_string(file).ok()?;
        Some(
            text.split_whitespace()
                .take(3)
                .collect::<Vec<_>>()
                .join(" "),
        )
    };
    let now = time::OffsetDateTime::now_utc();
    let load = read("/proc/loadavg").map(|load| format!("load {load}"));
    let server = parts.server.to_string_lossy().into_owned();
    let all = [
        Some(format!(
            "{} {:02}:{:02}",
            now.date(),
            now.hour(),
            now.minute()
        )),
        first("git", &["describe", "--always", "--dirty"]),
        load,
        first(&server, &["--version"]),
        first("uname", &["-sr"]),
        first("chromium", &["--version"]),
    ];
    let told: Vec<String> = all.into_iter().flatten().collect();
    format!("# {}", told.join(" · "))
}
