//! The session's copy of the files: the sync engine on the workspace, served to the backend that dials.
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use slipway_mirror::engine::{Brake, Engine, EngineError, Input, Link, LinkId, Settings};
use slipway_proto::v1;
use slipway_proto::v1::replica_server::Replica;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};

use crate::event::Events;
use crate::workspace::ReplicaSide;

/// Frames to the backend that wait for it; beyond it the engine waits.
const FRAMES: usize = 16;

/// The `Replica` service. Cheap to clone.
#[derive(Clone)]
pub struct ReplicaService {
    engine: Engine,
    tasks: TaskTracker,
    connections: Arc<AtomicU64>,
    /// The bulk stream's frames of the newest connection, until its call takes them.
    bulk: Arc<Mutex<Option<Blobs>>>,
}

impl ReplicaService {
    /// Starts the engine on a workspace and ties it to what runs hold and watchers are told.
    ///
    /// # Errors
    /// When files or state cannot be opened.
    pub fn start(
        workspace: &Path,
        state: &Path,
        fresh_id: String,
        side: ReplicaSide,
        events: Events,
        tasks: &TaskTracker,
    ) -> Result<Self, EngineError> {
        let settings = Settings {
            root: workspace.to_owned(),
            state: state.to_owned(),
            name: "session".to_owned(),
            fresh_id,
            brake: Brake::Tell,
            undo: false,
        };
        let engine = Engine::start(settings)?;
        let ReplicaSide {
            applied_revision,
            mut flushes,
        } = side;
        let mut applied = engine.applied();
        tasks.spawn(async move {
            while applied.changed().await.is_ok() {
                let revision = *applied.borrow_and_update();
                // A new connection begins at 0; what the disk showed before, it shows still.
                applied_revision.send_if_modified(|shown| {
                    let grows = *shown < revision;
                    *shown = revision.max(*shown);
                    grows
                });
            }
        });
        let mut notices = engine.notices();
        tasks.spawn(async move {
            loop {
                match notices.recv().await {
                    Ok(notice) => events.notice(notice.code(), &notice.to_string(), ""),
                    // Many at once: the newest are told.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
        let teller = engine.clone();
        tasks.spawn(async move {
            while let Some(answer) = flushes.recv().await {
                if teller.tell(Input::Flush(answer)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self {
            engine,
            tasks: tasks.clone(),
            connections: Arc::default(),
            bulk: Arc::default(),
        })
    }

    /// Stores what was agreed on; the last thing before the agent ends.
    pub async fn stop(&self) {
        self.engine.stop().await;
    }
}

/// Contents of one connection on their way to the backend.
type Blobs = (LinkId, mpsc::Receiver<v1::SpokeBulk>);

/// Frames as a call's answer.
type Answers<T> = std::pin::Pin<Box<dyn tokio_stream::Stream<Item = Result<T, Status>> + Send>>;

fn answers<T: Send + 'static>(frames: mpsc::Receiver<T>) -> Answers<T> {
    Box::pin(ReceiverStream::new(frames).map(Ok))
}

#[tonic::async_trait]
impl Replica for ReplicaService {
    type ControlStream = Answers<v1::SpokeFrame>;
    type BulkStream = Answers<v1::SpokeBulk>;

    async fn control(
        &self,
        request: Request<Streaming<v1::HubFrame>>,
    ) -> Result<Response<Self::ControlStream>, Status> {
        let (control, frames) = mpsc::channel(FRAMES);
        let (bulk, blobs) = mpsc::channel(FRAMES);
        let id = LinkId(self.connections.fetch_add(1, Ordering::Relaxed));
        *self.bulk.lock().unwrap_or_else(PoisonError::into_inner) = Some((id, blobs));
        let ended = |_| Status::unavailable("the replica has ended");
        self.engine
            .tell(Input::Connected(Link { id, control, bulk }))
            .await
            .map_err(ended)?;
        let engine = self.engine.clone();
        let mut incoming = request.into_inner();
        self.tasks.spawn(async move {
            while let Ok(Some(frame)) = incoming.message().await {
                if engine.tell(Input::Hub(id, frame)).await.is_err() {
                    return;
                }
            }
            engine.tell(Input::Disconnected(id)).await.ok();
        });
        Ok(Response::new(answers(frames)))
    }

    async fn bulk(
        &self,
        request: Request<Streaming<v1::HubBulk>>,
    ) -> Result<Response<Self::BulkStream>, Status> {
        let blobs = self
            .bulk
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let (id, blobs) =
            blobs.ok_or_else(|| Status::failed_precondition("open the control stream first"))?;
        let engine = self.engine.clone();
        let mut incoming = request.into_inner();
        self.tasks.spawn(async move {
            while let Ok(Some(frame)) = incoming.message().await {
                if engine.tell(Input::Bulk(id, frame)).await.is_err() {
                    return;
                }
            }
        });
        Ok(Response::new(answers(blobs)))
    }
}
