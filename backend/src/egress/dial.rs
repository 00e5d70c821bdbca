//! From a judged name to a connection: resolves the name itself and connects to the address that it has judged, through
//! another proxy or not, so that a second answer of the name's server changes nothing.
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
    /// Whether it is handed names and judges their addresses itself.
    resolves: bool,
}

impl Upstream {
    pub(super) fn parse(url: &str, resolves: bool) -> Result<Self, EgressError> {
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
            resolves,
        })
    }
}

/// Connects to a target, or tells why not.
pub(super) async fn connect(
    rules: &Rules,
    upstream: Option<&Upstream>,
    target: &Target,
) -> Result<TcpStream, Failure> {
    let listed = match rules.judge(target) {
        Verdict::Refused(reason) => return Err(Failure::Refused(reason)),
        Verdict::Listed => true,
        Verdict::Public => false,
    };
    if let Some(upstream) = upstream
        && (listed || upstream.resolves)
    {
        // By name: an administrator trusts it, or trusts the upstream. What is private by this machine's own word is
        // refused all the same.
        let known = if listed {
            Ok(Vec::new())
        } else {
            resolve(target).await
        };
        if known.is_ok_and(|known| known.iter().any(|address| !is_public(address.ip()))) {
            return Err(Failure::Refused(PRIVATE));
        }
        return through(upstream, &target.host, target.port).await;
    }
    let mut last = Failure::Unreachable("the name has no address".to_owned());
    for address in judged(target, listed).await? {
        let tried = match upstream {
            Some(upstream) => through(upstream, &address.ip().to_string(), address.port()).await,
            None => direct(address).await,
        };
        match tried {
            Ok(stream) => return Ok(stream),
            Err(failure) => last = failure,
        }
    }
    Err(last)
}

/// The addresses of a target that may be reached.
async fn judged(target: &Target, listed: bool) -> Result<Vec<SocketAddr>, Failure> {
    let mut addresses = resolve(target)
        .await
        .map_err(|error| Failure::Unreachable(format!("the name was not found: {error}")))?;
    if !listed {
        addresses.retain(|address| is_public(address.ip()));
        if addresses.is_empty() {
            return Err(Failure::Refused(PRIVATE));
        }
    }
    Ok(addresses)
}

async fn direct(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = timely(TcpStream::connect(address)).await;
    let stream = stream.map_err(|error| Failure::Unreachable(error.to_string()))?;
    stream.set_nodelay(true).ok();
    Ok(stream)
}

const PRIVATE: &str = "its address is not on the public Internet; an administrator can list the host with --egress-allow";

async fn resolve(target: &Target) -> io::Result<Vec<SocketAddr>> {
    let found = timely(tokio::net::lookup_host((&*target.host, target.port))).await?;
    Ok(found.collect())
}

async fn timely<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, work)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Asks the upstream proxy for a tunnel to a name or an address.
async fn through(upstream: &Upstream, host: &str, port: u16) -> Result<TcpStream, Failure> {
    timely(tunnel(upstream, host, port))
        .await
        .map_err(|error| Failure::Unreachable(format!("the server's upstream proxy: {error}")))
}

async fn tunnel(upstream: &Upstream, host: &str, port: u16) -> io::Result<TcpStream> {
    let address = (&*upstream.address.host, upstream.address.port);
    let mut stream = TcpStream::connect(address).await?;
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let authorization = upstream
        .credentials
        .as_ref()
        .map(|text| format!("Proxy-Authorization: Basic {text}\r\n"))
        .unwrap_or_default();
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
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;
    use crate::config::EgressMode;

    /// What an upstream proxy is asked for when a session asks for a target; `None` when it is not asked at all.
    async fn asked(target: &str, allow: &[&str], resolves: bool) -> Option<String> {
        let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", proxy.local_addr().unwrap());
        let upstream = Upstream::parse(&url, resolves).unwrap();
        let allow: Vec<String> = allow.iter().map(|text| (*text).to_owned()).collect();
        let rules = Rules::new(EgressMode::Internet, &allow).unwrap();
        let target = Target::parse(target, None).unwrap();
        let answering = async {
            let (mut stream, _) = proxy.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let head = String::from_utf8(head).unwrap();
            head.split(' ').nth(1).unwrap().to_owned()
        };
        let connected = connect(&rules, Some(&upstream), &target);
        tokio::pin!(answering);
        tokio::select! {
            asked = &mut answering => Some(asked),
            connected = connected => match connected {
                Ok(_) => Some(answering.await),
                Err(_) => None,
            },
        }
    }

    #[tokio::test]
    async fn an_upstream_is_handed_the_address_that_was_judged() {
        // A second answer to the same question could be another one, and the upstream would be the one to ask it.
        assert_eq!(
            asked("1.1.1.1:443", &[], false).await.as_deref(),
            Some("1.1.1.1:443")
        );
        assert_eq!(
            asked("[2606:4700::1]:443", &[], false).await.as_deref(),
            Some("[2606:4700::1]:443")
        );
        for inner in ["localhost:80", "127.0.0.1:443", "[::1]:443"] {
            for resolves in [false, true] {
                assert_eq!(asked(inner, &[], resolves).await, None, "{inner}");
            }
        }
    }

    #[tokio::test]
    async fn an_upstream_is_handed_a_name_that_an_administrator_trusts_or_all_when_it_judges_itself()
     {
        let listed = asked("mirror.invalid:443", &["mirror.invalid"], false).await;
        assert_eq!(listed.as_deref(), Some("mirror.invalid:443"));
        let all = asked("any.invalid:443", &[], true).await;
        assert_eq!(all.as_deref(), Some("any.invalid:443"));
    }
}
