//! The only way out: connections to a loopback port inside the sandbox go to the server's proxy on a Unix socket.
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use tokio::net::{TcpListener, UnixStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Where programs find the proxy.
pub const PROXY_ADDRESS: &str = "127.0.0.1:3128";
/// Connections at once; npm opens 50.
const CONNECTIONS_MAX: usize = 256;
/// Rest after a failed accept, as when file descriptors run out.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Relays connections until told to stop.
///
/// # Errors
/// When the port cannot be listened on.
pub async fn relay(
    address: &str,
    proxy: PathBuf,
    tasks: TaskTracker,
    stop: CancellationToken,
) -> io::Result<()> {
    let address: std::net::SocketAddr = address.parse().map_err(io::Error::other)?;
    let listener = TcpListener::bind(address).await?;
    let open = std::sync::Arc::new(tokio::sync::Semaphore::new(CONNECTIONS_MAX));
    loop {
        let permit = open
            .clone()
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => return Ok(()),
        };
        let Ok((mut inside, _)) = accepted else {
            tokio::time::sleep(ACCEPT_REST).await;
            continue;
        };
        let proxy = proxy.clone();
        let stop = stop.clone();
        tasks.spawn(async move {
            let _permit = permit;
            let relayed = async {
                let mut outside = UnixStream::connect(proxy).await?;
                tokio::io::copy_bidirectional(&mut inside, &mut outside).await
            };
            tokio::select! {
                relayed = relayed => if let Err(error) = relayed {
                    tracing::debug!(%error, "An outgoing connection broke");
                },
                () = stop.cancelled() => {}
            }
        });
    }
}
