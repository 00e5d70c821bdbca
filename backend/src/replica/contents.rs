//! Contents beside the control stream: what the replica asks for, and what the hub asks of it.
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{BULK_FRAME_BYTES_MAX, FILE_BYTES_MAX, RANGE_BYTES_MAX};
use slipway_proto::convert;
use slipway_proto::v1;
use slipway_proto::v1::hub_bulk;
use slipway_proto::v1::hub_frame::Frame;
use tokio::sync::mpsc;

use super::{Arriving, Connection, Replica, ReplicaError, WANTED_MAX, Wanted};
use crate::hub::content::read::Piece;
use crate::hub::content::write::Range;
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
        let range = range(&blob);
        arriving.bytes += range.map_or(blob.data.len() as u64, |range| range.size);
        let over = blob.last || blob.missing;
        let mut held = false;
        if blob.missing {
            if let Some(writer) = arriving.writer.take() {
                writer.discard().await?;
            }
        } else if let Some(mut writer) = arriving.writer.take() {
            let pushed = match range {
                Some(range) => writer.push_range(range).await,
                None => writer.push(&blob.data).await,
            };
            let taken = match pushed {
                Ok(()) if blob.last => writer.finish_as(hash).await.map(|whole| held = whole),
                Ok(()) => {
                    arriving.writer = Some(writer);
                    Ok(())
                }
                Err(HubError::Gone | HubError::TooLarge) => writer.discard().await,
                Err(error) => Err(error),
            };
            match taken {
                // It grew meanwhile, there is no room for it, or what it names is not held any more; the rest passes by.
                Ok(()) | Err(HubError::TooLarge | HubError::NoRoom | HubError::Gone) => {}
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
    pub(super) fn wanted(&mut self, need: &v1::Need) -> Result<(), ReplicaError> {
        if self.wanted.len() + need.hashes.len() > WANTED_MAX {
            return Err(ReplicaError::Protocol("more contents wanted than are sent"));
        }
        for (number, hash) in need.hashes.iter().enumerate() {
            let hash =
                convert::hash(hash).map_err(|_| ReplicaError::Protocol("a hash that is none"))?;
            let base = need.bases.get(number);
            let base = base.and_then(|base| convert::hash(base).ok());
            let offset = need.offsets.get(number).copied().unwrap_or(0);
            self.wanted.push_back(Wanted { hash, base, offset });
        }
        self.send_next();
        Ok(())
    }

    /// Sends the next content beside the control stream, one at a time.
    pub(super) fn send_next(&mut self) {
        if !self.sending.is_empty() {
            return;
        }
        let Some(wanted) = self.wanted.pop_front() else {
            return;
        };
        let (hub, workspace, bulk) = (
            self.replica.hub.clone(),
            self.replica.workspace,
            self.bulk.clone(),
        );
        self.sending.spawn(async move {
            if let Err(error) = send_content(&hub, workspace, wanted, &bulk).await {
                tracing::warn!(workspace.id = %workspace, %error, "A content cannot be read for a replica");
                // Said, so that the replica does not wait for it.
                bulk.send(missing(wanted.hash)).await.ok();
            }
        });
    }
}

/// What a piece takes of another content, if it does. A name that is none is of nothing that is held.
fn range(blob: &v1::Blob) -> Option<Range> {
    let from = (!blob.from.is_empty()).then(|| convert::hash(&blob.from))?;
    Some(Range {
        from: from.unwrap_or(ContentHash::from_bytes([0; 32])),
        offset: blob.from_offset,
        size: blob.from_size,
    })
}

fn frame(blob: v1::Blob) -> v1::HubBulk {
    let frame = Some(hub_bulk::Frame::Blob(blob));
    v1::HubBulk { frame }
}

fn missing(hash: ContentHash) -> v1::HubBulk {
    frame(v1::Blob {
        hash: convert::hash_bytes(&hash),
        last: true,
        missing: true,
        ..v1::Blob::default()
    })
}

/// Sends a content piece by piece, from where it broke off before; of what its base has at the same place only that it does.
async fn send_content(
    hub: &Hub,
    workspace: WorkspaceId,
    Wanted {
        hash,
        base,
        mut offset,
    }: Wanted,
    bulk: &mpsc::Sender<v1::HubBulk>,
) -> Result<(), HubError> {
    let reader = hub.open(workspace, hash).await?;
    let Some(reader) = reader.filter(|reader| offset <= reader.size()) else {
        // A closed stream ends the connection, which others see.
        bulk.send(missing(hash)).await.ok();
        return Ok(());
    };
    let mut reader = reader.from_offset(offset);
    if let Some(base) = base {
        reader.leave_out(base).await?;
    }
    let size = reader.size();
    let is_all_there = offset == size;
    let mut blob = |bytes: u64| {
        let begin = offset;
        offset += bytes;
        v1::Blob {
            hash: convert::hash_bytes(&hash),
            offset: begin,
            last: offset == size,
            ..v1::Blob::default()
        }
    };
    if is_all_there {
        bulk.send(frame(blob(0))).await.ok();
        return Ok(());
    }
    while let Some(piece) = reader.piece().await? {
        match piece {
            Piece::Same(bytes) => {
                let mut blob = blob(bytes);
                blob.from = base.as_ref().map(convert::hash_bytes).unwrap_or_default();
                (blob.from_offset, blob.from_size) = (blob.offset, bytes);
                if bulk.send(frame(blob)).await.is_err() {
                    return Ok(());
                }
            }
            Piece::Bytes(mut piece) => {
                while !piece.is_empty() {
                    let data = piece.split_to(piece.len().min(BULK_FRAME_BYTES_MAX));
                    let blob = blob(data.len() as u64);
                    let blob = v1::Blob { data, ..blob };
                    if bulk.send(frame(blob)).await.is_err() {
                        return Ok(());
                    }
                }
            }
        }
    }
    Ok(())
}
