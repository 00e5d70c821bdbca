//! What the backend is told by Watch: changes of terminals and runs, usage, notices. Level-triggered: a watcher that
//! falls behind is told everything anew.
use slipway_core::code::Code;
use slipway_proto::v1;
use slipway_proto::v1::agent_event::Event;
use tokio::sync::broadcast;

/// Events a slow watcher may be behind before it is told everything anew.
const EVENTS_MAX: usize = 256;

/// Sends to all watchers.
#[derive(Clone, Debug)]
pub struct Events(broadcast::Sender<Event>);

impl Default for Events {
    fn default() -> Self {
        Self(broadcast::channel(EVENTS_MAX).0)
    }
}

impl Events {
    /// Tells all watchers; none is fine, since a later one is told the state.
    pub fn send(&self, event: Event) {
        drop(self.0.send(event));
    }

    /// Tells something that a person must know.
    pub fn notice(&self, code: Code, message: &str, terminal_id: &str) {
        tracing::warn!(code = code.as_str(), "{message}");
        self.send(Event::Notice(v1::Notice {
            code: code.as_str().to_owned(),
            message: message.to_owned(),
            terminal_id: terminal_id.to_owned(),
        }));
    }

    /// Listens from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.subscribe()
    }
}
