//! The desktop program as people use it: the real binary on a display of its own, driven through WebKitWebDriver.
//! Pictures of each screen stay in `target/desktop-shots`.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use slipway_api::file::{Kind, Tree};
use slipway_api::workspace::Template;
use slipway_client::rest::Client;
use slipway_core::id::WorkspaceId;

use crate::command_line::desk::{Desk, PASSWORD};
use crate::lab::{Lab, PATIENCE};
use crate::way::Way;
use window::Window;

mod away;
mod back;
mod bus;
mod conflict;
mod driver;
mod folder;
mod journey;
mod keychain;
mod large;
mod link;
mod mount;
mod notice;
mod terminal;
mod trouble;
mod two;
mod upload;
mod version;
mod window;

/// Looks again after a moment too short to be waited for.
const MOMENT: Duration = Duration::from_millis(20);

/// Waits until something is so.
async fn eventually(what: &str, so: impl AsyncFnMut() -> bool) {
    assert!(tried(so).await, "waited in vain: {what}");
}

/// Whether something is so before patience ends.
async fn tried(mut so: impl AsyncFnMut() -> bool) -> bool {
    let waited = async {
        while !so().await {
            tokio::time::sleep(MOMENT).await; // waits: nobody tells of what is looked for
        }
    };
    tokio::time::timeout(PATIENCE, waited).await.is_ok()
}

/// Waits until a file of the disk holds something.
async fn holds(path: &Path, text: &str) {
    let mut found = std::fs::read_to_string(path);
    let what = format!("{} holds {text:?}", path.display());
    let so = async || {
        found = std::fs::read_to_string(path);
        found.as_ref().is_ok_and(|found| found.contains(text))
    };
    let held = tried(so).await;
    assert!(held, "waited in vain: {what}; it holds {found:?}");
}

/// Waits until a file of the disk is this and nothing else.
async fn is(path: &Path, text: &str) {
    let so = async || std::fs::read_to_string(path).is_ok_and(|found| found == text);
    eventually(&format!("{} is {text:?}", path.display()), so).await;
}

/// Waits until the server holds something.
async fn stored(client: &Client, workspace: WorkspaceId, path: &str, text: &str) {
    let so = async || {
        let found = client.read_file(workspace, path).await;
        found.is_ok_and(|found| String::from_utf8_lossy(&found).contains(text))
    };
    eventually(&format!("the server's {path} holds {text:?}"), so).await;
}

/// Every file below a folder.
fn files(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
    let below = entries.flat_map(|entry| {
        let path = entry.path();
        if path.is_dir() {
            files(&path)
        } else {
            vec![path]
        }
    });
    below.collect()
}

/// The files of a workspace's folder, by their path in it; what is ours there is none of them.
fn kept_in(root: &Path) -> BTreeMap<String, String> {
    let inside = files(root).into_iter().map(|path| {
        let inside = path.strip_prefix(root).expect("below it");
        (inside.display().to_string(), path)
    });
    let theirs = inside.filter(|(inside, _)| !inside.starts_with(".slipway/"));
    let kept = theirs.map(|(inside, path)| {
        let text = std::fs::read_to_string(path);
        (inside, text.expect("a text"))
    });
    kept.collect()
}

/// A server behind a network, an account with a workspace that has one file, and a desk with a copy of it.
struct Scene {
    desk: Desk,
    ana: Client,
    workspace: WorkspaceId,
    way: Way,
    lab: Lab,
}

impl Scene {
    async fn set() -> Self {
        let lab = Lab::start().await;
        let way = Way::to(lab.base()).await;
        let ana = lab.user("ana").await;
        let made = ana.create_workspace("tides", Template::Empty).await;
        let workspace = made.expect("a workspace").id;
        let scene = Self {
            desk: Desk::new(),
            ana,
            workspace,
            way,
            lab,
        };
        scene.write("tides.txt", "low water\n").await;
        scene.signed_in(&scene.desk).await;
        scene
    }

    /// Signs a desk in, and puts a copy of the workspace into its folder `tides`.
    async fn signed_in(&self, desk: &Desk) {
        let login = desk
            .login(&self.way.base, "ana@example.org", PASSWORD, &[])
            .await;
        assert_eq!(login.code, 0, "{login:?}");
        let clone = desk.slipway(&["clone", "tides"]).await;
        assert_eq!(clone.code, 0, "{clone:?}");
    }

    /// Writes a file past the desktop, as another person does who saw what is there.
    async fn write(&self, path: &str, text: &str) {
        let path = format!("/workspaces/{}/files/{path}", self.workspace);
        let request = self.ana.request(reqwest::Method::PUT, &path);
        let request = request.header("if-match", "*").body(text.to_owned());
        self.ana.send(request).await.expect("written");
    }

    /// Takes the network away: nobody answers any more.
    fn away(&self) {
        // A port that nobody listens on by now.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = closed.local_addr().expect("an address");
        self.lead_to(&address.to_string());
    }

    /// Gives it back.
    fn back(&self) {
        self.lead_to(self.lab.base());
    }

    fn lead_to(&self, server: &str) {
        self.way.lead_to(server);
        self.way.cut();
    }

    /// What the server lists.
    async fn tree(&self) -> Tree {
        self.ana.tree(self.workspace).await.expect("a tree")
    }

    /// The files at the server, by their path.
    async fn kept_there(&self) -> BTreeMap<String, String> {
        let mut kept = BTreeMap::new();
        let entries = self.tree().await.entries.into_iter();
        for entry in entries.filter(|entry| entry.kind == Kind::File) {
            let text = self
                .ana
                .read_file(self.workspace, entry.path.as_str())
                .await;
            let text = String::from_utf8(text.expect("a file").to_vec());
            kept.insert(entry.path.to_string(), text.expect("a text"));
        }
        kept
    }

    async fn stored(&self, path: &str, text: &str) {
        stored(&self.ana, self.workspace, path, text).await;
    }

    /// The desk's window on its copy.
    async fn window(&self) -> Window {
        let window = Window::open(&self.desk, &["open", "tides"]).await;
        window.see("treeitem", "~").await;
        window
    }
}
