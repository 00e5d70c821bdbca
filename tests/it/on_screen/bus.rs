//! A session bus of a test's own, with the system's keychain on it.
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::command_line::desk::Desk;

/// The bus and the keychain's program on it.
pub(super) struct Bus {
    pub(super) address: String,
    daemons: Vec<Child>,
}

impl Bus {
    /// Starts both; a keychain that is not unlocked asks for a password that nobody can give.
    pub(super) fn start(desk: &Desk, unlocked: bool) -> Self {
        let mut bus = Command::new("dbus-daemon");
        let mut bus = desk_of(&mut bus, desk)
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-daemon is installed");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().expect("a pipe"))
            .read_line(&mut address)
            .expect("it tells its address");
        let address = address.trim().to_owned();
        let mut keychain = Command::new("gnome-keyring-daemon");
        let how = if unlocked { "--unlock" } else { "--start" };
        let mut keychain = desk_of(&mut keychain, desk)
            .args([how, "--components=secrets", "--foreground"])
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gnome-keyring-daemon is installed");
        let mut password = keychain.stdin.take().expect("a pipe");
        if unlocked {
            password.write_all(b"pw\n").expect("a password");
        }
        drop(password);
        Self {
            address,
            daemons: vec![keychain, bus],
        }
    }
}

impl Bus {
    /// Writes every notice that the system is asked for to a file.
    pub(super) fn keeps_notices(&mut self, desk: &Desk, file: &Path) {
        let kept = std::fs::File::create(file).expect("a file");
        let mut monitor = Command::new("dbus-monitor");
        let monitor = desk_of(&mut monitor, desk)
            .args(["--address", &self.address])
            .arg("interface='org.freedesktop.Notifications',member='Notify'")
            .stdout(kept)
            .spawn();
        // It ends before the bus does.
        let monitor = monitor.expect("dbus-monitor is installed");
        self.daemons.insert(0, monitor);
    }

    /// Waits until the keychain has come to the bus.
    pub(super) async fn serves(&self) {
        let so = async || {
            let mut ask = tokio::process::Command::new("dbus-send");
            ask.arg(format!("--bus={}", self.address))
                .args(["--print-reply=literal", "--dest=org.freedesktop.DBus", "/"])
                .arg("org.freedesktop.DBus.NameHasOwner")
                .arg("string:org.freedesktop.secrets");
            let answer = ask.output().await.expect("dbus-send is installed");
            String::from_utf8_lossy(&answer.stdout).contains("true")
        };
        super::eventually("the keychain is on the bus", so).await;
    }
}

fn desk_of<'a>(command: &'a mut Command, desk: &Desk) -> &'a mut Command {
    command
        .env_clear()
        .envs(desk.environment())
        .env("XDG_RUNTIME_DIR", desk.home())
        .stderr(Stdio::null())
}

impl Drop for Bus {
    fn drop(&mut self) {
        for daemon in &mut self.daemons {
            daemon.kill().ok();
            daemon.wait().ok();
        }
    }
}
