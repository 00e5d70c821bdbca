//! The program behind WebDriver, on a display of its own: a handful of JSON requests.
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::command_line::desk::Desk;

/// WebDriver's name for a reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// A machine that also builds is slow to start a web view.
const START: Duration = Duration::from_secs(60);
/// What the driver itself takes, at most.
const ANSWER: Duration = Duration::from_secs(20);

/// A driver, its display and the program that it started.
pub(super) struct Driver {
    http: reqwest::Client,
    base: String,
    session: String,
    display: String,
    driver: Child,
    screen: Child,
}

/// Why the driver did not do it.
#[derive(Debug)]
pub(super) struct Fault(#[expect(dead_code, reason = "shown by Debug")] pub(super) String);

impl Driver {
    /// Starts the program with these arguments; what it says goes to a file.
    pub(super) async fn start(
        desk: &Desk,
        arguments: &[&str],
        around: &[(String, String)],
        says: &Path,
    ) -> Self {
        // Another client of this test may have chosen it before.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (screen, display) = screen();
        let port = free_port();
        let says = || {
            std::fs::File::options()
                .create(true)
                .append(true)
                .open(says)
        };
        let mut driver = std::process::Command::new("WebKitWebDriver");
        driver
            .arg(format!("--port={port}"))
            .env_clear()
            .envs(desk.environment())
            .envs(around.iter().cloned())
            .env("DISPLAY", &display)
            .envs(agent(desk.program()))
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .current_dir(desk.path(""))
            .stdin(Stdio::null())
            .stdout(says().expect("a file"))
            .stderr(says().expect("a file"));
        let driver = driver.spawn().expect("WebKitWebDriver is installed");
        let mut this = Self {
            http: reqwest::Client::builder()
                // A script of a page that goes away meanwhile is never answered.
                .timeout(ANSWER)
                .build()
                .expect("a client"),
            base: format!("http://127.0.0.1:{port}"),
            session: String::new(),
            display,
            driver,
            screen,
        };
        let options = json!({ "binary": desk.program(), "args": arguments });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "webkitgtk:browserOptions": options } } });
        let started = async {
            while this.ask(Method::GET, "/status", None).await.is_err() {
                tokio::time::sleep(super::MOMENT).await; // waits: a driver tells nobody that it listens
            }
            this.ask(Method::POST, "/session", Some(wanted)).await
        };
        let started = tokio::time::timeout(START, started).await;
        let started = started.expect("in time").expect("the program starts");
        let session = started["sessionId"].as_str().expect("a session");
        this.session = format!("/session/{session}");
        this
    }

    /// Where the window is shown.
    pub(super) fn display(&self) -> &str {
        &self.display
    }

    /// The process of the program, while it lives.
    pub(super) fn program(&self) -> Option<rustix::process::Pid> {
        let children = format!("/proc/{0}/task/{0}/children", self.driver.id());
        let children = std::fs::read_to_string(children).ok()?;
        let pid = children.split_whitespace().next()?.parse().ok()?;
        rustix::process::Pid::from_raw(pid)
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Fault> {
        let url = format!("{}{path}", self.base);
        let request = self.http.request(method, url);
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        let fault = |error: reqwest::Error| Fault(error.to_string());
        let answer = request.send().await.map_err(fault)?;
        let fine = answer.status().is_success();
        let mut answer: Value = answer.json().await.map_err(fault)?;
        let value = answer["value"].take();
        if fine {
            Ok(value)
        } else {
            Err(Fault(format!("{}: {}", value["error"], value["message"])))
        }
    }

    async fn post(&self, path: &str, body: Value) -> Result<Value, Fault> {
        let path = format!("{}{path}", self.session);
        self.ask(Method::POST, &path, Some(body)).await
    }

    /// What a script of the page returns.
    pub(super) async fn script(&self, script: &str, arguments: &[Value]) -> Result<Value, Fault> {
        let body = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", body).await
    }

    /// Clicks in the middle of an element.
    pub(super) async fn click(&self, element: &Value, times: usize) -> Result<(), Fault> {
        let button = |kind| json!({ "type": kind, "button": 0 });
        let mut acts = vec![json!({ "type": "pointerMove", "origin": element, "x": 0, "y": 0 })];
        for _ in 0..times {
            acts.extend([button("pointerDown"), button("pointerUp")]);
        }
        let mouse = json!({ "type": "pointer", "id": "mouse", "actions": acts });
        self.post("/actions", json!({ "actions": [mouse] })).await?;
        Ok(())
    }

    /// Presses keys: each item is held together, in its order.
    pub(super) async fn keys(&self, chords: &[Vec<char>]) -> Result<(), Fault> {
        let key = |kind: &str, value: &char| json!({ "type": kind, "value": value });
        let mut acts = Vec::new();
        for chord in chords {
            acts.extend(chord.iter().map(|one| key("keyDown", one)));
            acts.extend(chord.iter().rev().map(|one| key("keyUp", one)));
        }
        let keys = json!({ "type": "key", "id": "keys", "actions": acts });
        self.post("/actions", json!({ "actions": [keys] })).await?;
        Ok(())
    }

    /// A picture of the page, in base64. WebKit waits for the next frame, which a page at rest does not draw by itself.
    pub(super) async fn picture(&self) -> Result<String, Fault> {
        let draw = "const { style } = document.documentElement;\n\
                    return setInterval(() => { style.opacity = style.opacity ? '' : '0.999'; }, 50);";
        let drawing = self.script(draw, &[]).await?;
        let path = format!("{}/screenshot", self.session);
        let picture = self.ask(Method::GET, &path, None).await?;
        let rest = "clearInterval(arguments[0]);\n\
                    document.documentElement.style.opacity = '';";
        self.script(rest, &[drawing]).await?;
        Ok(picture.as_str().unwrap_or_default().to_owned())
    }

    /// Whether a value is a reference to an element.
    pub(super) fn is_element(value: &Value) -> bool {
        value.get(ELEMENT).is_some()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(program) = self.program() {
            rustix::process::kill_process(program, rustix::process::Signal::KILL).ok();
        }
        for child in [&mut self.driver, &mut self.screen] {
            child.kill().ok();
            child.wait().ok();
        }
    }
}

/// An X server of this test's own, and its name.
/// Where a program that was built finds the agent; one that is installed brings its own.
fn agent(program: &Path) -> Option<(&'static str, PathBuf)> {
    let is_installed = program.starts_with("/usr");
    (!is_installed).then(|| ("SLIPWAY_AGENT", crate::beside::test_agent()))
}

fn screen() -> (Child, String) {
    let mut screen = std::process::Command::new("Xvfb")
        .args([
            "-displayfd",
            "1",
            "-screen",
            "0",
            "1280x900x24",
            "-nolisten",
            "tcp",
            // Else it begins anew once its last client has left, and throws out whoever comes in that moment.
            "-noreset",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("Xvfb is installed");
    let mut number = String::new();
    BufReader::new(screen.stdout.take().expect("a pipe"))
        .read_line(&mut number)
        .expect("it tells its number");
    (screen, format!(":{}", number.trim()))
}

/// A port that nobody listens on now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}
