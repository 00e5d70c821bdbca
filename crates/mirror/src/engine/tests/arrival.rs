//! A content that is too large to go along: it is proposed again when it has arrived, and nothing else waits for it.
use slipway_core::limits::INLINE_CONTENT_BYTES_MAX;
use slipway_proto::v1::outcome::Result as Outcome;

use super::*;

fn large(letter: char) -> String {
    letter
        .to_string()
        .repeat(INLINE_CONTENT_BYTES_MAX as usize + 1)
}

impl Lab {
    /// Asks for the one content that a batch needs, and answers the batch: it is not there.
    async fn lacks(&mut self, propose: &v1::Propose, revision: u64) -> Bytes {
        let hash = propose.operations[0].node.as_ref().unwrap().hash.clone();
        let need = v1::Need {
            hashes: vec![hash.clone()],
            ..v1::Need::default()
        };
        self.hub(hub_frame::Frame::Need(need)).await;
        let mut lacking = v1::Outcome::default();
        lacking.set_result(Outcome::NeedsContent);
        self.answer(propose, revision, lacking).await;
        hash
    }

    /// Takes what is sent until its last piece.
    async fn takes(&mut self) -> Vec<u8> {
        let mut taken = Vec::new();
        loop {
            let frame = tokio::time::timeout(BOUND, self.blobs.recv()).await;
            let Some(spoke_bulk::Frame::Blob(blob)) = frame.unwrap().unwrap().frame else {
                panic!("a piece of a content");
            };
            taken.extend_from_slice(&blob.data);
            if blob.last {
                return taken;
            }
        }
    }

    async fn arrives(&self, hash: Bytes, held: bool) {
        let arrived = v1::Arrived { hash, held };
        self.hub(hub_frame::Frame::Arrived(arrived)).await;
    }
}

#[tokio::test]
async fn a_save_is_proposed_while_a_large_content_is_on_its_way() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("small.txt", "s")]).await;
    lab.write("large.txt", &large('l'));
    let propose = lab.proposed().await;
    let hash = lab.lacks(&propose, 1).await;
    lab.write("small.txt", "saved");
    let save = lab.proposed().await;
    assert_eq!(save.operations.len(), 1);
    assert_eq!(save.operations[0].path, "small.txt");
    lab.accept(&save, 2).await;
    assert_eq!(lab.takes().await, large('l').as_bytes());
    // A flush waits for all of it.
    let (answer, mut flushed) = oneshot::channel();
    lab.engine.tell(Input::Flush(answer)).await.unwrap();
    lab.arrives(hash, true).await;
    let again = lab.proposed().await;
    assert_eq!(again.operations[0].path, "large.txt");
    assert!(flushed.try_recv().is_err());
    lab.accept(&again, 3).await;
    let flushed = tokio::time::timeout(BOUND, flushed).await;
    assert_eq!(flushed.unwrap().unwrap(), 3);
}

/// A hub told of `a.txt` without what it holds, "four", which was asked for.
async fn announced() -> (Lab, Bytes) {
    let mut lab = Lab::open().await;
    lab.list(1, &[]).await;
    let mut announced = change(2, "a.txt", Some("four"));
    announced.inline = None;
    lab.hub(changes(vec![announced])).await;
    let hash = lab.needed().await.remove(0);
    (lab, hash)
}

#[tokio::test]
async fn of_a_content_no_more_is_taken_than_was_announced() {
    let (mut lab, hash) = announced().await;
    let piece = |offset| v1::Blob {
        hash: hash.clone(),
        offset,
        data: Bytes::from_static(b"four"),
        ..v1::Blob::default()
    };
    let range = v1::Blob {
        data: Bytes::new(),
        from: hash.clone(),
        from_size: u64::MAX,
        ..piece(4)
    };
    for more in [piece(4), range] {
        lab.bulk(piece(0)).await;
        lab.bulk(more).await;
        // It is given up, and asked for again.
        assert_eq!(lab.needed().await, std::slice::from_ref(&hash));
    }
    let Notice::Blocked { code, .. } = lab.notice().await else {
        panic!("it is told");
    };
    assert_eq!(code, Code::WriteFailed);
    lab.blob(b"four", false).await;
    lab.applied(2).await;
    assert_eq!(lab.read("a.txt"), "four");
}

#[tokio::test]
async fn a_content_that_the_hub_cannot_read_to_its_end_is_not_waited_for() {
    let (mut lab, hash) = announced().await;
    lab.bulk(v1::Blob {
        hash: hash.clone(),
        data: Bytes::from_static(b"fo"),
        ..v1::Blob::default()
    })
    .await;
    lab.blob(b"four", true).await;
    assert_eq!(lab.needed().await, [hash]);
    lab.blob(b"four", false).await;
    lab.applied(2).await;
    assert_eq!(lab.read("a.txt"), "four");
}

#[tokio::test]
async fn what_changed_while_it_was_sent_is_looked_at_again() {
    let mut lab = Lab::open().await;
    lab.list(1, &[]).await;
    lab.write("large.txt", &large('a'));
    let propose = lab.proposed().await;
    let old = lab.lacks(&propose, 1).await;
    lab.write("large.txt", &large('b'));
    let newer = lab.proposed().await;
    assert_ne!(newer.operations[0].node.as_ref().unwrap().hash, old);
    let new = lab.lacks(&newer, 1).await;
    // Too late: the file is another one by now, and only the new content is proposed again.
    lab.arrives(old, false).await;
    lab.arrives(new.clone(), true).await;
    let again = lab.proposed().await;
    assert_eq!(again.operations[0].node.as_ref().unwrap().hash, new);
    lab.accept(&again, 2).await;
    assert!(lab.flush(2).await.is_empty());
}

#[tokio::test]
async fn a_change_of_a_large_file_waits_no_longer_than_one_of_a_small_file() {
    let mut lab = Lab::open().await;
    lab.list(1, &[]).await;
    let begin = Instant::now();
    for (letter, revision) in [('a', 2), ('b', 3)] {
        lab.write("large.txt", &large(letter));
        let propose = lab.proposed().await;
        let hash = lab.lacks(&propose, revision - 1).await;
        lab.arrives(hash, true).await;
        let again = lab.proposed().await;
        lab.accept(&again, revision).await;
    }
    // The second change follows on the first, and nothing else does: it waits for the first pause, not for the next.
    assert!(begin.elapsed() < Duration::from_secs(2));
}

/// A hub has another version of a large file, and sends of it what differs from the one here.
struct Differing {
    lab: Lab,
    old: Vec<u8>,
    new: Vec<u8>,
}

impl Differing {
    const SIZE: usize = 3 << 20;
    const AT: usize = 1 << 20;

    async fn begin() -> Self {
        let mut lab = Lab::open().await;
        let old: Vec<u8> = (0..Self::SIZE).map(|n| (n % 251) as u8).collect();
        let mut new = old.clone();
        new[Self::AT..][..4].fill(0);
        std::fs::write(lab.file("large.bin"), &old).unwrap();
        lab.hub(greeting("e", true)).await;
        lab.hub(listing(1, vec![Self::change(1, &old)])).await;
        lab.applied(1).await;
        lab.hub(changes(vec![Self::change(2, &new)])).await;
        Self { lab, old, new }
    }

    fn change(revision: u64, bytes: &[u8]) -> v1::Change {
        let node = Node::File {
            hash: ContentHash::of(bytes),
            size: bytes.len() as u64,
            executable: false,
        };
        v1::Change {
            revision,
            path: "large.bin".to_owned(),
            node: Some(wire::to_wire(&node)),
            last_of_revision: true,
            ..v1::Change::default()
        }
    }

    async fn needed(&mut self) -> v1::Need {
        loop {
            if let spoke_frame::Frame::Need(need) = self.lab.next().await {
                return need;
            }
        }
    }

    fn blob(&self) -> v1::Blob {
        v1::Blob {
            hash: hash(&self.new),
            ..v1::Blob::default()
        }
    }

    /// What stays as it was, what is new, and what stays.
    fn pieces(&self, need: &v1::Need) -> [v1::Blob; 3] {
        let range = |from: usize, to: usize| v1::Blob {
            offset: from as u64,
            from: need.bases[0].clone(),
            from_offset: from as u64,
            from_size: (to - from) as u64,
            last: to == Self::SIZE,
            ..self.blob()
        };
        let data = v1::Blob {
            offset: Self::AT as u64,
            data: Bytes::from_static(&[0; 4]),
            ..self.blob()
        };
        [range(0, Self::AT), data, range(Self::AT + 4, Self::SIZE)]
    }

    async fn sends(&self, pieces: &[v1::Blob]) {
        for piece in pieces {
            self.lab.bulk(piece.clone()).await;
        }
    }

    async fn shows_new(mut self) {
        self.lab.applied(2).await;
        assert!(std::fs::read(self.lab.file("large.bin")).unwrap() == self.new);
    }
}

fn hash(bytes: &[u8]) -> Bytes {
    slipway_proto::convert::hash_bytes(&ContentHash::of(bytes))
}

#[tokio::test]
async fn of_a_large_file_here_only_what_differs_comes_from_the_hub() {
    let mut differing = Differing::begin().await;
    let need = differing.needed().await;
    assert_eq!(need.hashes, [hash(&differing.new)]);
    assert_eq!(need.bases, [hash(&differing.old)]);
    differing.sends(&differing.pieces(&need)).await;
    differing.shows_new().await;
}

#[tokio::test]
async fn what_differs_goes_on_where_it_broke_off() {
    let mut differing = Differing::begin().await;
    let need = differing.needed().await;
    let pieces = differing.pieces(&need);
    differing.sends(&pieces[..1]).await;
    differing.lab.reconnect().await;
    differing.lab.hub(greeting("e", false)).await;
    let need = differing.needed().await;
    assert_eq!(need.offsets, [Differing::AT as u64]);
    assert_eq!(need.bases, [hash(&differing.old)]);
    differing.sends(&pieces[1..]).await;
    differing.shows_new().await;
}

#[tokio::test]
async fn a_file_that_is_not_what_it_was_is_sent_whole() {
    let mut differing = Differing::begin().await;
    let need = differing.needed().await;
    let lab = &mut differing.lab;
    // A program writes to the very file that is copied from.
    let path = lab.file("large.bin");
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, b"changed").unwrap();
    differing.sends(&differing.pieces(&need)).await;
    let again = differing.needed().await;
    assert_eq!(again.hashes, [hash(&differing.new)]);
    assert!(again.bases[0].is_empty());
    let whole = v1::Blob {
        data: Bytes::copy_from_slice(&differing.new),
        last: true,
        ..differing.blob()
    };
    differing.lab.bulk(whole).await;
    differing.shows_new().await;
}

#[tokio::test]
async fn only_what_is_proposed_is_sent() {
    let mut lab = Lab::open().await;
    lab.list(1, &[("small.txt", "s")]).await;
    lab.write("large.txt", &large('l'));
    let propose = lab.proposed().await;
    let hash = propose.operations[0].node.as_ref().unwrap().hash.clone();
    let other = slipway_proto::convert::hash_bytes(&ContentHash::of(b"never proposed"));
    let need = v1::Need {
        hashes: vec![other, hash.clone()],
        ..v1::Need::default()
    };
    lab.hub(hub_frame::Frame::Need(need)).await;
    let frame = tokio::time::timeout(BOUND, lab.blobs.recv()).await;
    let Some(spoke_bulk::Frame::Blob(blob)) = frame.unwrap().unwrap().frame else {
        panic!("a piece of a content");
    };
    assert_eq!(blob.hash, hash);
}
