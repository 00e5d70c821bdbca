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

async fn empty(ana: &Client, name: &str) -> WorkspaceId {
    ana.create_workspace(name, Template::Empty)
        .await
        .unwrap()
        .id
}

/// Puts files into a folder of a workspace, each with a content of its own.
async fn fill(db: &mut PgConnection, workspace: WorkspaceId, many: i32) {
    let contents = "insert into blobs (workspace_id, hash, size, content, created_at)
        select $1, hash, 4, 'text', now() from unnest($2::bytea[]) as hash";
    let entries = "insert into entries (workspace_id, path, fold_key, kind, hash, size, rev)
        select $1, 'folder/' || n, 'folder/' || n, 1, hash, 4, 0 from unnest($2::bytea[]) with ordinality as new (hash, n)";
    let hashes: Vec<_> = (1..=many).map(|n| hash(n).as_bytes().to_vec()).collect();
    for fill in [contents, entries] {
        let fill = sqlx::query(fill).bind(workspace.uuid()).bind(&hashes);
        fill.execute(&mut *db).await.unwrap();
    }
}

async fn run(db: &mut PgConnection, sql: &'static str) {
    sqlx::raw_sql(sql).execute(db).await.unwrap();
}

/// Rows that this transaction has read so far.
async fn read(db: &mut PgConnection) -> i64 {
    let read = "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
        where relname in ('blobs', 'entries')";
    sqlx::query_scalar(read).fetch_one(db).await.unwrap()
}

/// A batch of folders, of files in them with contents that the workspace holds, and of what shall not be there and is not.
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
    let gone = (1..=NAMED).map(|n| proposal(format!("gone{n}"), NewNode::Absent));
    folders.chain(files).chain(gone).collect()
}

/// What the database knows of a workspace that fills.
#[derive(Debug)]
enum Known {
    Nothing,
    /// What there was before it.
    Others,
    /// How it was when it was tiny, and so are the plans.
    Tiny,
}

/// Commits a batch in a transaction that is taken back; tells how many rows that read.
async fn commit(lab: &Lab, db: &mut PgConnection, workspace: WorkspaceId) -> i64 {
    let mut transaction = sqlx::Connection::begin(db).await.unwrap();
    let before = read(&mut transaction).await;
    let (hub, author) = (&lab.app().hub, author(1));
    let done = hub.commit_in(
        &mut transaction,
        workspace,
        &author,
        "batch",
        batch(),
        false,
    );
    let outcomes = done.await.unwrap().outcomes;
    let is_done = |outcome: &ProposalOutcome| {
        matches!(
            outcome,
            ProposalOutcome::Applied | ProposalOutcome::Converged
        )
    };
    assert!(outcomes.iter().all(is_done));
    read(&mut transaction).await - before
}

#[tokio::test]
async fn a_commit_reads_what_it_names_and_not_the_rest_of_the_workspace() {
    for known in [Known::Nothing, Known::Others, Known::Tiny] {
        let lab = Lab::start().await;
        let ana = lab.user("ana").await;
        let mut db = lab.app().db.acquire().await.unwrap();
        let workspace = empty(&ana, "new").await;
        match known {
            Known::Nothing => {}
            Known::Others => {
                let other = empty(&ana, "other").await;
                fill(&mut db, other, FILES).await;
                run(&mut db, "analyze").await;
            }
            Known::Tiny => {
                fill(&mut db, workspace, NAMED).await;
                run(&mut db, "analyze").await;
                // A plan is kept from the sixth time on.
                for _ in 0..8 {
                    commit(&lab, &mut db, workspace).await;
                }
                run(&mut db, "delete from entries; delete from blobs").await;
            }
        }
        fill(&mut db, workspace, FILES).await;
        let read = commit(&lab, &mut db, workspace).await;
        assert!(read < i64::from(FILES), "{read} rows, known: {known:?}");
    }
}
