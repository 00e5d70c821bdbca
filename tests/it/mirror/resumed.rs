//! A content that breaks off on its way to the server, or from it, goes on from where it was.
use bytes::Bytes;
use slipway_client::rest::Client;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BULK_FRAME_BYTES_MAX, RANGE_BYTES_MAX};
use slipway_proto::v1::{self, hub_bulk, hub_frame, outcome, spoke_bulk, spoke_frame};

use super::folder::Folder;
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
        let mut line = Self::connect(lab, client, workspace, whole).await;
        line.propose(1).await;
        let need = loop {
            if let hub_frame::Frame::Need(need) = line.hears().await {
                break need;
            }
        };
        (line, need)
    }

    async fn connect(lab: &Lab, client: &Client, workspace: WorkspaceId, whole: &Bytes) -> Self {
        let mut control = control(lab, client, hello(workspace))
            .await
            .expect("a link");
        let name = link(&mut control).await;
        let bulk = bulk(lab, client, &name).await.expect("contents");
        let whole = whole.clone();
        Self {
            control,
            bulk,
            whole,
        }
    }

    /// Asks for the file from an offset on; all pieces of the answer.
    async fn asks(&mut self, offset: u64, base: Option<&Bytes>) -> Vec<v1::Blob> {
        let base = base.map(|base| slipway_proto::convert::hash_bytes(&ContentHash::of(base)));
        let need = v1::Need {
            hashes: vec![self.hash()],
            bases: base.into_iter().collect(),
            offsets: vec![offset],
            ..v1::Need::default()
        };
        let frame = Some(spoke_frame::Frame::Need(need));
        let sent = self.control.0.send(v1::SpokeFrame { frame });
        sent.await.expect("it listens");
        let mut blobs = Vec::new();
        while blobs.last().is_none_or(|blob: &v1::Blob| !blob.last) {
            let frame = tokio::time::timeout(PATIENCE, self.bulk.1.message());
            let frame = frame.await.expect("in time").expect("a stream");
            let Some(hub_bulk::Frame::Blob(blob)) = frame.expect("a frame").frame else {
                panic!("a piece");
            };
            assert_eq!(blob.hash, self.hash());
            blobs.push(blob);
        }
        blobs
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

/// Bytes that no two pieces have in common.
fn noise(bytes: u64) -> Bytes {
    let all = (0..bytes / 4).flat_map(|n| (n as u32).wrapping_mul(0x9e37_79b1).to_le_bytes());
    all.collect::<Vec<_>>().into()
}

#[tokio::test]
async fn the_first_bytes_of_a_content_that_broke_off_are_offered_and_taken() {
    const SIZE: u64 = 6 << 20;
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let whole = noise(SIZE);
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

#[tokio::test]
async fn what_came_of_a_download_that_broke_off_is_not_sent_again() {
    const SIZE: u64 = 12 << 20;
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let folder = Folder::open(&ana, workspace);
    // Of 48 pieces.
    folder.breaks_after(30);
    let large = noise(SIZE);
    let written = ana.write_file(workspace, "large.bin", None, large.clone());
    folder.shows(written.await.unwrap().revision).await;
    assert!(!folder.is_to_break());
    assert!(std::fs::read(folder.path("large.bin")).unwrap() == large);
    let got = folder.got();
    assert!((SIZE..=SIZE + (1 << 20)).contains(&got), "{got}");
}

#[tokio::test]
async fn a_content_is_sent_from_the_byte_that_is_asked_for() {
    const SIZE: u64 = 6 << 20;
    // In the middle of a chunk.
    const FROM: u64 = (3 << 20) / 2 + 7;
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.empty_workspace().await;
    let old = noise(SIZE);
    ana.write_file(workspace, "large.bin", None, old.clone())
        .await
        .unwrap();
    let mut new = old.to_vec();
    new[4 << 20..][..4].fill(7);
    let new = Bytes::from(new);
    let base = ContentHash::of(&old);
    ana.write_file(workspace, "large.bin", Some(&base), new.clone())
        .await
        .unwrap();
    // What comes before is not looked at.
    let first = sqlx::query("delete from blob_chunks where seq = 0");
    let gone = first.execute(&lab.app().db).await.unwrap();
    assert_eq!(gone.rows_affected(), 2);
    let mut line = Line::connect(&lab, &ana, workspace, &new).await;
    for base in [None, Some(&old)] {
        let (mut came, mut sent) = (FROM, 0);
        for blob in line.asks(FROM, base).await {
            assert_eq!(blob.offset, came);
            let at = usize::try_from(came).unwrap();
            if !blob.from.is_empty() {
                assert_eq!(blob.from_offset, came);
                let (end, same) = (at + usize::try_from(blob.from_size).unwrap(), base.unwrap());
                assert!(same[at..end] == new[at..end]);
            }
            assert!(blob.data == new[at..][..blob.data.len()]);
            sent += blob.data.len() as u64;
            came += blob.data.len() as u64 + blob.from_size;
        }
        assert_eq!(came, SIZE);
        assert_eq!(sent, if base.is_some() { 1 << 20 } else { SIZE - FROM });
    }
    let end = line.asks(SIZE, None).await;
    assert!(end.len() == 1 && end[0].offset == SIZE && !end[0].missing);
    for beyond in [SIZE + 1, u64::MAX] {
        assert!(line.asks(beyond, Some(&old)).await[0].missing);
    }
    // Nor does it harm whoever asks next.
    assert!(!line.asks(SIZE - 1, None).await[0].missing);
}
