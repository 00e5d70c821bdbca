//! Sessions with real agents: start, terminals, stop, crashes of the agent and of the server, the idle stop.
use std::sync::{Arc, Mutex};

use slipway_api::session::{SessionState, StageName};
use slipway_api::workspace::Template;
use slipway_backend::clock::Clock;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Told, Viewer};
use slipway_core::code::Code;
use slipway_core::id::{Id as _, SessionId, TerminalId, WorkspaceId};
use slipway_core::limits::SESSIONS_PER_USER_MAX;
use slipway_proto::v1;
use time::{Duration, OffsetDateTime};

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE, code};

#[tokio::test]
async fn a_session_starts_shows_its_stages_and_its_terminal_answers() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    assert_eq!(ana.session(workspace).await.unwrap(), None);
    let session = ana.started(&socket, workspace).await;
    for stage in [
        StageName::Accepted,
        StageName::Place,
        StageName::Agent,
        StageName::Shell,
    ] {
        let found = session.stages.iter().find(|found| found.name == stage);
        assert!(
            found.is_some_and(|found| found.ms.is_some()),
            "{stage:?} in {:?}",
            session.stages
        );
    }
    assert!(session.ready_at.is_some());
    let viewer = ana.shell(&socket, session.id).await;
    let terminals = ana.terminals(session.id).await.unwrap().terminals;
    assert_eq!(terminals.len(), 1);
    ana.close_terminal(session.id, terminals[0].id)
        .await
        .unwrap();
    assert!(
        ana.terminals(session.id)
            .await
            .unwrap()
            .terminals
            .is_empty()
    );
    drop(viewer);
}

#[tokio::test]
async fn starting_again_answers_with_the_live_session_and_a_stopped_one_is_followed_by_a_new_one() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let (one, two) = tokio::join!(ana.start_session(workspace), ana.start_session(workspace));
    assert_eq!(one.unwrap().id, two.unwrap().id);
    let first = ana.until(&socket, workspace, SessionState::Ready).await;
    ana.stop_session(workspace).await.unwrap();
    // Asked while the first one stops, the start waits for its end.
    let second = ana.start_session(workspace).await.unwrap();
    assert_ne!(second.id, first.id);
    ana.until(&socket, workspace, SessionState::Ready).await;
    ana.stop_session(workspace).await.unwrap();
    ana.until(&socket, workspace, SessionState::Stopped).await;
    ana.stop_session(workspace).await.unwrap();
    assert_eq!(
        code(ana.open_terminal(second.id, 80, 24).await),
        Code::NoSession
    );
}

#[tokio::test]
async fn stop_is_heard_while_the_session_starts() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    ana.start_session(workspace).await.unwrap();
    ana.stop_session(workspace).await.unwrap();
    ana.until(&socket, workspace, SessionState::Stopped).await;
    assert!(
        lab.app().runtime.list().await.unwrap().is_empty(),
        "no place is left"
    );
}

#[tokio::test]
async fn what_belongs_to_another_user_does_not_exist() {
    let lab = Lab::start().await;
    let (ana, bo) = (lab.user("ana").await, lab.user("bo").await);
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    assert_eq!(code(bo.start_session(workspace).await), Code::NotFound);
    assert_eq!(code(bo.session(workspace).await), Code::NotFound);
    assert_eq!(code(bo.stop_session(workspace).await), Code::NotFound);
    assert_eq!(code(bo.terminals(session.id).await), Code::NotFound);
    assert_eq!(
        code(bo.open_terminal(session.id, 80, 24).await),
        Code::NotFound
    );
    let unknown = SessionId::from_parts(1, [1; 10]);
    assert_eq!(code(ana.terminals(unknown).await), Code::NotFound);
    let unknown = TerminalId::from_parts(1, [1; 10]);
    assert_eq!(
        code(ana.close_terminal(session.id, unknown).await),
        Code::NotFound
    );
    let unknown = WorkspaceId::from_parts(1, [1; 10]);
    assert_eq!(code(ana.start_session(unknown).await), Code::NotFound);
    assert_eq!(
        code(ana.open_terminal(session.id, 0, 24).await),
        Code::InvalidRequest
    );
}

#[tokio::test]
async fn a_viewer_that_is_cut_off_resumes_exactly_where_it_was() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let mut viewer = ana.shell(&socket, session.id).await;
    viewer
        .write(b"stty -onlcr; seq -f line-%06g 1 60000; echo the-'end'\r")
        .await
        .unwrap();
    let mut seen = Vec::new();
    let mut cuts = 0;
    while !ends(&seen, b"the-end") {
        // Every 20 kB the connection goes, in mid-output.
        let cut_at = seen.len() + 20_000;
        while seen.len() < cut_at && !ends(&seen, b"the-end") {
            let told = tokio::time::timeout(PATIENCE, viewer.next()).await;
            let told = told.unwrap_or_else(|_| {
                panic!(
                    "nothing after {} bytes and {cuts} cuts, of which the last are {:?}",
                    seen.len(),
                    String::from_utf8_lossy(&seen[seen.len().saturating_sub(200)..])
                )
            });
            match told.unwrap() {
                Some(Told::Output(bytes)) => seen.extend_from_slice(&bytes),
                Some(Told::Reset | Told::Gap(_)) if cuts > 0 => panic!("the log was not resumed"),
                Some(_) => {}
                None => panic!("the stream ended"),
            }
        }
        let place = viewer.place();
        drop(viewer);
        let socket = Socket::connect(&ana).await.unwrap();
        viewer = Viewer::attach(&socket, place).await.unwrap();
        keep(socket);
        cuts += 1;
    }
    let text = String::from_utf8(seen).unwrap();
    // The first one stands behind what the shell writes before a command runs.
    let numbers: Vec<u32> = text
        .lines()
        .filter_map(|line| line.split("line-").nth(1)?.parse().ok())
        .collect();
    assert!(
        numbers.iter().copied().eq(1..=60_000),
        "nothing lost, nothing doubled"
    );
    assert!(cuts > 5);
}

#[tokio::test]
async fn a_session_whose_agent_was_killed_starts_again_and_the_person_is_told() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let mut events = socket.events(Some(workspace)).await.unwrap();
    lab.kill_agent(session.id).await;
    let told = async {
        loop {
            let event = events.recv().await.expect("events go on").event;
            if let Some(v1::event::Event::Notice(notice)) = event {
                return notice;
            }
        }
    };
    let notice = tokio::time::timeout(PATIENCE, told).await.expect("in time");
    assert!(
        notice.message.contains("starts again"),
        "{}",
        notice.message
    );
    let again = ana.until(&socket, workspace, SessionState::Ready).await;
    assert_eq!(again.id, session.id);
    ana.shell(&socket, session.id).await;
}

#[tokio::test]
async fn a_session_that_loses_its_agent_again_and_again_fails_with_a_reason() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    for _ in 0..3 {
        ana.until(&socket, workspace, SessionState::Ready).await;
        ana.shell(&socket, session.id).await;
        lab.kill_agent(session.id).await;
        let left = ana.wait_for_session(&socket, workspace, |state| state != SessionState::Ready);
        tokio::time::timeout(PATIENCE, left)
            .await
            .expect("in time")
            .unwrap();
    }
    let failed = ana.until(&socket, workspace, SessionState::Failed).await;
    assert!(failed.reason.is_some_and(|reason| !reason.text.is_empty()));
    assert!(failed.ended_at.is_some());
    assert!(
        lab.app().runtime.list().await.unwrap().is_empty(),
        "no place is left"
    );
}

#[tokio::test]
async fn a_graceful_stop_leaves_sessions_running_and_frees_their_leases() {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    lab.stop().await;
    drop(socket);
    // Not the only server: it could not take what the one before had not given back, within this patience it does.
    lab.restart(false).await;
    let ana = lab.again(&ana);
    let socket = Socket::connect(&ana).await.unwrap();
    ana.shell(&socket, session.id).await;
    let held = sqlx::query_scalar::<_, i64>("select fence from sessions");
    assert!(held.fetch_one(&lab.app().db).await.unwrap() >= 1);
}

#[tokio::test]
async fn a_quiet_session_counts_down_and_stops_and_a_wish_to_keep_it_ends_the_countdown() {
    let start = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let lab = Lab::with_clock(Clock::Manual(Arc::new(Mutex::new(start)))).await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let mut events = socket.events(Some(workspace)).await.unwrap();
    ana.started(&socket, workspace).await;
    // The agent's first report is activity: the clock moves after it.
    let reported = async {
        while let Some(event) = events.recv().await {
            if matches!(event.event, Some(v1::event::Event::Usage(_))) {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, reported)
        .await
        .expect("in time");
    lab.clock.advance(Duration::minutes(16));
    let idle = ana.until(&socket, workspace, SessionState::Idle).await;
    assert_eq!(
        idle.idle_stop_at,
        Some(lab.clock.now() + Duration::minutes(15))
    );
    let keep = slipway_api::session::KeepSession { until_done: false };
    let path = format!("/workspaces/{workspace}/session/keep");
    let kept: slipway_api::session::Session =
        ana.call(reqwest::Method::POST, &path, &keep).await.unwrap();
    assert!(!kept.keep_until_done);
    let ready = ana.until(&socket, workspace, SessionState::Ready).await;
    assert_eq!(ready.idle_stop_at, None);
    lab.clock.advance(Duration::minutes(16));
    ana.until(&socket, workspace, SessionState::Idle).await;
    lab.clock.advance(Duration::minutes(15));
    let stopped = ana.until(&socket, workspace, SessionState::Stopped).await;
    assert_eq!(
        stopped.reason.map(|reason| reason.code),
        Some(Code::IdleStop)
    );
}

#[tokio::test]
async fn sessions_that_are_started_at_once_are_counted() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let most = usize::try_from(SESSIONS_PER_USER_MAX).unwrap();
    let mut workspaces = Vec::new();
    for number in 0..most + 2 {
        let name = format!("tides {number}");
        let made = ana.create_workspace(&name, Template::Empty).await;
        workspaces.push(made.unwrap().id);
    }
    let starts = workspaces
        .iter()
        .map(|workspace| ana.start_session(*workspace));
    let starts = futures_util::future::join_all(starts).await;
    let (started, refused): (Vec<_>, Vec<_>) = starts.into_iter().partition(Result::is_ok);
    assert_eq!((started.len(), refused.len()), (most, 2));
    for refused in refused {
        assert_eq!(code(refused), Code::TooManySessions);
    }
}

fn ends(seen: &[u8], with: &[u8]) -> bool {
    // Behind it stands a prompt.
    let tail = &seen[seen.len().saturating_sub(4_096)..];
    tail.windows(with.len()).any(|window| window == with)
}

/// A socket lives as long as its viewer; the test's process ends both.
fn keep(socket: Socket) {
    std::mem::forget(socket);
}
