//! A replica's two streams: control, and contents on a connection of their own, so that a large file never holds up a
//! save. What goes out and what comes in are plain channels of frames; whose they are is not known here.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use slipway_core::code::Code;
use slipway_core::id::{ReplicaId, WorkspaceId};
use slipway_proto::v1::sync_client::SyncClient;
use slipway_proto::v1::{self, hub_frame, spoke_bulk, spoke_frame};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::transport::Channel;
use tonic::{Status, Streaming};

use crate::error::ClientError;
use crate::line::Purpose;
use crate::rest::Client;

/// Frames of the hub that wait for their reader.
const FRAMES: usize = 16;
/// From the end of the stream of contents to that of control, which says why.
const REASON_WITHIN: Duration = Duration::from_secs(5);

/// A replica's connection to the hub. It ends when the channels of what goes out are closed, or these are dropped.
#[derive(Debug)]
pub struct Link {
    /// Everything but contents.
    pub control: mpsc::Receiver<v1::HubFrame>,
    /// Contents.
    pub bulk: mpsc::Receiver<v1::HubBulk>,
    /// Why it ended; heard when both are closed.
    pub ended: oneshot::Receiver<ClientError>,
}

/// What goes out on the stream of contents: taken by the call that the server takes.
type Contents = Arc<Mutex<mpsc::Receiver<v1::SpokeBulk>>>;

impl Client {
    /// Connects a replica of a workspace. The first frame of `control` is its hello, in which workspace and replica are
    /// named here.
    ///
    /// # Errors
    /// When the server is not reached or refuses.
    pub async fn sync(
        &self,
        workspace: WorkspaceId,
        replica: ReplicaId,
        mut control: mpsc::Receiver<v1::SpokeFrame>,
        bulk: mpsc::Receiver<v1::SpokeBulk>,
    ) -> Result<Link, ClientError> {
        let channel = self.channel(Purpose::Interaction)?;
        // What goes out ends with the link: a call whose answer nobody hears is not over by that.
        let over = self.over().child_token();
        let link_lasts = over.clone().drop_guard();
        let outgoing = stream::poll_fn(move |cx| control.poll_recv(cx)).map(move |mut frame| {
            if let Some(spoke_frame::Frame::Hello(hello)) = &mut frame.frame {
                hello.workspace_id = workspace.to_string();
                hello.replica_id = replica.to_string();
            }
            frame
        });
        let answer = SyncClient::new(channel.clone())
            .control(self.signed(outgoing.take_until(over.clone().cancelled_owned()))?)
            .await?;
        let mut from_control = answer.into_inner();
        let first = from_control.message().await?;
        let Some(link) = first.as_ref().and_then(link_of) else {
            let message = "the first frame is no hello that names a link";
            return Err(ClientError::Protocol(message.to_owned()));
        };
        let bulk = Contents::new(Mutex::new(bulk));
        let own = self.channel(Purpose::Contents)?;
        let from_bulk = match self.bulk(own, &link, &bulk, &over).await {
            // Its connection led to another server of several; this one has the link.
            Err(status) if status.code() == tonic::Code::NotFound => {
                self.bulk(channel, &link, &bulk, &over).await?
            }
            answer => answer?,
        };
        Ok(carry(first, from_control, from_bulk, over, link_lasts))
    }

    async fn bulk(
        &self,
        channel: Channel,
        link: &str,
        contents: &Contents,
        over: &CancellationToken,
    ) -> Result<Streaming<v1::HubBulk>, Status> {
        let hello = v1::BulkHello {
            link_id: link.to_owned(),
        };
        let hello = v1::SpokeBulk {
            frame: Some(spoke_bulk::Frame::Hello(hello)),
        };
        let contents = Arc::clone(contents);
        let rest = stream::poll_fn(move |cx| {
            let mut contents = contents.lock().unwrap_or_else(PoisonError::into_inner);
            contents.poll_recv(cx)
        });
        let outgoing = stream::iter([hello]).chain(rest);
        let outgoing = outgoing.take_until(over.clone().cancelled_owned());
        let mut client = SyncClient::new(channel);
        let answer = client.bulk(self.signed(outgoing)?).await?;
        Ok(answer.into_inner())
    }
}

fn link_of(frame: &v1::HubFrame) -> Option<String> {
    match &frame.frame {
        Some(hub_frame::Frame::Hello(hello)) if !hello.link_id.is_empty() => {
            Some(hello.link_id.clone())
        }
        _ => None,
    }
}

/// Hands on what arrives, each stream by itself, until control says why it is over.
fn carry(
    first: Option<v1::HubFrame>,
    mut from_control: Streaming<v1::HubFrame>,
    mut from_bulk: Streaming<v1::HubBulk>,
    over: CancellationToken,
    link_lasts: DropGuard,
) -> Link {
    let (control, frames) = mpsc::channel(FRAMES);
    let (bulk, blobs) = mpsc::channel(FRAMES);
    let (told, ended) = oneshot::channel();
    let reader = control.clone();
    let carry_control = async move {
        let mut next = first;
        while let Some(frame) = next
            && control.send(frame).await.is_ok()
        {
            match from_control.message().await {
                Ok(frame) => next = frame,
                Err(status) => return ClientError::from(status),
            }
        }
        ClientError::Gone
    };
    let carry_bulk = async move {
        let mut error = ClientError::Gone;
        loop {
            match from_bulk.message().await {
                Ok(Some(blob)) => drop(bulk.send(blob).await),
                Ok(None) => break,
                Err(status) => {
                    error = status.into();
                    break;
                }
            }
        }
        tokio::time::sleep(REASON_WITHIN).await;
        error
    };
    tokio::spawn(async move {
        let _link_lasts = link_lasts;
        let error = tokio::select! {
            error = carry_control => error,
            error = carry_bulk => error,
            () = over.cancelled() => ClientError::Gone,
            () = reader.closed() => return,
        };
        // Nobody may want to know.
        told.send(error).ok();
    });
    Link {
        control: frames,
        bulk: blobs,
        ended,
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        let told = status.metadata().get("slipway-code");
        match told.and_then(|code| Code::parse(code.to_str().ok()?)) {
            Some(code) => Self::Closed {
                code: code.to_string(),
                message: status.message().to_owned(),
            },
            None if status.code() == tonic::Code::Unimplemented => Self::Closed {
                code: Code::ProtocolMismatch.to_string(),
                message: "The server does not know this call; it is of another version.".to_owned(),
            },
            None => Self::Stream(Box::new(status)),
        }
    }
}

#[cfg(test)]
mod tests {
    use slipway_core::id::Id as _;
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn an_https_address_is_spoken_to_in_tls() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("https://{}", listener.local_addr().unwrap());
        let client = Client::new(address).unwrap();
        let (_control, frames) = mpsc::channel(1);
        let (_bulk, blobs) = mpsc::channel(1);
        let ids = (
            WorkspaceId::from_parts(1, [1; 10]),
            ReplicaId::from_parts(1, [2; 10]),
        );
        let dialled = client.sync(ids.0, ids.1, frames, blobs);
        let first = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_u8().await.unwrap()
        };
        tokio::select! {
            ended = dialled => panic!("{ended:?}"),
            // A handshake record.
            first = first => assert_eq!(first, 0x16),
        }
    }
}
