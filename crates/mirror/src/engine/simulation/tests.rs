//! Some worlds with every test run; `cargo xtask sim` plays many, in a build that is faster.
use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use rustix::io::Errno;
use slipway_core::path::RelPath;
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_proto::v1::{hub_frame, spoke_frame};
use slipway_sync::node::Node;
use tokio::sync::oneshot;

use super::calls::{Before, What};
use super::desktop::Runs;
use super::gremlin::Shared;
use super::oracle::Oracle;
use super::replica::Replica;
use super::*;
use crate::engine::Input;
use crate::planted::{self, Bug};
use crate::volume::simulated::{Loss, Make, Spelling};
use crate::volume::{For, Volume as _};
use crate::wire;

mod copies;
mod kept;
mod large;

/// One by its seed, to look at a failure.
const ONLY: Option<u64> = None;
const SEEDS: u64 = 150;

#[test]
fn every_world_comes_to_rest_in_step_and_nothing_is_lost() {
    for number in ONLY.map_or(1..SEEDS + 1, |seed| seed..seed + 1) {
        if let Some(failure) = seed(number) {
            for line in &failure.story {
                println!("{line}");
            }
            panic!("seed {number}: {}\ntape {}", failure.wrong, failure.tape);
        }
    }
}

#[test]
fn what_fails_under_some_harm_is_told_by_the_name_of_what_is_about_it() {
    for (bug, harm, name) in [
        (Bug::OldBase, "r", "I6"),
        (Bug::NoAudit, "l", "I9"),
        (Bug::LocalWins, "", "I13"),
        (Bug::LocalWins, "", "I16"),
    ] {
        planted::plant(Some(bug));
        let mut told = (1..=500).filter_map(|seed| fails_with(seed, harm));
        assert!(told.any(|names| names.contains(name)), "{bug:?}: {name}");
        planted::plant(None);
    }
}

#[test]
fn a_failure_is_told_by_a_shorter_tape_that_fails_for_the_same_reason() {
    planted::plant(Some(Bug::Unverified));
    let found = (1..).find_map(|number| Some((number, fails(number)?)));
    let (number, invariant) = found.unwrap();
    let failure = seed(number).unwrap();
    let (wrong, story) = tape(&failure.tape).unwrap();
    planted::plant(None);
    assert!(wrong.starts_with(invariant), "{wrong}");
    assert_eq!(story, failure.story);
    let whole = play(&Tape::of_seed(number, TAPE), true);
    assert!(
        failure.story.len() * 4 < whole.story.len(),
        "{}",
        story.len()
    );
}

#[test]
fn events_are_lost_told_again_and_told_before_others() {
    let stories = (1..=40).map(|number| play(&Tape::of_seed(number, TAPE), true).story);
    let told: Vec<_> = stories.flatten().collect();
    for fate in ["Lost", "Again", "BeforeOthers"] {
        assert!(told.iter().any(|line| line.contains(fate)), "{fate}");
    }
}

/// A replica of a hub that has nothing, and says so.
async fn replica() -> Replica {
    replica_on(Make::default()).await.0
}

async fn replica_on(make: Make) -> (Replica, Shared) {
    let shared = Shared::new(Oracle::new(Tape::new(Vec::new()), 1, false));
    let mut replica = Replica::new(0, make, Runs::Agent, &shared);
    replica.start();
    replica.connect().await;
    greeted(&mut replica, true).await;
    let listed = v1::Changes {
        listed: Some(0),
        ..v1::Changes::default()
    };
    replica.hears(hub_frame::Frame::Changes(listed)).await;
    (replica, shared)
}

async fn greeted(replica: &mut Replica, full: bool) {
    let hello = v1::HubHello {
        epoch: "e".to_owned(),
        full,
        ..v1::HubHello::default()
    };
    replica.hears(hub_frame::Frame::Hello(hello)).await;
}

/// A program saves, and the engine proposes it.
async fn saved(replica: &mut Replica, text: &[u8]) {
    replica.volume.inner().write("/folder/a.txt", text).unwrap();
    replica.hear_all();
    replica.turn(None).await;
    passes(replica, 20).await;
    let state = replica.state.as_ref().unwrap();
    assert!(state.proposals.outstanding.is_some(), "it is on its way");
}

async fn passes(replica: &mut Replica, millis: u64) {
    let time = Duration::from_millis(millis);
    tokio::time::advance(time).await;
    replica.volume.inner().now_ns += time.as_nanos().cast_signed();
    replica.turn(None).await;
    while replica.work().await {}
}

fn on_disk(replica: &Replica) -> String {
    let bytes = replica.volume.inner().bytes("/folder/a.txt").unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The hub took what is on its way, whether or not the replica hears of it.
async fn answered(replica: &mut Replica, revision: u64) {
    let state = replica.state.as_ref().unwrap();
    let batch = state.proposals.outstanding.as_ref().unwrap();
    let mut applied = v1::Outcome::default();
    applied.set_result(v1::outcome::Result::Applied);
    let result = v1::ProposeResult {
        batch: batch.number,
        revision,
        outcomes: vec![applied; batch.operations.len()],
        made: 0,
    };
    replica.hears(hub_frame::Frame::Result(result)).await;
}

async fn told(replica: &mut Replica, revision: u64, text: &[u8]) {
    let node = Node::File {
        hash: ContentHash::of(text),
        size: text.len() as u64,
        executable: false,
    };
    let change = v1::Change {
        revision,
        path: "a.txt".to_owned(),
        node: Some(wire::to_wire(&node)),
        inline: Some(Bytes::copy_from_slice(text)),
        last_of_revision: true,
        made: 0,
    };
    let changes = v1::Changes {
        changes: vec![change],
        ..v1::Changes::default()
    };
    replica.hears(hub_frame::Frame::Changes(changes)).await;
}

/// The replica gets the contents that it asks for.
async fn served(replica: &mut Replica, texts: &[&'static [u8]]) {
    passes(replica, 2_000).await;
    while let Ok(v1::SpokeFrame { frame }) = replica.frames.try_recv() {
        let Some(spoke_frame::Frame::Need(need)) = frame else {
            continue;
        };
        for text in texts {
            let hash = convert::hash_bytes(&ContentHash::of(text));
            if need.hashes.contains(&hash) {
                let blob = v1::Blob {
                    hash,
                    data: Bytes::from_static(text),
                    last: true,
                    ..v1::Blob::default()
                };
                replica.hears_bulk(blob).await;
            }
        }
    }
    passes(replica, 2_000).await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_volume_keeps_in_another_form_is_not_gone_while_the_system_does_not_tell() {
    let make = Make {
        spelling: Spelling::Decomposed,
        ..Make::default()
    };
    let (mut replica, shared) = replica_on(make).await;
    let path = RelPath::parse("\u{e9}.txt").unwrap();
    let whole = format!("/folder/{path}");
    replica.volume.inner().write(&whole, b"a text\n").unwrap();
    let look = |_| Some(Input::Flush(oneshot::channel().0));
    replica.turn(look(())).await;
    assert!(replica.known().local.contains_key(&path));
    for later in 0..30 {
        let call = replica.volume.inner().calls + later;
        shared.lock().before = Some(Before {
            replica: 0,
            call,
            what: What::Fails(Errno::IO),
        });
        replica.turn(look(())).await;
        assert!(replica.known().local.contains_key(&path), "call {later}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_hub_is_being_told_keeps_its_spelling() {
    let make = Make {
        spelling: Spelling::Insensitive,
        ..Make::default()
    };
    let (mut replica, _shared) = replica_on(make).await;
    replica.volume.inner().make_all("/folder/D").unwrap();
    let inside = replica.volume.inner().write("/folder/D/x.txt", b"a text\n");
    inside.unwrap();
    saved(&mut replica, b"a text\n").await;
    let folder = v1::Change {
        revision: 1,
        path: "d".to_owned(),
        node: Some(wire::to_wire(&Node::Folder)),
        last_of_revision: true,
        ..v1::Change::default()
    };
    let changes = v1::Changes {
        changes: vec![folder],
        ..v1::Changes::default()
    };
    replica.hears(hub_frame::Frame::Changes(changes)).await;
    passes(&mut replica, 2_000).await;
    let state = replica.state.as_ref().unwrap();
    assert!(
        state
            .trees
            .remote
            .contains_key(&RelPath::parse("d").unwrap())
    );
    let names = state.disk.root().list(None).unwrap();
    assert!(names.iter().any(|name| name == "D"), "{names:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_proposed_before_a_stop_outlives_a_loss_of_power() {
    let mut replica = replica().await;
    saved(&mut replica, b"a text\n").await;
    let state = replica.state.as_mut().unwrap();
    state.store_now().await;
    let all = |many: usize| many - 1;
    replica.volume.inner().crash(Loss::Power, &mut { all });
    assert_eq!(on_disk(&replica), "a text\n");
}

#[tokio::test(start_paused = true)]
async fn what_moves_outlives_a_loss_of_power_when_the_hub_is_told_that_it_goes() {
    for is_replaced in [false, true] {
        let mut replica = replica().await;
        told(&mut replica, 1, b"a text\n").await;
        {
            let mut inner = replica.volume.inner();
            inner.rename("/folder/a.txt", "/folder/b.txt").unwrap();
            if is_replaced {
                inner.write("/folder/a.txt", b"another\n").unwrap();
            }
        }
        replica.hear_all();
        replica.turn(None).await;
        passes(&mut replica, 20).await;
        let state = replica.state.as_ref().unwrap();
        assert!(state.proposals.outstanding.is_some(), "it is on its way");
        let all = |many: usize| many - 1;
        replica.volume.inner().crash(Loss::Power, &mut { all });
        let moved = replica.volume.inner().bytes("/folder/b.txt");
        assert_eq!(moved.as_deref().map(Vec::as_slice), Some(&b"a text\n"[..]));
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_are_owed_after_a_loss_of_power_when_their_name_was_on_the_disk_too() {
    for is_named in [false, true] {
        let (replica, shared) = replica_on(Make::default()).await;
        let text = shared.lock().version(None);
        let written = replica
            .volume
            .inner()
            .write("/folder/a.txt", text.as_bytes());
        written.unwrap();
        let volume = replica.volume.reborn();
        let folder = volume.folder("/folder".as_ref()).unwrap();
        let file = volume.open(&folder, "a.txt".as_ref(), For::Reading);
        volume.make_durable(&file.unwrap()).unwrap();
        if is_named {
            volume.make_durable(&folder).unwrap();
        }
        let mut oracle = shared.lock();
        oracle.excuse(0, &BTreeSet::new());
        assert_eq!(oracle.owed.is_empty(), !is_named);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_of_a_file_is_judged_when_all_was_heard_that_the_hub_took() {
    what_is_left_is_judged(0, None).await;
}

#[tokio::test(start_paused = true)]
async fn so_it_is_by_an_engine_that_follows_on_one_that_never_heard_of_the_hub() {
    what_is_left_is_judged(2, None).await;
}

#[tokio::test(start_paused = true)]
async fn so_it_is_by_one_that_could_not_see_it_first() {
    for later in 0..40 {
        what_is_left_is_judged(0, Some(later)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn so_it_is_by_one_that_follows_on_one_that_could_not_see_it() {
    for later in 0..40 {
        what_is_left_is_judged(1, Some(later)).await;
    }
}

/// After a loss of power engines start and stop so many times before the hub is there. One call of the first of them fails.
async fn what_is_left_is_judged(stops: usize, fails: Option<u64>) {
    let (one, two): (&[u8], &[u8]) = (b"one text\n", b"two texts: a second\n");
    let (mut replica, shared) = replica_on(Make::default()).await;
    saved(&mut replica, one).await;
    answered(&mut replica, 1).await;
    told(&mut replica, 1, one).await;
    passes(&mut replica, 2_000).await;
    saved(&mut replica, two).await;
    // The hub has the second, of which a half is left here, and the replica does not know.
    let half = |many: usize| if many == 6 { 4 } else { 0 };
    replica.volume.inner().crash(Loss::Power, &mut { half });
    replica.mind_the_end();
    assert_eq!(on_disk(&replica), "two texts:");
    let call = replica.volume.inner().calls + 1;
    shared.lock().before = fails.map(|later| Before {
        replica: 0,
        call: call + later,
        what: What::Fails(Errno::IO),
    });
    for _ in 0..stops {
        while replica.state.is_none() {
            replica.start();
        }
        replica.state.as_mut().unwrap().store_now().await;
        replica.volume.inner().crash(Loss::Process, &mut |_| 0);
        replica.mind_the_end();
    }
    while replica.state.is_none() {
        replica.start();
    }
    replica.connect().await;
    greeted(&mut replica, false).await;
    served(&mut replica, &[one, two]).await;
    answered(&mut replica, 2).await;
    told(&mut replica, 2, two).await;
    served(&mut replica, &[one, two]).await;
    if fails.is_some() {
        // What could not be read or written is tried again.
        passes(&mut replica, 10_000).await;
        served(&mut replica, &[one, two]).await;
    }
    assert_eq!(on_disk(&replica).as_bytes(), two, "{fails:?}");
    let state = replica.state.as_ref().unwrap();
    assert!(state.proposals.outstanding.is_none() && state.proposals.waiting.is_empty());
}
