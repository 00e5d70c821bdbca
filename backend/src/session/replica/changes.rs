//! The journal on its way to the agent: a full listing for a fresh replica, then every change, contents along.
use slipway_api::file::Kind;
use slipway_core::hash::ContentHash;
use slipway_core::limits::INLINE_CONTENT_BYTES_MAX;
use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::hub_frame::Frame;

use super::{Connection, PROTOCOL, ReplicaError, wire};
use crate::hub::NodeRow;

/// Contents of one frame.
const FRAME_BYTES: u64 = 1 << 20;
/// Changes of one frame.
const FRAME_CHANGES: usize = 500;
/// Rows of the journal read at once.
const PAGE: usize = 2_000;

/// A change and whether its content goes along.
struct Outgoing {
    change: v1::Change,
    content: Option<(ContentHash, u64)>,
}

fn outgoing(path: &RelPath, revision: u64, row: Option<&NodeRow>, last: bool) -> Outgoing {
    let content = row
        .filter(|row| row.kind == Kind::File && row.size <= INLINE_CONTENT_BYTES_MAX)
        .and_then(|row| Some((row.hash?, row.size)));
    Outgoing {
        change: v1::Change {
            revision,
            path: path.to_string(),
            node: row.map(wire::node),
            inline: None,
            last_of_revision: last,
        },
        content,
    }
}

impl Connection {
    /// Answers the agent's hello: goes on from its revision, or lists everything.
    pub(super) async fn greet(&mut self, hello: &v1::SpokeHello) -> Result<(), ReplicaError> {
        let head = self.hub.head(self.workspace).await?;
        let epoch = head.epoch.to_string();
        let full = hello.epoch != epoch || hello.revision == 0 || hello.revision > head.revision;
        self.progress.send_modify(|progress| {
            *progress = super::ReplicaProgress {
                entries: head.entries,
                total_bytes: head.bytes,
                applied_revision: progress.applied_revision,
                ..super::ReplicaProgress::default()
            };
        });
        let greeting = v1::HubHello {
            protocol: PROTOCOL,
            epoch,
            head: head.revision,
            full,
            entries: head.entries,
            bytes: head.bytes,
        };
        self.send(Frame::Hello(greeting)).await?;
        if full {
            return self.send_listing().await;
        }
        self.sent = hello.revision;
        self.listed = hello.revision;
        if head.revision == hello.revision {
            // Nothing to send: the frame says that nothing is missing.
            self.send(Frame::Changes(v1::Changes {
                changes: Vec::new(),
                head: head.revision,
                listing_done: false,
            }))
            .await?;
        }
        Ok(())
    }

    async fn send_listing(&mut self) -> Result<(), ReplicaError> {
        let (revision, rows) = self.hub.listing(self.workspace).await?;
        let all: Vec<_> = rows
            .iter()
            .map(|row| outgoing(&row.path, row.revision, Some(row), false))
            .collect();
        self.sent = revision;
        self.listed = revision;
        self.send_frames(all, revision).await?;
        // An empty workspace has no revision that could be reported as applied.
        self.progress
            .send_modify(|progress| progress.listing_done |= revision == 0);
        self.send(Frame::Changes(v1::Changes {
            changes: Vec::new(),
            head: revision,
            listing_done: true,
        }))
        .await
    }

    /// Sends what the journal has beyond what was sent.
    pub(super) async fn send_changes(&mut self) -> Result<(), ReplicaError> {
        loop {
            let rows = self
                .hub
                .changes_after(self.workspace, self.sent, PAGE)
                .await?;
            let Some(last) = rows.last().map(|row| row.revision) else {
                return Ok(());
            };
            let many = rows.len();
            // The journal gives whole revisions: one ends where the next begins, however the frames are cut.
            let next = rows.iter().skip(1).map(|row| Some(row.revision));
            let all = rows
                .iter()
                .zip(next.chain([None]))
                .map(|(row, next)| {
                    let last = next != Some(row.revision);
                    outgoing(&row.path, row.revision, row.node.as_ref(), last)
                })
                .collect();
            self.sent = last;
            self.send_frames(all, last).await?;
            if many < PAGE {
                return Ok(());
            }
        }
    }

    async fn send_frames(&mut self, changes: Vec<Outgoing>, head: u64) -> Result<(), ReplicaError> {
        let mut rest = changes;
        while !rest.is_empty() {
            let mut bytes = 0;
            let many = rest
                .iter()
                .take(FRAME_CHANGES)
                .take_while(|change| {
                    bytes += change.content.map_or(0, |(_, size)| size);
                    bytes <= FRAME_BYTES
                })
                .count()
                .max(1);
            let later = rest.split_off(many);
            let frame = self.with_contents(rest).await?;
            let count = frame.len() as u64;
            self.send(Frame::Changes(v1::Changes {
                changes: frame,
                head,
                listing_done: false,
            }))
            .await?;
            self.progress.send_modify(|progress| {
                progress.synced_entries = (progress.synced_entries + count).min(progress.entries);
                progress.bytes = (progress.bytes + bytes).min(progress.total_bytes);
            });
            rest = later;
        }
        Ok(())
    }

    async fn with_contents(&self, changes: Vec<Outgoing>) -> Result<Vec<v1::Change>, ReplicaError> {
        let hashes: Vec<_> = changes
            .iter()
            .filter_map(|change| Some(change.content?.0))
            .collect();
        let contents = if hashes.is_empty() {
            std::collections::HashMap::new()
        } else {
            self.hub.contents(self.workspace, &hashes).await?
        };
        Ok(changes
            .into_iter()
            .map(|mut change| {
                change.change.inline = change
                    .content
                    .and_then(|(hash, _)| contents.get(&hash).cloned());
                change.change
            })
            .collect())
    }
}
