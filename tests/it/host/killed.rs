//! What ends without warning, and what ends in order: nothing acknowledged is lost, nothing is left running.
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use futures_util::StreamExt as _;
use prost::Message as _;
use rustix::process::{Signal, kill_process};
use slipway_api::session::SessionState;
use slipway_api::workspace::Template;
use slipway_client::socket::Socket;
use slipway_client::terminal::Viewer;
use slipway_core::code::Code;
use slipway_proto::v1::{WsServer, ws_server};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_util::sync::CancellationToken;

use super::{Home, LOOK, eventually, write};
use crate::journey::Journey as _;
use crate::lab::PATIENCE;

#[tokio::test]
async fn after_a_killed_server_the_next_one_has_everything() {
    let mut home = Home::start().await;
    let ana = home.user("ana").await;
    let workspace = ana
        .create_workspace("w", Template::Python)
        .await
        .unwrap()
        .id;
    for number in 0..20 {
        write(&ana, workspace, &format!("{number}.txt")).await;
    }
    let large = Bytes::from(vec![b'x'; 3_000_000]);
    ana.write_file(workspace, "large.bin", None, large.clone())
        .await
        .unwrap();
    let before = ana.tree(workspace).await.unwrap();
    home.server.take().unwrap().kill().await.unwrap();
    home.again().await;
    let ana = home.same(&ana);
    assert_eq!(ana.tree(workspace).await.unwrap(), before);
    assert_eq!(ana.read_file(workspace, "large.bin").await.unwrap(), large);
    write(&ana, workspace, "after.txt").await;
}

#[tokio::test]
async fn a_killed_postgres_comes_back_and_no_acknowledged_write_is_lost() {
    let home = Home::start().await;
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let (stop, written) = (CancellationToken::new(), Arc::new(AtomicU32::new(0)));
    let writer = tokio::spawn({
        let (ana, stop, written) = (ana.clone(), stop.clone(), Arc::clone(&written));
        async move {
            let (mut kept, mut refused) = (Vec::new(), Vec::new());
            for number in 0.. {
                if stop.is_cancelled() {
                    break;
                }
                let path = format!("{number}.txt");
                let content = Bytes::from(path.clone());
                match ana.write_file(workspace, &path, None, content).await {
                    Ok(_) => {
                        kept.push(path);
                        written.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(error) => {
                        refused.push(error.code());
                        tokio::time::sleep(LOOK).await; // waits: as a client does before it tries again
                    }
                }
            }
            (kept, refused)
        }
    });
    let many = async |more: u32| {
        let goal = written.load(Ordering::Relaxed) + more;
        eventually("writes go on", async || {
            written.load(Ordering::Relaxed) >= goal
        })
        .await;
    };
    many(10).await;
    let first = home.postgres().unwrap();
    kill_process(first, Signal::KILL).unwrap();
    eventually("another Postgres runs", async || {
        home.postgres().is_some_and(|now| now != first)
    })
    .await;
    many(10).await;
    stop.cancel();
    let (kept, refused) = tokio::time::timeout(PATIENCE, writer)
        .await
        .unwrap()
        .unwrap();
    for path in &kept {
        assert_eq!(ana.read_file(workspace, path).await.unwrap(), path.as_str());
    }
    for code in refused {
        assert_eq!(code, Some(Code::DatabaseUnavailable), "{}", home.log());
    }
    assert!(home.log().contains("Postgres ended"), "{}", home.log());
    home.ready().await;
}

#[tokio::test]
async fn a_told_server_says_goodbye_and_leaves_nothing_running() {
    let mut home = Home::start().await;
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    write(&ana, workspace, "a.txt").await;
    let mut request = format!("{}/api/v1/ws", ana.base().replacen("http", "ws", 1))
        .into_client_request()
        .unwrap();
    let token = format!("Bearer {}", ana.token().unwrap().expose());
    request
        .headers_mut()
        .insert("authorization", token.parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let goodbye = tokio::spawn(async move {
        let mut told = false;
        while let Some(Ok(message)) = socket.next().await {
            if let Message::Binary(bytes) = message {
                let frame = WsServer::decode(bytes).unwrap();
                told |= matches!(frame.body, Some(ws_server::Body::GoAway(_)));
            }
        }
        told
    });
    assert!(home.postgres().is_some());
    home.server.take().unwrap().stop().await.unwrap();
    let told = tokio::time::timeout(PATIENCE, goodbye).await.unwrap();
    assert!(told.unwrap(), "the stream is told before it ends");
    assert_eq!(home.processes(), Vec::<String>::new());
    assert!(
        !home
            .path()
            .join("data/postgres/data/postmaster.pid")
            .exists()
    );
    home.again().await;
    let ana = home.same(&ana);
    assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), "a.txt");
    home.server.take().unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn a_stop_with_a_session_is_in_order_and_the_next_server_finds_its_program_running() {
    let mut home = Home::start().await;
    let ana = home.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let socket = Socket::connect(&ana).await.unwrap();
    let session = ana.started(&socket, workspace).await;
    let mut viewer = ana.shell(&socket, session.id).await;
    viewer.write(b"n=$((6*7))\r").await.unwrap();
    let place = viewer.place();
    home.server.take().unwrap().stop().await.unwrap();
    assert!(home.postgres().is_none(), "Postgres ended in order");
    drop((viewer, socket));
    home.again().await;
    let ana = home.same(&ana);
    let socket = Socket::connect(&ana).await.unwrap();
    let adopted = ana.until(&socket, workspace, SessionState::Ready).await;
    assert_eq!(adopted.id, session.id);
    let mut viewer = Viewer::attach(&socket, place).await.unwrap();
    viewer.write(b"echo still=$n\r").await.unwrap();
    let seen = tokio::time::timeout(PATIENCE, viewer.read_until("still=42"));
    seen.await.expect("in time").unwrap();
    // Places outlive servers; this one must not outlive its test.
    ana.stop_session(workspace).await.unwrap();
    ana.until(&socket, workspace, SessionState::Stopped).await;
    home.server.take().unwrap().stop().await.unwrap();
    assert_eq!(home.processes(), Vec::<String>::new());
}
