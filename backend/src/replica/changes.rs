//! The journal on its way to the replica: a full listing for a fresh replica, then every change, contents along.
use slipway_api::file::Kind;
use slipway_core::hash::ContentHash;
use slipway_core::limits::INLINE_CONTENT_BYTES_MAX;
use slipway_core::path::RelPath;
use slipway_proto::digest::Digest;
use slipway_proto::v1;
use slipway_proto::v1::hub_frame::Frame;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::{COMPARED_EVERY, Connection, Replica, ReplicaError, wire};
use crate::hub::{Head, NodeRow};

/// Contents, names and targets of one frame: a replica takes 4 MiB, and its stream keeps the room of the largest frame for
/// as long as it lives.
const FRAME_BYTES: u64 = 1 << 18;
/// Changes of one frame.
const FRAME_CHANGES: usize = 500;
/// Rows of the journal read at once.
const PAGE: usize = 2_000;
/// Tries to find a workspace at rest; while people write all the time it is compared another time.
const COMPARED_MAX: usize = 3;

/// A change and whether its content goes along.
struct Outgoing {
    change: v1::Change,
    content: Option<(ContentHash, u64)>,
}

impl Outgoing {
    fn content_bytes(&self) -> u64 {
        self.content.map_or(0, |(_, size)| size)
    }

    /// What it takes on the wire, about.
    fn bytes(&self) -> u64 {
        let target = self
            .change
            .node
            .as_ref()
            .map_or(0, |node| node.link_target.len());
        self.content_bytes() + (self.change.path.len() + target) as u64
    }
}

fn outgoing(path: &RelPath, revision: u64, row: Option<&NodeRow>) -> Outgoing {
    let content = row
        .filter(|row| row.kind == Kind::File && row.size <= INLINE_CONTENT_BYTES_MAX)
        .and_then(|row| Some((row.hash?, row.size)));
    Outgoing {
        change: v1::Change {
            revision,
            path: path.to_string(),
            node: row.map(wire::node),
            inline: None,
            last_of_revision: false,
            made: 0,
        },
        content,
    }
}

/// How many of these go into one frame, one at least.
fn first_frame(changes: &[Outgoing]) -> usize {
    let mut room = FRAME_BYTES;
    let fits = |change: &&Outgoing| {
        let left = room.checked_sub(change.bytes());
        room = left.unwrap_or(0);
        left.is_some()
    };
    changes
        .iter()
        .take(FRAME_CHANGES)
        .take_while(fits)
        .count()
        .max(1)
}

/// Whether a replica was told of revisions that this database does not hold, or has others of the same number instead.
async fn knows_more(
    replica: &Replica,
    hello: &v1::SpokeHello,
    head: &Head,
) -> Result<bool, ReplicaError> {
    if hello.revision.max(hello.seen) > head.revision {
        return Ok(true);
    }
    let Some(known) = hello.moment else {
        return Ok(false);
    };
    let made = replica.hub.made(replica.workspace, known.revision).await?;
    Ok(made.map(wire::made) != Some(known.made))
}

/// Answers a hello; tells whether everything is listed, or what follows goes on from the replica's revision.
pub(super) async fn answer(
    replica: &Replica,
    hello: &v1::SpokeHello,
    control: &mpsc::Sender<v1::HubFrame>,
    link_id: String,
) -> Result<bool, ReplicaError> {
    let mut head = replica.hub.head(replica.workspace).await?;
    if hello.epoch == head.epoch.to_string() && knows_more(replica, hello, &head).await? {
        head = replica.hub.set_back(replica.workspace, head).await?;
    }
    let epoch = head.epoch.to_string();
    let full = hello.epoch != epoch || hello.revision == 0;
    replica.progress.send_modify(|progress| {
        *progress = super::ReplicaProgress {
            entries: head.entries,
            total_bytes: head.bytes,
            applied_revision: progress.applied_revision,
            ..super::ReplicaProgress::default()
        };
    });
    let hello = Frame::Hello(v1::HubHello {
        epoch,
        full,
        link_id,
        ranges: true,
        compares: true,
        gathers: true,
    });
    let sent = control.send(v1::HubFrame { frame: Some(hello) }).await;
    sent.map_err(|_| ReplicaError::Closed)?;
    Ok(full)
}

impl Connection {
    pub(super) async fn send_listing(&mut self) -> Result<(), ReplicaError> {
        let (revision, rows) = self.replica.hub.listing(self.replica.workspace).await?;
        let all: Vec<_> = rows
            .iter()
            .map(|row| outgoing(&row.path, row.revision, Some(row)))
            .collect();
        self.sent = revision;
        self.listed = revision;
        let (hub, workspace) = (&self.replica.hub, self.replica.workspace);
        let made = hub.made(workspace, revision).await?.map(wire::made);
        let moment = made.map(|made| v1::Moment { revision, made });
        self.send_frames(all, moment).await?;
        // An empty workspace has no revision that could be reported as applied.
        self.replica
            .progress
            .send_modify(|progress| progress.listing_done |= revision == 0);
        self.send(Frame::Changes(v1::Changes {
            changes: Vec::new(),
            listed: Some(revision),
            moment,
        }))
        .await
    }

    /// Says what the tree comes to, after every change that is part of it.
    pub(super) async fn compare(&mut self) -> Result<(), ReplicaError> {
        self.compares = false;
        self.comparable = Instant::now() + COMPARED_EVERY;
        for _ in 0..COMPARED_MAX {
            self.send_changes().await?;
            let (revision, rows) = self.replica.hub.listing(self.replica.workspace).await?;
            if revision != self.sent {
                // Somebody wrote between the two.
                continue;
            }
            let mut digest = Digest::default();
            for row in &rows {
                digest.add(row.path.as_str(), &wire::node(row));
            }
            let sum = digest.to_bytes();
            return self.send(Frame::Digest(v1::Digest { revision, sum })).await;
        }
        Ok(())
    }

    /// Sends what the journal has beyond what was sent.
    pub(super) async fn send_changes(&mut self) -> Result<(), ReplicaError> {
        loop {
            let (hub, workspace) = (&self.replica.hub, self.replica.workspace);
            let rows = hub.changes_after(workspace, self.sent, PAGE).await?;
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
                    let mut outgoing = outgoing(&row.path, row.revision, row.node.as_ref());
                    outgoing.change.last_of_revision = next != Some(row.revision);
                    outgoing.change.made = wire::made(row.at);
                    if self.made.contains(&row.revision) {
                        // It sent them itself.
                        outgoing.content = None;
                    }
                    outgoing
                })
                .collect();
            self.sent = last;
            self.made.retain(|revision| *revision > last);
            self.send_frames(all, None).await?;
            if many < PAGE {
                return Ok(());
            }
        }
    }

    async fn send_frames(
        &mut self,
        changes: Vec<Outgoing>,
        moment: Option<v1::Moment>,
    ) -> Result<(), ReplicaError> {
        let mut rest = changes;
        while !rest.is_empty() {
            let later = rest.split_off(first_frame(&rest));
            let bytes: u64 = rest.iter().map(Outgoing::content_bytes).sum();
            let frame = self.with_contents(rest).await?;
            let count = frame.len() as u64;
            self.send(Frame::Changes(v1::Changes {
                changes: frame,
                listed: None,
                moment,
            }))
            .await?;
            self.replica.progress.send_modify(|progress| {
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
            self.replica
                .hub
                .contents(self.replica.workspace, &hashes)
                .await?
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_and_targets_fill_a_frame_as_contents_do() {
        let path = RelPath::parse(&format!("{}link", "folder/".repeat(90))).unwrap();
        let link = || {
            let mut link = outgoing(&path, 1, None);
            link.change.node = Some(v1::Node {
                link_target: "./".repeat(2_000),
                ..v1::Node::default()
            });
            link
        };
        let links: Vec<_> = std::iter::repeat_with(link).take(FRAME_CHANGES).collect();
        let many = first_frame(&links);
        let bytes = |many: usize| links[..many].iter().map(Outgoing::bytes).sum::<u64>();
        assert!(bytes(many) <= FRAME_BYTES && bytes(many + 1) > FRAME_BYTES);
        let mut large = link();
        large.content = Some((ContentHash::of(b"x"), 2 * FRAME_BYTES));
        assert_eq!(first_frame(&[large]), 1);
    }
}
