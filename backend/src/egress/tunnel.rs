//! One connection of a session: reads what it asks for, opens the way or refuses in words, then moves bytes.
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use slipway_core::limits;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};

use super::Proxy;
use super::dial::{self, Failure};
use super::rules::Target;

const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
const PIECE_BYTES: usize = 32 * 1024;

/// What a connection came to, for the log.
pub(super) struct Done {
    pub(super) target: Option<Target>,
    pub(super) verdict: &'static str,
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Done {
    fn refused(target: Option<Target>, verdict: &'static str) -> Self {
        Self {
            target,
            verdict,
            sent: 0,
            received: 0,
        }
    }
}

/// Serves one connection to its end.
pub(super) async fn serve(proxy: &Proxy, mut client: UnixStream) -> Done {
    let Ok(Ok(head)) = tokio::time::timeout(HEAD_TIMEOUT, read_head(&mut client)).await else {
        answer(
            &mut client,
            "400 Bad Request",
            "the request did not arrive whole",
        )
        .await;
        return Done::refused(None, "malformed");
    };
    let Some(request) = Request::parse(&head) else {
        answer(
            &mut client,
            "400 Bad Request",
            "this is a proxy: it takes CONNECT and http:// addresses",
        )
        .await;
        return Done::refused(None, "malformed");
    };
    let target = request.target;
    let mut server = match dial::connect(&proxy.rules, proxy.upstream.as_ref(), &target).await {
        Ok(server) => server,
        Err(Failure::Refused(reason)) => {
            let text = format!(
                "{}:{} may not be reached: {reason}",
                target.host, target.port
            );
            answer(&mut client, "403 Forbidden", &text).await;
            return Done::refused(Some(target), "refused");
        }
        Err(Failure::Unreachable(reason)) => {
            let text = format!("{}:{} was not reached: {reason}", target.host, target.port);
            answer(&mut client, "502 Bad Gateway", &text).await;
            return Done::refused(Some(target), "unreachable");
        }
    };
    let begun = match &request.forward {
        None => {
            client
                .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                .await
        }
        Some(head) => server.write_all(head).await,
    };
    let (sent, received) = (AtomicU64::new(0), AtomicU64::new(0));
    if begun.is_ok() {
        relay(client, server, &request.rest, &sent, &received).await;
    }
    Done {
        target: Some(target),
        verdict: "allowed",
        sent: sent.into_inner(),
        received: received.into_inner(),
    }
}

struct Request {
    target: Target,
    /// The head to send on, for a plain request; a tunnel has none.
    forward: Option<Vec<u8>>,
    /// What came behind the head.
    rest: Vec<u8>,
}

impl Request {
    fn parse(read: &[u8]) -> Option<Self> {
        let end = head_end(read)?;
        let rest = read[end..].to_vec();
        let head = std::str::from_utf8(&read[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, address, version) = (words.next()?, words.next()?, words.next()?);
        if words.next().is_some() || !version.starts_with("HTTP/1.") {
            return None;
        }
        if method == "CONNECT" {
            let target = Target::parse(address, None)?;
            return Some(Self {
                target,
                forward: None,
                rest,
            });
        }
        let without_scheme = address.strip_prefix("http://")?;
        let at = without_scheme
            .find(['/', '?'])
            .unwrap_or(without_scheme.len());
        let (authority, path) = without_scheme.split_at(at);
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut forward = format!("{method} {slash}{path} {version}\r\n");
        for line in lines.filter(|line| !line.is_empty()) {
            let name = line
                .split(':')
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            // One request a connection, so that the next one is judged again.
            if !name.starts_with("proxy-") && name != "connection" && name != "keep-alive" {
                forward.push_str(line);
                forward.push_str("\r\n");
            }
        }
        forward.push_str("Connection: close\r\n\r\n");
        Some(Self {
            target: Target::parse(authority, Some(80))?,
            forward: Some(forward.into_bytes()),
            rest,
        })
    }
}

fn head_end(read: &[u8]) -> Option<usize> {
    read.windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|at| at + 4)
}

async fn read_head(client: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut read = Vec::with_capacity(1024);
    while head_end(&read).is_none() {
        if read.len() > limits::EGRESS_HEAD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if client.read_buf(&mut read).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    Ok(read)
}

async fn answer(client: &mut UnixStream, status: &str, text: &str) {
    let body = format!("slipway: {text}\n");
    let whole = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // The client may have gone; there is nobody else to tell.
    client.write_all(whole.as_bytes()).await.ok();
}

/// Moves bytes both ways until both have ended, one fails, or nothing moves for too long.
async fn relay(
    client: UnixStream,
    server: TcpStream,
    early: &[u8],
    sent: &AtomicU64,
    received: &AtomicU64,
) {
    let (client_read, client_write) = client.into_split();
    let (server_read, mut server_write) = server.into_split();
    if !early.is_empty() {
        if server_write.write_all(early).await.is_err() {
            return;
        }
        sent.fetch_add(early.len() as u64, Ordering::Relaxed);
    }
    let moved = async {
        tokio::try_join!(
            pump(client_read, server_write, sent),
            pump(server_read, client_write, received)
        )
        .map(drop)
    };
    let idle = async {
        let total = || sent.load(Ordering::Relaxed) + received.load(Ordering::Relaxed);
        loop {
            let before = total();
            tokio::time::sleep(Duration::from_secs(limits::EGRESS_IDLE_S)).await;
            if total() == before {
                return;
            }
        }
    };
    tokio::select! {
        _ = moved => {}
        () = idle => {}
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    count: &AtomicU64,
) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&piece[..read]).await?;
        count.fetch_add(read as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Request;

    #[test]
    fn a_plain_request_is_sent_on_without_what_was_meant_for_the_proxy() {
        let request = Request::parse(
            b"GET http://host.example/a?b HTTP/1.1\r\nHost: host.example\r\nProxy-Authorization: x\r\nConnection: keep-alive\r\n\r\nrest",
        )
        .expect("request");
        assert_eq!(
            (&*request.target.host, request.target.port),
            ("host.example", 80)
        );
        let forward = String::from_utf8(request.forward.expect("head")).expect("text");
        assert_eq!(
            forward,
            "GET /a?b HTTP/1.1\r\nHost: host.example\r\nConnection: close\r\n\r\n"
        );
        assert_eq!(request.rest, b"rest");
    }

    #[test]
    fn what_is_no_proxy_request_is_none() {
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT HTTP/1.1\r\n\r\n",
            "CONNECT a:1 HTTP/2\r\n\r\n",
            "\r\n\r\n",
            "GET ftp://a/ HTTP/1.1\r\n\r\n",
            "CONNECT a:1 b HTTP/1.1\r\n\r\n",
        ] {
            assert!(Request::parse(bad.as_bytes()).is_none(), "{bad:?}");
        }
    }
}
