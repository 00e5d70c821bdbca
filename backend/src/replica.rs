//! Hub side of a replica: sends the journal, takes proposals, carries contents. It serves a session's replica, which the
//! server dials (`session/replica.rs`), and a folder of a person's computer, which dials the server (`grpc/sync.rs`);
//! only where the streams come from is theirs. The other side is hostile: names, sizes and hashes are checked again.
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::convert::Infallible;
use std::time::Duration;

use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::MIB;
use slipway_core::path::RelPath;
use slipway_proto::v1;
use slipway_proto::v1::{hub_frame, spoke_bulk, spoke_frame};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use tonic::Streaming;

use self::propose::Gathered;
use crate::clock::random;
use crate::hub::content::write::ContentWriter;
use crate::hub::{Author, Hub, HubError};

mod changes;
mod contents;
mod propose;
mod wire;

/// Frames to the replica that wait for it.
pub const FRAMES: usize = 16;
/// One frame from the replica, and one batch of small contents, with room to spare.
pub const FRAME_BYTES_MAX: usize = 8 * MIB as usize;
/// Of a content that breaks off, less is not worth to be gone on from.
const BEGUN_BYTES_MIN: u64 = MIB;
/// A replica asks what the tree comes to after it came and with each look at everything; to add it up takes a read of it all.
const COMPARED_EVERY: Duration = Duration::from_secs(5);
/// Contents that the replica may want and not have: it asks for a few at a time.
const WANTED_MAX: usize = 1_000;

/// How far a replica is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplicaProgress {
    /// Entries on their way or there.
    pub synced_entries: u64,
    /// Entries of the tree.
    pub entries: u64,
    /// Bytes on their way or there.
    pub bytes: u64,
    /// Bytes of the tree.
    pub total_bytes: u64,
    /// Revision that the disk shows.
    pub applied_revision: u64,
    /// Whether the first listing is on the disk.
    pub listing_done: bool,
}

/// Why a replica's connection ended.
#[derive(Debug, thiserror::Error)]
pub enum ReplicaError {
    /// The replica does not answer.
    #[error("reach the replica")]
    Unreachable(#[from] tonic::Status),
    /// The replica closed a stream.
    #[error("keep the stream: the replica closed it")]
    Closed,
    /// Control is there, but its Bulk did not come in time.
    #[error("wait for the stream of contents")]
    NoBulk,
    /// The replica breaks the protocol.
    #[error("understand the replica: {0}")]
    Protocol(&'static str),
    /// The replica speaks a version of the protocol that is not beside ours.
    #[error("understand the replica: it speaks version {0} of the protocol")]
    Version(u32),
    /// The hub.
    #[error("ask the hub")]
    Hub(#[from] HubError),
}

/// Both directions of one stream.
pub struct Duplex<Out, In> {
    /// To the replica.
    pub outgoing: mpsc::Sender<Out>,
    /// From it.
    pub incoming: Streaming<In>,
}

/// Everything but contents; never held up by them.
pub type Control = Duplex<v1::HubFrame, v1::SpokeFrame>;
/// Contents.
pub type Bulk = Duplex<v1::HubBulk, v1::SpokeBulk>;

/// The hello that a replica begins with.
///
/// # Errors
/// When it begins with something else, in another version, or not at all.
pub async fn hello(control: &mut Control) -> Result<v1::SpokeHello, ReplicaError> {
    let first = control.incoming.message().await?;
    match first.ok_or(ReplicaError::Closed)?.frame {
        Some(spoke_frame::Frame::Hello(hello)) if slipway_proto::understands(hello.protocol) => {
            Ok(hello)
        }
        Some(spoke_frame::Frame::Hello(hello)) => Err(ReplicaError::Version(hello.protocol)),
        _ => Err(ReplicaError::Protocol("its first frame is no hello")),
    }
}

/// A copy of a workspace, as the hub knows it.
pub struct Replica {
    /// Where the truth is.
    pub hub: Hub,
    /// Of which workspace.
    pub workspace: WorkspaceId,
    /// Who is told to have made what it proposes.
    pub author: Author,
    /// Told how far it is.
    pub progress: watch::Sender<ReplicaProgress>,
}

impl Replica {
    /// Keeps hub and replica in step; may be dropped anywhere. The hello is answered at once, by the name of the link
    /// that a Bulk dialled from the other side is known by; then `bulk` is waited for.
    ///
    /// # Errors
    /// When the connection breaks or the replica breaks the protocol: it ends by nothing else.
    pub async fn serve(
        self,
        hello: v1::SpokeHello,
        control: Control,
        link: String,
        bulk: impl Future<Output = Result<Bulk, ReplicaError>>,
    ) -> Result<Infallible, ReplicaError> {
        let head = self.hub.watch(self.workspace);
        let full = changes::answer(&self, &hello, &control.outgoing, link).await?;
        let bulk = bulk.await?;
        let mut connection = Connection {
            nonce: hex::encode(random::<8>()),
            replica: self,
            control: control.outgoing,
            bulk: bulk.outgoing,
            sent: hello.revision,
            made: BTreeSet::new(),
            listed: hello.revision,
            gathered: Gathered::default(),
            awaited: HashSet::new(),
            arriving: None,
            wanted: VecDeque::new(),
            sending: JoinSet::new(),
            compares: false,
            comparable: Instant::now(),
        };
        if full {
            connection.send_listing().await?;
        }
        connection
            .serve(control.incoming, bulk.incoming, head)
            .await
    }
}

/// A content on its way here, piece by piece.
struct Arriving {
    hash: ContentHash,
    bytes: u64,
    /// Gone once it turned out to be too large.
    writer: Option<ContentWriter>,
}

/// A content that the replica wants.
#[derive(Clone, Copy)]
struct Wanted {
    hash: ContentHash,
    /// One that it has, and that may be much like it.
    base: Option<ContentHash>,
    /// The bytes that it has of it.
    offset: u64,
}

struct Connection {
    /// Tells the batches of this connection from those of others.
    nonce: String,
    replica: Replica,
    control: mpsc::Sender<v1::HubFrame>,
    bulk: mpsc::Sender<v1::HubBulk>,
    /// The revision up to which the replica was told.
    sent: u64,
    /// The revisions beyond it that the replica made: it has their contents.
    made: BTreeSet<u64>,
    /// The revision of the listing that began this connection.
    listed: u64,
    /// What came of a batch that comes in several frames.
    gathered: Gathered,
    /// Contents that the replica was asked for.
    awaited: HashSet<ContentHash>,
    arriving: Option<Arriving>,
    /// Contents that the replica wants, in its order.
    wanted: VecDeque<Wanted>,
    /// The one that is on its way to the replica, beside the control stream.
    sending: JoinSet<()>,
    /// Whether it waits to hear what the tree comes to.
    compares: bool,
    /// From when on it is told.
    comparable: Instant,
}

impl Drop for Connection {
    /// A content that was on its way broke off: it goes on from there another time.
    fn drop(&mut self) {
        let Some(Arriving {
            hash,
            bytes,
            writer,
        }) = self.arriving.take()
        else {
            return;
        };
        if let (Some(writer), true, Ok(runtime)) = (
            writer,
            bytes >= BEGUN_BYTES_MIN,
            tokio::runtime::Handle::try_current(),
        ) {
            let (hub, workspace) = (self.replica.hub.clone(), self.replica.workspace);
            runtime.spawn(async move {
                if let Err(error) = hub.broke_off(workspace, hash, writer).await {
                    tracing::debug!(%error, "What came of a content is not kept");
                }
            });
        }
    }
}

impl Connection {
    async fn serve(
        &mut self,
        mut control: Streaming<v1::SpokeFrame>,
        mut bulk: Streaming<v1::SpokeBulk>,
        mut head: watch::Receiver<u64>,
    ) -> Result<Infallible, ReplicaError> {
        self.send_changes().await?;
        loop {
            tokio::select! {
                moved = head.changed() => match moved {
                    Ok(()) if *head.borrow_and_update() > self.sent => self.send_changes().await?,
                    Ok(()) => {}
                    Err(_) => return Err(ReplicaError::Closed),
                },
                // A frame without a body is of a kind that a later version has.
                frame = control.message() => if let Some(frame) = frame?.ok_or(ReplicaError::Closed)?.frame {
                    self.control_frame(frame).await?;
                },
                frame = bulk.message() => match frame?.ok_or(ReplicaError::Closed)?.frame {
                    Some(spoke_bulk::Frame::Blob(blob)) => self.blob(blob).await?,
                    Some(spoke_bulk::Frame::Hello(_)) => {
                        return Err(ReplicaError::Protocol("a second hello"));
                    }
                    None => {}
                },
                Some(_) = self.sending.join_next() => self.send_next(),
                () = sleep_until(self.comparable), if self.compares => self.compare().await?,
            }
        }
    }

    async fn send(&self, frame: hub_frame::Frame) -> Result<(), ReplicaError> {
        self.control
            .send(v1::HubFrame { frame: Some(frame) })
            .await
            .map_err(|_| ReplicaError::Closed)
    }

    async fn control_frame(&mut self, frame: spoke_frame::Frame) -> Result<(), ReplicaError> {
        match frame {
            spoke_frame::Frame::Propose(propose) => self.propose(propose).await,
            spoke_frame::Frame::Need(need) => self.wanted(&need),
            spoke_frame::Frame::Applied(applied) => {
                // A revision that was never told is not believed.
                let revision = applied.revision.min(self.sent);
                self.replica.progress.send_modify(|progress| {
                    progress.applied_revision = revision;
                    progress.listing_done |= revision >= self.listed;
                });
                Ok(())
            }
            // Nobody here asks for it: a run's flush is the agent's, a folder's its own program's.
            spoke_frame::Frame::Flushed(_) => Ok(()),
            spoke_frame::Frame::Compare(_) => {
                self.compares = true;
                Ok(())
            }
            spoke_frame::Frame::Hello(_) => Err(ReplicaError::Protocol("a second hello")),
        }
    }
}

/// A path of the replica's, or its refusal's code.
fn path(text: &str) -> Result<RelPath, Code> {
    RelPath::parse(text).map_err(|error| error.code())
}
