//! Keeps an engine and its hub connected: dials, carries frames, and dials again after a break, later and later. Who
//! dials, and how, is told by a closure; a program can ask for a try at once, and hears how it stands.
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use slipway_core::backoff::Backoff;
use slipway_core::code::Code;
use slipway_proto::v1;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::clock;
use crate::engine::{Engine, EngineEnded, Input, Link, LinkId};

/// Frames of the engine that wait to be sent.
const FRAMES: usize = 16;
/// Before the second try.
const FIRST: Duration = Duration::from_millis(250);
/// Between two tries at most.
const LONGEST: Duration = Duration::from_secs(30);
/// A connection that lasted this long was a good one: the next break is the first again.
const LASTED: Duration = Duration::from_secs(5);

/// What the engine says, for a connection that is being made.
#[derive(Debug)]
pub struct Outgoing {
    /// Everything but contents; the hello comes first.
    pub control: mpsc::Receiver<v1::SpokeFrame>,
    /// Contents.
    pub bulk: mpsc::Receiver<v1::SpokeBulk>,
}

/// What the hub says on a connection that was made.
pub struct Incoming {
    /// Everything but contents.
    pub control: mpsc::Receiver<v1::HubFrame>,
    /// Contents.
    pub bulk: mpsc::Receiver<v1::HubBulk>,
    /// Why it ended; asked when both are closed.
    pub ended: Pin<Box<dyn Future<Output = Reason> + Send>>,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The server's code, if it gave one.
    pub code: Option<Code>,
    /// For people.
    pub message: String,
}

/// How it stands with the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is made for the first time, or again after a refusal.
    Connecting,
    /// The hub has answered.
    Online,
    /// It is tried again by itself.
    Offline {
        /// When the last connection ended, or the first try failed.
        since: SystemTime,
        /// Of the last failure.
        reason: Reason,
    },
    /// It is not tried again before somebody asks: a person has to do something first.
    Refused {
        /// What the server said.
        code: Code,
        /// For people.
        message: String,
    },
}

/// Whether a refusal lasts until a person did something about it.
const fn lasts(code: Code) -> bool {
    matches!(
        code,
        Code::SignInRequired
            | Code::SignInExpired
            | Code::AccountDisabled
            | Code::Forbidden
            | Code::NotFound
            | Code::WorkspaceInactive
            | Code::ProtocolMismatch
    )
}

/// An engine that is kept connected; dropped, the connection ends.
#[derive(Debug)]
pub struct Follow {
    standing: watch::Receiver<Standing>,
    asked: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Follow {
    /// Begins to dial. One engine has one of these at a time.
    pub fn start<D, F>(engine: Engine, dial: D) -> Self
    where
        D: Fn(Outgoing) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Incoming, Reason>> + Send + 'static,
    {
        let (told, standing) = watch::channel(Standing::Connecting);
        let asked = Arc::new(Notify::new());
        let follower = Follower {
            engine,
            told,
            asked: Arc::clone(&asked),
            links: 0,
            online: None,
        };
        let task = tokio::spawn(async move {
            // It ends with its engine.
            follower.run(dial).await.ok();
        });
        Self {
            standing,
            asked,
            task,
        }
    }

    /// How it stands, moving.
    #[must_use]
    pub fn standing(&self) -> watch::Receiver<Standing> {
        self.standing.clone()
    }

    /// Tries at once, if there is no connection.
    pub fn ask(&self) {
        self.asked.notify_one();
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Follower {
    engine: Engine,
    told: watch::Sender<Standing>,
    asked: Arc<Notify>,
    links: u64,
    /// Since when this connection is one.
    online: Option<Instant>,
}

impl Follower {
    async fn run<D, F>(mut self, dial: D) -> Result<Infallible, EngineEnded>
    where
        D: Fn(Outgoing) -> F,
        F: Future<Output = Result<Incoming, Reason>>,
    {
        let mut backoff = Backoff::new(FIRST, LONGEST);
        loop {
            let reason = self.connection(&dial).await?;
            let online = self.online.take();
            if online.is_some_and(|since| since.elapsed() >= LASTED) {
                backoff.worked();
            }
            match reason.code.filter(|code| lasts(*code)) {
                Some(code) => {
                    let message = reason.message;
                    self.told.send_replace(Standing::Refused { code, message });
                    self.asked.notified().await;
                    self.told.send_replace(Standing::Connecting);
                    backoff.worked();
                }
                None => {
                    self.offline(reason);
                    let pause = tokio::time::sleep(backoff.after(clock::chance()));
                    tokio::select! {
                        () = self.asked.notified() => backoff.worked(),
                        () = pause => {}
                    }
                }
            }
        }
    }

    /// One connection, from the first word to the last; tells why it ended.
    async fn connection<D, F>(&mut self, dial: &D) -> Result<Reason, EngineEnded>
    where
        D: Fn(Outgoing) -> F,
        F: Future<Output = Result<Incoming, Reason>>,
    {
        self.links += 1;
        let id = LinkId(self.links);
        let (control, frames) = mpsc::channel(FRAMES);
        let (bulk, blobs) = mpsc::channel(FRAMES);
        let lasts = control.downgrade();
        let link = Link { id, control, bulk };
        self.engine.tell(Input::Connected(link)).await?;
        let outgoing = Outgoing {
            control: frames,
            bulk: blobs,
        };
        let reason = match dial(outgoing).await {
            Ok(incoming) => {
                self.online = Some(Instant::now());
                self.told.send_replace(Standing::Online);
                self.carry(id, incoming, &lasts).await?
            }
            Err(reason) => reason,
        };
        self.engine.tell(Input::Disconnected(id)).await?;
        Ok(reason)
    }

    async fn carry(
        &self,
        id: LinkId,
        mut incoming: Incoming,
        lasts: &mpsc::WeakSender<v1::SpokeFrame>,
    ) -> Result<Reason, EngineEnded> {
        // The engine ends it, too, and does not wait until the hub has nothing more to say.
        while lasts.strong_count() > 0 {
            let input = tokio::select! {
                // What is small and waited for comes first.
                biased;
                Some(frame) = incoming.control.recv() => Input::Hub(id, frame),
                Some(frame) = incoming.bulk.recv() => Input::Bulk(id, frame),
                else => break,
            };
            self.engine.tell(input).await?;
        }
        let Incoming { ended, .. } = incoming;
        Ok(ended.await)
    }

    /// A try that failed while offline does not begin the time anew.
    fn offline(&self, reason: Reason) {
        self.told.send_modify(|standing| {
            let since = match standing {
                Standing::Offline { since, .. } => *since,
                _ => clock::now(),
            };
            *standing = Standing::Offline { since, reason };
        });
    }
}

#[cfg(test)]
mod tests;
