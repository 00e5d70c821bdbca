//! What a run came to is stored once: by the driver that has the lease, and although the database refuses it at first.
use bytes::Bytes;
use slipway_api::run::RunState;
use slipway_backend::run::Context;
use slipway_backend::run::progress::{self, Ended, Stored};
use slipway_client::socket::Socket;
use slipway_core::id::SessionId;

use super::refuse_twice;
use crate::journey::Journey as _;
use crate::lab::Lab;

async fn fence(lab: &Lab) -> i64 {
    let fence = sqlx::query_scalar("select fence from sessions");
    fence.fetch_one(&lab.app().db).await.expect("a session")
}

#[tokio::test]
async fn what_became_of_a_step_is_told_apart() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let run = ana.command(workspace, "sleep 600").await.unwrap().id;
    let running = ana
        .until_run(&socket, workspace, run, RunState::Running)
        .await;
    let context = |session: SessionId, fence: i64| Context {
        db: lab.app().db.clone(),
        clock: lab.clock.clone(),
        events: lab.app().events.clone(),
        workspace,
        session,
        fence,
    };
    let fence = fence(&lab).await;
    let session = running.session.unwrap();
    let (own, other) = (context(session, fence), context(session, fence - 1));
    let ended = Ended::default();
    let go_on = async |context: &Context, state: &str| {
        let gone_on = progress::go_on(context, run, state, None);
        gone_on.await.unwrap()
    };
    assert_eq!(go_on(&other, "flushing").await, Stored::LeaseLost);
    let end = progress::end(&other, run, &ended).await.unwrap();
    assert_eq!(end, Stored::LeaseLost);
    assert_eq!(ana.run(run).await.unwrap().state, RunState::Running);

    assert_eq!(go_on(&own, "running").await, Stored::Before);
    assert_eq!(go_on(&own, "flushing").await, Stored::Now);
    let end = async |id| progress::end(&own, id, &ended).await.unwrap();
    assert_eq!(end(run).await, Stored::Now);
    assert_eq!(end(run).await, Stored::Over);
    assert_eq!(go_on(&own, "flushing").await, Stored::Over);
    assert_eq!(end(lab.clock.fresh()).await, Stored::Over);
}

#[tokio::test]
async fn a_run_that_ends_while_the_lease_moves_keeps_its_output() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let line = "until [ -e go ]; do sleep 0.02; done; echo last words";
    let run = ana.command(workspace, line).await.unwrap().id;
    ana.until_run(&socket, workspace, run, RunState::Running)
        .await;
    // As if another server had it now: this one has not heard of that when the run ends.
    let before = fence(&lab).await;
    let moved = "update sessions set fence = fence + 1, lease_owner = gen_random_uuid()";
    sqlx::query(moved).execute(&lab.app().db).await.unwrap();
    let go = ana.write_file(workspace, "go", None, Bytes::new());
    go.await.unwrap();
    // The other one dies: its lease runs out, and the session is taken again.
    let done = ana.finished(&socket, workspace, run).await;
    assert_eq!(done.state, RunState::Done, "{:?}", done.reason);
    assert!(fence(&lab).await > before + 1, "the next lease stored it");
    let output = ana.run_output(run).await.unwrap();
    assert_eq!(&output[..], b"last words\r\n");
}

#[tokio::test]
async fn the_end_of_a_run_is_stored_although_the_database_refused_it_at_first() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    refuse_twice(&lab, "done").await;
    let run = ana.command(workspace, "echo tide").await.unwrap();
    let done = ana.finished(&socket, workspace, run.id).await;
    assert_eq!(done.state, RunState::Done);
    assert_eq!(&ana.run_output(run.id).await.unwrap()[..], b"tide\r\n");
    let refused = sqlx::query_scalar::<_, i64>("select last_value from refused");
    assert_eq!(refused.fetch_one(&lab.app().db).await.unwrap(), 3);
}
