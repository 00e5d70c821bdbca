//! The real server process on a real machine that misbehaves: what is missing, taken, full or killed.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use std::path::{Path, PathBuf};
use std::process::Output;

use bytes::Bytes;
use rustix::process::{Pid, Signal, kill_process};
use slipway_api::account::Register;
use slipway_client::rest::Client;
use slipway_client::socket::Events;
use slipway_core::secret::Secret;
use slipway_proto::v1::event::Event;
use slipway_tests::server::{Parts, Server};
use tokio::process::Command;

use crate::lab::PATIENCE;

mod any_moment;
mod away;
mod killed;
mod memory;
mod missing;
mod postgres;
mod told;
mod two;

/// A server process with its data directory. Whatever happens to the test, nothing of it is left running.
struct Home {
    folder: tempfile::TempDir,
    server: Option<Server>,
}

/// The server's program: as told, or where cargo puts it beside these tests.
fn parts() -> Parts {
    use clap::Parser as _;
    #[derive(clap::Parser)]
    struct Flags {
        #[arg(long, env = "SLIPWAY_TEST_SERVER", default_value_os_t = beside())]
        server: PathBuf,
        #[arg(long, env = "SLIPWAY_TEST_AGENT")]
        agent: PathBuf,
        #[arg(long, env = "SLIPWAY_TEST_IMAGE")]
        image: PathBuf,
    }
    let flags =
        Flags::try_parse_from(["test"]).expect("the variables are set, as `cargo xtask test` does");
    assert!(
        flags.server.is_file(),
        "{} is not there; build it with: cargo build -p slipway-backend",
        flags.server.display()
    );
    Parts {
        server: flags.server,
        agent: flags.agent,
        image: flags.image,
    }
}

fn beside() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.parent().unwrap().with_file_name("slipway-server")
}

impl Home {
    async fn start() -> Self {
        let mut home = Self::empty();
        home.again().await;
        home
    }

    /// With settings of its own.
    async fn with(more: &[&str]) -> Self {
        let mut home = Self::empty();
        let mut command = Command::new(parts().server);
        command.args(parts().arguments(home.path())).args(more);
        let launched = Server::launch(command, home.path()).await;
        home.server = Some(launched.expect("the server starts"));
        home
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            folder,
            server: None,
        }
    }

    async fn again(&mut self) {
        let started = Server::start(&parts(), self.path()).await;
        self.server = Some(started.expect("the server starts"));
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// The data directory as the server sees it, which may have mounts of its own.
    fn data(&self) -> PathBuf {
        let data = self.path().join("data");
        let Some(pid) = self.server.as_ref().and_then(Server::pid) else {
            return data;
        };
        Path::new(&format!("/proc/{pid}/root")).join(data.strip_prefix("/").unwrap())
    }

    /// The process of its Postgres.
    fn postgres(&self) -> Option<Pid> {
        let file = self.data().join("postgres/data/postmaster.pid");
        let text = std::fs::read_to_string(file).ok()?;
        Pid::from_raw(text.lines().next()?.trim().parse().ok()?)
    }

    /// A signed-in client of the server that runs now.
    async fn user(&self, name: &str) -> Client {
        let register = Register {
            name: name.to_owned(),
            email: format!("{name}@example.org"),
            password: Secret::new("quiet tide at seven bells"),
            device: None,
        };
        let client = Client::new(&self.server().base).unwrap();
        client.register(&register).await.expect("an account").0
    }

    /// The same account at the server that runs now.
    fn same(&self, client: &Client) -> Client {
        let token = client.token().unwrap().clone();
        Client::new(&self.server().base).unwrap().with_token(token)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path().join("server.log")).unwrap()
    }

    async fn ready(&self) {
        let address = format!("{}/readyz", self.server().base);
        eventually("the server is ready", async || {
            reqwest::get(&address)
                .await
                .is_ok_and(|answer| answer.status() == 200)
        })
        .await;
    }

    /// Whether any process still works in or for the data directory.
    fn processes(&self) -> Vec<String> {
        let path = self.path().to_str().unwrap().to_owned();
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").unwrap().flatten() {
            let process = entry.path();
            let Ok(line) = std::fs::read_to_string(process.join("cmdline")) else {
                continue;
            };
            let cwd = std::fs::read_link(process.join("cwd")).unwrap_or_default();
            if line.contains(&path) || cwd.starts_with(self.path()) {
                found.push(format!("{}: {line}", process.display()));
            }
        }
        found
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let postgres = self.postgres();
        drop(self.server.take());
        if let Some(pid) = postgres {
            // Ended already, when the server was stopped in order.
            kill_process(pid, Signal::QUIT).ok();
        }
    }
}

/// How often it is looked whether another process got there.
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// Waits until something holds.
async fn eventually(what: &str, holds: impl AsyncFn() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !holds().await {
            tokio::time::sleep(LOOK).await; // waits: another process gets there in its own time, and tells nobody
        }
    });
    waited.await.unwrap_or_else(|_| panic!("{what} in time"));
}

/// Runs a command that must end by itself.
async fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let output = tokio::time::timeout(PATIENCE, command.kill_on_drop(true).output());
    let Output {
        status,
        stdout,
        stderr,
    } = output.await.expect("it ends").expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// The server, started in a mount namespace of its own after this line of shell; for root only.
fn beneath(mounts: &str, data: &Path, more: &[&str]) -> Command {
    let parts = parts();
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "sh", "-ec"])
        .arg(format!("{mounts}\nexec \"$@\""))
        .arg("sh")
        .arg(&parts.server)
        .args(parts.arguments(data))
        .args(more);
    command
}

/// Whether this test can mount; says so when it cannot.
#[expect(
    clippy::print_stdout,
    reason = "the count of tests names what was skipped"
)]
fn can_mount(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        println!("SKIP {test}: mounts need root");
    }
    root
}

async fn write(client: &Client, workspace: slipway_core::id::WorkspaceId, path: &str) {
    let content = Bytes::from(path.to_owned());
    let written = client.write_file(workspace, path, None, content).await;
    written.expect("a write");
}

/// Waits until a commit is heard of.
async fn heard(events: &mut Events, head: u64) {
    let heard = async {
        loop {
            let event = events.recv().await.expect("events go on").event;
            if matches!(&event, Some(Event::Workspace(moved)) if moved.head == head) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, heard)
        .await
        .expect("the commit is heard");
}
