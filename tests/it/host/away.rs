//! Postgres goes away while people work, for longer than a restart takes: what is asked meanwhile is answered with when to
//! come again, what is open stays open and says so, and once it is back all goes on and nothing is lost.
use std::path::Path;

use bytes::Bytes;
use reqwest::Method;
use slipway_api::session::SessionState;
use slipway_api::workspace::Template;
use slipway_backend::clock::Clock;
use slipway_backend::db::embedded::{Embedded, Running, find_programs};
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Place, Viewer};
use slipway_core::code::Code;
use slipway_core::id::WorkspaceId;
use sqlx::ConnectOptions as _;

use super::{Home, eventually, heard, write};
use crate::journey::Journey as _;
use crate::lab::PATIENCE;
use crate::raw::problem;

/// A Postgres that only one server uses, so that it can be stopped.
async fn postgres(folder: &Path) -> (Embedded, Running) {
    let bin = find_programs(None, "/usr/local/bin:/usr/bin:/bin".as_ref()).unwrap();
    let embedded = Embedded::prepare(bin, folder, Path::new("/tmp"), false).await;
    let embedded = embedded.unwrap();
    let running = embedded.start().await.unwrap();
    (embedded, running)
}

/// Asks for something that needs the database, and must be told when to come again.
async fn is_told_to_wait(ana: &Client, method: Method, path: &str) {
    let request = ana.request(method, path).header("if-none-match", "*");
    let answer = request.body("lost?").send().await.unwrap();
    assert_eq!(answer.status(), 503, "{path}");
    assert!(answer.headers().contains_key("retry-after"), "{path}");
    let refused = problem(answer).await;
    assert_eq!(refused.code, Code::DatabaseUnavailable, "{path}");
}

async fn typed(viewer: &mut Viewer, line: &[u8], answer: &str) {
    viewer.write(line).await.unwrap();
    let seen = tokio::time::timeout(PATIENCE, viewer.read_until(answer));
    seen.await.expect("in time").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_wait_for_a_database_that_is_away_and_go_on_where_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let (database, running) = postgres(folder.path()).await;
    let url = database.options().to_url_lossy().to_string();
    let mut home = Home::with(&["--database-url", &url]).await;
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    write(&ana, workspace, "before.txt").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let session = ana.started(&socket, workspace).await;
    let mut shell = ana.shell(&socket, session.id).await;

    running.stop().await;
    let file = format!("/workspaces/{workspace}/files/meanwhile.txt");
    for (method, path) in [
        (Method::GET, "/account"),
        (Method::GET, "/workspaces"),
        (Method::PUT, file.as_str()),
    ] {
        is_told_to_wait(&ana, method, path).await;
    }
    let ready = reqwest::get(format!("{}/readyz", home.server().base)).await;
    assert_eq!(ready.unwrap().status(), 503);
    // What has to be looked up is refused in words on the same socket; what is open works.
    let clock = Clock::System;
    let unknown = Place::new(clock.fresh(), clock.fresh(), "new".to_owned(), 80, 24);
    let mut refused = Viewer::attach(&socket, unknown).await.unwrap();
    let refused = tokio::time::timeout(PATIENCE, refused.next()).await;
    let refused = refused.expect("in time").expect_err("nobody can tell");
    assert_eq!(refused.code(), Some(Code::DatabaseUnavailable), "{refused}");
    typed(&mut shell, b"echo still=$((6*7))\r", "still=42").await;
    // Longer than a lease: this server may not be sure of its sessions any more.
    eventually("the lease has run out", async || {
        home.log().matches("Cannot look after sessions").count() > 4
    })
    .await;
    typed(
        &mut shell,
        b"echo away > away.txt; echo then=$((6*7))\r",
        "then=42",
    )
    .await;

    let running = database.start().await.unwrap();
    home.ready().await;
    let content = Bytes::from("lost?");
    let written = ana.write_file(workspace, "meanwhile.txt", None, content.clone());
    written.await.expect("as if nothing had been");
    for path in ["before.txt", "meanwhile.txt"] {
        let expected = if path == "before.txt" { path } else { "lost?" };
        assert_eq!(ana.read_file(workspace, path).await.unwrap(), expected);
    }
    eventually("what a program wrote meanwhile comes", async || {
        ana.read_file(workspace, "away.txt").await.is_ok()
    })
    .await;
    let again = ana.until(&socket, workspace, SessionState::Ready).await;
    assert_eq!(again.id, session.id, "the session went on");
    typed(
        &mut shell,
        b"cat meanwhile.txt; echo last=$((6*7))\r",
        "last=42",
    )
    .await;
    hears_of_a_write(&socket, &ana, workspace).await;
    ana.stop_session(workspace).await.unwrap();
    ana.until(&socket, workspace, SessionState::Stopped).await;
    home.server.take().unwrap().stop().await.unwrap();
    running.stop().await;
}

/// The same socket, which was open all the time.
async fn hears_of_a_write(socket: &Socket, ana: &Client, workspace: WorkspaceId) {
    let mut events = socket.events(Some(workspace)).await.unwrap();
    write(ana, workspace, "after.txt").await;
    let head = ana.workspace(workspace).await.unwrap().head;
    heard(&mut events, head).await;
}
