//! Chunks of large contents: versions share those that did not change, and none goes while a version names it.
#![expect(clippy::unwrap_used, reason = "a helper ends its test")]
use bytes::Bytes;
use slipway_api::workspace::Template;
use slipway_backend::hub::content::write::Range;
use slipway_backend::hub::{
    Content, HubError, NewNode, Proposal, ProposalOutcome, content, history,
};
use slipway_client::rest::Client;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::CHUNK_BYTES_MAX;
use slipway_core::path::RelPath;
use time::Duration;

use super::author;
use crate::lab::Lab;

const CHUNK: u64 = CHUNK_BYTES_MAX as u64;
/// Four chunks, the last of which is small.
const SIZE: u64 = 3 * CHUNK + 7;

struct Versions {
    lab: Lab,
    ana: Client,
    workspace: WorkspaceId,
    old: Bytes,
    new: Bytes,
}

impl Versions {
    /// A file whose second version differs inside of its second chunk.
    async fn begin() -> Self {
        let lab = Lab::start().await;
        let ana = lab.user("ana").await;
        let workspace = ana.create_workspace("w", Template::Empty).await.unwrap().id;
        let old: Vec<u8> = (0..SIZE).map(|n| (n % 251) as u8).collect();
        let mut new = old.clone();
        new[CHUNK_BYTES_MAX + 5..][..4].fill(0);
        let this = Self {
            lab,
            ana,
            workspace,
            old: old.into(),
            new: new.into(),
        };
        let mut writer = this.lab.app().hub.writer(workspace);
        writer.push(&this.old).await.unwrap();
        writer.finish().await.unwrap();
        this.commit("old", &this.old).await;
        this
    }

    async fn commit(&self, batch: &str, content: &Bytes) {
        let file = Proposal {
            path: RelPath::parse("large.bin").unwrap(),
            expect: None,
            change: NewNode::File {
                content: Content::Held(ContentHash::of(content)),
                executable: false,
                from: None,
            },
        };
        let (hub, author) = (&self.lab.app().hub, author(1));
        let done = hub.commit(self.workspace, &author, batch, vec![file], false);
        assert_eq!(done.await.unwrap().outcomes, [ProposalOutcome::Applied]);
    }

    /// The new version, of which only what is new is sent.
    async fn send_new(&self) -> Result<bool, HubError> {
        let mut writer = self.lab.app().hub.writer(self.workspace);
        let from = ContentHash::of(&self.old);
        let (begin, end) = (CHUNK + 5, CHUNK + 9);
        writer
            .push_range(Range {
                from,
                offset: 0,
                size: 9,
            })
            .await?;
        writer
            .push_range(Range {
                from,
                offset: 9,
                size: begin - 9,
            })
            .await?;
        writer
            .push(&self.new.slice(CHUNK_BYTES_MAX + 5..CHUNK_BYTES_MAX + 9))
            .await?;
        writer
            .push_range(Range {
                from,
                offset: end,
                size: SIZE - end,
            })
            .await?;
        writer.finish_as(ContentHash::of(&self.new)).await
    }

    async fn chunks(&self) -> i64 {
        let count = sqlx::query_scalar("select count(*) from chunks");
        count.fetch_one(&self.lab.app().db).await.unwrap()
    }

    async fn read(&self) -> Vec<u8> {
        self.ana
            .read_file(self.workspace, "large.bin")
            .await
            .unwrap()
            .into()
    }
}

#[tokio::test]
async fn versions_share_what_did_not_change_and_it_goes_with_the_last_of_them() {
    let versions = Versions::begin().await;
    assert_eq!(versions.chunks().await, 4);
    assert!(versions.read().await == versions.old);
    assert!(versions.send_new().await.unwrap());
    assert_eq!(versions.chunks().await, 5, "one is new");
    versions.commit("new", &versions.new).await;
    assert!(versions.read().await == versions.new);
    let mut db = versions.lab.app().db.acquire().await.unwrap();
    let now = versions.lab.clock.now();
    let gone = history::thin(&mut db, versions.workspace, 0, now).await;
    assert_eq!(gone.unwrap(), 1, "the old version");
    assert_eq!(versions.chunks().await, 4, "what it had for itself");
    assert_eq!(
        content::sweep(&mut db, now + Duration::WEEK).await.unwrap(),
        0
    );
    assert!(versions.read().await == versions.new);
}

#[tokio::test]
async fn what_is_not_what_was_promised_leaves_nothing() {
    let versions = Versions::begin().await;
    let hub = &versions.lab.app().hub;
    let mut writer = hub.writer(versions.workspace);
    writer.push(&versions.new).await.unwrap();
    assert!(!writer.finish_as(ContentHash::of(b"other")).await.unwrap());
    assert_eq!(versions.chunks().await, 4);
    // One that is cut off goes with the sweep.
    let mut writer = hub.writer(versions.workspace);
    writer.push(&versions.new).await.unwrap();
    drop(writer);
    assert_eq!(versions.chunks().await, 5);
    let mut db = versions.lab.app().db.acquire().await.unwrap();
    let later = versions.lab.clock.now() + Duration::days(2);
    assert_eq!(content::sweep(&mut db, later).await.unwrap(), 1);
    assert!(versions.read().await == versions.old);
}

#[tokio::test]
async fn a_range_of_what_went_meanwhile_makes_no_content() {
    let versions = Versions::begin().await;
    let db = &versions.lab.app().db;
    sqlx::query("delete from blobs").execute(db).await.unwrap();
    sqlx::query("delete from chunks").execute(db).await.unwrap();
    let sent = versions.send_new().await;
    assert!(matches!(sent, Err(HubError::Gone)), "{sent:?}");
}

#[tokio::test]
async fn what_goes_while_it_is_read_does_not_end_early() {
    let versions = Versions::begin().await;
    let (hub, old) = (&versions.lab.app().hub, ContentHash::of(&versions.old));
    let reader = hub.open(versions.workspace, old).await.unwrap();
    let mut reader = reader.unwrap();
    assert!(reader.next().await.unwrap().is_some());
    let gone = sqlx::query("delete from blobs");
    gone.execute(&versions.lab.app().db).await.unwrap();
    let next = reader.next().await;
    assert!(matches!(next, Err(HubError::Gone)), "{next:?}");
}

#[tokio::test]
async fn contents_from_before_chunks_were_shared_are_read_and_taken_from() {
    let versions = Versions::begin().await;
    let db = &versions.lab.app().db;
    for before in [
        "update blob_chunks set chunk = null, codec = chunks.codec, content = chunks.content from chunks where chunks.hash = chunk",
        "delete from chunks",
    ] {
        sqlx::query(before).execute(db).await.unwrap();
    }
    assert!(versions.read().await == versions.old);
    assert!(versions.send_new().await.unwrap());
    versions.commit("new", &versions.new).await;
    assert!(versions.read().await == versions.new);
}
