//! The session's copy of the files, as the rest of the agent needs it: which revision the disk shows, and a flush.
use tokio::sync::{mpsc, oneshot, watch};

/// Flushes that may wait.
const FLUSHES_MAX: usize = 64;

/// A wish that everything on the disk be committed; answered with the revision.
pub type FlushRequest = oneshot::Sender<u64>;

/// What the replica holds: it moves the revision and answers flushes.
#[derive(Debug)]
pub struct ReplicaSide {
    /// The revision that the disk shows; 0 before the first.
    pub applied_revision: watch::Sender<u64>,
    /// Flushes to answer. A dropped sender means: not now.
    pub flushes: mpsc::Receiver<FlushRequest>,
}

/// What runs hold.
#[derive(Clone, Debug)]
pub struct Replica {
    applied_revision: watch::Receiver<u64>,
    flushes: mpsc::Sender<FlushRequest>,
}

/// The replica is not connected to a hub, so nothing can be committed now.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("flush the workspace: no server is connected")]
pub struct NotConnected;

/// The two ends.
#[must_use]
pub fn replica() -> (Replica, ReplicaSide) {
    let (revision, applied_revision) = watch::channel(0);
    let (flushes, requests) = mpsc::channel(FLUSHES_MAX);
    let side = ReplicaSide {
        applied_revision: revision,
        flushes: requests,
    };
    (
        Replica {
            applied_revision,
            flushes,
        },
        side,
    )
}

impl Replica {
    /// The revision that the disk shows now.
    #[must_use]
    pub fn shown(&self) -> u64 {
        *self.applied_revision.borrow()
    }

    /// Waits until the disk shows a revision.
    ///
    /// # Errors
    /// When the replica has ended.
    pub async fn fence(&self, revision: u64) -> Result<(), NotConnected> {
        let mut applied = self.applied_revision.clone();
        let reached = applied.wait_for(|shown| *shown >= revision).await;
        reached.map(drop).map_err(|_| NotConnected)
    }

    /// Commits what the disk holds and tells the revision that has it.
    ///
    /// # Errors
    /// When no hub is connected.
    pub async fn flush(&self) -> Result<u64, NotConnected> {
        let (answer, revision) = oneshot::channel();
        self.flushes.send(answer).await.map_err(|_| NotConnected)?;
        revision.await.map_err(|_| NotConnected)
    }
}
