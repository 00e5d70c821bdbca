//! What waits for a disk or a network is done beside the loop: on threads, or when a simulation says so.
use bytes::Bytes;
use slipway_core::path::RelPath;
use slipway_proto::v1;
use tokio::sync::{mpsc, oneshot};

use super::parts::Parts;
use super::send::send_content;
use crate::disk::Root;

/// A content that the hub asked for, and where it stood.
pub(super) type Asked = (Bytes, RelPath);

/// Where such work is done.
#[derive(Clone, Debug)]
pub(crate) enum Beside {
    /// On threads of its own.
    Threads,
    /// When a simulation takes it up.
    #[cfg(any(test, feature = "simulation"))]
    Queue(Queue),
}

#[cfg(any(test, feature = "simulation"))]
type Work = Box<dyn FnOnce() + Send>;

/// Work that waits for a simulation.
#[cfg(any(test, feature = "simulation"))]
#[derive(Clone, Default)]
pub(crate) struct Queue(std::sync::Arc<std::sync::Mutex<std::collections::VecDeque<Work>>>);

#[cfg(any(test, feature = "simulation"))]
impl Queue {
    fn lock(&self) -> std::sync::MutexGuard<'_, std::collections::VecDeque<Work>> {
        self.0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
    fn push(&self, work: impl FnOnce() + Send + 'static) {
        self.lock().push_back(Box::new(work));
    }
    pub(super) fn next(&self) -> Option<Work> {
        self.lock().pop_front()
    }
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }
}

#[cfg(any(test, feature = "simulation"))]
impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Queue({})", self.lock().len())
    }
}

/// To what sends contents over one connection, one after another.
pub(super) enum Outgoing {
    Thread(std::sync::mpsc::Sender<Asked>),
    #[cfg(any(test, feature = "simulation"))]
    Queue(Queue, Root, mpsc::Sender<v1::SpokeBulk>, Parts),
}

impl Outgoing {
    pub(super) fn send(&self, asked: Asked) {
        match self {
            // The connection may be gone, which others see.
            Self::Thread(thread) => drop(thread.send(asked)),
            #[cfg(any(test, feature = "simulation"))]
            Self::Queue(queue, root, bulk, parts) => {
                let (root, bulk, parts) = (root.clone(), bulk.clone(), parts.clone());
                queue.push(move || {
                    let (hash, path) = asked;
                    let file = root.read(&path).ok();
                    send_content(
                        &mut |frame| bulk.try_send(frame).is_ok(),
                        &hash,
                        file,
                        &parts,
                    );
                });
            }
        }
    }
}

impl Beside {
    /// Does something that may take long; its answer comes when it is done, and never if the runtime ends.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (done, answer) = oneshot::channel();
        let work = move || {
            // Nobody may wait for it.
            done.send(work()).ok();
        };
        match self {
            Self::Threads => drop(tokio::task::spawn_blocking(work)),
            #[cfg(any(test, feature = "simulation"))]
            Self::Queue(queue) => queue.push(work),
        }
        answer
    }

    /// Sends contents of a root over a connection.
    pub(super) fn sender(
        &self,
        root: &Root,
        bulk: &mpsc::Sender<v1::SpokeBulk>,
        parts: &Parts,
    ) -> Option<Outgoing> {
        let (root, bulk, parts) = (root.clone(), bulk.clone(), parts.clone());
        match self {
            Self::Threads => {
                let (outgoing, asked) = std::sync::mpsc::channel::<Asked>();
                let thread = std::thread::Builder::new().name("contents".to_owned());
                let started = thread.spawn(move || {
                    let mut send = |frame| bulk.blocking_send(frame).is_ok();
                    for (hash, path) in asked {
                        let file = root.read(&path).ok();
                        if !send_content(&mut send, &hash, file, &parts) {
                            return;
                        }
                    }
                });
                started
                    .inspect_err(|error| tracing::error!(%error, "Contents cannot be sent"))
                    .ok()?;
                Some(Outgoing::Thread(outgoing))
            }
            #[cfg(any(test, feature = "simulation"))]
            Self::Queue(queue) => Some(Outgoing::Queue(queue.clone(), root, bulk, parts)),
        }
    }
}
