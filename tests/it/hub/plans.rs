//! What a commit reads of the database: what it names, whatever the database knows of the workspace (decision 23).
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use slipway_api::workspace::Template;
use slipway_backend::hub::{Content, NewNode, Proposal, ProposalOutcome};
use slipway_client::rest::Client;
use slipway_core::hash::ContentHash;
use slipway_core::id::{Id as _, WorkspaceId};
use slipway_core::path::RelPath;
use sqlx::PgConnection;

use super::author;
use crate::lab::Lab;

/// Files of a workspace that is full.
const FILES: i32 = 6_000;
/// Files of a batch.
const NAMED: i32 = 200;

fn hash(n: i32) -> ContentHash {
    ContentHash::of(n.to_string().as_bytes())
}

/// A workspace with many files in one folder, each with a content of its own.
async fn filled(db: &mut PgConnection, ana: &Client, name: &str) -> WorkspaceId {
    let workspace = ana
        .create_workspace(name, Template::Empty)
        .await
        .unwrap()
        .id;
    let contents = "insert into blobs (workspace_id, hash, size, content, created_at)
        select $1, hash, 4, 'text', now() from unnest($2::bytea[]) as hash";
    let entries = "insert into entries (workspace_id, path, fold_key, kind, hash, size, rev)
        select $1, 'folder/' || n, 'folder/' || n, 1, hash, 4, 0 from unnest($2::bytea[]) with ordinality as new (hash, n)";
    let hashes: Vec<_> = (1..=FILES).map(|n| hash(n).as_bytes().to_vec()).collect();
    for fill in [contents, entries] {
        let fill = sqlx::query(fill).bind(workspace.uuid()).bind(&hashes);
        fill.execute(&mut *db).await.unwrap();
    }
    workspace
}

/// Rows that this transaction has read so far.
async fn read(db: &mut PgConnection) -> i64 {
    let read = "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
        where relname in ('blobs', 'entries')";
    sqlx::query_scalar(read).fetch_one(db).await.unwrap()
}

/// A batch of new names, each with a content that the workspace holds, and of folders.
fn batch() -> Vec<Proposal> {
    let file = |n: i32| NewNode::File {
        content: Content::Held(hash(n)),
        executable: false,
        from: None,
    };
    let proposal = |path: String, change| Proposal {
        path: RelPath::parse(&path).unwrap(),
        expect: None,
        change,
    };
    let folders = (1..=NAMED).map(|n| proposal(format!("new{n}"), NewNode::Folder));
    let files = (1..=NAMED).map(|n| proposal(format!("new{n}/file"), file(n)));
    folders.chain(files).collect()
}

#[tokio::test]
async fn a_commit_reads_what_it_names_and_not_the_rest_of_the_workspace() {
    for has_statistics in [false, true] {
        let lab = Lab::start().await;
        let ana = lab.user("ana").await;
        let mut db = lab.app().db.acquire().await.unwrap();
        filled(&mut db, &ana, "old").await;
        if has_statistics {
            sqlx::raw_sql("analyze").execute(&mut *db).await.unwrap();
        }
        let new = filled(&mut db, &ana, "new").await;
        let mut transaction = sqlx::Connection::begin(&mut *db).await.unwrap();
        let before = read(&mut transaction).await;
        let hub = &lab.app().hub;
        let done = hub
            .commit_in(&mut transaction, new, &author(1), "batch", batch(), false)
            .await
            .unwrap();
        let is_done = |outcome: &ProposalOutcome| *outcome == ProposalOutcome::Applied;
        assert!(done.outcomes.iter().all(is_done));
        let read = read(&mut transaction).await - before;
        assert!(
            read < i64::from(FILES),
            "{read} rows, statistics: {has_statistics}"
        );
    }
}
