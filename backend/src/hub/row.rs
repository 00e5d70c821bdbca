//! Between the hub's words and the columns of its tables, both ways.
use slipway_api::file::{Kind, OriginKind};
use slipway_core::hash::ContentHash;
use slipway_core::id::{Id as _, UserId, WorkspaceId};
use slipway_core::path::RelPath;
use time::OffsetDateTime;
use uuid::Uuid;

use super::types::{JournalRow, NodeRow, Version};

/// The id of a workspace as the database takes it.
pub(super) fn uuid(workspace: WorkspaceId) -> Uuid {
    workspace.uuid()
}

/// A kind as it stands in the tables.
pub(super) const fn number(kind: Kind) -> i16 {
    match kind {
        Kind::File => 1,
        Kind::Folder => 2,
        Kind::Symlink => 3,
    }
}

const fn kind(number: i16) -> Option<Kind> {
    match number {
        1 => Some(Kind::File),
        2 => Some(Kind::Folder),
        3 => Some(Kind::Symlink),
        _ => None,
    }
}

/// An origin as it stands in the tables.
pub(super) const fn origin_text(kind: OriginKind) -> &'static str {
    match kind {
        OriginKind::Editor => "editor",
        OriginKind::Session => "session",
        OriginKind::Upload => "upload",
        OriginKind::Desktop => "desktop",
        OriginKind::Restore => "restore",
        OriginKind::Template => "template",
    }
}

fn origin(text: &str) -> OriginKind {
    match text {
        "session" => OriginKind::Session,
        "upload" => OriginKind::Upload,
        "desktop" => OriginKind::Desktop,
        "restore" => OriginKind::Restore,
        "template" => OriginKind::Template,
        _ => OriginKind::Editor,
    }
}

fn path(text: &str) -> Result<RelPath, sqlx::Error> {
    RelPath::parse(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// One entry as the database hands it out.
pub(super) struct NodeColumns {
    pub(super) path: String,
    pub(super) kind: i16,
    pub(super) hash: Option<Vec<u8>>,
    pub(super) size: i64,
    pub(super) executable: bool,
    pub(super) link_target: Option<String>,
    pub(super) rev: i64,
}

impl TryFrom<NodeColumns> for NodeRow {
    type Error = sqlx::Error;

    fn try_from(row: NodeColumns) -> Result<Self, sqlx::Error> {
        let damaged = |what: &str| sqlx::Error::Decode(format!("{what} of an entry").into());
        Ok(Self {
            path: path(&row.path)?,
            kind: kind(row.kind).ok_or_else(|| damaged("kind"))?,
            hash: row
                .hash
                .map(|bytes| ContentHash::try_from(bytes.as_slice()).map_err(|_| damaged("hash")))
                .transpose()?,
            size: row.size.unsigned_abs(),
            executable: row.executable,
            target: row.link_target,
            revision: row.rev.unsigned_abs(),
        })
    }
}

/// Entries as the database hands them out.
pub(super) fn nodes(rows: Vec<NodeColumns>) -> Result<Vec<NodeRow>, sqlx::Error> {
    rows.into_iter().map(NodeRow::try_from).collect()
}

/// One change as the database hands it out.
pub(super) struct ChangeColumns {
    pub(super) rev: i64,
    pub(super) seq: i32,
    pub(super) path: String,
    pub(super) kind: Option<i16>,
    pub(super) hash: Option<Vec<u8>>,
    pub(super) size: i64,
    pub(super) executable: bool,
    pub(super) link_target: Option<String>,
    pub(super) from_path: Option<String>,
    pub(super) prev_hash: Option<Vec<u8>>,
    pub(super) origin: String,
    pub(super) user_id: Option<Uuid>,
    pub(super) at: OffsetDateTime,
    /// Whether the content is held.
    pub(super) kept: bool,
}

impl TryFrom<ChangeColumns> for Version {
    type Error = sqlx::Error;

    fn try_from(row: ChangeColumns) -> Result<Self, sqlx::Error> {
        let path = path(&row.path)?;
        let node = row.kind.map(|kind| {
            NodeRow::try_from(NodeColumns {
                path: row.path,
                kind,
                hash: row.hash,
                size: row.size,
                executable: row.executable,
                link_target: row.link_target,
                rev: row.rev,
            })
        });
        let change = JournalRow {
            revision: row.rev.unsigned_abs(),
            seq: row.seq.unsigned_abs(),
            path,
            node: node.transpose()?,
            from: row.from_path.as_deref().map(self::path).transpose()?,
            previous: row
                .prev_hash
                .and_then(|hash| ContentHash::try_from(hash.as_slice()).ok()),
            origin: origin(&row.origin),
            user: row.user_id.map(UserId::from_uuid),
            at: row.at,
        };
        Ok(Self {
            change,
            kept: row.kept,
        })
    }
}
