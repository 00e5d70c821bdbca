//! An agent for one test, and a viewer that checks every offset it is told.
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use slipway_agent::agent::Agent;
use slipway_agent::config::Config;
use slipway_agent::server;
use slipway_agent::workspace::ReplicaSide;
use slipway_core::secret::Secret;
use slipway_proto::v1;
use slipway_proto::v1::agent_client::AgentClient;
use slipway_proto::v1::terminal_client::Frame as In;
use slipway_proto::v1::terminal_server::Frame as Out;
use slipway_proto::v1::terminals_client::TerminalsClient;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Request, Streaming};

/// Nothing here takes this long on any machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
const KEY: &str = "00ff";

pub(crate) struct TestAgent {
    pub(crate) agent: Arc<Agent>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) revision: watch::Sender<u64>,
    channel: Channel,
    key: String,
    stop: CancellationToken,
}

impl Drop for TestAgent {
    fn drop(&mut self) {
        for terminal in self.agent.terminals.all() {
            slipway_agent::process::signal_session(terminal.pid(), rustix::process::Signal::KILL);
        }
        self.stop.cancel();
    }
}

/// A UUID that no other call returns, in whatever process of this machine: a run's processes are known by it.
pub(crate) fn id() -> String {
    static NEXT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    let next = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    uuid::Uuid::from_u64_pair(u64::from(std::process::id()), next).to_string()
}

impl TestAgent {
    pub(crate) async fn start() -> Self {
        let mut test = Self::unbound().await;
        test.bind("session").await.unwrap();
        test
    }

    /// An agent that belongs to no session yet.
    pub(crate) async fn unbound() -> Self {
        Self::with(&[]).await
    }

    /// An agent of a person's own machine.
    pub(crate) async fn beside() -> Self {
        let mut test = Self::with(&["--beside"]).await;
        test.bind("machine").await.unwrap();
        test
    }

    async fn with(flags: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        for name in ["workspace", "home", "state"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        let always = [
            "agent".to_owned(),
            format!("--socket={}", path("sock")),
            format!("--workspace={}", path("workspace")),
            format!("--home={}", path("home")),
            format!("--state={}", path("state")),
            format!("--cgroups={}", path("none")),
        ];
        let flags = flags.iter().map(|flag| (*flag).to_owned());
        let mut config = Config::parse_from(always.into_iter().chain(flags));
        config.key = Secret::new(KEY);
        config.inherit();
        let stop = CancellationToken::new();
        let (agent, side) = Agent::new(config, stop.clone());
        let ReplicaSide {
            applied_revision: revision,
            mut flushes,
        } = side;
        let shown = revision.subscribe();
        tokio::spawn(async move {
            while let Some(request) = flushes.recv().await {
                let _sent = request.send(*shown.borrow());
            }
        });
        let listener = server::listen(&agent.config).unwrap();
        tokio::spawn(server::serve(agent.clone(), listener, |router, _| router));
        let channel = slipway_proto::agent::dial(&agent.config.socket)
            .await
            .unwrap();
        let key = KEY.to_owned();
        Self {
            agent,
            folder,
            revision,
            channel,
            key,
            stop,
        }
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let value = format!("Bearer {}", self.key).parse().unwrap();
        request.metadata_mut().insert("authorization", value);
        request
    }

    pub(crate) fn forget_key(&mut self) {
        self.key = "00fe".to_owned();
    }

    pub(crate) fn api(&self) -> AgentClient<Channel> {
        AgentClient::new(self.channel.clone())
    }

    pub(crate) fn terminals(&self) -> TerminalsClient<Channel> {
        TerminalsClient::new(self.channel.clone())
    }

    pub(crate) async fn bind(&mut self, session: &str) -> Result<v1::BindReply, tonic::Status> {
        let request = v1::BindRequest {
            session_id: session.to_owned(),
            limits: None,
        };
        Ok(self.api().bind(self.request(request)).await?.into_inner())
    }

    pub(crate) async fn open(&self, command: &[&str]) -> Result<String, tonic::Status> {
        let request = v1::OpenTerminalRequest {
            terminal_id: id(),
            cols: 80,
            rows: 24,
            command: command.iter().map(|part| (*part).to_owned()).collect(),
            ..Default::default()
        };
        let info = self
            .terminals()
            .open(self.request(request))
            .await?
            .into_inner();
        Ok(info.terminal_id)
    }

    /// Opens and views what `sh -c` does.
    pub(crate) async fn sh(&self, script: &str) -> Viewer {
        let terminal = self.open(&["/bin/sh", "-c", script]).await.unwrap();
        Viewer::attach(self, &terminal).await
    }
}

/// A viewer that acknowledges what it takes.
pub(crate) struct Viewer {
    pub(crate) terminal: String,
    pub(crate) client: String,
    pub(crate) seen: Vec<u8>,
    pub(crate) offset: u64,
    pub(crate) typed: u64,
    pub(crate) epoch: String,
    pub(crate) written: u64,
    pub(crate) restored: Vec<u8>,
    pub(crate) exit: Option<v1::Exit>,
    sender: mpsc::Sender<v1::TerminalClient>,
    frames: Streaming<v1::TerminalServer>,
}

impl Viewer {
    pub(crate) async fn attach(agent: &TestAgent, terminal: &str) -> Self {
        let (sender, frames, attached) = Self::connect(agent, terminal, &id(), "", 0).await;
        Self {
            terminal: terminal.to_owned(),
            client: String::new(),
            seen: Vec::new(),
            offset: attached.start_offset,
            typed: attached.input_offset,
            epoch: attached.epoch,
            written: 0,
            restored: Vec::new(),
            exit: None,
            sender,
            frames,
        }
    }

    /// Loses the connection and comes back where it was.
    pub(crate) async fn reattach(&mut self, agent: &TestAgent) {
        if self.client.is_empty() {
            self.client = id();
        }
        let (sender, frames, attached) = Self::connect(
            agent,
            &self.terminal,
            &self.client,
            &self.epoch,
            self.offset,
        )
        .await;
        assert_eq!(attached.mode(), v1::attached::Mode::Resume);
        assert_eq!(attached.start_offset, self.offset);
        (self.sender, self.frames) = (sender, frames);
    }

    async fn connect(
        agent: &TestAgent,
        terminal: &str,
        client: &str,
        epoch: &str,
        have_offset: u64,
    ) -> (
        mpsc::Sender<v1::TerminalClient>,
        Streaming<v1::TerminalServer>,
        v1::Attached,
    ) {
        let (sender, receiver) = mpsc::channel(64);
        let hello = v1::Hello {
            terminal_id: terminal.to_owned(),
            epoch: epoch.to_owned(),
            have_offset,
            client_id: client.to_owned(),
            cols: 80,
            rows: 24,
            window: 256 * 1024,
            visible: true,
            ..Default::default()
        };
        let hello = v1::TerminalClient {
            frame: Some(In::Hello(hello)),
        };
        sender.send(hello).await.unwrap();
        let request = agent.request(ReceiverStream::new(receiver));
        let mut frames = agent
            .terminals()
            .attach(request)
            .await
            .unwrap()
            .into_inner();
        let first = frames.message().await.unwrap().unwrap();
        let Some(Out::Attached(attached)) = first.frame else {
            panic!("the first frame is {first:?}");
        };
        (sender, frames, attached)
    }

    pub(crate) async fn say(&self, frame: In) {
        self.sender
            .send(v1::TerminalClient { frame: Some(frame) })
            .await
            .unwrap();
    }

    pub(crate) async fn type_at(&mut self, offset: u64, data: &[u8]) {
        self.typed = self.typed.max(offset + data.len() as u64);
        let data = bytes::Bytes::copy_from_slice(data);
        self.say(In::Input(v1::Input { offset, data })).await;
    }

    pub(crate) async fn key(&mut self, data: &[u8]) {
        self.type_at(self.typed, data).await;
    }

    /// Takes one frame; false at the end of the stream.
    pub(crate) async fn step(&mut self) -> bool {
        let frame = tokio::time::timeout(DEADLINE, self.frames.message()).await;
        let Some(message) = frame.expect("a frame in time").unwrap() else {
            return false;
        };
        match message.frame.unwrap() {
            Out::Output(v1::Output {
                offset,
                data,
                input_offset,
            }) => {
                self.written = self.written.max(input_offset);
                assert_eq!(offset, self.offset, "nothing lost, nothing doubled");
                self.offset += data.len() as u64;
                self.seen.extend_from_slice(&data);
                let ack = v1::Ack {
                    parsed_offset: self.offset,
                    window: 256 * 1024,
                };
                // The carrier may have ended after the exit.
                let ack = v1::TerminalClient {
                    frame: Some(In::Ack(ack)),
                };
                let _sent = self.sender.send(ack).await;
            }
            Out::Exited(exit) => {
                assert_eq!(
                    exit.final_offset, self.offset,
                    "the exit comes after the last byte"
                );
                self.exit = Some(exit);
            }
            Out::InputAck(ack) => self.written = self.written.max(ack.offset),
            Out::Gap(gap) => self.offset = gap.to,
            Out::Restored(restored) => {
                assert_eq!(restored.at_offset, self.offset);
                self.restored.extend_from_slice(&restored.data);
            }
            Out::Refused(refused) => panic!("refused: {refused:?}"),
            Out::Attached(_) | Out::Resized(_) => {}
        }
        true
    }

    pub(crate) async fn until(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(self.step().await, "ended without {text:?}: {}", self.text());
        }
    }

    pub(crate) async fn end(&mut self) -> v1::Exit {
        while self.step().await {}
        self.exit.clone().expect("the stream ends with the exit")
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen[self.seen.len().saturating_sub(100_000)..]).into_owned()
    }
}
