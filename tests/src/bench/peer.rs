//! Other programs that show a terminal in a browser, and one client for all of them and for us: a WebSocket whose
//! messages a `Protocol` reads and writes, on the task that measures. So what differs is what stands behind it.
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::tell;

pub mod gotty;
pub mod jupyter;
pub mod plain;
pub mod slipway;
pub mod ttyd;
pub mod wetty;

/// What a peer listens within.
const UP: Duration = Duration::from_secs(30);
/// A terminal that says nothing for so long says nothing any more.
const SILENCE: Duration = Duration::from_secs(20);

/// How one program speaks of a terminal over a WebSocket.
pub trait Protocol: Send {
    /// Typed bytes as a message.
    fn typed(&mut self, bytes: &[u8]) -> Message;
    /// What a message tells.
    ///
    /// # Errors
    /// When it is none of the protocol.
    fn told(&mut self, message: Message) -> Result<Told>;
}

/// What a message told.
#[derive(Debug, Default)]
pub struct Told {
    /// Output.
    pub output: Bytes,
    /// What is to be answered.
    pub answer: Option<Message>,
    /// The terminal takes input from now on.
    pub ready: bool,
    /// The terminal ended.
    pub ended: bool,
}

impl Told {
    /// Output and nothing else.
    #[must_use]
    pub fn output(bytes: impl Into<Bytes>) -> Self {
        Self {
            output: bytes.into(),
            ..Self::default()
        }
    }
}

/// Where a connection leads and what it says first.
#[derive(Clone, Debug)]
pub struct Way {
    /// `ws://...`
    pub url: String,
    /// More headers.
    pub headers: Vec<(&'static str, String)>,
    /// The first messages.
    pub first: Vec<Message>,
    /// Whether the server says when the terminal takes input.
    pub says_ready: bool,
}

/// A connection to a terminal.
pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    protocol: Box<dyn Protocol>,
}

impl Connection {
    /// Connects; returns when the terminal takes input.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn open(way: Way, protocol: Box<dyn Protocol>) -> Result<Self> {
        let mut request = way.url.into_client_request()?;
        for (name, value) in way.headers {
            request.headers_mut().insert(name, value.parse()?);
        }
        let (socket, _) = tokio_tungstenite::connect_async_with_config(request, None, true).await?;
        let mut connection = Self { socket, protocol };
        for message in way.first {
            connection.socket.send(message).await?;
        }
        while way.says_ready && !connection.hear().await?.ready {}
        Ok(connection)
    }

    /// Types bytes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let message = self.protocol.typed(bytes);
        Ok(self.socket.send(message).await?)
    }

    /// The next output; `None` when the terminal ended or the connection was closed.
    ///
    /// # Errors
    /// When the connection breaks or says nothing any more.
    pub async fn read(&mut self) -> Result<Option<Bytes>> {
        loop {
            let told = self.hear().await?;
            if !told.output.is_empty() {
                return Ok(Some(told.output));
            }
            if told.ended {
                return Ok(None);
            }
        }
    }

    /// Collects output until it contains `wanted`.
    ///
    /// # Errors
    /// When the terminal ends before.
    pub async fn read_until(&mut self, wanted: &str) -> Result<Vec<u8>> {
        let mut seen = Vec::new();
        loop {
            let bytes = self.read().await?.context("the terminal ended")?;
            let from = seen.len().saturating_sub(wanted.len());
            seen.extend_from_slice(&bytes);
            let window = |window: &[u8]| window == wanted.as_bytes();
            if seen[from..].windows(wanted.len()).any(window) {
                return Ok(seen);
            }
        }
    }

    async fn hear(&mut self) -> Result<Told> {
        let next = tokio::time::timeout(SILENCE, self.socket.next());
        let told = match next.await.context("nothing was said for 20 seconds")? {
            None | Some(Ok(Message::Close(_))) => Told {
                ended: true,
                ..Told::default()
            },
            Some(message) => self.protocol.told(message?)?,
        };
        if let Some(answer) = &told.answer {
            // Who has closed takes no answer, but what it said before is still to be read.
            drop(self.socket.send(answer.clone()).await);
        }
        Ok(told)
    }
}

/// A program that is measured beside us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// C, libwebsockets.
    Ttyd,
    /// Go.
    Gotty,
    /// Python.
    Jupyter,
    /// Node, socket.io.
    Wetty,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Ttyd, Self::Gotty, Self::Jupyter, Self::Wetty];

    /// Its name in figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ttyd => "ttyd",
            Self::Gotty => "gotty",
            Self::Jupyter => "jupyter",
            Self::Wetty => "wetty",
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Jupyter => "jupyter-lab",
            Self::Ttyd | Self::Gotty | Self::Wetty => self.name(),
        }
    }
}

/// A running peer.
pub struct Peer {
    /// Which.
    pub kind: Kind,
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Peer {
    /// Starts every peer that is there, and says which is not.
    ///
    /// # Errors
    /// When a folder for them cannot be made.
    pub async fn start_all(peers: &Peers) -> Result<Vec<Self>> {
        let mut running = Vec::new();
        for kind in Kind::ALL {
            match peers.find(kind.program()) {
                None => missing(kind.program()),
                Some(binary) => match Self::start(kind, &binary).await {
                    Ok(peer) => running.push(peer),
                    Err(error) => tell(&format!("{} does NOT RUN: {error:#}", kind.name())),
                },
            }
        }
        Ok(running)
    }

    async fn start(kind: Kind, binary: &Path) -> Result<Self> {
        let (port, folder) = (free_port()?, tempfile::tempdir()?);
        let mut command = Command::new(binary);
        match kind {
            Kind::Ttyd => ttyd::arguments(&mut command, port),
            Kind::Gotty => gotty::arguments(&mut command, port),
            Kind::Jupyter => jupyter::arguments(&mut command, port, folder.path()),
            Kind::Wetty => wetty::arguments(&mut command, port),
        }
        let child = start(command, port, folder.path()).await?;
        Ok(Self {
            kind,
            child,
            port,
            _folder: folder,
        })
    }

    /// Its name in figures.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// A new terminal: how it is reached. The same way again is what the peer's own page does after a cut.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn way(&self) -> Result<Way> {
        Ok(match self.kind {
            Kind::Ttyd => ttyd::way(self.port),
            Kind::Gotty => gotty::way(self.port),
            Kind::Jupyter => jupyter::way(self.port).await?,
            Kind::Wetty => wetty::way(self.port),
        })
    }

    /// Goes this way.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn go(&self, way: Way) -> Result<Connection> {
        let protocol: Box<dyn Protocol> = match self.kind {
            Kind::Ttyd => Box::new(ttyd::Ttyd),
            Kind::Gotty => Box::new(gotty::Gotty),
            Kind::Jupyter => Box::new(jupyter::Jupyter),
            Kind::Wetty => Box::new(wetty::Wetty::default()),
        };
        Connection::open(way, protocol).await
    }

    /// A new terminal.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn connect(&self) -> Result<Connection> {
        let mut connection = self.go(self.way().await?).await?;
        answers(&mut connection)
            .await
            .with_context(|| format!("a new terminal of {}", self.name()))?;
        Ok(connection)
    }

    /// The peer's own processes, without the shells in it.
    #[must_use]
    pub fn processes(&self) -> Vec<u32> {
        let root = self.child.id().unwrap_or(0);
        super::process::family(root, &["bash", "sh", "cat", "yes", "seq"])
    }

    /// Ends it.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn stop(self) -> Result<()> {
        stop(self.child).await
    }
}

/// Waits until the shell answers.
async fn answers(connection: &mut Connection) -> Result<()> {
    connection.write(b"echo up-$((40+2))\n").await?;
    connection.read_until("up-42").await.map(drop)
}

/// Where peers are found: in one folder, or on the PATH.
#[derive(Clone, Debug, clap::Args)]
pub struct Peers {
    /// The folder with the peers' programs; the PATH without it. docs/benchmarks.md says how to install them.
    #[arg(long, env = "PEERS")]
    peers: Option<PathBuf>,
}

impl Peers {
    /// Where this program is.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "peers are wherever this machine has them"
    )]
    pub fn find(&self, program: &str) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        self.peers
            .clone()
            .into_iter()
            .chain(std::env::split_paths(&path))
            .map(|folder| folder.join(program))
            .find(|file| file.exists())
    }
}

/// Says loudly that a peer is not there.
pub fn missing(program: &str) {
    tell(&format!(
        "######## {program} is not here ($PEERS or PATH): every row beside it is SKIPPED ########"
    ));
}

/// Starts a server of somebody else's and waits until it listens.
///
/// # Errors
/// When it does not.
pub async fn start(mut command: Command, port: u16, folder: &Path) -> Result<Child> {
    let log = std::fs::File::create(folder.join("log"))?;
    let mut child = command
        .env("HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("start {command:?}"))?;
    let deadline = tokio::time::Instant::now() + UP;
    while tokio::net::TcpStream::connect(("127.0.0.1", port))
        .await
        .is_err()
    {
        if let Some(status) = child.try_wait()? {
            let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
            bail!("it ended with {status}: {log}");
        }
        ensure!(tokio::time::Instant::now() < deadline, "it does not listen");
        tokio::time::sleep(Duration::from_millis(20)).await; // waits: a pace of the look
    }
    Ok(child)
}

/// Asks a server to end, and waits for it.
///
/// # Errors
/// When it does not end even by force.
pub async fn stop(mut child: Child) -> Result<()> {
    let pid = child.id().map(u32::cast_signed);
    if let Some(pid) = pid.and_then(rustix::process::Pid::from_raw) {
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
    }
    if tokio::time::timeout(Duration::from_secs(5), child.wait())
        .await
        .is_err()
    {
        child.kill().await?;
    }
    Ok(())
}

/// A port of loopback that nobody listens on.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}
