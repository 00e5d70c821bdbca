//! Runs: one execution of a command on a known revision, with its output kept. `command` and `task` say what is
//! executed, `store` and `progress` keep, `start` and `finish` follow the agent on behalf of the session's driver.
use slipway_core::id::{RunId, SessionId, WorkspaceId};
use slipway_proto::v1;
use sqlx::PgPool;

use crate::clock::Clock;
use crate::event::Events;

pub mod command;
pub mod finish;
mod output;
pub mod progress;
mod routes;
pub mod start;
pub mod store;
pub mod task;

pub use routes::routes;

/// On whose behalf runs are stored: a session and the lease its driver holds.
#[derive(Clone)]
pub struct Context {
    /// The truth.
    pub db: PgPool,
    /// Where time comes from.
    pub clock: Clock,
    /// Those who watch.
    pub events: Events,
    /// The session's workspace.
    pub workspace: WorkspaceId,
    /// The session.
    pub session: SessionId,
    /// Number of the lease; a driver that lost it writes nothing.
    pub fence: i64,
}

impl Context {
    /// Tells those who watch that a run of the session moved.
    pub fn tell(&self, run: RunId, state: &str) {
        tell(&self.events, self.workspace, run, state);
    }
}

/// Tells those who watch the workspace that a run moved.
fn tell(events: &Events, workspace: WorkspaceId, run: RunId, state: &str) {
    let moved = v1::RunMoved {
        workspace_id: workspace.to_string(),
        run_id: run.to_string(),
        state: state.to_owned(),
    };
    events.publish(workspace, v1::event::Event::Run(moved));
}
