//! Sync: a replica outside of a session, a folder of a person's computer, dials both of its streams. Control begins a
//! link and names it in its answer; the Bulk that says this name completes it.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, BoxStream};
use futures_util::{FutureExt as _, StreamExt as _};
use slipway_api::file::OriginKind;
use slipway_core::code::Code;
use slipway_core::id::{DeviceId, Id as _, ReplicaId, WorkspaceId};
use slipway_core::limits::SYNC_LINKS_PER_DEVICE_MAX;
use slipway_proto::PROTOCOL;
use slipway_proto::v1::{self, spoke_bulk, sync_server};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Result, Streaming};
use uuid::Uuid;

use super::{over, signed_in};
use crate::clock::random;
use crate::error::Error;
use crate::http::extract::SignedIn;
use crate::hub::{Author, HubError};
use crate::replica::{self, Bulk, Control, FRAMES, Replica, ReplicaError, ReplicaProgress};
use crate::state::App;

pub(super) struct Sync {
    app: App,
    links: Links,
}

impl Sync {
    pub(super) fn new(app: App) -> Self {
        Self {
            app,
            links: Links::default(),
        }
    }

    /// How long what belongs to a link may be missing.
    fn patience(&self) -> Duration {
        Duration::from_millis(self.app.config.http_head_ms)
    }

    /// The replica that a hello names, if this person may write its workspace.
    async fn replica(&self, user: SignedIn, hello: &v1::SpokeHello) -> Result<Replica, Error> {
        let workspace: WorkspaceId = hello
            .workspace_id
            .parse()
            .map_err(|_| Error::not_found("workspace"))?;
        let id: Uuid = hello.replica_id.parse().map_err(|_| {
            Error::new(
                Code::ProtocolMismatch,
                "The hello of a folder names its replica by a UUID.",
            )
        })?;
        let row = self.app.hub.access(workspace, user.user).await?;
        if row.archived_at.is_some() || row.deleted_at.is_some() {
            return Err(HubError::Inactive.into());
        }
        Ok(Replica {
            hub: self.app.hub.clone(),
            workspace,
            author: Author {
                kind: OriginKind::Desktop,
                user: Some(user.user),
                replica: ReplicaId::from_uuid(id),
            },
            // The folder's own program shows how far it is.
            progress: watch::channel(ReplicaProgress::default()).0,
        })
    }
}

#[tonic::async_trait]
impl sync_server::Sync for Sync {
    type ControlStream = BoxStream<'static, Result<v1::HubFrame>>;
    type BulkStream = BoxStream<'static, Result<v1::HubBulk>>;

    async fn control(
        &self,
        request: Request<Streaming<v1::SpokeFrame>>,
    ) -> Result<Response<Self::ControlStream>> {
        let user = signed_in(&self.app, request.metadata()).await?;
        let (outgoing, frames) = mpsc::channel(FRAMES);
        let mut control = Control {
            outgoing,
            incoming: request.into_inner(),
        };
        let hello = tokio::time::timeout(self.patience(), replica::hello(&mut control))
            .await
            .unwrap_or(Err(ReplicaError::Protocol("it says no hello")))
            .map_err(refusal)?;
        let replica = self.replica(user, &hello).await?;
        let (link, bulk) = self.links.open(user.device)?;
        let within = self.patience();
        let bulk = async move {
            match tokio::time::timeout(within, bulk).await {
                Ok(Ok(bulk)) => Ok(bulk),
                _ => Err(ReplicaError::NoBulk),
            }
        };
        let serving = replica.serve(hello, control, link.name.clone(), bulk);
        let over = over(&self.app, user);
        let (mut told, reason) = oneshot::channel();
        self.app.tasks.spawn(async move {
            let _link = link;
            let error = tokio::select! {
                Err(error) = serving => refusal(error),
                error = over => error,
                // The call is over: nobody is left to be told.
                () = told.closed() => return,
            };
            told.send(error).ok();
        });
        // What was said before the end is heard before the reason.
        let reason = reason.map(|error| stream::iter(error.ok().map(|error| Err(error.into()))));
        let frames = ReceiverStream::new(frames).map(Ok);
        Ok(Response::new(frames.chain(reason.flatten_stream()).boxed()))
    }

    async fn bulk(
        &self,
        request: Request<Streaming<v1::SpokeBulk>>,
    ) -> Result<Response<Self::BulkStream>> {
        let user = signed_in(&self.app, request.metadata()).await?;
        let mut incoming = request.into_inner();
        let first = tokio::time::timeout(self.patience(), incoming.message()).await;
        let Ok(Ok(Some(v1::SpokeBulk {
            frame: Some(spoke_bulk::Frame::Hello(hello)),
        }))) = first
        else {
            let message = "The first frame of a stream of contents names its link.";
            return Err(Error::new(Code::ProtocolMismatch, message).into());
        };
        let (outgoing, blobs) = mpsc::channel(FRAMES);
        let bulk = Bulk { outgoing, incoming };
        self.links.complete(&hello.link_id, user.device, bulk)?;
        // It ends when the link does, which Control tells of.
        Ok(Response::new(ReceiverStream::new(blobs).map(Ok).boxed()))
    }
}

/// What the other side is told when a link ends.
fn refusal(error: ReplicaError) -> Error {
    match error {
        ReplicaError::Hub(error) => error.into(),
        ReplicaError::Protocol(what) => Error::new(
            Code::ProtocolMismatch,
            format!("This program and the server do not understand each other: {what}."),
        ),
        ReplicaError::Version(theirs) => Error::new(
            Code::ProtocolMismatch,
            format!(
                "The server speaks version {PROTOCOL} of the protocol, and this program version {theirs}. Update the older one."
            ),
        ),
        ReplicaError::NoBulk => Error::new(
            Code::BodyStalled,
            "The stream of contents did not come in time. Connect again.",
        ),
        ReplicaError::Closed | ReplicaError::Unreachable(_) => {
            Error::new(Code::GoingAway, "The connection broke. Connect again.")
        }
    }
}

/// The links of this server. They are known nowhere else: the streams of one meet where Control is.
#[derive(Clone, Default)]
struct Links(Arc<Mutex<HashMap<String, Waiting>>>);

struct Waiting {
    device: DeviceId,
    /// Takes the stream of contents, once.
    bulk: Option<oneshot::Sender<Bulk>>,
}

/// A link's place among those of its device, as long as the link lasts.
struct Link {
    name: String,
    links: Links,
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self, device: DeviceId) -> Result<(Link, oneshot::Receiver<Bulk>), Error> {
        let mut links = self.lock();
        let many = links.values().filter(|link| link.device == device).count();
        if many >= SYNC_LINKS_PER_DEVICE_MAX {
            return Err(Error::new(
                Code::TooManyRequests,
                format!(
                    "A device keeps at most {SYNC_LINKS_PER_DEVICE_MAX} folders in step at once."
                ),
            ));
        }
        let (bulk, completed) = oneshot::channel();
        let name = hex::encode(random::<16>());
        let waiting = Waiting {
            device,
            bulk: Some(bulk),
        };
        links.insert(name.clone(), waiting);
        drop(links);
        let links = self.clone();
        Ok((Link { name, links }, completed))
    }

    fn complete(&self, name: &str, device: DeviceId, bulk: Bulk) -> Result<(), Error> {
        let mut links = self.lock();
        let link = links.get_mut(name).filter(|link| link.device == device);
        let completed = link
            .and_then(|link| link.bulk.take())
            .ok_or_else(|| Error::not_found("link"))?;
        // Control may have ended meanwhile, which it tells.
        completed.send(bulk).ok();
        Ok(())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.links.lock().remove(&self.name);
    }
}
