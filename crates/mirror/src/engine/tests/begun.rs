//! A content that breaks off on its way here: the next connection brings the rest.
use std::os::unix::fs::FileExt as _;

use super::*;

const SIZE: usize = 400 << 10;
const HALF: usize = SIZE / 2;

/// A replica, and a large file that the hub has.
struct Broken {
    lab: Lab,
    whole: Vec<u8>,
}

impl Broken {
    /// The connection breaks off after these first bytes of it.
    async fn after(begin: impl FnOnce(&[u8]) -> Vec<u8>) -> Self {
        let mut lab = Lab::open().await;
        lab.list(1, &[]).await;
        let whole: Vec<u8> = (0..SIZE).map(|n| (n % 251) as u8).collect();
        let node = Node::File {
            hash: ContentHash::of(&whole),
            size: SIZE as u64,
            executable: false,
        };
        let change = v1::Change {
            revision: 2,
            path: "large.bin".to_owned(),
            node: Some(wire::to_wire(&node)),
            last_of_revision: true,
            ..v1::Change::default()
        };
        lab.hub(changes(vec![change])).await;
        let mut broken = Self { lab, whole };
        assert_eq!(broken.needed().await, 0);
        let begin = begin(&broken.whole);
        broken.sends(0, &begin).await;
        broken.lab.reconnect().await;
        broken.lab.hello().await;
        broken
    }

    /// The hub goes on where the replica is.
    async fn greets(&mut self) {
        self.lab.hub(greeting("e", false)).await;
    }

    /// From where it is asked for.
    async fn needed(&mut self) -> u64 {
        loop {
            if let spoke_frame::Frame::Need(need) = self.lab.next().await {
                assert_eq!(need.hashes, [self.blob().hash]);
                assert_eq!(need.offsets.len(), 1);
                return need.offsets[0];
            }
        }
    }

    fn blob(&self) -> v1::Blob {
        let hash = slipway_proto::convert::hash_bytes(&ContentHash::of(&self.whole));
        v1::Blob {
            hash,
            ..v1::Blob::default()
        }
    }

    async fn sends(&self, offset: usize, bytes: &[u8]) {
        let blob = v1::Blob {
            offset: offset as u64,
            data: Bytes::copy_from_slice(bytes),
            last: offset + bytes.len() == SIZE,
            ..self.blob()
        };
        self.lab.bulk(blob).await;
    }

    async fn lacks(&self) {
        let blob = v1::Blob {
            last: true,
            missing: true,
            ..self.blob()
        };
        self.lab.bulk(blob).await;
    }

    /// What lies in the private folder.
    fn private(&self) -> Vec<PathBuf> {
        let folder = self.lab.folder.path().join("state/files/tmp");
        let entries = std::fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    async fn shows_whole(mut self) {
        self.lab.applied(2).await;
        assert!(std::fs::read(self.lab.file("large.bin")).unwrap() == self.whole);
        assert!(self.private().is_empty());
    }
}

#[tokio::test]
async fn only_the_rest_of_a_content_that_broke_off_is_asked_for() {
    const MORE: usize = SIZE / 4 * 3;
    let mut broken = Broken::after(|whole| whole[..HALF].to_vec()).await;
    broken.greets().await;
    assert_eq!(broken.needed().await, HALF as u64);
    broken.sends(HALF, &broken.whole[HALF..MORE]).await;
    broken.lab.reconnect().await;
    broken.greets().await;
    assert_eq!(broken.needed().await, MORE as u64);
    broken.sends(MORE, &broken.whole[MORE..]).await;
    broken.shows_whole().await;
}

#[tokio::test]
async fn a_hub_of_the_version_before_begins_at_the_beginning() {
    let mut broken = Broken::after(|whole| whole[..HALF].to_vec()).await;
    broken.greets().await;
    assert_eq!(broken.needed().await, HALF as u64);
    broken.sends(0, &broken.whole[..HALF]).await;
    broken.sends(HALF, &broken.whole[HALF..]).await;
    broken.shows_whole().await;
}

#[tokio::test]
async fn what_came_and_is_not_right_is_asked_for_again() {
    for hub_was_wrong in [true, false] {
        let mut broken = Broken::after(|whole| match hub_was_wrong {
            true => vec![0; HALF],
            false => whole[..HALF].to_vec(),
        })
        .await;
        broken.greets().await;
        assert_eq!(broken.needed().await, HALF as u64);
        if !hub_was_wrong {
            // A program wrote to the very file that was kept.
            let kept = std::fs::File::options()
                .write(true)
                .open(&broken.private()[0]);
            kept.unwrap().write_all_at(b"changed", 0).unwrap();
        }
        broken.sends(HALF, &broken.whole[HALF..]).await;
        assert_eq!(broken.needed().await, 0);
        broken.sends(0, &broken.whole).await;
        broken.shows_whole().await;
    }
}

#[tokio::test]
async fn a_hub_that_lacks_the_rest_is_asked_for_all() {
    let mut broken = Broken::after(|whole| whole[..HALF].to_vec()).await;
    broken.greets().await;
    assert_eq!(broken.needed().await, HALF as u64);
    broken.lacks().await;
    assert_eq!(broken.needed().await, 0);
    broken.sends(0, &broken.whole).await;
    broken.shows_whole().await;
}

#[tokio::test]
async fn what_came_of_a_content_that_nobody_wants_any_more_goes() {
    let mut broken = Broken::after(|whole| whole[..HALF].to_vec()).await;
    assert_eq!(broken.private().len(), 1);
    // The file is gone from the hub.
    broken.lab.hub(greeting("e", true)).await;
    broken.lab.hub(listing(3, Vec::new())).await;
    broken.lab.applied(3).await;
    broken.lab.flush(3).await;
    assert!(broken.private().is_empty());
}

#[tokio::test]
async fn what_came_goes_with_the_engine() {
    let broken = Broken::after(|whole| whole[..HALF].to_vec()).await;
    assert_eq!(broken.private().len(), 1);
    broken.lab.engine.stop().await;
    assert!(broken.private().is_empty());
}
