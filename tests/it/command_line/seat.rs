//! A terminal at which the test sits: what it types and sees, and what is left of the terminal's settings.
use std::io::{Read as _, Write as _};
use std::sync::{Arc, Condvar, Mutex};

use portable_pty::{Child, CommandBuilder, PtyPair, PtySize, native_pty_system};
use rustix::process::{Pid, Signal};
use rustix::termios::LocalModes;

use super::desk::Desk;
use crate::lab::PATIENCE;

pub(super) struct Seat {
    /// Both ends: settings live as long as somebody has the terminal.
    pair: PtyPair,
    keys: Box<dyn std::io::Write + Send>,
    child: Option<Box<dyn Child + Send + Sync>>,
    pid: Pid,
    seen: Arc<(Mutex<Vec<u8>>, Condvar)>,
    /// What was waited for already.
    looked: usize,
}

fn sized(cols: u16, rows: u16) -> PtySize {
    PtySize {
        rows,
        cols,
        ..PtySize::default()
    }
}

impl Seat {
    /// Starts the program at a new terminal.
    pub(super) fn at(desk: &Desk, arguments: &[&str]) -> Self {
        let pair = native_pty_system()
            .openpty(sized(80, 24))
            .expect("a terminal");
        let mut command = CommandBuilder::new(desk.program());
        command.env_clear();
        for (name, value) in desk.environment() {
            command.env(name, value);
        }
        command.args(arguments);
        command.cwd(desk.path(""));
        let child = pair.slave.spawn_command(command).expect("a terminal");
        let pid = child.process_id().expect("a terminal").cast_signed();
        let seen = Arc::new((Mutex::new(Vec::new()), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().expect("a terminal");
        let written = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(many @ 1..) = reader.read(&mut buffer) {
                written
                    .0
                    .lock()
                    .expect("no holder panics")
                    .extend_from_slice(&buffer[..many]);
                written.1.notify_all();
            }
        });
        Self {
            keys: pair.master.take_writer().expect("a terminal"),
            pair,
            child: Some(child),
            pid: Pid::from_raw(pid).expect("a terminal"),
            seen,
            looked: 0,
        }
    }

    pub(super) fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("a terminal");
        self.keys.flush().expect("a terminal");
    }

    pub(super) fn resize(&self, cols: u16, rows: u16) {
        self.pair
            .master
            .resize(sized(cols, rows))
            .expect("a terminal");
    }

    pub(super) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.pid, signal).expect("a terminal");
    }

    /// All that was shown.
    pub(super) fn seen(&self) -> String {
        String::from_utf8_lossy(&self.seen.0.lock().expect("no holder panics")).into_owned()
    }

    /// Waits until this is shown, after what was waited for before.
    pub(super) fn until(&mut self, wanted: &str) {
        self.wait(|rest| {
            let at = rest
                .windows(wanted.len())
                .position(|window| window == wanted.as_bytes())?;
            Some(at + wanted.len())
        });
    }

    /// The word that comes next.
    pub(super) fn word(&mut self) -> String {
        let from = self.looked;
        self.wait(|rest| rest.iter().position(u8::is_ascii_whitespace));
        let seen = self.seen.0.lock().expect("no holder panics");
        String::from_utf8(seen[from..self.looked].to_vec()).expect("a terminal")
    }

    fn wait(&mut self, find: impl Fn(&[u8]) -> Option<usize>) {
        let (seen, changed) = &*self.seen;
        let looked = self.looked;
        let missing = |seen: &mut Vec<u8>| find(&seen[looked..]).is_none();
        let (seen, _) = changed
            .wait_timeout_while(seen.lock().expect("no holder panics"), PATIENCE, missing)
            .expect("a terminal");
        let found = find(&seen[looked..]);
        let shown = || String::from_utf8_lossy(&seen[looked..]);
        self.looked += found.unwrap_or_else(|| panic!("it is not in {:?}", shown()));
    }

    /// Waits for the program's end; its exit code.
    pub(super) fn left(&mut self) -> u32 {
        let mut child = self.child.take().expect("it has not ended before");
        let (sender, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || sender.send(child.wait()));
        let status = ended.recv_timeout(PATIENCE);
        let status = status.unwrap_or_else(|_| panic!("it goes on: {:?}", self.seen()));
        status.expect("a terminal").exit_code()
    }

    /// Whether lines are edited and shown, as a shell expects.
    pub(super) fn is_as_before(&self) -> bool {
        let name = self.pair.master.tty_name().expect("a terminal");
        let terminal = std::fs::File::open(name).expect("a terminal");
        let modes = rustix::termios::tcgetattr(terminal)
            .expect("a terminal")
            .local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            child.kill().ok();
        }
    }
}
