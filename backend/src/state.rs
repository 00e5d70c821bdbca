//! What every handler shares. Cheap to clone.
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use slipway_core::id::DeviceId;
use sqlx::PgPool;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::account::known::Marks;
use crate::account::limit::Limiter;
use crate::clock::Clock;
use crate::config::Config;
use crate::event::Events;
use crate::hub::Hub;
use crate::session::Sessions;
use crate::session::runtime::SessionRuntime;

/// The server's parts.
#[derive(Clone)]
pub struct App {
    /// Flags and variables, parsed once.
    pub config: Arc<Config>,
    /// The truth.
    pub db: PgPool,
    /// Where time and chance come from.
    pub clock: Clock,
    /// Journal and contents of workspaces.
    pub hub: Hub,
    /// Sessions of this server.
    pub sessions: Sessions,
    /// What moved, for those who watch.
    pub events: Events,
    /// Makes the places of sessions.
    pub runtime: Arc<dyn SessionRuntime>,
    /// Slows down guessing.
    pub limiter: Limiter,
    /// Knows devices again on which an account has signed in before.
    pub marks: Arc<Marks>,
    /// Devices that were signed out: their streams end.
    pub revocations: broadcast::Sender<DeviceId>,
    /// What `/metrics` shows; absent where another part of the process records them.
    pub metrics: Option<PrometheusHandle>,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
    /// Every task that the stop waits for.
    pub tasks: TaskTracker,
}

impl App {
    /// Tells the streams of these devices to end.
    pub fn revoke(&self, devices: impl IntoIterator<Item = DeviceId>) {
        for device in devices {
            // Nobody may be listening.
            drop(self.revocations.send(device));
        }
    }
}
