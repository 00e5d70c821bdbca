//! An engine that follows a hub which the test plays: it comes and goes as the test says.
use slipway_core::limits::WORKSPACE_ENTRIES_MAX;
use slipway_proto::v1::{hub_frame, spoke_frame};

use super::*;
use crate::engine::{Brake, Settings};

/// A wait for a condition, bounded so that a failure ends.
const BOUND: Duration = Duration::from_secs(10);

/// One try of the follower's, for the test to answer.
struct Dialled {
    outgoing: Outgoing,
    answer: tokio::sync::oneshot::Sender<Result<Incoming, Reason>>,
}

struct Lab {
    _folder: tempfile::TempDir,
    follow: Follow,
    dials: mpsc::Receiver<Dialled>,
}

fn reason(code: Option<Code>) -> Reason {
    let message = "it is away".to_owned();
    Reason { code, message }
}

impl Lab {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("work")).unwrap();
        let engine = Engine::start(Settings {
            root: folder.path().join("work"),
            state: folder.path().join("state"),
            name: "laptop".into(),
            fresh_id: "root-1".into(),
            brake: Brake::Ask,
            undo: true,
        })
        .unwrap();
        let (tries, dials) = mpsc::channel(4);
        let follow = Follow::start(engine, move |outgoing| {
            let tries = tries.clone();
            async move {
                let (answer, answered) = tokio::sync::oneshot::channel();
                tries.send(Dialled { outgoing, answer }).await.ok();
                answered.await.unwrap_or(Err(reason(None)))
            }
        });
        Self {
            _folder: folder,
            follow,
            dials,
        }
    }

    async fn dialled(&mut self) -> Dialled {
        let dialled = tokio::time::timeout(BOUND, self.dials.recv()).await;
        dialled.expect("a try within the bound").unwrap()
    }

    async fn until(&self, is: impl Fn(&Standing) -> bool) -> Standing {
        let mut standing = self.follow.standing();
        let found = tokio::time::timeout(BOUND, standing.wait_for(is)).await;
        found.expect("within the bound").unwrap().clone()
    }
}

/// More than any workspace has, and then some.
fn endless() -> Vec<hub_frame::Frame> {
    let hello = v1::HubHello {
        epoch: "e".to_owned(),
        full: true,
        ..v1::HubHello::default()
    };
    let mut folder = v1::Node::default();
    folder.set_kind(v1::Kind::Folder);
    let change = |number: u64| v1::Change {
        revision: 1,
        path: format!("{number}"),
        node: Some(folder.clone()),
        ..v1::Change::default()
    };
    let many = 2 * WORKSPACE_ENTRIES_MAX + 1;
    let changes = (0..many).map(change).collect();
    let changes = v1::Changes {
        changes,
        ..v1::Changes::default()
    };
    let rest = std::iter::repeat_n(hub_frame::Frame::Changes(v1::Changes::default()), 100);
    [
        hub_frame::Frame::Hello(hello),
        hub_frame::Frame::Changes(changes),
    ]
    .into_iter()
    .chain(rest)
    .collect()
}

async fn hello(dialled: &mut Dialled) -> v1::SpokeHello {
    let first = dialled.outgoing.control.recv().await.unwrap();
    match first.frame {
        Some(spoke_frame::Frame::Hello(hello)) => hello,
        other => panic!("a hello comes first, not {other:?}"),
    }
}

#[tokio::test]
async fn it_dials_again_after_a_break_and_tells_how_it_stands() {
    let mut lab = Lab::start();
    assert_eq!(*lab.follow.standing().borrow(), Standing::Connecting);
    for _ in 0..2 {
        let mut dialled = lab.dialled().await;
        hello(&mut dialled).await;
        let (control, from_control) = mpsc::channel(4);
        let (bulk, from_bulk) = mpsc::channel(4);
        let incoming = Incoming {
            control: from_control,
            bulk: from_bulk,
            ended: Box::pin(std::future::ready(reason(Some(Code::GoingAway)))),
        };
        assert!(dialled.answer.send(Ok(incoming)).is_ok());
        lab.until(|standing| *standing == Standing::Online).await;
        drop((control, bulk));
        let standing = lab
            .until(|standing| matches!(standing, Standing::Offline { .. }))
            .await;
        assert!(
            matches!(standing, Standing::Offline { reason, .. } if reason.code == Some(Code::GoingAway))
        );
    }
}

#[tokio::test]
async fn a_hub_that_tells_no_end_is_left() {
    let mut lab = Lab::start();
    let mut dialled = lab.dialled().await;
    hello(&mut dialled).await;
    let (control, from_control) = mpsc::channel(4);
    let (_bulk, from_bulk) = mpsc::channel(4);
    let incoming = Incoming {
        control: from_control,
        bulk: from_bulk,
        ended: Box::pin(std::future::ready(reason(None))),
    };
    assert!(dialled.answer.send(Ok(incoming)).is_ok());
    let mut frames = endless().into_iter();
    // It goes on whether anybody listens or not.
    for frame in frames.by_ref() {
        if control
            .send(v1::HubFrame { frame: Some(frame) })
            .await
            .is_err()
        {
            break;
        }
    }
    assert!(frames.len() > 0, "it hung up");
    lab.until(|standing| matches!(standing, Standing::Offline { .. }))
        .await;
}

#[tokio::test]
async fn a_failed_try_does_not_begin_the_time_offline_anew() {
    let mut lab = Lab::start();
    let dialled = lab.dialled().await;
    assert!(dialled.answer.send(Err(reason(None))).is_ok());
    let first = lab
        .until(|standing| matches!(standing, Standing::Offline { .. }))
        .await;
    let dialled = lab.dialled().await;
    let again = reason(Some(Code::DatabaseUnavailable));
    assert!(dialled.answer.send(Err(again.clone())).is_ok());
    let second = lab
        .until(|standing| matches!(standing, Standing::Offline { reason, .. } if *reason == again))
        .await;
    let since = |standing| match standing {
        Standing::Offline { since, .. } => since,
        other => panic!("{other:?}"),
    };
    assert_eq!(since(first), since(second));
}

#[tokio::test]
async fn a_refusal_lasts_until_somebody_asks() {
    let mut lab = Lab::start();
    let dialled = lab.dialled().await;
    let revoked = reason(Some(Code::SignInExpired));
    assert!(dialled.answer.send(Err(revoked)).is_ok());
    lab.until(|standing| {
        matches!(standing, Standing::Refused { code, .. } if *code == Code::SignInExpired)
    })
    .await;
    assert!(lab.dials.is_empty());
    lab.follow.ask();
    lab.dialled().await;
    lab.until(|standing| *standing == Standing::Connecting)
        .await;
}
