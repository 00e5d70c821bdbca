//! A way to the server that can be cut as a network is: without a word, whatever is under way lost.
use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// Carries connections; ends with it.
pub struct Wire {
    /// Where it is reached.
    pub address: SocketAddr,
    cut: broadcast::Sender<()>,
    _carrying: JoinSet<()>,
}

impl Wire {
    /// To a server, `http://HOST:PORT`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn to(base: &str) -> Result<Self> {
        let server = base
            .strip_prefix("http://")
            .context("the lab speaks HTTP")?;
        let (server, listener) = (server.to_owned(), TcpListener::bind("127.0.0.1:0").await?);
        let address = listener.local_addr()?;
        let cut = broadcast::channel(1).0;
        let (mut carrying, cuts) = (JoinSet::new(), cut.clone());
        carrying.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                connections.spawn(carry(near, server.clone(), cuts.subscribe()));
            }
        });
        Ok(Self {
            address,
            cut,
            _carrying: carrying,
        })
    }

    /// Ends every connection by a reset on both sides.
    pub fn cut(&self) {
        // There may be none.
        self.cut.send(()).ok();
    }
}

async fn carry(mut near: TcpStream, server: String, mut cut: broadcast::Receiver<()>) {
    let Ok(mut far) = TcpStream::connect(server).await else {
        return;
    };
    for stream in [&near, &far] {
        stream.set_nodelay(true).ok();
        stream.set_zero_linger().ok();
    }
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        _ = cut.recv() => {}
    }
}
