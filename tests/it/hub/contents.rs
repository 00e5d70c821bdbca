//! Contents: what a commit names is never swept away under it, and a history that takes too much room loses its oldest.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use bytes::Bytes;
use slipway_api::file::{OriginKind, OutcomeResult, Restore};
use slipway_api::workspace::Template;
use slipway_backend::hub::{
    Content, HubError, NewNode, Proposal, ProposalOutcome, content, history,
};
use slipway_client::rest::Client;
use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{HISTORY_BYTES_MAX, HISTORY_VERSIONS_KEPT, STORED_BYTES_MAX};
use slipway_core::path::RelPath;
use sqlx::PgConnection;
use time::Duration;

use super::author;
use crate::lab::{Lab, code};

const TEXT: &[u8] = b"uploaded long ago, never committed";

/// A workspace that holds a content which nothing names and which is older than a day.
async fn forgotten(lab: &Lab) -> (Client, WorkspaceId) {
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let mut writer = lab.app().hub.writer(workspace);
    writer.push(TEXT).await.unwrap();
    writer.finish().await.unwrap();
    let aged = sqlx::query("update blobs set created_at = created_at - interval '2 days'");
    assert_eq!(
        aged.execute(&lab.app().db).await.unwrap().rows_affected(),
        1
    );
    (ana, workspace)
}

fn file(content: Content) -> Vec<Proposal> {
    vec![Proposal {
        path: RelPath::parse("a.txt").unwrap(),
        expect: None,
        change: NewNode::File {
            content,
            executable: false,
            from: None,
        },
    }]
}

async fn commit_in(lab: &Lab, db: &mut PgConnection, workspace: WorkspaceId, content: Content) {
    let hub = &lab.app().hub;
    let done = hub
        .commit_in(db, workspace, &author(1), "batch", file(content), false)
        .await
        .unwrap();
    assert_eq!(done.outcomes, [ProposalOutcome::Applied]);
}

fn both_ways() -> [Content; 2] {
    [
        Content::Inline(Bytes::from_static(TEXT).into()),
        Content::Held(ContentHash::of(TEXT)),
    ]
}

#[tokio::test]
async fn a_sweep_during_a_commit_leaves_what_it_names() {
    for content in both_ways() {
        let lab = Lab::start().await;
        let (ana, workspace) = forgotten(&lab).await;
        let mut commit = lab.app().db.begin().await.unwrap();
        commit_in(&lab, &mut commit, workspace, content).await;
        let mut sweeper = lab.app().db.acquire().await.unwrap();
        let swept = content::sweep(&mut sweeper, lab.clock.now()).await.unwrap();
        commit.commit().await.unwrap();
        assert_eq!(swept, 0);
        assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), TEXT);
    }
}

#[tokio::test]
async fn a_sweep_that_began_before_a_commit_leaves_what_it_names() {
    for content in both_ways() {
        let lab = Lab::start().await;
        let (ana, workspace) = forgotten(&lab).await;
        // A snapshot of its own stands for a statement that looked before the commit and deletes after it.
        let mut sweeper = lab
            .app()
            .db
            .begin_with("begin isolation level repeatable read")
            .await
            .unwrap();
        sqlx::query("select from blobs")
            .execute(&mut *sweeper)
            .await
            .unwrap();
        let mut commit = lab.app().db.begin().await.unwrap();
        commit_in(&lab, &mut commit, workspace, content).await;
        commit.commit().await.unwrap();
        if content::sweep(&mut sweeper, lab.clock.now()).await.is_ok() {
            sweeper.commit().await.unwrap();
        }
        assert_eq!(ana.read_file(workspace, "a.txt").await.unwrap(), TEXT);
    }
}

#[tokio::test]
async fn what_nothing_names_is_swept_after_a_day() {
    let lab = Lab::start().await;
    let (_, workspace) = forgotten(&lab).await;
    let mut db = lab.app().db.acquire().await.unwrap();
    assert_eq!(content::sweep(&mut db, lab.clock.now()).await.unwrap(), 1);
    let gone = Content::Held(ContentHash::of(TEXT));
    let hub = &lab.app().hub;
    let done = hub
        .commit(workspace, &author(1), "late", file(gone), false)
        .await
        .unwrap();
    assert_eq!(done.outcomes, [ProposalOutcome::NeedsContent]);
}

#[tokio::test]
async fn small_contents_that_nothing_names_have_a_bound_as_large_ones_have() {
    let lab = Lab::start().await;
    let (_, workspace) = forgotten(&lab).await;
    let arrive = async |number: u8| {
        let mut writer = lab.app().hub.writer(workspace);
        writer.push(&vec![number; 1 << 20]).await.unwrap();
        writer.finish().await
    };
    // The one content that is there stands for many.
    let full = sqlx::query("update blobs set size = $1").bind(STORED_BYTES_MAX.cast_signed());
    full.execute(&lab.app().db).await.unwrap();
    let mut taken = 0;
    while arrive(taken).await.is_ok() {
        taken += 1;
        assert!(taken < 70, "a bound");
    }
    for number in [taken, taken + 1] {
        let refused = arrive(number).await;
        assert!(matches!(refused, Err(HubError::NoRoom)), "{refused:?}");
    }
    let mut db = lab.app().db.acquire().await.unwrap();
    assert_eq!(content::sweep(&mut db, lab.clock.now()).await.unwrap(), 1);
    arrive(taken).await.unwrap();
}

#[tokio::test]
async fn what_has_not_come_whole_counts_as_what_nothing_names_does() {
    const CHUNKS: u64 = 3;
    let lab = Lab::start().await;
    let (_, workspace) = forgotten(&lab).await;
    let begin = async |number: u8| {
        // Bytes that nothing compresses.
        let piece =
            |at: u64| *ContentHash::of(&[&[number], &at.to_le_bytes()[..]].concat()).as_bytes();
        let bytes: Vec<u8> = (0..=CHUNKS << 15).flat_map(piece).collect();
        lab.app().hub.writer(workspace).push(&bytes).await
    };
    // The one content that is there stands for many, with room for a few that never end.
    let room = STORED_BYTES_MAX - 2 * (CHUNKS << 20) + 1;
    let full = sqlx::query("update blobs set size = $1").bind(room.cast_signed());
    full.execute(&lab.app().db).await.unwrap();
    let mut begun = 0;
    let refused = loop {
        match begin(begun).await {
            Ok(()) => begun += 1,
            Err(refused) => break refused,
        }
        assert!(begun < 30, "a bound");
    };
    assert!(matches!(refused, HubError::NoRoom), "{refused:?}");
    assert!(
        u64::from(begun) * CHUNKS > 60,
        "it is added up now and then"
    );
}

/// Writes one version after the other, each of a thousand bytes.
async fn versions(ana: &Client, workspace: WorkspaceId, path: &str, many: usize) -> Vec<u64> {
    let (mut base, mut revisions) = (None, Vec::new());
    for number in 0..many {
        let content = Bytes::from(format!("{path} {number:04} ").repeat(200)[..1000].to_owned());
        let written = ana.write_file(workspace, path, base.as_ref(), content.clone());
        revisions.push(written.await.unwrap().revision);
        base = Some(ContentHash::of(&content));
    }
    revisions
}

async fn kept(ana: &Client, workspace: WorkspaceId, path: &str) -> usize {
    let versions = ana.history(workspace, path).await.unwrap().versions;
    versions.iter().filter(|version| version.kept).count()
}

#[tokio::test]
async fn a_history_that_is_too_large_loses_its_oldest_contents_and_says_so() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let newest = HISTORY_VERSIONS_KEPT as usize;
    let log = versions(&ana, workspace, "log", 3 * newest).await;
    versions(&ana, workspace, "other", 3).await;
    let mut db = lab.app().db.acquire().await.unwrap();
    // All that the tree does not name, and then a part of it.
    let all = 3 * newest as u64 - 1 + 2;
    let most = |many: u64| many * 1000;
    let now = lab.clock.now() + Duration::DAY;
    let swept = history::thin(&mut db, workspace, most(all), now)
        .await
        .unwrap();
    assert_eq!(swept, 0);
    let part = newest as u64 + 5;
    history::thin(&mut db, workspace, most(part), now)
        .await
        .unwrap();
    // The newest of each file are kept before older ones of the other.
    assert_eq!(kept(&ana, workspace, "other").await, 3);
    assert_eq!(kept(&ana, workspace, "log").await, newest + 4);
    // What stands in the tree stays, whatever the bound.
    history::thin(&mut db, workspace, 0, now).await.unwrap();
    assert_eq!(kept(&ana, workspace, "other").await, 1);
    assert_eq!(kept(&ana, workspace, "log").await, 1);
    assert_eq!(ana.read_file(workspace, "log").await.unwrap().len(), 1000);
    let versions = ana.history(workspace, "log").await.unwrap().versions;
    assert_eq!(versions.len(), 3 * newest, "the journal keeps every change");
    let old = format!("/workspaces/{workspace}/files/log?revision={}", log[0]);
    assert_eq!(code(ana.bytes(&old).await), Code::ContentMissing);
    let path = Some(RelPath::parse("log").unwrap());
    let revision = log[0];
    let restore = Restore {
        revision,
        path,
        from: None,
    };
    let restored = ana.restore(workspace, &restore);
    let outcome = restored.await.unwrap().outcomes.pop().unwrap();
    assert_eq!(outcome.result, OutcomeResult::Rejected);
    assert_eq!(outcome.code, Some(Code::ContentMissing));
    assert_eq!(ana.read_file(workspace, "log").await.unwrap().len(), 1000);
}

#[tokio::test]
async fn whatever_a_program_writes_half_of_a_history_is_left_to_people() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let newest = HISTORY_VERSIONS_KEPT as usize;
    versions(&ana, workspace, "essay", 6).await;
    // Over hers as often as versions count at all, and as many new files that come and go.
    let (hub, program) = (&lab.app().hub, author(1));
    let change = async |path: &str, batch: String, change: NewNode| {
        let proposal = Proposal {
            path: RelPath::parse(path).unwrap(),
            expect: None,
            change,
        };
        let done = hub.commit(workspace, &program, &batch, vec![proposal], false);
        assert_eq!(done.await.unwrap().outcomes, [ProposalOutcome::Applied]);
    };
    for number in 0..2 * newest {
        for path in ["essay", &format!("junk {number}")] {
            let text = format!("{path} {number} ").repeat(200)[..1000].to_owned();
            let content = NewNode::File {
                content: Content::Inline(text.into()),
                executable: false,
                from: None,
            };
            change(path, format!("{path} {number}"), content).await;
        }
        let path = format!("junk {number}");
        change(&path, format!("{path} gone"), NewNode::Absent).await;
    }
    let mut db = lab.app().db.acquire().await.unwrap();
    history::thin(&mut db, workspace, 12_000, lab.clock.now())
        .await
        .unwrap();
    let versions = ana.history(workspace, "essay").await.unwrap().versions;
    let (mine, its): (Vec<_>, Vec<_>) = versions
        .iter()
        .partition(|version| version.change.origin.kind == OriginKind::Editor);
    assert!(mine.len() == 6 && mine.iter().all(|version| version.kept));
    // The rest is the program's, and the newest of it stays as before.
    assert!(its.len() == 2 * newest && its[0].kept && !its[its.len() - 1].kept);
    let held = sqlx::query_scalar("select count(*) from blobs");
    let held: i64 = held.fetch_one(&lab.app().db).await.unwrap();
    assert_eq!(held, 12 + 1, "all of the bound is used, beside what stands");
}

#[tokio::test]
async fn versions_of_the_last_hour_go_after_older_ones() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    let newest = HISTORY_VERSIONS_KEPT as usize;
    versions(&ana, workspace, "old", newest + 4).await;
    for aged in [
        "update changes set at = at - interval '2 hours'",
        "update blobs set created_at = created_at - interval '2 hours'",
    ] {
        sqlx::query(aged).execute(&lab.app().db).await.unwrap();
    }
    versions(&ana, workspace, "young", newest + 4).await;
    let mut db = lab.app().db.acquire().await.unwrap();
    // Of each file one version is in the tree and four are more than it keeps.
    let most = 1000 * (2 * (newest as u64 - 1) + 4);
    history::thin(&mut db, workspace, most, lab.clock.now())
        .await
        .unwrap();
    assert_eq!(kept(&ana, workspace, "young").await, newest + 4);
    assert_eq!(kept(&ana, workspace, "old").await, newest);
}

#[tokio::test]
async fn a_commit_that_takes_the_history_past_its_bound_looks_at_it_exactly() {
    let lab = Lab::start().await;
    let ana = lab.user("ana").await;
    let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
    versions(&ana, workspace, "a", 3).await;
    let counted = async || -> i64 {
        sqlx::query_scalar("select history_bytes from workspaces")
            .fetch_one(&lab.app().db)
            .await
            .unwrap()
    };
    assert_eq!(counted().await, 2000);
    let full = sqlx::query("update workspaces set history_bytes = $1");
    let full = full.bind(HISTORY_BYTES_MAX.cast_signed());
    full.execute(&lab.app().db).await.unwrap();
    // The estimate was far too high: nothing had to go.
    versions(&ana, workspace, "b", 2).await;
    assert_eq!(counted().await, 3000);
    assert_eq!(kept(&ana, workspace, "a").await, 3);
}
