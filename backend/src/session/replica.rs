//! Hub side of a session's replica: sends the journal, takes proposals, carries contents. The agent is hostile:
//! names, sizes and hashes are checked here again.
use std::collections::{HashMap, HashSet, VecDeque};

use slipway_core::code::Code;
use slipway_core::hash::ContentHash;
use slipway_core::id::WorkspaceId;
use slipway_core::limits::{COMMIT_OPERATIONS_MAX, MIB};
use slipway_core::path::RelPath;
use slipway_core::secret::Secret;
use slipway_proto::v1;
use slipway_proto::v1::replica_client::ReplicaClient;
use slipway_proto::v1::{hub_frame, spoke_bulk, spoke_frame};
use slipway_proto::{PROTOCOL, convert};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Streaming;
use tonic::transport::Channel;

use super::agent::AgentHandle;
use crate::clock::random;
use crate::hub::content::write::ContentWriter;
use crate::hub::{Author, Commit, Hub, HubError, Proposal, ProposalOutcome};

mod changes;
mod contents;
mod wire;

/// Frames to the agent that wait for it.
const FRAMES: usize = 16;
/// One frame from the agent: a batch of small contents with room to spare.
const FRAME_BYTES_MAX: usize = 8 * MIB as usize;
/// Contents that the agent may want and not have: it asks for a few at a time.
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
    Unreachable(#[from] tonic::Status),
    /// The agent closed the stream.
    #[error("keep the stream: the agent closed it")]
    Closed,
    /// The agent speaks another protocol, or breaks ours.
    #[error("understand the agent's replica: {0}")]
    Protocol(&'static str),
    /// The hub.
    #[error("ask the hub")]
    Hub(#[from] HubError),
}

/// Keeps hub and replica in step until `stop`.
///
/// # Errors
/// When the connection breaks or the agent breaks the protocol.
#[expect(
    clippy::too_many_arguments,
    reason = "one call with everything a connection needs"
)]
pub async fn drive(
    hub: Hub,
    workspace: WorkspaceId,
    author: Author,
    channel: Channel,
    key: Secret,
    progress: watch::Sender<ReplicaProgress>,
    mut requests: mpsc::Receiver<ReplicaRequest>,
    stop: CancellationToken,
) -> Result<(), ReplicaError> {
    let (control, frames) = mpsc::channel(FRAMES);
    let (bulk, blobs) = mpsc::channel(FRAMES);
    let mut client = ReplicaClient::new(AgentHandle::new(channel, key).service())
        .max_decoding_message_size(FRAME_BYTES_MAX);
    let mut from_control = client
        .control(ReceiverStream::new(frames))
        .await?
        .into_inner();
    let mut from_bulk = client.bulk(ReceiverStream::new(blobs)).await?.into_inner();
    let head = hub.watch(workspace);
    let mut connection = Connection {
        nonce: hex::encode(random::<8>()),
        hub,
        workspace,
        author,
        control,
        bulk,
        progress,
        sent: 0,
        listed: 0,
        pending: None,
        arriving: None,
        flushes: HashMap::new(),
        wanted: VecDeque::new(),
        sending: JoinSet::new(),
    };
    let hello = hello(&mut from_control).await?;
    connection.greet(&hello).await?;
    connection
        .serve(&mut from_control, &mut from_bulk, &mut requests, head, stop)
        .await
}

async fn hello(frames: &mut Streaming<v1::SpokeFrame>) -> Result<v1::SpokeHello, ReplicaError> {
    match frames.message().await?.and_then(|frame| frame.frame) {
        Some(spoke_frame::Frame::Hello(hello)) if hello.protocol == PROTOCOL => Ok(hello),
        Some(_) => Err(ReplicaError::Protocol(
            "its first frame is no hello of our version",
        )),
        None => Err(ReplicaError::Closed),
    }
}

/// A batch that waits for contents.
struct Pending {
    propose: v1::Propose,
    missing: HashSet<ContentHash>,
}

/// A content on its way here, piece by piece.
struct Arriving {
    hash: ContentHash,
    bytes: u64,
    /// Gone once it turned out to be too large.
    writer: Option<ContentWriter>,
}

struct Connection {
    /// Tells the batches of this connection from those of others.
    nonce: String,
    hub: Hub,
    workspace: WorkspaceId,
    author: Author,
    control: mpsc::Sender<v1::HubFrame>,
    bulk: mpsc::Sender<v1::HubBulk>,
    progress: watch::Sender<ReplicaProgress>,
    /// The revision up to which the agent was told.
    sent: u64,
    /// The revision of the listing that began this connection.
    listed: u64,
    pending: Option<Pending>,
    arriving: Option<Arriving>,
    flushes: HashMap<u64, oneshot::Sender<u64>>,
    /// Contents that the agent wants, in its order.
    wanted: VecDeque<ContentHash>,
    /// The one that is on its way to the agent, beside the control stream.
    sending: JoinSet<()>,
}

impl Connection {
    async fn serve(
        &mut self,
        control: &mut Streaming<v1::SpokeFrame>,
        bulk: &mut Streaming<v1::SpokeBulk>,
        requests: &mut mpsc::Receiver<ReplicaRequest>,
        mut head: watch::Receiver<u64>,
        stop: CancellationToken,
    ) -> Result<(), ReplicaError> {
        self.send_changes().await?;
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                moved = head.changed() => match moved {
                    Ok(()) if *head.borrow_and_update() > self.sent => self.send_changes().await?,
                    Ok(()) => {}
                    Err(_) => return Err(ReplicaError::Closed),
                },
                frame = control.message() => match frame?.and_then(|frame| frame.frame) {
                    Some(frame) => self.control_frame(frame).await?,
                    None => return Err(ReplicaError::Closed),
                },
                frame = bulk.message() => match frame?.and_then(|frame| frame.frame) {
                    Some(spoke_bulk::Frame::Blob(blob)) => self.blob(blob).await?,
                    None => return Err(ReplicaError::Closed),
                },
                Some(request) = requests.recv() => self.request(request).await?,
                Some(_) = self.sending.join_next() => self.send_next(),
            }
        }
    }

    async fn send(&self, frame: hub_frame::Frame) -> Result<(), ReplicaError> {
        self.control
            .send(v1::HubFrame { frame: Some(frame) })
            .await
            .map_err(|_| ReplicaError::Closed)
    }

    async fn request(&mut self, request: ReplicaRequest) -> Result<(), ReplicaError> {
        let ReplicaRequest::Flush(answer) = request;
        let token = u64::from_le_bytes(random());
        self.flushes.insert(token, answer);
        self.send(hub_frame::Frame::Flush(v1::Flush { token }))
            .await
    }

    async fn control_frame(&mut self, frame: spoke_frame::Frame) -> Result<(), ReplicaError> {
        match frame {
            spoke_frame::Frame::Propose(propose) => self.propose(propose).await,
            spoke_frame::Frame::Need(need) => self.wanted(&need.hashes),
            spoke_frame::Frame::Applied(applied) => {
                // A revision that was never told is not believed.
                let revision = applied.revision.min(self.sent);
                self.progress.send_modify(|progress| {
                    progress.applied_revision = revision;
                    progress.listing_done |= revision >= self.listed;
                });
                Ok(())
            }
            spoke_frame::Frame::Flushed(flushed) => {
                if let Some(answer) = self.flushes.remove(&flushed.token) {
                    // The asker may have gone.
                    answer
                        .send(
                            flushed
                                .revision
                                .min(self.hub.head(self.workspace).await?.revision),
                        )
                        .ok();
                }
                Ok(())
            }
            spoke_frame::Frame::Hello(_) => Err(ReplicaError::Protocol("a second hello")),
        }
    }

    async fn propose(&mut self, propose: v1::Propose) -> Result<(), ReplicaError> {
        if self.pending.is_some() || propose.operations.len() > COMMIT_OPERATIONS_MAX {
            return Err(ReplicaError::Protocol(
                "more proposals than one batch at a time",
            ));
        }
        let missing = self.missing(&propose).await?;
        if missing.is_empty() {
            return self.commit(propose).await;
        }
        let hashes = missing.iter().map(convert::hash_bytes).collect();
        self.pending = Some(Pending { propose, missing });
        self.send(hub_frame::Frame::Need(v1::Need { hashes })).await
    }

    async fn commit(&mut self, propose: v1::Propose) -> Result<(), ReplicaError> {
        let number = propose.batch;
        let parsed: Vec<_> = propose.operations.into_iter().map(wire::proposal).collect();
        let (proposals, places): (Vec<Proposal>, Vec<usize>) = parsed
            .iter()
            .enumerate()
            .filter_map(|(place, parsed)| Some((parsed.as_ref().ok()?.clone(), place)))
            .unzip();
        let done = match self
            .hub
            .commit(
                self.workspace,
                &self.author,
                &format!("{}-{number}", self.nonce),
                proposals,
                false,
            )
            .await
        {
            Err(HubError::Inactive) => Commit {
                revision: self.sent,
                outcomes: vec![
                    ProposalOutcome::Rejected(Code::WorkspaceInactive, String::new());
                    places.len()
                ],
            },
            done => done?,
        };
        let mut outcomes: Vec<_> = parsed
            .into_iter()
            .map(|parsed| {
                parsed
                    .err()
                    .map_or_else(v1::Outcome::default, wire::rejected)
            })
            .collect();
        for (place, outcome) in places.into_iter().zip(&done.outcomes) {
            outcomes[place] = wire::outcome(outcome);
        }
        self.send(hub_frame::Frame::Result(v1::ProposeResult {
            batch: number,
            revision: done.revision,
            outcomes,
        }))
        .await
    }
}

/// A path of the agent's, or its refusal's code.
fn path(text: &str) -> Result<RelPath, Code> {
    RelPath::parse(text).map_err(|error| error.code())
}
