//! The socket: what it refuses, what it tells first, and that no stream disturbs another.
use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use prost::Message as _;
use rustix::process::Signal;
use slipway_client::rest::Client;
use slipway_client::socket::Socket;
use slipway_core::code::Code;
use slipway_core::id::{Id as _, SessionId};
use slipway_proto::v1::{self, ws_client, ws_server};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

type Raw =
    tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

async fn raw(client: &Client, more: &[(&'static str, String)]) -> Result<Raw, String> {
    let address = format!("{}/api/v1/ws", client.base().replacen("http", "ws", 1));
    let mut request = address.into_client_request().expect("an address");
    for (name, value) in more {
        request
            .headers_mut()
            .insert(*name, value.parse().expect("a header value"));
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tokio_tungstenite::tungstenite::Error::Http(answer)) => {
            Err(answer.status().to_string())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn bearer(client: &Client) -> (&'static str, String) {
    (
        "authorization",
        format!("Bearer {}", client.token().expect("signed in").expose()),
    )
}

async fn say(socket: &mut Raw, stream: u32, body: ws_client::Body) {
    let frame = v1::WsClient {
        stream,
        body: Some(body),
    };
    socket
        .send(Message::Binary(frame.encode_to_vec().into()))
        .await
        .expect("sent");
}

/// The next frame; `None` when the server closed the connection.
async fn hear(socket: &mut Raw) -> Option<v1::WsServer> {
    loop {
        let message = tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("in time")?;
        match message.ok()? {
            Message::Binary(bytes) => return Some(v1::WsServer::decode(bytes).expect("a frame")),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn closed(socket: &mut Raw, stream: u32) -> String {
    let frame = hear(socket).await.expect("a frame");
    match frame.body {
        Some(ws_server::Body::Closed(closed)) if frame.stream == stream => closed.code,
        other => panic!("stream {stream} was to be closed, not {other:?}"),
    }
}

fn hello(session: &str) -> ws_client::Body {
    ws_client::Body::Attach(v1::AttachTerminal {
        session_id: session.to_owned(),
        hello: Some(v1::Hello::default()),
    })
}

#[tokio::test]
async fn without_a_token_or_from_a_foreign_page_there_is_no_socket() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    assert!(raw(&ana, &[]).await.unwrap_err().starts_with("401"));
    let cookie = (
        "cookie",
        format!("slipway_token={}", ana.token().unwrap().expose()),
    );
    let foreign = ("origin", "https://elsewhere.example".to_owned());
    assert!(
        raw(&ana, &[cookie.clone(), foreign])
            .await
            .unwrap_err()
            .starts_with("403")
    );
    let own = ("origin", ana.base().to_owned());
    raw(&ana, &[cookie, own]).await.unwrap();
}

#[tokio::test]
async fn a_stream_that_cannot_be_opened_is_closed_with_its_code_and_the_others_go_on() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut socket = raw(&ana, &[bearer(&ana)]).await.unwrap();
    say(&mut socket, 1, hello("no id")).await;
    assert_eq!(closed(&mut socket, 1).await, Code::NotFound.as_str());
    say(
        &mut socket,
        2,
        hello(&SessionId::from_parts(1, [1; 10]).to_string()),
    )
    .await;
    assert_eq!(closed(&mut socket, 2).await, Code::NotFound.as_str());
    say(
        &mut socket,
        0,
        hello(&SessionId::from_parts(1, [1; 10]).to_string()),
    )
    .await;
    assert_eq!(
        closed(&mut socket, 0).await,
        Code::ProtocolMismatch.as_str()
    );
    // Input for a stream that is over is no mistake: it was under way.
    say(
        &mut socket,
        2,
        ws_client::Body::Terminal(v1::TerminalClient::default()),
    )
    .await;
    say(&mut socket, 0, ws_client::Body::Ping(v1::Ping { nonce: 7 })).await;
    let pong = hear(&mut socket).await.unwrap();
    assert_eq!(
        pong.body,
        Some(ws_server::Body::Pong(v1::Pong { nonce: 7 }))
    );
}

#[tokio::test]
async fn what_is_not_a_frame_ends_the_connection_with_a_code() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    for bad in [
        Message::Text("hello".into()),
        Message::Binary(Bytes::from_static(&[0xff; 9])),
    ] {
        let mut socket = raw(&ana, &[bearer(&ana)]).await.unwrap();
        socket.send(bad).await.unwrap();
        assert_eq!(
            closed(&mut socket, 0).await,
            Code::ProtocolMismatch.as_str()
        );
        assert!(hear(&mut socket).await.is_none());
    }
}

#[tokio::test]
async fn a_message_larger_than_the_bound_ends_the_connection() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut socket = raw(&ana, &[bearer(&ana)]).await.unwrap();
    let large = vec![0; slipway_core::limits::WS_MESSAGE_BYTES_MAX + 1];
    // The server may end the connection before all of it is sent.
    drop(socket.send(Message::Binary(large.into())).await);
    assert!(hear(&mut socket).await.is_none());
}

#[tokio::test]
async fn the_number_of_streams_is_bounded() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut socket = raw(&ana, &[bearer(&ana)]).await.unwrap();
    let most = u32::try_from(slipway_core::limits::WS_STREAMS_MAX).unwrap();
    for stream in 1..=most + 1 {
        say(
            &mut socket,
            stream,
            ws_client::Body::Subscribe(v1::SubscribeEvents::default()),
        )
        .await;
    }
    loop {
        let frame = hear(&mut socket).await.unwrap();
        if let Some(ws_server::Body::Closed(closed)) = frame.body {
            assert_eq!(
                (frame.stream, closed.code.as_str()),
                (most + 1, Code::TooManyRequests.as_str())
            );
            break;
        }
    }
}

#[tokio::test]
async fn a_subscription_begins_with_the_current_state_and_another_users_is_unknown() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let workspace = ana.empty_workspace().await;
    ana.write_file(workspace, "a.txt", None, Bytes::from_static(b"a"))
        .await
        .unwrap();
    let socket = Socket::connect(&ana).await.unwrap();
    let mut events = socket.events(Some(workspace)).await.unwrap();
    let first = events.recv().await.unwrap().event.unwrap();
    let v1::event::Event::Workspace(moved) = first else {
        panic!("{first:?}")
    };
    assert!(moved.head >= 1);
    let second = events.recv().await.unwrap().event.unwrap();
    let v1::event::Event::Session(session) = second else {
        panic!("{second:?}")
    };
    assert_eq!(session.session_id, "");
    ana.write_file(workspace, "b.txt", None, Bytes::from_static(b"b"))
        .await
        .unwrap();
    let third = events.recv().await.unwrap().event.unwrap();
    let v1::event::Event::Workspace(next) = third else {
        panic!("{third:?}")
    };
    assert_eq!(next.head, moved.head + 1);

    let mut socket = raw(&bo, &[bearer(&bo)]).await.unwrap();
    let workspace_id = workspace.to_string();
    say(
        &mut socket,
        1,
        ws_client::Body::Subscribe(v1::SubscribeEvents { workspace_id }),
    )
    .await;
    assert_eq!(closed(&mut socket, 1).await, Code::NotFound.as_str());
}

#[tokio::test]
async fn a_device_that_is_signed_out_loses_its_socket() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut socket = raw(&ana, &[bearer(&ana)]).await.unwrap();
    say(&mut socket, 0, ws_client::Body::Ping(v1::Ping { nonce: 1 })).await;
    hear(&mut socket).await.unwrap();
    ana.sign_out().await.unwrap();
    assert_eq!(closed(&mut socket, 0).await, Code::SignInExpired.as_str());
    assert!(hear(&mut socket).await.is_none());
}

#[tokio::test]
async fn what_ends_a_sign_in_elsewhere_ends_its_socket_here() {
    let lab = Lab::with_flags(&["--ws-ping-ms=100"]).await;
    let ana = lab.user("ana").await;
    for ended in [
        // Signed out, or evicted by newer devices, at another server.
        "update devices set id = gen_random_uuid()",
        "update devices set expires_at = now()",
        "update users set disabled_at = now()",
    ] {
        let mut socket = raw(&ana, &[bearer(&ana)]).await.unwrap();
        say(&mut socket, 0, ws_client::Body::Ping(v1::Ping { nonce: 1 })).await;
        hear(&mut socket).await.unwrap();
        let mut db = lab.app().db.acquire().await.unwrap();
        sqlx::query(ended).execute(&mut *db).await.unwrap();
        assert_eq!(
            closed(&mut socket, 0).await,
            Code::SignInExpired.as_str(),
            "{ended}"
        );
        let undo = "update devices set expires_at = now() + interval '1 day'";
        sqlx::query(undo).execute(&mut *db).await.unwrap();
    }
}

#[tokio::test]
async fn a_stopping_server_says_so_before_it_closes() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let mut socket = raw(&ana, &[bearer(&ana)]).await.unwrap();
    say(&mut socket, 0, ws_client::Body::Ping(v1::Ping { nonce: 1 })).await;
    hear(&mut socket).await.unwrap();
    lab.app().stopping.cancel();
    let told = hear(&mut socket).await.unwrap();
    assert!(
        matches!(told.body, Some(ws_server::Body::GoAway(_))),
        "{told:?}"
    );
    assert!(hear(&mut socket).await.is_none());
    lab.stop().await;
}

#[tokio::test]
async fn a_closed_stream_is_told_and_a_terminal_survives_its_viewer() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let viewer = ana.shell(&socket, session.id).await;
    drop(viewer);
    let mut other = raw(&ana, &[bearer(&ana)]).await.unwrap();
    let terminal = ana.terminals(session.id).await.unwrap().terminals[0].id;
    let attach = v1::AttachTerminal {
        session_id: session.id.to_string(),
        hello: Some(v1::Hello {
            terminal_id: terminal.to_string(),
            client_id: session.id.to_string(),
            cols: 80,
            rows: 24,
            window: 65_536,
            ..v1::Hello::default()
        }),
    };
    say(&mut other, 9, ws_client::Body::Attach(attach)).await;
    let first = hear(&mut other).await.unwrap();
    assert_eq!(first.stream, 9);
    assert!(
        matches!(first.body, Some(ws_server::Body::Terminal(_))),
        "{first:?}"
    );
    say(&mut other, 9, ws_client::Body::Close(v1::CloseStream {})).await;
    loop {
        let frame = hear(&mut other).await.unwrap();
        if let Some(ws_server::Body::Closed(closed)) = frame.body {
            assert_eq!(closed.code, "");
            break;
        }
    }
    assert_eq!(ana.terminals(session.id).await.unwrap().terminals.len(), 1);
}

#[tokio::test]
async fn a_stream_whose_agent_takes_nothing_holds_up_no_other() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let mut raw = raw(&ana, &[bearer(&ana)]).await.unwrap();
    lab.signal_agent(session.id, Signal::STOP).await;
    say(&mut raw, 1, hello(&session.id.to_string())).await;
    // More than every window and buffer on the way holds.
    for n in 0..400 {
        let input = v1::Input {
            offset: n * 65_536,
            data: vec![b'x'; 65_536].into(),
        };
        let frame = Some(v1::terminal_client::Frame::Input(input));
        let body = ws_client::Body::Terminal(v1::TerminalClient { frame });
        let sent = tokio::time::timeout(PATIENCE, say(&mut raw, 1, body)).await;
        sent.expect("the server reads on");
    }
    say(&mut raw, 0, ws_client::Body::Ping(v1::Ping { nonce: 7 })).await;
    assert_eq!(closed(&mut raw, 1).await, Code::TooManyRequests.as_str());
    let pong = hear(&mut raw).await.unwrap().body;
    assert_eq!(pong, Some(ws_server::Body::Pong(v1::Pong { nonce: 7 })));
    lab.signal_agent(session.id, Signal::CONT).await;
}
