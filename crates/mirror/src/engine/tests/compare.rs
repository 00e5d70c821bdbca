//! What was heard of the hub's tree, held against what the hub says that it comes to.
use slipway_proto::digest::Digest;
use slipway_proto::v1;
use slipway_proto::v1::{hub_frame, spoke_frame};

use super::{Lab, change, greeting, listing};

/// What the hub's tree comes to.
fn digest(revision: u64, files: &[(&str, &str)]) -> hub_frame::Frame {
    let mut digest = Digest::default();
    for (path, text) in files {
        let node = change(revision, path, Some(text)).node;
        digest.add(path, &node.unwrap());
    }
    let sum = digest.to_bytes();
    hub_frame::Frame::Digest(v1::Digest { revision, sum })
}

impl Lab {
    /// Connects again to a hub that goes on where the engine was, and answers what its tree comes to.
    async fn connects_to_one_that_compares(&mut self) {
        self.reconnect().await;
        let hub_frame::Frame::Hello(hello) = greeting("e", false) else {
            unreachable!("it is one");
        };
        let compares = true;
        let hello = v1::HubHello { compares, ..hello };
        self.hub(hub_frame::Frame::Hello(hello)).await;
        while !matches!(self.next().await, spoke_frame::Frame::Compare(_)) {}
    }
}

#[tokio::test]
async fn a_hub_that_has_something_else_deletes_nothing() {
    let mut lab = Lab::open().await;
    lab.list(3, &[("a.txt", "a\n"), ("b.txt", "b\n")]).await;
    lab.connects_to_one_that_compares().await;
    lab.hub(digest(3, &[("a.txt", "a\n")])).await;
    // It hangs up, and begins anew with whoever comes next.
    while lab.frames.recv().await.is_some() {}
    lab.reconnect().await;
    assert_eq!(lab.hello().await.epoch, "");
    lab.hub(greeting("e", true)).await;
    let listed = vec![change(3, "a.txt", Some("a\n"))];
    lab.hub(listing(3, listed)).await;
    let proposed = lab.proposed().await.operations;
    assert_eq!((proposed.len(), proposed[0].path.as_str()), (1, "b.txt"));
    assert!(proposed[0].node.is_some());
    assert_eq!(lab.read("b.txt"), "b\n");
}

#[tokio::test]
async fn a_hub_that_has_the_same_is_gone_on_with() {
    let mut lab = Lab::open().await;
    lab.list(3, &[("a.txt", "a\n"), ("b.txt", "b\n")]).await;
    lab.connects_to_one_that_compares().await;
    lab.hub(digest(3, &[("b.txt", "b\n"), ("a.txt", "a\n")]))
        .await;
    lab.write("c.txt", "c\n");
    assert_eq!(lab.flush_of(4).await, ["c.txt"]);
}
