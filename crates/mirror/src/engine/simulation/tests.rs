//! Some worlds with every test run; `cargo xtask sim` plays many, in a build that is faster.
use std::time::Duration;

use slipway_proto::v1;
use slipway_proto::v1::hub_frame;

use super::gremlin::Shared;
use super::oracle::Oracle;
use super::replica::Replica;
use super::*;
use crate::volume::simulated::{Loss, Make};

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

#[tokio::test(start_paused = true)]
async fn what_was_proposed_before_a_stop_outlives_a_loss_of_power() {
    let shared = Shared::new(Oracle::new(Tape::new(Vec::new()), 1, false));
    let mut replica = Replica::new(0, Make::default(), &shared);
    replica.start();
    replica.connect().await;
    replica
        .hears(hub_frame::Frame::Hello(v1::HubHello {
            full: true,
            ..v1::HubHello::default()
        }))
        .await;
    replica
        .hears(hub_frame::Frame::Changes(v1::Changes {
            listed: Some(0),
            ..v1::Changes::default()
        }))
        .await;
    let saved = replica.volume.inner().write("/work/a.txt", b"a text\n");
    saved.unwrap();
    replica.deliver(usize::MAX, &mut || false);
    replica.turn(None).await;
    tokio::time::advance(Duration::from_millis(20)).await;
    replica.turn(None).await;
    let state = replica.state.as_mut().unwrap();
    assert!(state.outstanding.is_some(), "it is on its way");
    state.store_now().await;
    let mut inner = replica.volume.inner();
    inner.crash(Loss::Power, &mut |many| many - 1);
    assert_eq!(inner.bytes("/work/a.txt").unwrap().as_slice(), b"a text\n");
}
