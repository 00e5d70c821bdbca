//! A content that breaks off on its way to the server goes on from where it was.
use bytes::Bytes;
use slipway_client::rest::Client;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BULK_FRAME_BYTES_MAX, RANGE_BYTES_MAX};
use slipway_proto::v1::{self, hub_frame, outcome, spoke_bulk, spoke_frame};

use super::refused::{Contents, Control, bulk, control, hello, link};
use crate::journey::Journey as _;
use crate::lab::{Lab, PATIENCE};

/// One connection, and what it sends.
struct Line {
    control: Control,
    bulk: Contents,
    whole: Bytes,
}

impl Line {
    /// Connects and proposes a file; what the hub asks for.
    async fn open(
        lab: &Lab,
        client: &Client,
        workspace: WorkspaceId,
        whole: &Bytes,
    ) -> (Self, v1::Need) {
        let mut control = control(lab, client, hello(workspace))
            .await
            .expect("a link");
        let name = link(&mut control).await;
        let bulk = bulk(lab, client, &name).await.expect("contents");
        let whole = whole.clone();
        let mut line = Self {
            control,
            bulk,
            whole,
        };
        line.propose(1).await;
        let need = loop {
            if let hub_frame::Frame::Need(need) = line.hears().await {
                break need;
            }
        };
        (line, need)
    }

    fn hash(&self) -> Bytes {
        slipway_proto::convert::hash_bytes(&ContentHash::of(&self.whole))
    }

    async fn propose(&mut self, batch: u64) {
        let mut node = v1::Node {
            hash: self.hash(),
            size: self.whole.len() as u64,
            ..v1::Node::default()
        };
        node.set_kind(v1::Kind::File);
        let operation = v1::Operation {
            path: "large.bin".to_owned(),
            node: Some(node),
            ..v1::Operation::default()
        };
        let operations = vec![operation];
        let propose = v1::Propose {
            batch,
            operations,
            more: false,
        };
        let frame = Some(spoke_frame::Frame::Propose(propose));
        let sent = self.control.0.send(v1::SpokeFrame { frame });
        sent.await.expect("it listens");
    }

    async fn hears(&mut self) -> hub_frame::Frame {
        let frame = tokio::time::timeout(PATIENCE, self.control.1.message());
        let frame = frame.await.expect("in time").expect("a stream");
        frame.expect("a frame").frame.expect("with a body")
    }

    async fn says(&mut self, blob: v1::Blob) {
        let hash = self.hash();
        let frame = Some(spoke_bulk::Frame::Blob(v1::Blob { hash, ..blob }));
        let sent = self.bulk.0.send(v1::SpokeBulk { frame });
        sent.await.expect("it listens");
    }

    /// Sends no more contents; returns when the hub has taken all of them and ended the connection.
    async fn hangs_up(self) {
        let Self {
            mut control, bulk, ..
        } = self;
        drop(bulk.0);
        let ended = async { while let Ok(Some(_)) = control.1.message().await {} };
        tokio::time::timeout(PATIENCE, ended)
            .await
            .expect("in time");
    }

    async fn sends(&mut self, from: u64, to: u64) {
        let mut offset = from;
        while offset < to {
            let end = to.min(offset + BULK_FRAME_BYTES_MAX as u64);
            let range = |at: u64| usize::try_from(at).expect("small");
            self.says(v1::Blob {
                offset,
                data: self.whole.slice(range(offset)..range(end)),
                last: end == self.whole.len() as u64,
                ..v1::Blob::default()
            })
            .await;
            offset = end;
        }
    }
}

/// Waits until what came of a content is stored: the end of a connection is seen in its own time.
async fn kept(lab: &Lab) {
    let kept = async || {
        let blobs = sqlx::query_scalar::<_, i64>("select count(*) from blobs where size > 0");
        blobs.fetch_one(&lab.app().db).await.expect("a count")
    };
    let waited = async {
        // waits: a row tells nobody that it came
        while kept().await == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waited)
        .await
        .expect("in time");
}

#[tokio::test]
async fn the_first_bytes_of_a_content_that_broke_off_are_offered_and_taken() {
    const SIZE: u64 = 6 << 20;
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let bytes = (0..SIZE / 4).flat_map(|n| (n as u32).wrapping_mul(0x9e37_79b1).to_le_bytes());
    let whole: Bytes = bytes.collect::<Vec<_>>().into();
    let (mut line, need) = Line::open(&lab, &ana, workspace, &whole).await;
    assert!(need.begun.is_empty());
    line.sends(0, SIZE / 2).await;
    line.hangs_up().await;
    kept(&lab).await;
    let (mut line, need) = Line::open(&lab, &ana, workspace, &whole).await;
    let begun = need.begun.into_iter().next().expect("what came before");
    assert!((1 << 20..=SIZE / 2).contains(&begun.size), "{}", begun.size);
    let came = &whole[..usize::try_from(begun.size).unwrap()];
    let hash = slipway_proto::convert::hash_bytes(&ContentHash::of(came));
    assert_eq!(begun.begin, hash);
    let mut offset = 0;
    while offset < begun.size {
        let from_size = RANGE_BYTES_MAX.min(begun.size - offset);
        line.says(v1::Blob {
            offset,
            from: begun.begin.clone(),
            from_offset: offset,
            from_size,
            ..v1::Blob::default()
        })
        .await;
        offset += from_size;
    }
    line.sends(offset, SIZE).await;
    loop {
        match line.hears().await {
            hub_frame::Frame::Arrived(arrived) => {
                assert!(arrived.held);
                line.propose(2).await;
            }
            hub_frame::Frame::Result(result) if result.batch == 2 => {
                assert_eq!(result.outcomes[0].result(), outcome::Result::Applied);
                break;
            }
            _ => {}
        }
    }
    let stored = ana.read_file(workspace, "large.bin").await.unwrap();
    assert!(stored == whole);
    // A range of what nobody holds makes no content.
    let other: Bytes = vec![1; 2 << 20].into();
    let (mut line, _) = Line::open(&lab, &ana, workspace, &other).await;
    line.says(v1::Blob {
        from: slipway_proto::convert::hash_bytes(&ContentHash::of(b"nobody's")),
        from_size: 2 << 20,
        last: true,
        ..v1::Blob::default()
    })
    .await;
    let refused = loop {
        if let hub_frame::Frame::Arrived(arrived) = line.hears().await {
            break arrived;
        }
    };
    assert!(!refused.held);
}
