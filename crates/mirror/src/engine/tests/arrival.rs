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
