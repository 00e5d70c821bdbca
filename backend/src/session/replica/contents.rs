//! Contents beside the control stream: what the agent asks for, and what the hub asks of the agent.
use std::collections::HashSet;

use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::limits::BULK_FRAME_BYTES_MAX;
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_proto::v1::hub_bulk;
use tokio::sync::mpsc;

use super::{ARRIVING_MAX, Connection, ReplicaError};
use crate::hub::{Hub, HubError};

impl Connection {
    /// The contents that a batch names and the workspace does not hold.
    pub(super) async fn missing(
        &self,
        propose: &v1::Propose,
    ) -> Result<HashSet<ContentHash>, ReplicaError> {
        let mut missing = HashSet::new();
        for operation in propose
            .operations
            .iter()
            .filter(|operation| operation.inline.is_none())
        {
            let Some(node) = operation
                .node
                .as_ref()
                .filter(|node| node.kind() == v1::Kind::File)
            else {
                continue;
            };
            let Ok(hash) = convert::hash(&node.hash) else {
                continue;
            };
            if self.hub.open(self.workspace, hash).await?.is_none() {
                missing.insert(hash);
            }
        }
        Ok(missing)
    }

    /// A piece of a content that was asked for.
    pub(super) async fn blob(&mut self, blob: v1::Blob) -> Result<(), ReplicaError> {
        let hash =
            convert::hash(&blob.hash).map_err(|_| ReplicaError::Protocol("a hash that is none"))?;
        let asked = self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.missing.contains(&hash));
        if !asked || self.arriving.len() > ARRIVING_MAX {
            // Nobody asked for it: it is not stored.
            return Ok(());
        }
        let mut over = blob.missing;
        if !blob.missing {
            let mut writer = self
                .arriving
                .remove(&hash)
                .unwrap_or_else(|| self.hub.writer(self.workspace));
            match writer.push(&blob.data).await {
                Ok(()) if blob.last => {
                    let (stored, _) = writer.finish().await?;
                    if stored != hash {
                        tracing::debug!(workspace.id = %self.workspace, "A file changed while its content was sent");
                    }
                    over = true;
                }
                Ok(()) => drop(self.arriving.insert(hash, writer)),
                Err(HubError::TooLarge) => over = true,
                Err(error) => return Err(error.into()),
            }
        }
        if over {
            self.arrived(hash).await?;
        }
        Ok(())
    }

    /// Commits the waiting batch once nothing of it is missing; what did not come is refused there.
    async fn arrived(&mut self, hash: ContentHash) -> Result<(), ReplicaError> {
        let Some(pending) = &mut self.pending else {
            return Ok(());
        };
        pending.missing.remove(&hash);
        if !pending.missing.is_empty() {
            return Ok(());
        }
        match self.pending.take() {
            Some(pending) => self.commit(pending.propose).await,
            None => Ok(()),
        }
    }

    /// Sends contents that the agent asked for; the control stream goes on meanwhile.
    pub(super) fn send_contents(&mut self, hashes: &[Bytes]) -> Result<(), ReplicaError> {
        let hashes = hashes
            .iter()
            .map(|hash| convert::hash(hash))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|_| ReplicaError::Protocol("a hash that is none"))?;
        let (hub, workspace, bulk) = (self.hub.clone(), self.workspace, self.bulk.clone());
        self.jobs.spawn(async move {
            for hash in hashes {
                if let Err(error) = send_content(&hub, workspace, hash, &bulk).await {
                    tracing::warn!(workspace.id = %workspace, %error, "A content cannot be read for its session");
                }
            }
        });
        Ok(())
    }
}

async fn send_content(
    hub: &Hub,
    workspace: slipway_core::id::WorkspaceId,
    hash: ContentHash,
    bulk: &mpsc::Sender<v1::HubBulk>,
) -> Result<(), HubError> {
    let blob = |offset, data, last, missing| v1::HubBulk {
        frame: Some(hub_bulk::Frame::Blob(v1::Blob {
            hash: convert::hash_bytes(&hash),
            offset,
            data,
            last,
            missing,
        })),
    };
    let Some(mut reader) = hub.open(workspace, hash).await? else {
        // A closed stream ends the connection, which others see.
        bulk.send(blob(0, Bytes::new(), true, true)).await.ok();
        return Ok(());
    };
    let size = reader.size();
    let mut offset = 0;
    while let Some(mut piece) = reader.next().await? {
        while !piece.is_empty() {
            let data = piece.split_to(piece.len().min(BULK_FRAME_BYTES_MAX));
            let begin = offset;
            offset += data.len() as u64;
            if bulk
                .send(blob(begin, data, offset == size, false))
                .await
                .is_err()
            {
                return Ok(());
            }
        }
    }
    if size == 0 {
        bulk.send(blob(0, Bytes::new(), true, false)).await.ok();
    }
    Ok(())
}
