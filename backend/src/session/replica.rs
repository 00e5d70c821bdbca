//! A session's replica: the server dials its agent, so both streams begin here.
use std::convert::Infallible;

use slipway_core::secret::Secret;
use slipway_proto::v1::replica_client::ReplicaClient;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;

use crate::replica::{self, Bulk, Control, FRAME_BYTES_MAX, FRAMES, Replica, ReplicaError};
use slipway_proto::agent::AgentHandle;

/// Keeps hub and session in step; may be dropped anywhere.
///
/// # Errors
/// When the connection breaks or the agent breaks the protocol: it ends by nothing else.
pub(super) async fn drive(
    replica: Replica,
    channel: Channel,
    key: Secret,
) -> Result<Infallible, ReplicaError> {
    let mut client = ReplicaClient::new(AgentHandle::new(channel, key).service())
        .max_decoding_message_size(FRAME_BYTES_MAX);
    let (outgoing, frames) = mpsc::channel(FRAMES);
    let incoming = client.control(ReceiverStream::new(frames)).await?;
    let mut control = Control {
        outgoing,
        incoming: incoming.into_inner(),
    };
    let hello = replica::hello(&mut control).await?;
    let bulk = async move {
        let (outgoing, blobs) = mpsc::channel(FRAMES);
        let incoming = client.bulk(ReceiverStream::new(blobs)).await?.into_inner();
        Ok(Bulk { outgoing, incoming })
    };
    // Nobody dials in, so the link needs no name.
    replica.serve(hello, control, String::new(), bulk).await
}
