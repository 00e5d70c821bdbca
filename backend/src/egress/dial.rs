//! From a judged name to a connection: resolves the name itself and connects to the address that it has judged,
//! so that a second answer of the name's server changes nothing.
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::address::is_public;
use super::rules::{EgressError, Rules, Target, Verdict};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const UPSTREAM_ANSWER_BYTES_MAX: usize = 8 * 1024;

/// Why there is no connection; for people.
pub(super) enum Failure {
    /// Not allowed.
    Refused(&'static str),
    /// Allowed, but not reached.
    Unreachable(String),
}

/// Another proxy through which the machine itself reaches the world.
#[derive(Clone)]
pub(super) struct Upstream {
    address: Target,
    credentials: Option<String>,
}

impl Upstream {
    pub(super) fn parse(url: &str) -> Result<Self, EgressError> {
        let rest = url.strip_prefix("http://").ok_or(EgressError::Upstream)?;
        let rest = rest.trim_end_matches('/');
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, rest),
        };
        Ok(Self {
            address: Target::parse(address, Some(80)).ok_or(EgressError::Upstream)?,
            credentials: credentials
                .map(|text| base64::engine::general_purpose::STANDARD.encode(text)),
        })
    }
}

/// Connects to a target, or tells why not.
pub(super) async fn connect(
    rules: &Rules,
    upstream: Option<&Upstream>,
    target: &Target,
) -> Result<TcpStream, Failure> {
    let verdict = rules.judge(target);
    if let Verdict::Refused(reason) = verdict {
        return Err(Failure::Refused(reason));
    }
    let resolved = resolve(target).await;
    if let Some(upstream) = upstream {
        if verdict == Verdict::Public && resolved.is_ok_and(|found| !all_public(&found)) {
            return Err(Failure::Refused(PRIVATE));
        }
        return through(upstream, target).await.map_err(|error| {
            Failure::Unreachable(format!("the server's upstream proxy: {error}"))
        });
    }
    let mut addresses = resolved
        .map_err(|error| Failure::Unreachable(format!("the name was not found: {error}")))?;
    if verdict == Verdict::Public {
        addresses.retain(|address| is_public(address.ip()));
        if addresses.is_empty() {
            return Err(Failure::Refused(PRIVATE));
        }
    }
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match timely(TcpStream::connect(address)).await {
            Ok(stream) => {
                stream.set_nodelay(true).ok();
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(Failure::Unreachable(last.to_string()))
}

const PRIVATE: &str = "its address is not on the public Internet; an administrator can list the host with --egress-allow";

/// Whether an upstream proxy, which chooses among a name's addresses itself, can only choose public ones. A name that
/// this machine cannot resolve, as where only the upstream knows outer names, is not judged: such an upstream must refuse
/// private addresses by itself.
fn all_public(addresses: &[SocketAddr]) -> bool {
    addresses.iter().all(|address| is_public(address.ip()))
}

async fn resolve(target: &Target) -> io::Result<Vec<SocketAddr>> {
    let found = timely(tokio::net::lookup_host((&*target.host, target.port))).await?;
    Ok(found.collect())
}

async fn timely<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Asks the upstream proxy for a tunnel.
async fn through(upstream: &Upstream, target: &Target) -> io::Result<TcpStream> {
    timely(async {
        let address = (&*upstream.address.host, upstream.address.port);
        let mut stream = TcpStream::connect(address).await?;
        let host = if target.host.contains(':') {
            format!("[{}]", target.host)
        } else {
            target.host.clone()
        };
        let authorization = upstream
            .credentials
            .as_ref()
            .map(|text| format!("Proxy-Authorization: Basic {text}\r\n"))
            .unwrap_or_default();
        let port = target.port;
        let request =
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            // Byte by byte: what follows the answer belongs to the tunnel.
            answer.push(stream.read_u8().await?);
            if answer.len() > UPSTREAM_ANSWER_BYTES_MAX {
                return Err(io::Error::other("it answered without end"));
            }
        }
        let text = String::from_utf8_lossy(&answer);
        let status = text.split(' ').nth(1).unwrap_or_default();
        if !status.starts_with('2') {
            return Err(io::Error::other(format!("it answered {status}")));
        }
        Ok(stream)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::all_public;

    #[test]
    fn a_name_with_one_private_address_is_not_public() {
        let addresses = |texts: &[&str]| -> Vec<_> {
            texts.iter().map(|text| text.parse().expect(text)).collect()
        };
        assert!(all_public(&addresses(&[
            "1.1.1.1:443",
            "[2606:4700::1]:443"
        ])));
        assert!(!all_public(&addresses(&["1.1.1.1:443", "10.0.0.1:443"])));
        assert!(!all_public(&addresses(&["[::1]:443"])));
    }
}
