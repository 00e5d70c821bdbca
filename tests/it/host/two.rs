//! Two servers on one database: what moves at one is heard at the other.
use slipway_api::session::SessionState;
use slipway_api::workspace::Template;
use slipway_client::socket::Socket;
use sqlx::ConnectOptions as _;

use super::{Home, heard, write};
use crate::database;
use crate::lab::PATIENCE;

#[tokio::test]
async fn what_moves_at_one_server_is_heard_at_the_other() {
    let (_postgres, options) = database::fresh().await;
    let url = options.to_url_lossy().to_string();
    let (mut one, mut two) = (
        Home::with(&["--database-url", &url]).await,
        Home::with(&["--database-url", &url]).await,
    );
    let here = one.user("ana").await;
    let there = two.same(&here);
    let workspace = here
        .create_workspace("w", Template::Empty)
        .await
        .unwrap()
        .id;

    let socket = Socket::connect(&there).await.unwrap();
    let mut events = socket.events(Some(workspace)).await.unwrap();
    // The first event is the head as it is: the subscription stands.
    let first = tokio::time::timeout(PATIENCE, events.recv()).await.unwrap();
    assert!(first.is_some());
    write(&here, workspace, "a.txt").await;
    let head = here.workspace(workspace).await.unwrap().head;
    heard(&mut events, head).await;
    assert_eq!(there.read_file(workspace, "a.txt").await.unwrap(), "a.txt");

    here.start_session(workspace).await.unwrap();
    let ready = there.wait_for_session(&socket, workspace, |state| state == SessionState::Ready);
    let session = tokio::time::timeout(PATIENCE, ready)
        .await
        .expect("in time")
        .unwrap();
    assert_eq!(session.state, SessionState::Ready, "{:?}", session.reason);
    // Any server may be told to stop it.
    there.stop_session(workspace).await.unwrap();
    let socket = Socket::connect(&here).await.unwrap();
    let over = here.wait_for_session(&socket, workspace, |state| state == SessionState::Stopped);
    let session = tokio::time::timeout(PATIENCE, over)
        .await
        .expect("in time")
        .unwrap();
    assert_eq!(session.state, SessionState::Stopped, "{:?}", session.reason);
    one.server.take().unwrap().stop().await.unwrap();
    two.server.take().unwrap().stop().await.unwrap();
}
