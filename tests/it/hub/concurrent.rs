//! Many writers at once: no revision twice, none left out, no update lost.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use slipway_api::workspace::Template;
use slipway_backend::hub::{Content, Expect, NewNode, Proposal, ProposalOutcome, store};
use slipway_backend::state::App;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::path::RelPath;

use super::author;
use crate::lab::Lab;

const WRITERS: u128 = 6;
const EACH: usize = 15;

#[tokio::test]
async fn commits_at_once_leave_no_gap_and_lose_no_update() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap();
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        writers.spawn(count(lab.app().clone(), workspace.id, writer));
    }
    let mut revisions: Vec<u64> = writers.join_all().await.into_iter().flatten().collect();
    revisions.sort_unstable();
    let all = WRITERS as u64 * EACH as u64;
    let gap_free: Vec<u64> = (1..=all).collect();
    assert_eq!(revisions, gap_free, "each commit has a revision of its own");
    let counter = ana.read_file(workspace.id, "counter").await.unwrap();
    assert!(
        counter.starts_with(format!("{all} ").as_bytes()),
        "{counter:?}"
    );
    let head = lab.app().hub.head(workspace.id).await.unwrap();
    assert_eq!(head.revision, all);
    assert_eq!(
        head.entries,
        WRITERS as u64 + 2,
        "counter, own and one file for each"
    );
}

/// Counts up a file that all writers share, by what each has seen of it; the revisions of its commits.
async fn count(app: App, workspace: WorkspaceId, writer: u128) -> Vec<u64> {
    let counter = RelPath::parse("counter").unwrap();
    let own = RelPath::parse(&format!("own/{writer}")).unwrap();
    let (mut revisions, mut tries) = (Vec::new(), 0);
    let mut seen: Option<(u64, ContentHash)> = None;
    while revisions.len() < EACH {
        tries += 1;
        let next = seen.map_or(1, |(number, _)| number + 1);
        // Nobody else writes the same bytes.
        let text = format!("{next} by {writer}, try {tries}");
        let expect = seen.map_or(Expect::Absent, |(_, hash)| Expect::Content(hash));
        let both = vec![
            file(&counter, text.clone(), Some(expect)),
            file(&own, text.clone(), None),
        ];
        let by = author(writer);
        let name = format!("try {tries}");
        let sent = app.hub.commit(workspace, &by, &name, both, true);
        let done = sent.await.unwrap();
        if done.outcomes[0] == ProposalOutcome::Applied {
            revisions.push(done.revision);
            seen = Some((next, ContentHash::of(text.as_bytes())));
        } else {
            seen = Some(look(&app, workspace, &counter).await);
        }
    }
    revisions
}

fn file(path: &RelPath, text: String, expect: Option<Expect>) -> Proposal {
    Proposal {
        path: path.clone(),
        expect,
        change: NewNode::File {
            content: Content::Inline(text.into()),
            executable: false,
            from: None,
        },
    }
}

/// The number that stands in the file now, and the file's hash.
async fn look(app: &App, workspace: WorkspaceId, path: &RelPath) -> (u64, ContentHash) {
    let row = store::entry(&app.db, workspace, path).await.unwrap();
    let hash = row.and_then(|row| row.hash).unwrap();
    let mut reader = app.hub.open(workspace, hash).await.unwrap().unwrap();
    let text = reader.next().await.unwrap().unwrap();
    let text = std::str::from_utf8(&text).unwrap();
    (text.split(' ').next().unwrap().parse().unwrap(), hash)
}
