//! Hub side of a session's replica. Placeholder with the agreed names until its owner writes it.
use slipway_core::id::WorkspaceId;
use slipway_core::secret::Secret;
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;

use crate::hub::{Author, Hub};

/// How far a replica is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplicaProgress {
    /// Entries on the disk.
    pub synced_entries: u64,
    /// Entries of the tree.
    pub entries: u64,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Bytes of the tree.
    pub total_bytes: u64,
    /// Revision that the disk shows.
    pub applied_revision: u64,
    /// Whether the first listing is on the disk.
    pub listing_done: bool,
}

/// What others ask of a replica.
#[derive(Debug)]
pub enum ReplicaRequest {
    /// Commit what the disk holds now; answers with the revision.
    Flush(oneshot::Sender<u64>),
}

/// Why a replica's connection ended.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The agent does not answer.
    #[error("reach the agent's replica")]
    Unreachable,
}

/// Keeps hub and replica in step until `stop`.
///
/// # Errors
/// When the connection breaks.
#[expect(clippy::too_many_arguments, reason = "the agreed border")]
#[expect(clippy::needless_pass_by_value, reason = "the agreed border")]
pub async fn drive(
    _hub: Hub,
    _workspace: WorkspaceId,
    _author: Author,
    _channel: Channel,
    _key: Secret,
    _progress: watch::Sender<ReplicaProgress>,
    _requests: mpsc::Receiver<ReplicaRequest>,
    stop: CancellationToken,
) -> Result<(), ReplicaError> {
    stop.cancelled().await;
    Ok(())
}
