//! A run ends with the session that it waits for, however that one ends, and says why.
use slipway_api::run::{RunState, RunTarget};
use slipway_api::session::SessionState;
use slipway_backend::run::store::{self, NewRun};
use slipway_client::socket::Socket;
use slipway_core::id::{Id as _, RunId, SessionId, UserId, WorkspaceId};

use super::refuse_twice;
use crate::journey::Journey as _;
use crate::lab::Lab;

/// A run of a session, stored without a word to its driver, so that it waits until the session ends.
async fn stored(lab: &Lab, workspace: WorkspaceId, session: SessionId) -> RunId {
    let mut db = lab.app().db.acquire().await.expect("a connection");
    let user = sqlx::query_scalar("select id from users");
    let run = NewRun {
        id: lab.clock.fresh(),
        workspace,
        session,
        user: UserId::from_uuid(user.fetch_one(&mut *db).await.expect("a user")),
        target: RunTarget::Command {
            line: "true".to_owned(),
        },
        command: "true".to_owned(),
        revision: 0,
        cols: 80,
        rows: 24,
    };
    let now = lab.clock.now();
    store::insert(&mut db, &run, now).await.expect("stored");
    run.id
}

#[tokio::test]
async fn a_run_whose_session_cannot_start_says_why() {
    let lab = Lab::with_flags(&["--image=/nowhere"]).await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    // Each starts a session, which fails before or after the run is stored.
    for _ in 0..5 {
        let run = ana.command(workspace, "true").await.unwrap();
        let failed = ana.finished(&socket, workspace, run.id).await;
        assert_eq!(failed.state, RunState::Failed);
        let reason = failed.reason.unwrap();
        assert!(reason.contains("find the execution image"), "{reason}");
    }
}

#[tokio::test]
async fn a_run_that_comes_after_the_end_of_its_session_is_over_with_it() {
    let lab = Lab::with_flags(&["--image=/nowhere"]).await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.start_session(workspace).await.unwrap().id;
    let ended = ana.until(&socket, workspace, SessionState::Failed).await;
    let run = stored(&lab, workspace, session).await;
    let run = ana.run(run).await.unwrap();
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.reason, ended.reason.map(|reason| reason.text));
}

#[tokio::test]
async fn a_session_is_not_over_before_what_waited_for_it() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    // Its driver has looked for runs when this one is done.
    let first = ana.command(workspace, "true").await.unwrap();
    let first = ana.finished(&socket, workspace, first.id).await;
    let waits = stored(&lab, workspace, first.session.unwrap()).await;
    refuse_twice(&lab, "failed").await;
    ana.stop_session(workspace).await.unwrap();
    ana.until(&socket, workspace, SessionState::Stopped).await;
    let run = ana.run(waits).await.unwrap();
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.reason.as_deref(), Some("The session was stopped."));
}
