//! The bound of what a workspace's history holds. A program that writes a log in a loop makes a whole version of it each
//! time; old versions then lose their content, never their row in the journal, and reading one says so.
use slipway_api::file::OriginKind;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{HISTORY_PART_OF_PEOPLE, HISTORY_VERSIONS_KEPT, HISTORY_YOUNG_S};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

use super::content::chunks;
use super::row::{origin_text, uuid};
use super::types::HubError;

/// Deletes contents that only the journal names, the least precious first, until at most `most` bytes of them are left.
/// What the tree names stays. Wants the workspace's lock.
///
/// Precious are, from the most: what is on its way into the tree again, the newest versions of each file, versions of the
/// last hour, all others; among equals the younger. Before all of them come, as far as they fill their part of `most`,
/// versions that people made, in the same order among themselves: however much a program writes, it cannot push those out. So
/// that it cannot age them either, versions by people and by programs are counted apart.
///
/// # Errors
/// When the database does not answer.
pub async fn thin(
    db: &mut PgConnection,
    workspace: WorkspaceId,
    most: u64,
    now: OffsetDateTime,
) -> Result<u64, HubError> {
    let young = now - Duration::seconds(HISTORY_YOUNG_S.cast_signed());
    let past = sqlx::query_scalar!(
        r#"with versions as (
            select hash, max(at) as last_at, min(rank) as rank, bool_or(by_person) as by_person from (
                select hash, at, origin <> $6 as by_person,
                    row_number() over (partition by path, origin <> $6 order by rev desc, seq desc) as rank
                from changes where workspace_id = $1 and kind = 1 and hash is not null
            ) as each_version group by hash
        ), classed as (
            select hash, size, by_person, last_at,
                case when created_at > last_at and created_at > $3 then 0 when rank <= $4 then 1 when last_at > $3 then 2 else 3 end as class
            from blobs join versions using (hash)
            where workspace_id = $1 and not exists (select from entries where entries.workspace_id = $1 and entries.hash = blobs.hash)
        ), assured as (
            select hash, size, class, last_at,
                by_person and sum(size) over (partition by by_person order by class, last_at desc, hash) <= $5::bigint as assured
            from classed
        ), past as (
            select hash, (sum(size) over (order by not assured, class, last_at desc, hash))::bigint as bytes from assured
        ), counted as (
            update workspaces set history_bytes = coalesce((select max(bytes) from past where bytes <= $2), 0) where id = $1
        )
        select hash as "hash!" from past where bytes > $2"#,
        uuid(workspace),
        most.cast_signed(),
        young,
        i64::from(HISTORY_VERSIONS_KEPT),
        (most / HISTORY_PART_OF_PEOPLE).cast_signed(),
        origin_text(OriginKind::Session),
    )
    .fetch_all(&mut *db)
    .await?;
    chunks::delete_contents(db, workspace, &past).await
}
