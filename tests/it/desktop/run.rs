//! Runs of what this disk holds, runs that wait for a server, and terminals of this machine and of a session.
use serde_json::{Value, json};
use slipway_api::desktop::ConnectionState;
use slipway_proto::v1::{self, event, terminal_client, terminal_server, ws_client, ws_server};

use super::folder::{opened, stands, text};
use super::seat::{Page, Seat};
use super::signed_in;
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};
use crate::way::Way;

/// Attaches to a terminal and types a line.
async fn type_line(page: &Page, stream: u32, session: &str, terminal: &str, line: &str) {
    let hello = v1::Hello {
        terminal_id: terminal.to_owned(),
        client_id: terminal.to_owned(),
        cols: 80,
        rows: 24,
        window: 65_536,
        visible: true,
        ..v1::Hello::default()
    };
    let session_id = session.to_owned();
    let attach = v1::AttachTerminal {
        session_id,
        hello: Some(hello),
    };
    page.send(stream, ws_client::Body::Attach(attach)).await;
    let data = format!("{line}\r").into_bytes().into();
    let frame = Some(terminal_client::Frame::Input(v1::Input { offset: 0, data }));
    page.send(
        stream,
        ws_client::Body::Terminal(v1::TerminalClient { frame }),
    )
    .await;
}

/// Reads until the terminal has shown a text.
async fn until_shown(page: &mut Page, stream: u32, wanted: &str) {
    let mut seen = String::new();
    while !seen.contains(wanted) {
        let (from, body) = page.next().await;
        if let ws_server::Body::Terminal(v1::TerminalServer {
            frame: Some(terminal_server::Frame::Output(output)),
        }) = body
            && from == stream
        {
            seen.push_str(&String::from_utf8_lossy(&output.data));
        }
    }
}

#[tokio::test]
async fn a_terminal_of_this_machine_is_in_the_folder_and_needs_no_server() {
    let seat = Seat::new().await;
    let id = opened(&seat, "mine").await;
    let all = seat.ask("GET", "/desktop/workspaces").await.done();
    let session = text(&all["workspaces"][0], "terminals").to_owned();
    assert_eq!(
        seat.ask("GET", &format!("/sessions/{session}/terminals"))
            .await
            .done()["terminals"],
        json!([])
    );
    let mut page = Page::open(&seat);
    page.send(
        1,
        ws_client::Body::Attach(v1::AttachTerminal {
            session_id: session.clone(),
            hello: Some(v1::Hello::default()),
        }),
    )
    .await;
    assert_eq!(page.closed(1).await, "not_found");
    page.subscribe(9, &id).await;
    let told = |_, body| match body {
        ws_server::Body::Event(v1::Event {
            event: Some(event::Event::Terminals(moved)),
        }) => Some(moved.session_id),
        _ => None,
    };
    assert_eq!(page.until(told).await, session);
    let size = json!({ "cols": 80, "rows": 24 });
    let made = seat
        .say("POST", &format!("/sessions/{session}/terminals"), size)
        .await;
    assert_eq!(made.status, 201, "{made:?}");
    let terminal = text(&made.done(), "id").to_owned();
    assert_eq!(page.until(told).await, session);
    type_line(
        &page,
        2,
        &session,
        &terminal,
        "cat a.txt; echo up=$((40+2)) > b.txt; echo do''ne",
    )
    .await;
    until_shown(&mut page, 2, "done").await;
    assert_eq!(std::fs::read(seat.path("mine/b.txt")).unwrap(), b"up=42\n");
    let gone = seat
        .ask(
            "DELETE",
            &format!("/sessions/{session}/terminals/{terminal}"),
        )
        .await;
    assert_eq!(gone.status, 204);
}

#[tokio::test]
async fn a_run_has_what_was_just_saved_and_its_end_is_told_also_when_nobody_looks() {
    let (_lab, ana, mut seat) = signed_in().await;
    let workspace = ana.empty_workspace().await;
    let cloned = seat
        .say("POST", "/desktop/clone", json!({ "workspace": workspace }))
        .await
        .done();
    let id = text(&cloned, "id").to_owned();
    stands(&mut seat, &id, "online").await;
    let mut ended = seat.gateway.runs_ended();
    let mut page = Page::open(&seat);
    page.subscribe(1, &id).await;
    std::fs::write(seat.path("tides/a.txt"), "just now\n").unwrap();
    let run = json!({ "target": { "kind": "command", "line": "cat a.txt" }, "revision": 12345 });
    let run = seat
        .say("POST", &format!("/workspaces/{id}/runs"), run)
        .await;
    assert_eq!(run.status, 201, "{run:?}");
    let run = run.done();
    assert_eq!(text(&run, "workspace"), id);
    let moved = page.until(|_, body| match body {
        ws_server::Body::Event(v1::Event {
            event: Some(event::Event::Run(moved)),
        }) => Some(moved),
        _ => None,
    });
    assert_eq!(moved.await.workspace_id, id);
    let told = tokio::time::timeout(PATIENCE, ended.recv())
        .await
        .expect("in time")
        .unwrap();
    assert_eq!(
        (told.workspace.as_str(), told.command.as_str(), told.exit),
        ("tides", "cat a.txt", Some(0))
    );
    let run = seat
        .ask("GET", &format!("/runs/{}", text(&run, "id")))
        .await
        .done();
    assert_eq!(
        (text(&run, "workspace"), text(&run, "state")),
        (id.as_str(), "done")
    );
    let output = seat
        .ask("GET", &format!("/runs/{}/output", text(&run, "id")))
        .await;
    assert!(output.body.starts_with(b"just now"), "{output:?}");
    let runs = seat
        .ask("GET", &format!("/workspaces/{id}/runs"))
        .await
        .done();
    assert_eq!(text(&runs["runs"][0], "workspace"), id);

    // The session that it started has terminals, too.
    let session = text(&run, "session").to_owned();
    let made = seat
        .say(
            "POST",
            &format!("/sessions/{session}/terminals"),
            json!({ "cols": 80, "rows": 24 }),
        )
        .await;
    let terminal = text(&made.done(), "id").to_owned();
    type_line(&page, 2, &session, &terminal, "cat a.txt; echo do''ne").await;
    until_shown(&mut page, 2, "done").await;
}

#[tokio::test]
async fn a_run_that_waits_for_the_server_is_listed_cancelled_and_started_once() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let way = Way::to(lab.base()).await;
    let mut seat = Seat::new().await;
    seat.choose(&way.base).await.done();
    seat.sign_in("ana").await.done();
    let cloned = seat
        .say("POST", "/desktop/clone", json!({ "workspace": workspace }))
        .await
        .done();
    let id = text(&cloned, "id").to_owned();
    stands(&mut seat, &id, "online").await;
    lab.stop().await;
    way.cut();
    stands(&mut seat, &id, "offline").await;
    let mut ended = seat.gateway.runs_ended();
    let path = format!("/workspaces/{id}/runs");
    let wait = |line: &str| json!({ "target": { "kind": "command", "line": line }, "queue": true });
    std::fs::write(seat.path("tides/a.txt"), "offline\n").unwrap();
    let first = seat.say("POST", &path, wait("cat a.txt")).await.done();
    let second = seat.say("POST", &path, wait("false")).await.done();
    let states = |runs: &Value| -> Vec<(String, String)> {
        let rows = runs["runs"].as_array().unwrap().iter();
        rows.map(|run| {
            (
                text(run, "command").to_owned(),
                text(run, "state").to_owned(),
            )
        })
        .collect()
    };
    let listed = seat.ask("GET", &path).await.done();
    let queued = |line: &str| (line.to_owned(), "queued".to_owned());
    assert_eq!(states(&listed), [queued("false"), queued("cat a.txt")]);
    let cancelled = seat
        .ask("POST", &format!("/runs/{}/stop", text(&second, "id")))
        .await;
    assert_eq!(cancelled.status, 204);
    // It is not forgotten by the app's end.
    seat.again().await;
    let mut ended_again = seat.gateway.runs_ended();
    std::mem::swap(&mut ended, &mut ended_again);
    let waiting = seat
        .ask("GET", &format!("/runs/{}", text(&first, "id")))
        .await;
    assert_eq!(text(&waiting.done(), "state"), "queued");
    lab.restart(true).await;
    way.lead_to(lab.base());
    seat.gateway.retry();
    let told = tokio::time::timeout(PATIENCE, ended.recv())
        .await
        .expect("in time")
        .unwrap();
    assert_eq!((told.command.as_str(), told.exit), ("cat a.txt", Some(0)));
    seat.stands(ConnectionState::Online).await;
    let listed = seat.ask("GET", &path).await.done();
    assert_eq!(
        states(&listed),
        [("cat a.txt".to_owned(), "done".to_owned())],
        "{listed}"
    );
}
