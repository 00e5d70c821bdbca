//! What is as large as it may be is stored, and what is larger is refused operation by operation: a batch that the database
//! does not take would come again for ever.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use slipway_api::workspace::Template;
use slipway_backend::hub::{Expect, NewNode, Proposal, ProposalOutcome};
use slipway_core::hash::ContentHash;
use slipway_core::path::RelPath;

use super::author;
use crate::lab::Lab;

/// As long a path as there is, of letters in an order that nothing compresses.
fn longest(letters: &[char]) -> RelPath {
    let letter = |byte: &u8| letters[usize::from(*byte) % letters.len()];
    let name = |number: u8| -> String {
        let hash = ContentHash::of(&[number]);
        hash.as_bytes().iter().map(letter).collect()
    };
    let first = RelPath::parse(&name(0)).unwrap();
    let longer = |path: &(RelPath, u8)| {
        let next = path.1 + 1;
        Some((path.0.join(&name(next)).ok()?, next))
    };
    let all = std::iter::successors(Some((first, 0)), longer);
    all.last().unwrap().0
}

#[tokio::test]
async fn the_longest_path_is_stored_whatever_its_letters_are() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let plain: Vec<char> = ('a'..='z').chain('0'..='9').collect();
    // Half as long again without letter case.
    let growing: Vec<char> = ('a'..='z').chain(['\u{149}'; 26]).collect();
    for (number, letters) in [plain, growing].iter().enumerate() {
        let proposal = Proposal {
            path: longest(letters),
            expect: Some(Expect::Absent),
            change: NewNode::Folder,
        };
        let name = format!("batch {number}");
        let hub = &lab.app().hub;
        let by = author(1);
        let done = hub.commit(workspace, &by, &name, vec![proposal], false);
        let done = done.await.unwrap();
        assert_eq!(done.outcomes, [ProposalOutcome::Applied]);
    }
}
