//! A batch in several frames is one batch, and who proposed it is not sent its contents.
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_proto::v1::{self, hub_frame, spoke_frame};

use super::refused::{Contents, Control, bulk, control, hello, link};
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

async fn open(
    lab: &Lab,
    client: &slipway_client::rest::Client,
    workspace: WorkspaceId,
) -> (Control, Contents) {
    let control = control(lab, client, hello(workspace)).await;
    let mut control = control.expect("a link");
    let name = link(&mut control).await;
    let bulk = bulk(lab, client, &name).await.expect("contents");
    (control, bulk)
}

async fn hears(control: &mut Control) -> hub_frame::Frame {
    let frame = tokio::time::timeout(PATIENCE, control.1.message());
    let frame = frame.await.expect("in time").expect("a stream");
    frame.expect("a frame").frame.expect("with a body")
}

/// The next changes that are heard, by path and whether contents came along; answers to batches on the way.
async fn changes(control: &mut Control) -> (Vec<(String, bool)>, Vec<v1::ProposeResult>) {
    let mut answers = Vec::new();
    loop {
        match hears(control).await {
            hub_frame::Frame::Result(result) => answers.push(result),
            hub_frame::Frame::Changes(frame) if !frame.changes.is_empty() => {
                let all = frame.changes.into_iter();
                let all = all.map(|change| (change.path, change.inline.is_some()));
                return (all.collect(), answers);
            }
            _ => {}
        }
    }
}

fn operation(path: &str, content: &'static [u8]) -> v1::Operation {
    let mut node = v1::Node {
        hash: slipway_proto::convert::hash_bytes(&ContentHash::of(content)),
        size: content.len() as u64,
        ..v1::Node::default()
    };
    node.set_kind(v1::Kind::File);
    v1::Operation {
        path: path.to_owned(),
        node: Some(node),
        inline: Some(content.into()),
        ..v1::Operation::default()
    }
}

#[tokio::test]
async fn a_batch_in_two_frames_is_one_whose_contents_go_to_all_others() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let (mut here, _here) = open(&lab, &ana, workspace).await;
    let (mut there, _there) = open(&lab, &ana, workspace).await;
    for (operation, more) in [
        (operation("one.txt", b"one\n"), true),
        (operation("two.txt", b"two\n"), false),
    ] {
        let propose = v1::Propose {
            batch: 1,
            operations: vec![operation],
            more,
        };
        let frame = Some(spoke_frame::Frame::Propose(propose));
        let sent = here.0.send(v1::SpokeFrame { frame });
        sent.await.expect("it listens");
    }
    let (told, answers) = changes(&mut here).await;
    assert_eq!(answers.len(), 1);
    assert_eq!((answers[0].batch, answers[0].outcomes.len()), (1, 2));
    let both = |inline| {
        [
            ("one.txt".to_owned(), inline),
            ("two.txt".to_owned(), inline),
        ]
    };
    assert_eq!(told, both(false));
    assert_eq!(changes(&mut there).await.0, both(true));
}
