//! Terminals of a person's own machine: the real agent, found and started as the app does.
use std::fs::Permissions;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use clap::Parser as _;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, Signal};
use slipway_api::session::OpenTerminal;
use slipway_core::code::Code;
use slipway_core::id::SessionId;
use slipway_core::secret::Secret;
use slipway_desktop::config::Config;
use slipway_desktop::local::{LocalAgent, LocalAgents};
use slipway_desktop::state::State;
use slipway_proto::v1;
use slipway_proto::v1::attached::Mode;

use crate::lab::PATIENCE;
use seat::Seat;

mod seat;

const SIZE: OpenTerminal = OpenTerminal {
    cols: 80,
    rows: 24,
    cwd: None,
};

/// A machine with one folder, for any number of apps after or beside each other.
struct Machine {
    home: tempfile::TempDir,
    programs: Vec<PathBuf>,
    id: SessionId,
}

/// The agent that tests start.
pub(crate) fn test_agent() -> PathBuf {
    #[derive(clap::Parser)]
    struct Flags {
        #[arg(long, env = "SLIPWAY_TEST_AGENT")]
        agent: PathBuf,
    }
    let flags = Flags::try_parse_from(["machine"]);
    flags
        .expect("SLIPWAY_TEST_AGENT is set, as `cargo xtask test` does")
        .agent
}

impl Machine {
    fn new() -> Self {
        Self::with(vec![test_agent()])
    }

    fn with(programs: Vec<PathBuf>) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(home.path().join("tides")).expect("a folder");
        let id = "0199aaaa-0000-7000-8000-000000000001";
        let id = id.parse().expect("an id");
        Self { home, programs, id }
    }

    /// A machine whose agents end when nothing has happened for a second.
    fn hasty() -> Self {
        let mut machine = Self::new();
        let script = machine.home.path().join("hasty");
        let text = format!(
            "#!/bin/sh\nexec {} \"$@\" --linger 1\n",
            test_agent().display()
        );
        std::fs::write(&script, text).expect("a script");
        std::fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("a script");
        machine.programs = vec![script];
        machine
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("tides")
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }

    /// What an app that was just started has.
    fn app(&self) -> LocalAgents {
        app(&self.state(), self.programs.clone())
    }

    async fn open(&self, app: &LocalAgents) -> LocalAgent {
        let opened = app.open(&self.folder(), self.id).await;
        opened.expect("an agent")
    }

    fn record(&self) -> PathBuf {
        let terminals = self.state().join("terminals");
        terminals.join(self.id.to_string()).join("agent.json")
    }

    /// The process of the agent that was started last.
    fn pid(&self) -> Option<Pid> {
        let record = std::fs::read(self.record()).ok()?;
        let record: serde_json::Value = serde_json::from_slice(&record).ok()?;
        Pid::from_raw(i32::try_from(record["pid"].as_i64()?).ok()?)
    }

    /// Ends the agent as the kernel does when memory is out.
    async fn kill(&self) {
        let pid = self.pid().expect("a record");
        let ended = Process::of(pid);
        rustix::process::kill_process(pid, Signal::KILL).expect("it lives");
        ended.end().await;
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Its programs are hung up when their terminals go with it.
        if let Some(pid) = self.pid() {
            rustix::process::kill_process(pid, Signal::KILL).ok();
        }
    }
}

fn app(state: &Path, programs: Vec<PathBuf>) -> LocalAgents {
    let mut config = Config::read().expect("an environment");
    config.agents = programs;
    config.login = vec![("SSH_AUTH_SOCK".to_owned(), "/run/keys".to_owned())];
    LocalAgents::new(&State::open(state).expect("a state folder"), &config)
}

/// A process whose end can be waited for, whoever started it.
struct Process(std::os::fd::OwnedFd);

impl Process {
    fn of(pid: Pid) -> Self {
        let fd = rustix::process::pidfd_open(pid, PidfdFlags::empty());
        Self(fd.expect("it lives"))
    }

    async fn end(self) {
        let wait = move || {
            let mut ended = [PollFd::new(&self.0, PollFlags::IN)];
            let patience = PATIENCE.try_into().expect("a time");
            rustix::event::poll(&mut ended, Some(&patience))
        };
        let ended = tokio::task::spawn_blocking(wait).await;
        assert_eq!(ended.expect("no panic"), Ok(1), "in time");
    }
}

/// An app in a process of its own, which opens a terminal, types into it, and then only lives.
#[tokio::test]
#[ignore = "part of another test, which starts it as a process"]
async fn an_app() {
    #[derive(clap::Parser)]
    struct Flags {
        #[arg(long, env = "SLIPWAY_TEST_STATE")]
        state: PathBuf,
        #[arg(long, env = "SLIPWAY_TEST_FOLDER")]
        folder: PathBuf,
        #[arg(long, env = "SLIPWAY_TEST_SESSION")]
        session: SessionId,
    }
    let flags = Flags::try_parse_from(["app"]).expect("started by the other test");
    let app = app(&flags.state, vec![test_agent()]);
    let agent = app
        .open(&flags.folder, flags.session)
        .await
        .expect("an agent");
    let terminal = agent.open_terminal(&SIZE).await.expect("a terminal");
    let mut seat = Seat::take(&agent, &terminal).await;
    seat.key("echo before=$((40+2)); read line; echo after=$line\r")
        .await;
    seat.until("before=42").await;
    let mut told = std::fs::File::create(flags.state.join("told")).expect("a file");
    told.write_all(format!("{} {}", seat.epoch, seat.offset).as_bytes())
        .expect("told");
    println!("told");
    std::future::pending::<()>().await;
}

fn started(machine: &Machine) -> Child {
    use std::io::BufRead as _;
    let this = std::fs::read_link("/proc/self/exe").expect("this program");
    let mut child = Command::new(this)
        .args(["--exact", "beside::an_app", "--ignored", "--nocapture"])
        .env("SLIPWAY_TEST_STATE", machine.state())
        .env("SLIPWAY_TEST_FOLDER", machine.folder())
        .env("SLIPWAY_TEST_SESSION", machine.id.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("an app");
    let lines = std::io::BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let told = lines
        .map_while(Result::ok)
        .any(|line| line.ends_with("told"));
    assert!(told, "the app has opened a terminal");
    child
}

#[tokio::test]
async fn a_terminal_outlives_an_app_that_is_killed() {
    let machine = Machine::new();
    let mut killed = started(&machine);
    killed.kill().expect("it lives");
    killed.wait().expect("an end");

    let told = std::fs::read_to_string(machine.state().join("told")).expect("told");
    let (epoch, offset) = told.split_once(' ').expect("two words");
    let offset: u64 = offset.parse().expect("an offset");
    let app = machine.app();
    let agent = app.find(machine.id).await.expect("the agent lives");
    let terminals = agent.terminals().await.expect("terminals");
    assert_eq!(terminals.len(), 1, "{terminals:?}");
    let terminal = terminals[0].id.to_string();

    // One that knows the screen goes on; one that does not is told all of it.
    let resumed = Seat::attach(&agent, &terminal, epoch, offset).await;
    let mut resumed = resumed.expect("attached");
    assert_eq!((resumed.mode, resumed.start), (Mode::Resume, offset));
    resumed.key("tide\r").await;
    resumed.until("after=tide").await;
    let mut whole = Seat::take(&agent, &terminals[0]).await;
    assert_eq!((whole.mode, whole.start), (Mode::Replay, 0));
    whole.until("after=tide").await;
    assert!(whole.text().contains("before=42"), "{}", whole.text());
    assert_eq!(whole.epoch, epoch);
}

#[tokio::test]
async fn two_apps_meet_at_one_agent() {
    let machine = Machine::new();
    let (one, two) = (machine.app(), machine.app());
    let (a, b) = tokio::join!(machine.open(&one), machine.open(&two));
    let terminal = a.open_terminal(&SIZE).await.expect("a terminal");
    let seen = b.terminals().await.expect("terminals");
    assert_eq!(seen, std::slice::from_ref(&terminal));
    let mut events = b.watch().await.expect("events");
    b.close_terminal(terminal.id).await.expect("closed");
    let closed = async {
        while let Ok(Some(event)) = events.message().await {
            if let Some(v1::agent_event::Event::TerminalClosed(closed)) = event.event {
                return closed.terminal_id;
            }
        }
        panic!("the events ended");
    };
    let closed = tokio::time::timeout(PATIENCE, closed).await;
    assert_eq!(closed.expect("in time"), terminal.id.to_string());
    assert_eq!(a.terminals().await.expect("terminals"), []);
    let again = a.close_terminal(terminal.id).await;
    assert_eq!(again.expect_err("gone").code(), Code::NotFound);
}

#[tokio::test]
async fn a_record_whose_agent_has_ended_is_none() {
    let machine = Machine::new();
    let app = machine.app();
    assert!(app.find(machine.id).await.is_none(), "none was started");
    let agent = machine.open(&app).await;
    let terminal = agent.open_terminal(&SIZE).await.expect("a terminal");
    let first = machine.pid();
    machine.kill().await;
    assert!(app.find(machine.id).await.is_none());
    assert!(machine.app().find(machine.id).await.is_none());
    let ended = agent.terminals().await.expect_err("it has ended");
    assert_eq!(ended.code(), Code::SessionUnreachable);

    let agent = machine.open(&app).await;
    assert_ne!(machine.pid(), first);
    let lost = Seat::attach(&agent, &terminal.id.to_string(), "", 0).await;
    assert_eq!(lost.err().map(|error| error.code()), Some(Code::NotFound));
    let sockets = std::fs::read_dir(machine.record().parent().expect("a folder"));
    let sockets = sockets.expect("a folder").flatten();
    let sockets = sockets.filter(|one| one.path().extension().is_some_and(|kind| kind == "sock"));
    assert_eq!(sockets.count(), 1, "the old socket went with its record");

    machine.kill().await;
    std::fs::write(machine.record(), "{").expect("a file");
    assert!(machine.app().find(machine.id).await.is_none());
    machine.open(&machine.app()).await;
}

#[tokio::test]
async fn an_agent_ends_by_itself_when_nothing_runs_and_nobody_is_there() {
    let busy = Machine::hasty();
    let runs = busy.open(&busy.app()).await;
    let terminal = runs.open_terminal(&SIZE).await.expect("a terminal");
    let machine = Machine::hasty();
    let agent = machine.open(&machine.app()).await;
    let process = Process::of(machine.pid().expect("a record"));
    let closed = agent.open_terminal(&SIZE).await.expect("a terminal");
    agent.close_terminal(closed.id).await.expect("closed");
    process.end().await;
    assert!(machine.app().find(machine.id).await.is_none());
    let ended = agent.terminals().await.expect_err("it has ended");
    assert_eq!(ended.code(), Code::SessionUnreachable);
    // The other was left alone for longer, but a program runs there.
    assert_eq!(runs.terminals().await.expect("it lives"), [terminal]);
}

#[tokio::test]
async fn an_agent_whose_record_was_taken_away_ends_with_what_runs_in_it() {
    let machine = Machine::hasty();
    let agent = machine.open(&machine.app()).await;
    let process = Process::of(machine.pid().expect("a record"));
    agent.open_terminal(&SIZE).await.expect("a terminal");
    drop(agent);
    let home = machine.record();
    std::fs::remove_dir_all(home.parent().expect("a folder")).expect("taken away");
    process.end().await;
}

#[tokio::test]
async fn nobody_else_reaches_an_agent_and_its_programs_know_no_key() {
    let machine = Machine::new();
    let agent = machine.open(&machine.app()).await;
    let record = machine.record();
    let home = record.parent().expect("a folder");
    let mode = |path: &Path| {
        std::fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    };
    assert_eq!((mode(home), mode(&record)), (0o700, 0o600));
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&record).expect("a record")).expect("JSON");
    let socket = PathBuf::from(written["socket"].as_str().expect("a path"));
    assert_eq!(mode(&socket), 0o600);
    let channel = slipway_proto::agent::dial(&socket).await.expect("dialled");
    let stranger = slipway_proto::agent::AgentHandle::new(channel, Secret::new("00ff"));
    let refused = stranger.terminals().list(v1::ListTerminalsRequest {}).await;
    assert_eq!(
        refused.expect_err("no key").code(),
        tonic::Code::Unauthenticated
    );

    let terminal = agent.open_terminal(&SIZE).await.expect("a terminal");
    let mut seat = Seat::take(&agent, &terminal).await;
    seat.key("echo key=$SLIPWAY_AGENT_KEY. keys=$SSH_AUTH_SOCK. in=$PWD.; echo en''d\r")
        .await;
    seat.until("end\r\n").await;
    let expected = format!("key=. keys=/run/keys. in={}.", machine.folder().display());
    assert!(seat.text().contains(&expected), "{}", seat.text());
    assert_eq!(seat.terminal, terminal.id.to_string());
}

#[tokio::test]
async fn a_folder_that_was_deleted_is_named_and_what_runs_goes_on() {
    let machine = Machine::new();
    let app = machine.app();
    let agent = machine.open(&app).await;
    let terminal = agent.open_terminal(&SIZE).await.expect("a terminal");
    let mut seat = Seat::take(&agent, &terminal).await;
    seat.key("echo on''e\r").await;
    seat.until("one\r\n").await;
    std::fs::remove_dir(machine.folder()).expect("removed");
    let agent = machine.open(&app).await;
    let refused = agent.open_terminal(&SIZE).await.expect_err("no folder");
    assert_eq!(refused.code(), Code::ExecFailed);
    let folder = machine.folder().display().to_string();
    assert!(refused.to_string().contains(&folder), "{refused}");
    seat.key("echo tw''o\r").await;
    seat.until("two\r\n").await;
}

#[tokio::test]
async fn without_a_program_that_serves_them_there_are_no_terminals() {
    for (program, says) in [("/nowhere/slipway-agent", "missing"), ("/bin/false", "log")] {
        let machine = Machine::with(vec![PathBuf::from(program)]);
        let none = machine.app().open(&machine.folder(), machine.id).await;
        let none = none.err().expect("none");
        assert_eq!(none.code(), Code::NoLocalTerminals);
        assert!(none.to_string().contains(says), "{none}");
    }
}

#[tokio::test]
async fn a_state_folder_may_lie_deep() {
    let machine = Machine::new();
    let deep = machine.state().join("d".repeat(120));
    let app = app(&deep, machine.programs.clone());
    let agent = app
        .open(&machine.folder(), machine.id)
        .await
        .expect("an agent");
    let pid = std::fs::read(deep.join(format!("terminals/{}/agent.json", machine.id)));
    let pid: serde_json::Value = serde_json::from_slice(&pid.expect("a record")).expect("JSON");
    let pid = i32::try_from(pid["pid"].as_i64().expect("a number")).expect("a process");
    assert_eq!(agent.terminals().await.expect("terminals"), []);
    let pid = Pid::from_raw(pid).expect("a process");
    rustix::process::kill_process(pid, Signal::KILL).expect("it lives");
}
