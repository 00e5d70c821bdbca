//! Flushes of a simulated world: what the disk held when one began is at the hub when it is answered.
use std::collections::BTreeSet;

use slipway_core::code::Code;
use slipway_proto::{convert, v1};
use slipway_sync::node::Node;
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

use super::{World, tree};
use crate::engine::Input;

/// A flush that was not answered yet.
pub(super) struct Asked {
    answer: oneshot::Receiver<u64>,
    /// Versions that the disk held when it began.
    versions: BTreeSet<String>,
}

impl World {
    pub(super) async fn flush(&mut self) {
        let disk = tree(&self.root());
        let lines = disk.values().flatten().flat_map(|text| text.lines());
        let versions = lines.filter(|line| self.made.contains(*line));
        let versions = versions.map(str::to_owned).collect();
        let (sender, answer) = oneshot::channel();
        self.asked = Some(Asked { answer, versions });
        self.tell(Input::Flush(sender)).await;
    }

    /// A flush that is under way promises nothing of these lines any more.
    pub(super) fn not_asked(&mut self, text: &str) {
        if let Some(asked) = &mut self.asked {
            asked
                .versions
                .retain(|version| !text.lines().any(|line| line == version));
        }
    }

    /// What a refusal leaves out is told to a person instead.
    pub(super) fn refused(&mut self, result: &v1::ProposeResult) {
        let in_the_way = Code::PathNotFolder.as_str();
        let refused = |outcome: &v1::Outcome| {
            outcome.result() == v1::outcome::Result::Rejected && outcome.code != in_the_way
        };
        if result.outcomes.iter().any(refused) {
            self.asked = None;
        }
    }

    pub(super) fn check_flush(&mut self) {
        let Some(asked) = &mut self.asked else { return };
        match asked.answer.try_recv() {
            Ok(revision) => {
                assert!(revision <= self.hub.head);
                let hashes = self.hub.tree.values().filter_map(Node::hash);
                let texts = hashes.map(|hash| {
                    let text = &self.hub.contents[&convert::hash_bytes(&hash).to_vec()];
                    String::from_utf8(text.to_vec()).unwrap()
                });
                let all: String = texts.collect();
                let at_hub: BTreeSet<&str> = all.lines().collect();
                let wanted = asked.versions.intersection(&self.made);
                let lacking: Vec<_> = wanted
                    .filter(|line| !at_hub.contains(line.as_str()))
                    .collect();
                assert!(
                    lacking.is_empty(),
                    "flushed, but not at the hub: {lacking:?}"
                );
                self.asked = None;
            }
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Closed) => self.asked = None,
        }
    }
}
