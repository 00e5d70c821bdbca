//! What a replica asks for as often as it likes costs the server no more than now and then.
use slipway_proto::v1::{self, hub_frame, spoke_frame};

use super::refused::{bulk, control, hello, link};
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

#[tokio::test]
async fn what_the_tree_comes_to_is_told_once_however_often_it_is_asked() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let mut control = control(&lab, &ana, hello(workspace)).await.expect("a link");
    let name = link(&mut control).await;
    let _bulk = bulk(&lab, &ana, &name).await.expect("contents");
    let says = async |frame| {
        let frame = v1::SpokeFrame { frame: Some(frame) };
        control.0.send(frame).await.expect("it listens");
    };
    for _ in 0..30 {
        says(spoke_frame::Frame::Compare(v1::Compare {})).await;
    }
    says(spoke_frame::Frame::Propose(v1::Propose::default())).await;
    let (mut told, mut answered) = (0, false);
    while told == 0 || !answered {
        let frame = tokio::time::timeout(PATIENCE, control.1.message());
        let frame = frame.await.expect("in time").expect("a stream");
        match frame.expect("a frame").frame {
            Some(hub_frame::Frame::Digest(_)) => told += 1,
            Some(hub_frame::Frame::Result(_)) => answered = true,
            _ => {}
        }
    }
    assert_eq!(told, 1);
}
