//! Sessions that go on: kept until a program is done, and over the end of their server.
use std::sync::{Arc, Mutex};

use slipway_api::session::{KeepSession, Session, SessionState};
use slipway_backend::clock::Clock;
use slipway_client::socket::Socket;
use slipway_client::terminal::{Told, Viewer};
use slipway_core::code::Code;
use time::{Duration, OffsetDateTime};

use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

/// Waits until the server has looked at its sessions many times since now: its leases are renewed every few seconds.
async fn looked_at(lab: &Lab) {
    let leased = async || {
        let lease = sqlx::query_scalar::<_, OffsetDateTime>("select lease_until from sessions");
        lease.fetch_one(&lab.app().db).await.expect("a lease")
    };
    for _ in 0..2 {
        let before = leased().await;
        let renewed = async {
            // waits: a row tells nobody that it moved
            while leased().await == before {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, renewed)
            .await
            .expect("a renewal");
    }
}

#[tokio::test]
async fn a_session_that_is_kept_outlives_its_lifetime_until_its_program_is_done() {
    let start = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
    let lab = Lab::with_clock(Clock::Manual(Arc::new(Mutex::new(start)))).await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.unwrap();
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let mut shell = ana.shell(&socket, session.id).await;
    shell
        .write(b"echo begun=$((40+2)); sleep 600\r")
        .await
        .unwrap();
    shell.read_until("begun=42").await.unwrap();
    let keep = KeepSession { until_done: true };
    let path = format!("/workspaces/{workspace}/session/keep");
    let kept: Session = ana.call(reqwest::Method::POST, &path, &keep).await.unwrap();
    assert!(kept.keep_until_done);
    looked_at(&lab).await;
    lab.clock.advance(Duration::hours(13));
    looked_at(&lab).await;
    ana.until(&socket, workspace, SessionState::Ready).await;
    shell.write(b"\x03").await.unwrap();
    let stopped = ana.until(&socket, workspace, SessionState::Stopped).await;
    let reason = stopped.reason.map(|reason| reason.code);
    assert_eq!(reason, Some(Code::LifetimeReached));
}

#[tokio::test]
async fn a_viewer_goes_on_at_its_byte_after_its_server_was_told_to_end() {
    counting_goes_on(async |lab| {
        lab.stop().await;
        // Not the only server: it could not take what the one before had not given back.
        lab.restart(false).await;
    })
    .await;
}

#[tokio::test]
async fn the_next_server_adopts_what_a_killed_one_left_and_no_output_is_lost() {
    counting_goes_on(async |lab| {
        lab.kill();
        lab.restart(true).await;
    })
    .await;
}

/// A program counts while its server ends and another one comes; its viewer sees every number once.
async fn counting_goes_on(another_server: impl AsyncFnOnce(&mut Lab)) {
    let mut lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let socket = Socket::connect(&ana).await.expect("a socket");
    let workspace = ana.empty_workspace().await;
    let session = ana.started(&socket, workspace).await;
    let mut viewer = ana.shell(&socket, session.id).await;
    let count = b"for i in $(seq 1 300); do echo n=$i; sleep 0.01; done; echo the-'end'\r";
    viewer.write(count).await.expect("typed");
    let mut seen = viewer.read_until("n=20\r").await.expect("output");
    let place = viewer.place();
    another_server(&mut lab).await;
    drop((viewer, socket));
    let ana = lab.again(&ana);
    let socket = Socket::connect(&ana).await.expect("a socket");
    let adopted = ana.until(&socket, workspace, SessionState::Ready).await;
    assert_eq!(adopted.id, session.id);
    let mut viewer = Viewer::attach(&socket, place).await.expect("attached");
    while !seen.contains("the-end") {
        let told = tokio::time::timeout(PATIENCE, viewer.next()).await;
        match told.expect("in time").expect("a stream") {
            Some(Told::Output(bytes)) => seen.push_str(&String::from_utf8_lossy(&bytes)),
            told => panic!("the log was not resumed: {told:?}"),
        }
    }
    let lines: String = (1..=300).map(|n| format!("n={n}\r\n")).collect();
    assert!(seen.contains(&lines), "{seen}");
}
