//! Starts a program in a terminal. Our own fork and exec through `std::process::Command`, which reports a failed exec
//! as an error, so that a wrong command is never a blank terminal.
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use slipway_core::code::Code;

use crate::config::Ground;
use crate::error::AgentError;
use crate::reaper::{self, Ending};

/// Added to the niceness of a session's programs, so that a busy one does not delay keystrokes.
const PROGRAM_NICE: i32 = 5;
/// When memory runs out, programs go before the agent.
const PROGRAM_OOM_SCORE: &[u8] = b"500";

/// A program to start.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it runs on.
    pub ground: Ground,
    /// Command and arguments; empty: the shell that the environment names.
    pub argv: Vec<String>,
    /// Folder to start in.
    pub cwd: PathBuf,
    /// Its whole environment.
    pub env: BTreeMap<String, String>,
}

/// Starts a program that has this terminal as its own; its pid is also its session and process group.
///
/// # Errors
/// `exec_failed` with the cause in words.
pub fn spawn(program: &Program, slave: &OwnedFd) -> Result<(i32, Ending), AgentError> {
    let shell = program.env.get("SHELL").map_or("/bin/sh", String::as_str);
    let shell = [shell.to_owned()];
    let argv = if program.argv.is_empty() {
        &shell[..]
    } else {
        &program.argv
    };
    let found = find(&argv[0], program)?;
    let mut command = Command::new(&found);
    command
        .arg0(&argv[0])
        .args(&argv[1..])
        .current_dir(&program.cwd);
    command.env_clear().envs(&program.env);
    let fd = || slave.try_clone().map(Stdio::from);
    let stdio = (|| io::Result::Ok((fd()?, fd()?, fd()?)))();
    let (stdin, stdout, stderr) = stdio.map_err(|error| failed(&argv[0], &program.cwd, &error))?;
    command.stdin(stdin).stdout(stdout).stderr(stderr);
    own_terminal(&mut command, program.ground);
    reaper::spawn(&mut command).map_err(|error| failed(&argv[0], &program.cwd, &error))
}

/// Looks the command up in the program's own PATH, as `Command` would use the agent's.
fn find(name: &str, program: &Program) -> Result<PathBuf, AgentError> {
    if name.is_empty() || name.contains('\0') {
        return Err(AgentError::invalid(
            "The command is empty. Give the program to run.",
        ));
    }
    if name.contains('/') {
        return Ok(program.cwd.join(name));
    }
    let path = program.env.get("PATH").map_or("", String::as_str);
    let mut refused = None;
    for folder in path.split(':').filter(|folder| !folder.is_empty()) {
        let candidate = Path::new(folder).join(name);
        if !candidate.is_file() {
            continue;
        }
        match rustix::fs::access(&candidate, rustix::fs::Access::EXEC_OK) {
            Ok(()) => return Ok(candidate),
            Err(error) => refused = Some(io::Error::from(error)),
        }
    }
    let error = refused.unwrap_or_else(|| io::ErrorKind::NotFound.into());
    Err(failed(name, &program.cwd, &error))
}

#[expect(
    unsafe_code,
    reason = "between fork and exec: only system calls on plain values, no allocation, no lock"
)]
fn own_terminal(command: &mut Command, ground: Ground) {
    // SAFETY: the closure runs in the forked child and calls nothing but async-signal-safe functions.
    unsafe {
        command.pre_exec(move || {
            for signal in 1..=31 {
                libc::signal(signal, libc::SIG_DFL);
            }
            let mut none: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&raw mut none);
            libc::sigprocmask(libc::SIG_SETMASK, &raw const none, std::ptr::null_mut());
            if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY, 0) < 0 {
                return Err(io::Error::last_os_error());
            }
            // Whatever the agent inherited from its own parent ends here; the exec error pipe closes itself.
            libc::syscall(
                libc::SYS_close_range,
                3,
                libc::c_uint::MAX,
                libc::CLOSE_RANGE_CLOEXEC,
            );
            if ground == Ground::Machine {
                return Ok(());
            }
            libc::setpriority(libc::PRIO_PROCESS, 0, PROGRAM_NICE);
            let score = libc::open(c"/proc/self/oom_score_adj".as_ptr(), libc::O_WRONLY);
            if score >= 0 {
                libc::write(
                    score,
                    PROGRAM_OOM_SCORE.as_ptr().cast(),
                    PROGRAM_OOM_SCORE.len(),
                );
                libc::close(score);
            }
            Ok(())
        });
    }
}

fn failed(name: &str, cwd: &Path, error: &io::Error) -> AgentError {
    let (code, why) = match error.raw_os_error() {
        Some(libc::EAGAIN | libc::ENOMEM) => (
            Code::TooManyProcesses,
            "the session has as many processes as it may. End some, then try again".to_owned(),
        ),
        Some(libc::EACCES) => (
            Code::ExecFailed,
            "it is not executable. Run `chmod +x` on it or start it with its interpreter"
                .to_owned(),
        ),
        Some(libc::ENOEXEC) => (
            Code::ExecFailed,
            "it is not a program. Start it with its interpreter or give it a `#!` line".to_owned(),
        ),
        Some(libc::ENOENT) | None if !cwd.is_dir() => (
            Code::ExecFailed,
            format!("the folder {} does not exist", cwd.display()),
        ),
        Some(libc::ENOENT) | None => (
            Code::ExecFailed,
            "it does not exist, or its `#!` line names a program that does not. \
             Check the spelling or install it"
                .to_owned(),
        ),
        Some(libc::ETXTBSY) => (
            Code::ExecFailed,
            "something is still writing it. Try again when it is done".to_owned(),
        ),
        Some(_) => (Code::ExecFailed, error.to_string()),
    };
    AgentError::new(code, format!("Could not start \"{name}\": {why}."))
}
