//! What waits for a disk or a network is done beside the loop: on threads, or when a simulation says so.
use bytes::Bytes;
use slipway_core::path::RelPath;
use slipway_proto::v1;
use tokio::sync::{mpsc, oneshot};

use super::parts::Parts;
use super::send::send_content;
use crate::disk::Root;

/// A content that the hub asked for, and where it stands, if it does.
pub(super) type Asked = (Bytes, Option<RelPath>);

/// Where such work is done.
#[derive(Clone, Debug)]
pub(crate) enum Beside {
    /// On threads of its own.
    Threads,
}

/// To what sends contents over one connection, one after another.
pub(super) enum Outgoing {
    Thread(std::sync::mpsc::Sender<Asked>),
}

impl Outgoing {
    pub(super) fn send(&self, asked: Asked) {
        match self {
            // The connection may be gone, which others see.
            Self::Thread(thread) => drop(thread.send(asked)),
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
                        let file = path.and_then(|path| root.read(&path).ok());
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
        }
    }
}
