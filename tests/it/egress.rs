//! The way out of a session, from inside: what is refused and in which words, what a list opens, and what is logged.
//! Nothing here leaves the machine: who is reached is a server of the test on loopback.
use std::io::Write;
use std::sync::{Arc, Mutex};

use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::id::WorkspaceId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tracing_subscriber::fmt::MakeWriter;

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

/// Somebody with a session in which everything goes through the proxy.
struct Scene {
    ana: Client,
    socket: Socket,
    workspace: WorkspaceId,
    _lab: Lab,
}

impl Scene {
    async fn open(flags: &[&str]) -> Self {
        let lab = Lab::with_flags(flags).await;
        let ana = lab.user("ana").await;
        let socket = Socket::connect(&ana).await.expect("a socket");
        let workspace = ana.empty_workspace().await;
        Self {
            ana,
            socket,
            workspace,
            _lab: lab,
        }
    }

    /// Fetches an address as any program does; what it is answered.
    async fn fetch(&self, url: &str) -> String {
        // Not past the proxy, although the proxy says so of loopback.
        let line = format!("env -u no_proxy -u NO_PROXY curl -sS -m 20 '{url}' 2>&1");
        let run = self.ana.command(self.workspace, &line).await;
        let run = run.expect("a run").id;
        self.ana.finished(&self.socket, self.workspace, run).await;
        let output = self.ana.run_output(run).await.expect("an output");
        String::from_utf8_lossy(&output).into_owned()
    }

    /// Asks the proxy for a tunnel; the first line and the body of its answer.
    async fn connect(&self, target: &str) -> String {
        let line = format!(
            "exec 3<>/dev/tcp/127.0.0.1/3128 && printf 'CONNECT {target} HTTP/1.1\\r\\n\\r\\n' >&3 && cat <&3"
        );
        let run = self.ana.command(self.workspace, &line).await;
        let run = run.expect("a run").id;
        self.ana.finished(&self.socket, self.workspace, run).await;
        let output = self.ana.run_output(run).await.expect("an output");
        String::from_utf8_lossy(&output).into_owned()
    }
}

/// A server on loopback that answers every request the same; its port.
async fn answering(body: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = [0; 4096];
                let mut read = 0;
                while !head[..read].ends_with(b"\r\n\r\n") {
                    match client.read(&mut head[read..]).await {
                        Ok(bytes) if bytes > 0 => read += bytes,
                        _ => return,
                    }
                }
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                client.write_all(answer.as_bytes()).await.ok();
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_public_is_refused_in_words() {
    let scene = Scene::open(&["--egress=internet"]).await;
    for target in [
        "127.0.0.1:80",
        "localhost:80",
        "[::1]:443",
        "0.0.0.0:80",
        "169.254.169.254:80",
        "10.0.0.1:443",
        "172.16.0.1:80",
        "192.168.1.1:443",
        "[::ffff:10.0.0.1]:443",
        "[fd00::1]:443",
    ] {
        let answer = scene.connect(target).await;
        assert!(answer.contains("403 Forbidden"), "{target}: {answer}");
        let words = "may not be reached: its address is not on the public Internet";
        assert!(answer.contains(words), "{target}: {answer}");
    }
    let answer = scene.connect("127.0.0.1:5432").await;
    assert!(answer.contains("ports 80 and 443 only"), "{answer}");
    // The way of a program that knows no tunnels.
    let answer = scene.fetch("http://169.254.169.254/latest/meta-data").await;
    assert!(
        answer.contains("169.254.169.254:80 may not be reached"),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listed_host_is_reached_another_is_not_and_what_is_said_is_not_logged() {
    let logged = Logged::default();
    let listed = answering("the tide turns at noon").await;
    let other = answering("nobody sees this").await;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(logged.clone())
        .finish();
    // The server logs on threads of its own, so the log is everybody's; this is the only test that asks for one.
    tracing::subscriber::set_global_default(subscriber).expect("the first log");
    let allow = format!("--egress-allow=127.0.0.1:{listed}");
    let scene = Scene::open(&["--egress=listed", &allow]).await;
    let answer = scene
        .fetch(&format!("http://127.0.0.1:{listed}/secret-path?token=1"))
        .await;
    assert!(answer.contains("the tide turns at noon"), "{answer}");
    let answer = scene.fetch(&format!("http://127.0.0.1:{other}/")).await;
    assert!(answer.contains("listed hosts only"), "{answer}");
    assert!(!answer.contains("nobody sees this"), "{answer}");
    for (port, verdict) in [(listed, "allowed"), (other, "refused")] {
        let wanted = [
            format!("egress.port={port}"),
            format!("egress.verdict=\"{verdict}\""),
        ];
        let written = async {
            // waits: the log tells nobody; a connection is in it once it is over
            while !logged
                .text()
                .lines()
                .any(|line| wanted.iter().all(|one| line.contains(one)))
            {
                tokio::task::yield_now().await;
            }
        };
        let written = tokio::time::timeout(PATIENCE, written).await;
        assert!(written.is_ok(), "{wanted:?}: {}", logged.text());
    }
    let log = logged.text();
    for content in ["secret-path", "token=1", "the tide turns"] {
        let mut about = log.lines().filter(|line| line.contains("egress."));
        assert!(!about.any(|line| line.contains(content)), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_egress_there_is_no_way_out_at_all() {
    let listed = answering("the tide turns at noon").await;
    let allow = format!("--egress-allow=127.0.0.1:{listed}");
    let scene = Scene::open(&["--egress=none", &allow]).await;
    let answer = scene.fetch(&format!("http://127.0.0.1:{listed}/")).await;
    assert!(!answer.contains("the tide turns"), "{answer}");
    let answer = scene.connect(&format!("127.0.0.1:{listed}")).await;
    assert!(answer.contains("Connection refused"), "{answer}");
}

/// A log that can be read back.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("a log")).into_owned()
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a log").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logged {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
