//! A way to a server that can be cut as a network is: without a word, whatever is under way lost. It counts what it
//! carries, and can be barred until it is opened again.
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio::task::JoinSet;

/// What is carried at once.
const PIECE_BYTES: usize = 256 * 1024;

/// Carries connections; ends with it.
pub struct Wire {
    /// Where it is reached.
    pub address: SocketAddr,
    cut: broadcast::Sender<()>,
    shared: Arc<Shared>,
    _carrying: JoinSet<()>,
}

#[derive(Default)]
struct Shared {
    /// Who dials is turned away.
    barred: AtomicBool,
    /// Connections since the beginning.
    connections: AtomicU64,
    /// Bytes to the server.
    there: AtomicU64,
    /// Bytes from the server.
    back: AtomicU64,
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
        Self::to_address(server).await
    }

    /// To a server, `HOST:PORT`.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn to_address(server: &str) -> Result<Self> {
        let (server, listener) = (server.to_owned(), TcpListener::bind("127.0.0.1:0").await?);
        let address = listener.local_addr()?;
        let cut = broadcast::channel(1).0;
        let shared = Arc::new(Shared::default());
        let (mut carrying, cuts, counts) = (JoinSet::new(), cut.clone(), Arc::clone(&shared));
        carrying.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((near, _)) = listener.accept().await {
                if counts.barred.load(Ordering::Relaxed) {
                    near.set_zero_linger().ok();
                    continue;
                }
                counts.connections.fetch_add(1, Ordering::Relaxed);
                let carried = carry(near, server.clone(), cuts.subscribe(), Arc::clone(&counts));
                connections.spawn(carried);
            }
        });
        Ok(Self {
            address,
            cut,
            shared,
            _carrying: carrying,
        })
    }

    /// Ends every connection by a reset on both sides.
    pub fn cut(&self) {
        // There may be none.
        self.cut.send(()).ok();
    }

    /// Cuts, and turns everybody away from now on.
    pub fn bar(&self) {
        self.shared.barred.store(true, Ordering::Relaxed);
        self.cut();
    }

    /// Ends that.
    pub fn open(&self) {
        self.shared.barred.store(false, Ordering::Relaxed);
    }

    /// Connections that were carried since the beginning.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }

    /// Bytes that were carried since the beginning: to the server, and from it.
    #[must_use]
    pub fn carried(&self) -> [u64; 2] {
        [&self.shared.there, &self.shared.back].map(|count| count.load(Ordering::Relaxed))
    }
}

async fn carry(
    near: TcpStream,
    server: String,
    mut cut: broadcast::Receiver<()>,
    shared: Arc<Shared>,
) {
    let Ok(far) = TcpStream::connect(server).await else {
        return;
    };
    for stream in [&near, &far] {
        stream.set_nodelay(true).ok();
        stream.set_zero_linger().ok();
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    let both = async {
        tokio::join!(
            pump(near_in, far_out, &shared.there),
            pump(far_in, near_out, &shared.back)
        )
    };
    tokio::select! {
        _ = both => {}
        _ = cut.recv() => {}
    }
}

/// Carries one direction until its end.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, count: &AtomicU64) {
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(many @ 1..) = from.read(&mut piece).await {
        count.fetch_add(many as u64, Ordering::Relaxed);
        if to.write_all(&piece[..many]).await.is_err() {
            return;
        }
    }
    to.shutdown().await.ok();
}
