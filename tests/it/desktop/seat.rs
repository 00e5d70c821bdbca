//! `Seat`: the app without its window, at which a test sits: what the page asks, hears and is told.
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bytes::Bytes;
use clap::Parser as _;
use http::{Request, Response};
use prost::Message as _;
use rustix::process::{Pid, Signal};
use serde_json::{Value, json};
use slipway_api::desktop::{ConnectionState, Told};
use slipway_desktop::config::Config;
use slipway_desktop::gateway::{Gateway, Wire};
use slipway_proto::v1::{self, ws_client, ws_server};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::lab::PATIENCE;

/// Of every account that `Lab::user` makes.
pub(super) const PASSWORD: &str = "quiet tide at seven bells";

pub(super) struct Seat {
    folder: tempfile::TempDir,
    pub(super) gateway: Gateway,
    told: Receiver<Told>,
}

/// A command that goes on beside the app.
pub(super) struct Begun {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Begun {
    /// Waits for something that is told.
    pub(super) async fn until(&mut self, is: impl Fn(&Value) -> bool) {
        let found = async {
            while let Some(line) = self.lines.next_line().await.expect("lines") {
                if is(&serde_json::from_str(&line).expect("an object")) {
                    return;
                }
            }
            panic!("it ended before");
        };
        tokio::time::timeout(PATIENCE, found)
            .await
            .expect("in time");
    }

    /// Ctrl-C.
    pub(super) async fn end(mut self) {
        let pid = Pid::from_raw(self.child.id().expect("it runs").cast_signed());
        rustix::process::kill_process(pid.expect("a process"), Signal::INT).expect("it runs");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        ended.expect("in time").expect("an end");
    }
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) etag: Option<String>,
    pub(super) body: Bytes,
}

impl Said {
    fn of(response: Response<Bytes>) -> Self {
        let etag = response.headers().get("etag");
        Self {
            status: response.status().as_u16(),
            etag: etag.map(|etag| etag.to_str().expect("text").to_owned()),
            body: response.into_body(),
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The answer to what worked.
    pub(super) fn done(self) -> Value {
        assert!((200..300).contains(&self.status), "{self:?}");
        if self.body.is_empty() {
            Value::Null
        } else {
            self.json()
        }
    }

    /// The code of a refusal.
    pub(super) fn code(&self) -> String {
        assert!(self.status >= 400, "{self:?}");
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

impl Seat {
    pub(super) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let gateway = start(folder.path()).await;
        let told = gateway.told();
        Self {
            folder,
            gateway,
            told,
        }
    }

    /// The app is closed and opened again.
    pub(super) async fn again(&mut self) {
        self.gateway.stop().await;
        self.gateway = start(self.folder.path()).await;
        self.told = self.gateway.told();
    }

    /// Below the folder in which the person works.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("home").join(name)
    }

    /// The private state folder.
    pub(super) fn state(&self) -> PathBuf {
        self.folder.path().join("state/slipway")
    }

    /// What the command line says beside the app, with `--json`: the exit code, its objects, and what it says of errors.
    pub(super) async fn command(&self, arguments: &[&str]) -> (i32, Vec<Value>, String) {
        let output = self.equipped(arguments).output();
        let output = tokio::time::timeout(PATIENCE, output)
            .await
            .expect("in time");
        let output = output.expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let objects = text(&output.stdout);
        let objects = objects
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        let code = output.status.code().expect("an end");
        (code, objects.collect(), text(&output.stderr))
    }

    /// A command that goes on.
    pub(super) fn begin(&self, arguments: &[&str]) -> Begun {
        let mut command = self.equipped(arguments);
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("a pipe");
        Begun {
            child,
            lines: BufReader::new(stdout).lines(),
        }
    }

    fn equipped(&self, arguments: &[&str]) -> Command {
        #[derive(clap::Parser)]
        struct Flags {
            #[arg(long, env = "SLIPWAY_TEST_COMMAND")]
            command: PathBuf,
        }
        let flags = Flags::try_parse_from(["seat"]).expect("as `cargo xtask test` does");
        let mut command = Command::new(flags.command);
        command
            .args(arguments)
            .arg("--json")
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .kill_on_drop(true);
        command
    }

    pub(super) async fn ask(&self, method: &str, path: &str) -> Said {
        self.send(method, path, &[], Bytes::new()).await
    }

    pub(super) async fn say(&self, method: &str, path: &str, body: Value) -> Said {
        let kind = ("content-type", "application/json");
        self.send(method, path, &[kind], body.to_string().into())
            .await
    }

    pub(super) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Said {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).expect("a request");
        let answer = tokio::time::timeout(PATIENCE, self.gateway.exchange(request)).await;
        Said::of(answer.expect("in time"))
    }

    pub(super) async fn choose(&self, server: &str) -> Said {
        self.say("PUT", "/desktop/server", json!({ "address": server }))
            .await
    }

    /// Signs in with the token in a file.
    pub(super) async fn sign_in(&self, name: &str) -> Said {
        let body = json!({ "email": format!("{name}@example.org"), "password": PASSWORD });
        let headers = [
            ("content-type", "application/json"),
            ("slipway-token-kept", "file"),
        ];
        self.send("POST", "/sign-in", &headers, body.to_string().into())
            .await
    }

    /// Waits for something that the page is told.
    pub(super) async fn until_told(&mut self, is: impl Fn(&Told) -> bool) -> Told {
        let told = async {
            loop {
                match self.told.recv().await {
                    Ok(told) if is(&told) => return told,
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => panic!("it ended"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, told).await.expect("in time")
    }

    /// Waits until a file has this text; it is looked at whenever something moved.
    pub(super) async fn until_read(&mut self, path: &Path, text: &str) {
        while std::fs::read(path).ok().as_deref() != Some(text.as_bytes()) {
            self.until_told(|told| matches!(told, Told::Sync { .. }))
                .await;
        }
    }

    /// Waits until it stands so with the server.
    pub(super) async fn stands(&mut self, wanted: ConnectionState) {
        let is = |told: &Told| matches!(told, Told::Connection { state, .. } if *state == wanted);
        if !is(&self.gateway.standing()) {
            self.until_told(is).await;
        }
    }
}

async fn start(folder: &Path) -> Gateway {
    #[derive(clap::Parser)]
    struct Flags {
        #[arg(long, env = "SLIPWAY_TEST_AGENT")]
        agent: PathBuf,
    }
    let flags = Flags::try_parse_from(["seat"]);
    let config = Config {
        state: folder.join("state/slipway"),
        host: "laptop".to_owned(),
        display: false,
        home: folder.join("home"),
        own: Some(folder.to_owned()),
        agents: vec![flags.expect("as `cargo xtask test` does").agent],
        windows: Vec::new(),
        login: Vec::new(),
    };
    std::fs::create_dir_all(&config.home).expect("a folder to work in");
    Gateway::start(&config).await.expect("a gateway")
}

/// The page's socket.
pub(super) struct Page {
    wire: Wire,
}

impl Page {
    pub(super) fn open(seat: &Seat) -> Self {
        Self {
            wire: seat.gateway.wire(),
        }
    }

    pub(super) async fn send(&self, stream: u32, body: ws_client::Body) {
        let frame = v1::WsClient {
            stream,
            body: Some(body),
        };
        let sent = self.wire.to.send(frame.encode_to_vec().into()).await;
        sent.expect("the wire is open");
    }

    pub(super) async fn subscribe(&self, stream: u32, workspace: &str) {
        let workspace_id = workspace.to_owned();
        let wanted = v1::SubscribeEvents { workspace_id };
        self.send(stream, ws_client::Body::Subscribe(wanted)).await;
    }

    pub(super) async fn next(&mut self) -> (u32, ws_server::Body) {
        let frame = tokio::time::timeout(PATIENCE, self.wire.from.recv()).await;
        let frame = frame.expect("in time").expect("the wire is open");
        let frame = v1::WsServer::decode(frame).expect("a frame");
        (frame.stream, frame.body.expect("a body"))
    }

    /// Waits for a frame.
    pub(super) async fn until<T>(&mut self, is: impl Fn(u32, ws_server::Body) -> Option<T>) -> T {
        loop {
            let (stream, body) = self.next().await;
            if let Some(found) = is(stream, body) {
                return found;
            }
        }
    }

    /// Waits until a stream ends; its code.
    pub(super) async fn closed(&mut self, wanted: u32) -> String {
        self.until(|stream, body| match body {
            ws_server::Body::Closed(closed) if stream == wanted => Some(closed.code),
            _ => None,
        })
        .await
    }
}
