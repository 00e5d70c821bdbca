//! ttyd, the leanest peer: one hop less than we have, and no sandbox. Spoken to by a compiled client, as we are.
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// A running ttyd with a shell.
pub struct Ttyd {
    child: Child,
    port: u16,
}

/// A connection to it.
pub struct Connection(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

impl Ttyd {
    /// Starts the ttyd of `$PEERS_BIN` or the PATH; `None` when there is none.
    ///
    /// # Errors
    /// When it is there and does not start.
    pub async fn start() -> Result<Option<Self>> {
        let Some(binary) = find("ttyd") else {
            return Ok(None);
        };
        let port = free_port()?;
        let child = Command::new(binary)
            .args([
                "-W",
                "-i",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "bash",
                "--norc",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            if tokio::time::Instant::now() > deadline {
                bail!("ttyd does not listen");
            }
            tokio::task::yield_now().await;
        }
        Ok(Some(Self { child, port }))
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or(0)
    }

    /// Connects; each connection has its own shell.
    ///
    /// # Errors
    /// When it refuses.
    pub async fn connect(&self) -> Result<Connection> {
        let mut request = format!("ws://127.0.0.1:{}/ws", self.port).into_client_request()?;
        request
            .headers_mut()
            .insert("sec-websocket-protocol", "tty".parse()?);
        let (mut socket, _) =
            tokio_tungstenite::connect_async_with_config(request, None, true).await?;
        socket
            .send(Message::Binary(Bytes::from_static(
                br#"{"AuthToken":"","columns":80,"rows":24}"#,
            )))
            .await?;
        Ok(Connection(socket))
    }
}

impl Connection {
    /// Types bytes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self
            .0
            .send(Message::Binary(Bytes::from([b"0", bytes].concat())))
            .await?)
    }

    /// The next output.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn read(&mut self) -> Result<Bytes> {
        loop {
            let message = self
                .0
                .next()
                .await
                .context("ttyd closed the connection")??;
            if let Message::Binary(bytes) = message
                && bytes.first() == Some(&b'0')
            {
                return Ok(bytes.slice(1..));
            }
        }
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::var_os("PEERS_BIN")
        .map(PathBuf::from)
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|file| file.exists())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port())
}
