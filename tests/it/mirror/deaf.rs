//! A replica that takes nothing of what it asked for: little waits for it, and nobody waits because of it.
use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_proto::convert;
use slipway_proto::v1::{self, hub_bulk, spoke_frame};

use super::folder::Folder;
use super::refused::{bulk, control, hello, link};
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

const LARGE_BYTES: u64 = 60 << 20;
/// More than waits for a replica, in the server and on the way: the frames of its channel, a chunk, and two windows.
const WAITING_BYTES: u64 = 30 << 20;

#[tokio::test]
async fn a_replica_that_takes_nothing_keeps_little_waiting_and_nobody() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let words = 0..(LARGE_BYTES / 4) as u32;
    let words = words.flat_map(|n| n.wrapping_mul(0x9e37_79b1).to_le_bytes());
    let large = Bytes::from(words.collect::<Vec<_>>());
    let hash = convert::hash_bytes(&ContentHash::of(&large));
    let written = ana.write_file(workspace, "large.bin", None, large).await;
    let revision = written.unwrap().revision;

    let mut control = control(&lab, &ana, hello(workspace)).await.expect("a link");
    let name = link(&mut control).await;
    let mut deaf = bulk(&lab, &ana, &name).await.expect("contents");
    let need = v1::Need {
        hashes: vec![hash],
        ..v1::Need::default()
    };
    let frame = Some(spoke_frame::Frame::Need(need));
    let asked = control.0.send(v1::SpokeFrame { frame });
    asked.await.expect("it listens");

    // Meanwhile others take all of it, and their saves pass.
    let (here, there) = (Folder::open(&ana, workspace), Folder::open(&ana, workspace));
    for folder in [&here, &there] {
        folder.shows(revision).await;
    }
    here.write("small.txt", "saved\n");
    there.shows(here.flush().await).await;
    assert_eq!(there.read("small.txt"), "saved\n");

    // What is gone now was not read for the one that took nothing.
    let rest = sqlx::query("delete from blob_chunks where seq >= $1");
    let rest = rest.bind(i32::try_from(WAITING_BYTES >> 20).unwrap());
    rest.execute(&lab.app().db).await.unwrap();
    let mut came = 0;
    let is_whole = loop {
        let frame = tokio::time::timeout(PATIENCE, deaf.1.message());
        let frame = frame.await.expect("in time").expect("a stream");
        let Some(hub_bulk::Frame::Blob(blob)) = frame.expect("a frame").frame else {
            panic!("a piece");
        };
        came += blob.data.len() as u64;
        if blob.last {
            break !blob.missing;
        }
    };
    assert_eq!((is_whole, came), (false, WAITING_BYTES));
}
