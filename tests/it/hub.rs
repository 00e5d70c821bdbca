//! The hub against a simple model of it: random batches of several authors do the same to both, every revision can be
//! had back, and nothing is lost when many write at once.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestRunner};
use slipway_api::file::OriginKind;
use slipway_api::workspace::Template;
use slipway_backend::file::restore;
use slipway_backend::hub::{
    Author, Commit, Content, Expect, Hub, JournalRow, NewNode, NodeRow, Proposal, ProposalOutcome,
    store,
};
use slipway_core::id::{Id as _, ReplicaId, WorkspaceId};
use slipway_core::path::RelPath;

use crate::lab::Lab;

mod border;
mod chunks;
mod concurrent;
mod contents;
mod heads;
mod model;
mod plans;

use model::{Change, Expected, Model, Operation, Outcome};

/// Fixed, so that every run of the tests costs the same.
const CASES: u32 = 60;
/// Few, so that operations meet; some differ only in letter case.
const PATHS: &[&str] = &[
    "a", "A", "b", "a/x", "a/y", "A/x", "b/x", "a/x/z", "b/c/d", "a/X",
];
const AUTHORS: u128 = 3;

/// A batch as chance makes it; expectations are filled in from the model when it is its turn.
#[derive(Clone, Debug)]
struct Batch {
    author: u128,
    atomic: bool,
    /// Sends the batch before once more.
    repeated: bool,
    operations: Vec<(usize, Change, u8)>,
}

fn change() -> impl Strategy<Value = Change> {
    let path = 0..PATHS.len();
    prop_oneof![
        4 => (0..4_u8, any::<bool>()).prop_map(|(content, executable)| Change::Write { content, executable }),
        1 => Just(Change::Folder),
        1 => (0..2_u8).prop_map(|target| Change::Link { target }),
        2 => Just(Change::Delete),
        2 => path.prop_map(|from| Change::MoveFrom(PATHS[from].to_owned())),
    ]
}

fn batches() -> impl Strategy<Value = Vec<Batch>> {
    let operation = (0..PATHS.len(), change(), 0..6_u8);
    let batch = (
        0..AUTHORS,
        prop::bool::weighted(0.3),
        prop::bool::weighted(0.15),
        prop::collection::vec(operation, 1..6),
    );
    let batch = batch.prop_map(|(author, atomic, repeated, operations)| Batch {
        author,
        atomic,
        repeated,
        operations,
    });
    prop::collection::vec(batch, 1..14)
}

fn author(number: u128) -> Author {
    Author {
        kind: OriginKind::Session,
        user: None,
        replica: ReplicaId::from_uuid(uuid(number)),
    }
}

fn uuid(number: u128) -> sqlx::types::Uuid {
    sqlx::types::Uuid::from_u128(number)
}

fn proposal(operation: &Operation) -> Proposal {
    let path = |text: &str| RelPath::parse(text).unwrap();
    Proposal {
        path: path(&operation.path),
        expect: operation.expect.map(|expect| match expect {
            Expected::Absent => Expect::Absent,
            Expected::Folder => Expect::Folder,
            Expected::Content(hash) => Expect::Content(hash),
        }),
        change: match &operation.change {
            Change::Write {
                content,
                executable,
            } => NewNode::File {
                content: Content::Inline(model::content(*content).into()),
                executable: *executable,
                from: None,
            },
            Change::Folder => NewNode::Folder,
            Change::Link { target } => NewNode::Symlink {
                target: model::target(*target),
            },
            Change::Delete => NewNode::Absent,
            Change::MoveFrom(from) => NewNode::MoveFrom(path(from)),
        },
    }
}

fn outcome(outcome: &ProposalOutcome) -> Outcome {
    match outcome {
        ProposalOutcome::Applied => Outcome::Applied,
        ProposalOutcome::Converged => Outcome::Converged,
        ProposalOutcome::Stale(current) => {
            Outcome::Stale(current.as_ref().map(|row| row.path.to_string()))
        }
        ProposalOutcome::Rejected(code, _) => Outcome::Rejected(*code),
        ProposalOutcome::NeedsContent => panic!("all contents came along"),
    }
}

fn outcomes(commit: &Commit) -> Vec<Outcome> {
    commit.outcomes.iter().map(outcome).collect()
}

/// A tree of the hub as the model has it.
fn tree(rows: impl IntoIterator<Item = NodeRow>) -> BTreeMap<String, model::Node> {
    let node = |row: NodeRow| model::Node {
        kind: row.kind,
        hash: row.hash,
        size: row.size,
        executable: row.executable,
        target: row.target,
        revision: row.revision,
    };
    rows.into_iter()
        .map(|row| (row.path.to_string(), node(row)))
        .collect()
}

/// The journal as it is read by a replica: in pages, from the beginning.
async fn journal(hub: &Hub, workspace: WorkspaceId) -> Vec<JournalRow> {
    let mut all: Vec<JournalRow> = Vec::new();
    loop {
        let after = all.last().map_or(0, |row| row.revision);
        let page = hub.changes_after(workspace, after, 3).await.unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[test]
fn random_batches_do_to_the_hub_what_they_do_to_the_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (lab, ana) = runtime.block_on(async {
        let lab = Lab::start().await;
        let ana = lab.user("ana").await;
        (lab, ana)
    });
    let config = ProptestConfig {
        cases: CASES,
        max_shrink_iters: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let numbers = std::cell::Cell::new(0);
    let tested = TestRunner::new(config).run(&batches(), |batches| {
        let number = numbers.get() + 1;
        numbers.set(number);
        runtime.block_on(async {
            let name = format!("case {number}");
            let made = ana.create_workspace(&name, Template::Empty).await.unwrap();
            check(&lab, made.id, batches).await?;
            ana.delete_workspace(made.id, &name).await.unwrap();
            let purge = format!("/workspaces/{}/trash", made.id);
            ana.send(ana.request(reqwest::Method::DELETE, &purge))
                .await
                .unwrap();
            Ok(())
        })
    });
    // Ends its server on threads of its own.
    drop(lab);
    if let Err(failed) = tested {
        panic!("{failed}");
    }
}

async fn check(
    lab: &Lab,
    workspace: WorkspaceId,
    batches: Vec<Batch>,
) -> Result<(), TestCaseError> {
    let hub = &lab.app().hub;
    // Of another server: each knows what it committed itself without a look into the database.
    let elsewhere = fresh_hub(lab);
    let mut model = Model::default();
    let mut last: Option<(Vec<Proposal>, Batch, String, Commit)> = None;
    for (number, batch) in batches.into_iter().enumerate() {
        if let Some((proposals, before, name, answer)) = last.as_ref().filter(|_| batch.repeated) {
            let by = author(before.author);
            let sent = hub.commit(workspace, &by, name, proposals.clone(), before.atomic);
            let again = sent.await.unwrap();
            prop_assert_eq!(again.revision, answer.revision, "a repeated batch");
            let (again, answer) = (outcomes(&again), outcomes(answer));
            for (again, answer) in again.iter().zip(&answer) {
                // What stands there is told as it is now.
                let both_stale = matches!((again, answer), (Outcome::Stale(_), Outcome::Stale(_)));
                prop_assert!(
                    both_stale || again == answer,
                    "a repeated batch: {again:?} {answer:?}"
                );
            }
            continue;
        }
        let operations: Vec<Operation> = batch
            .operations
            .iter()
            .map(|(path, change, wish)| model.operation(PATHS[*path], change.clone(), *wish))
            .collect();
        let proposals: Vec<_> = operations.iter().map(proposal).collect();
        let name = format!("batch {number}");
        let by = author(batch.author);
        let here = if number % 3 == 1 { &elsewhere } else { hub };
        let sent = here.commit(workspace, &by, &name, proposals.clone(), batch.atomic);
        let commit = sent.await.unwrap();
        let expected = model.commit(&operations, batch.atomic);
        prop_assert_eq!(outcomes(&commit), expected, "{:?}", operations);
        prop_assert_eq!(commit.revision, model.revision());
        let head = hub.head(workspace).await.unwrap();
        let (entries, bytes) = model.totals();
        prop_assert_eq!(
            (head.revision, head.entries, head.bytes),
            (model.revision(), entries, bytes)
        );
        last = Some((proposals, batch, name, commit));
    }
    let (revision, rows) = hub.listing(workspace).await.unwrap();
    prop_assert_eq!(revision, model.revision());
    prop_assert_eq!(&tree(rows), model.tree());
    let rows = journal(&fresh_hub(lab), workspace).await;
    for hub in [hub, &elsewhere] {
        prop_assert_eq!(&journal(hub, workspace).await, &rows, "in pages");
        let whole = hub.changes_after(workspace, 0, usize::MAX).await.unwrap();
        prop_assert_eq!(&whole, &rows, "at once");
    }
    replays(rows, &model)?;
    restores(lab, workspace, &model).await
}

/// A hub that committed nothing itself.
fn fresh_hub(lab: &Lab) -> Hub {
    Hub::new(lab.app().db.clone(), lab.app().clock.clone())
}

/// The journal has every revision and leads to the tree.
fn replays(rows: Vec<JournalRow>, model: &Model) -> Result<(), TestCaseError> {
    let mut revisions: Vec<u64> = rows.iter().map(|row| row.revision).collect();
    revisions.dedup();
    prop_assert_eq!(revisions, (1..=model.revision()).collect::<Vec<_>>());
    let mut replayed = BTreeMap::new();
    for row in rows {
        let before = replayed.get(&row.path).and_then(|node: &NodeRow| node.hash);
        prop_assert_eq!(row.previous, before, "what stood at {} before", row.path);
        match row.node {
            Some(node) => drop(replayed.insert(row.path, node)),
            None => prop_assert!(
                replayed.remove(&row.path).is_some(),
                "{} stood there",
                row.path
            ),
        }
    }
    prop_assert_eq!(&tree(replayed.into_values()), model.tree());
    Ok(())
}

/// Every revision can be seen, and brought back.
async fn restores(lab: &Lab, workspace: WorkspaceId, model: &Model) -> Result<(), TestCaseError> {
    let (app, head) = (lab.app(), model.revision());
    for revision in 0..=head {
        let mut db = app.db.acquire().await.unwrap();
        let then = store::tree_at(&mut db, workspace, revision).await.unwrap();
        prop_assert_eq!(&tree(then), model.past(revision), "revision {}", revision);
        let proposals = restore::proposals(&mut db, workspace, revision, None)
            .await
            .unwrap();
        drop(db);
        let name = format!("restore {revision}");
        let done = app
            .hub
            .commit(workspace, &author(9), &name, proposals, false)
            .await
            .unwrap();
        let passed = |outcome: &ProposalOutcome| {
            matches!(
                outcome,
                ProposalOutcome::Applied | ProposalOutcome::Converged
            )
        };
        prop_assert!(done.outcomes.iter().all(passed), "{:?}", done.outcomes);
        let (_, rows) = app.hub.listing(workspace).await.unwrap();
        let timeless = |tree: &BTreeMap<String, model::Node>| -> BTreeMap<String, model::Node> {
            let nodes = tree.iter();
            nodes
                .map(|(path, node)| {
                    (
                        path.clone(),
                        model::Node {
                            revision: 0,
                            ..node.clone()
                        },
                    )
                })
                .collect()
        };
        prop_assert_eq!(
            timeless(&tree(rows)),
            timeless(model.past(revision)),
            "restore to {}",
            revision
        );
    }
    Ok(())
}
