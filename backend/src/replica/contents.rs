//! Contents beside the control stream: what the replica asks for, and what the hub asks of it.
use bytes::Bytes;
use slipway_core::hash::ContentHash;
use slipway_core::limits::{BULK_FRAME_BYTES_MAX, FILE_BYTES_MAX, RANGE_BYTES_MAX};
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_proto::v1::hub_bulk;
use slipway_proto::v1::hub_frame::Frame;
use tokio::sync::mpsc;

use super::{Arriving, Connection, Replica, ReplicaError, WANTED_MAX};
use crate::hub::content::write::ContentWriter;
use crate::hub::{Hub, HubError};

impl Connection {
    /// The contents that a batch names and the workspace does not hold.
    pub(super) async fn missing(
        &self,
        propose: &v1::Propose,
    ) -> Result<Vec<ContentHash>, ReplicaError> {
        let named = propose.operations.iter().filter_map(|operation| {
            let node = operation.node.as_ref();
            let node =
                node.filter(|node| node.kind() == v1::Kind::File && node.size <= FILE_BYTES_MAX)?;
            let hash = convert::hash(&node.hash).ok()?;
            operation.inline.is_none().then_some(hash)
        });
        let named: Vec<_> = named.collect();
        if named.is_empty() {
            return Ok(named);
        }
        let Replica { hub, workspace, .. } = &self.replica;
        Ok(hub.lacking(*workspace, &named).await?)
    }

    /// A piece of a content that was asked for. Contents come one after another, each from its beginning.
    pub(super) async fn blob(&mut self, blob: v1::Blob) -> Result<(), ReplicaError> {
        let hash =
            convert::hash(&blob.hash).map_err(|_| ReplicaError::Protocol("a hash that is none"))?;
        let mut arriving = match self.arriving.take() {
            Some(arriving) if arriving.hash == hash => arriving,
            Some(_) => return Err(ReplicaError::Protocol("two contents at once")),
            None if self.awaited.contains(&hash) => Arriving {
                hash,
                bytes: 0,
                writer: Some(self.replica.hub.writer(self.replica.workspace)),
            },
            None => return Err(ReplicaError::Protocol("a content that nobody asked for")),
        };
        if blob.offset != arriving.bytes
            || blob.data.len() > BULK_FRAME_BYTES_MAX
            || blob.from_size > RANGE_BYTES_MAX
        {
            return Err(ReplicaError::Protocol("a content with a piece left out"));
        }
        let is_range = !blob.from.is_empty();
        arriving.bytes += if is_range {
            blob.from_size
        } else {
            blob.data.len() as u64
        };
        let over = blob.last || blob.missing;
        let mut held = false;
        if blob.missing {
            arriving.writer = None;
        } else if let Some(mut writer) = arriving.writer.take() {
            let pushed = if is_range {
                self.push_range(&mut writer, &blob).await
            } else {
                writer.push(&blob.data).await.map(|()| true)
            };
            let taken = match pushed {
                // Not held any more: the whole is not to be had this way.
                Ok(false) => writer.discard().await,
                Ok(true) if blob.last => writer.finish_as(hash).await.map(|whole| held = whole),
                Ok(true) => {
                    arriving.writer = Some(writer);
                    Ok(())
                }
                Err(error) => Err(error),
            };
            match taken {
                // It grew meanwhile, or there is no room for it; the rest passes by.
                Ok(()) | Err(HubError::TooLarge | HubError::NoRoom) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if over {
            self.awaited.remove(&hash);
            let hash = convert::hash_bytes(&hash);
            return self.send(Frame::Arrived(v1::Arrived { hash, held })).await;
        }
        self.arriving = Some(arriving);
        Ok(())
    }

    /// Takes a piece that is a range of a content which the workspace holds; false if it does not.
    async fn push_range(
        &self,
        writer: &mut ContentWriter,
        blob: &v1::Blob,
    ) -> Result<bool, HubError> {
        let Ok(from) = convert::hash(&blob.from) else {
            return Ok(false);
        };
        let (hub, workspace) = (&self.replica.hub, self.replica.workspace);
        let Some(reader) = hub.open(workspace, from).await? else {
            return Ok(false);
        };
        let mut reader = reader.from_offset(blob.from_offset);
        let mut left = usize::try_from(blob.from_size).unwrap_or(usize::MAX);
        while left > 0 {
            let Some(piece) = reader.next().await? else {
                return Ok(false);
            };
            let piece = piece.slice(..piece.len().min(left));
            left -= piece.len();
            writer.push(&piece).await?;
        }
        Ok(true)
    }

    /// Those of these contents that broke off before.
    pub(super) async fn begun(
        &self,
        missing: &[ContentHash],
    ) -> Result<Vec<v1::Begun>, ReplicaError> {
        let mut all = Vec::new();
        for hash in missing {
            let (hub, workspace) = (&self.replica.hub, self.replica.workspace);
            if let Some(begun) = hub.begun(workspace, *hash).await? {
                all.push(v1::Begun {
                    hash: convert::hash_bytes(&begun.hash),
                    begin: convert::hash_bytes(&begun.begin),
                    size: begun.size,
                });
            }
        }
        Ok(all)
    }

    /// Notes contents that the replica asked for.
    pub(super) fn wanted(&mut self, hashes: &[Bytes]) -> Result<(), ReplicaError> {
        if self.wanted.len() + hashes.len() > WANTED_MAX {
            return Err(ReplicaError::Protocol("more contents wanted than are sent"));
        }
        for hash in hashes {
            let hash =
                convert::hash(hash).map_err(|_| ReplicaError::Protocol("a hash that is none"))?;
            self.wanted.push_back(hash);
        }
        self.send_next();
        Ok(())
    }

    /// Sends the next content beside the control stream, one at a time.
    pub(super) fn send_next(&mut self) {
        if !self.sending.is_empty() {
            return;
        }
        let Some(hash) = self.wanted.pop_front() else {
            return;
        };
        let (hub, workspace, bulk) = (
            self.replica.hub.clone(),
            self.replica.workspace,
            self.bulk.clone(),
        );
        self.sending.spawn(async move {
            if let Err(error) = send_content(&hub, workspace, hash, &bulk).await {
                tracing::warn!(workspace.id = %workspace, %error, "A content cannot be read for a replica");
                // Said, so that the replica does not wait for it.
                bulk.send(missing(hash)).await.ok();
            }
        });
    }
}

fn missing(hash: ContentHash) -> v1::HubBulk {
    v1::HubBulk {
        frame: Some(hub_bulk::Frame::Blob(v1::Blob {
            hash: convert::hash_bytes(&hash),
            last: true,
            missing: true,
            ..v1::Blob::default()
        })),
    }
}

async fn send_content(
    hub: &Hub,
    workspace: slipway_core::id::WorkspaceId,
    hash: ContentHash,
    bulk: &mpsc::Sender<v1::HubBulk>,
) -> Result<(), HubError> {
    let blob = |offset, data, last| v1::HubBulk {
        frame: Some(hub_bulk::Frame::Blob(v1::Blob {
            hash: convert::hash_bytes(&hash),
            offset,
            data,
            last,
            ..v1::Blob::default()
        })),
    };
    let Some(mut reader) = hub.open(workspace, hash).await? else {
        // A closed stream ends the connection, which others see.
        bulk.send(missing(hash)).await.ok();
        return Ok(());
    };
    let size = reader.size();
    let mut offset = 0;
    while let Some(mut piece) = reader.next().await? {
        while !piece.is_empty() {
            let data = piece.split_to(piece.len().min(BULK_FRAME_BYTES_MAX));
            let begin = offset;
            offset += data.len() as u64;
            if bulk.send(blob(begin, data, offset == size)).await.is_err() {
                return Ok(());
            }
        }
    }
    if size == 0 {
        bulk.send(blob(0, Bytes::new(), true)).await.ok();
    }
    Ok(())
}
