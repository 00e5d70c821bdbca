//! The agent as one thing: what its services share, bound to one session for life.
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use slipway_core::code::Code;
use slipway_proto::v1;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::activity::Activity;
use crate::auth::Presence;
use crate::clock::Monotonic;
use crate::config::{Config, Ground};
use crate::environment;
use crate::error::AgentError;
use crate::event::Events;
use crate::run::Runs;
use crate::terminal::table::Table;
use crate::watchdog::Watchdog;
use crate::workspace::{self, Replica, ReplicaSide};

/// Variables of one request.
const ENVIRONMENT_MAX: usize = 256;
/// What the programs wrote is committed within this time at the end, or given up.
const FLUSH: Duration = Duration::from_secs(20);

/// Everything the services share.
pub struct Agent {
    /// Settings.
    pub config: Config,
    /// Changes with every start.
    pub boot_id: String,
    /// Terminals.
    pub terminals: Table,
    /// Runs.
    pub runs: Runs,
    /// What watchers are told.
    pub events: Events,
    /// When something last happened.
    pub activity: Activity,
    /// When a backend was last heard of.
    pub presence: Presence,
    /// The session's copy of the files.
    pub replica: Replica,
    /// Memory, disk and processes.
    pub watchdog: Watchdog,
    /// Ends the agent.
    pub stop: CancellationToken,
    /// Every task of the agent.
    pub tasks: TaskTracker,
    binding: Mutex<Option<v1::BindRequest>>,
}

impl Agent {
    /// An agent that is not bound yet, and the end of the replica that moves files.
    #[must_use]
    pub fn new(config: Config, stop: CancellationToken) -> (Arc<Self>, ReplicaSide) {
        let clock = Monotonic::start();
        let boot_id = uuid::Uuid::from_bytes(random()).to_string();
        let events = Events::default();
        let activity = Activity::new(clock);
        let tasks = TaskTracker::new();
        let watchdog = Watchdog::new(&config, events.clone());
        let blame = watchdog.blame();
        let terminals = Table::new(
            boot_id.clone(),
            clock,
            activity.clone(),
            events.clone(),
            tasks.clone(),
            blame,
        );
        let (replica, side) = workspace::replica();
        let runs = Runs::new(
            clock,
            events.clone(),
            terminals.clone(),
            replica.clone(),
            tasks.clone(),
        );
        let agent = Self {
            presence: Presence::new(clock),
            config,
            boot_id,
            terminals,
            runs,
            events,
            activity,
            replica,
            watchdog,
            stop,
            tasks,
            binding: Mutex::new(None),
        };
        (Arc::new(agent), side)
    }

    /// Binds to a session for life. Whoever dials binds it again, maybe with other limits than a server before.
    ///
    /// # Errors
    /// When it is bound to another session already.
    pub fn bind(&self, request: v1::BindRequest) -> Result<(), AgentError> {
        let mut binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bound) = &*binding
            && bound.session_id != request.session_id
        {
            let text = format!(
                "This agent belongs to session {} already.",
                bound.session_id
            );
            return Err(AgentError::new(Code::SessionNotReady, text));
        }
        if let Some(limits) = &request.limits {
            if limits.terminals > 0 {
                self.terminals.limit(limits.terminals as usize);
            }
            self.watchdog.limit(limits);
        }
        tracing::info!(session.id = request.session_id, "Bound to a session");
        *binding = Some(request);
        Ok(())
    }

    /// The environment of a program.
    ///
    /// # Errors
    /// When the agent is not bound yet, or a name or value cannot be one.
    pub fn environment(
        &self,
        more: HashMap<String, String>,
    ) -> Result<BTreeMap<String, String>, AgentError> {
        let binding = self.binding.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(bound) = &*binding else {
            let text = "The agent is not bound to a session yet.";
            return Err(AgentError::new(Code::SessionNotReady, text));
        };
        let wrong = |(name, value): (&String, &String)| {
            name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
        };
        if more.len() > ENVIRONMENT_MAX || more.iter().any(wrong) {
            return Err(AgentError::invalid(
                "A variable of the environment is not valid.",
            ));
        }
        Ok(environment::environment(
            &self.config,
            &bound.session_id,
            more,
        ))
    }

    /// Ends all programs, commits what they wrote, then lets the agent end.
    pub async fn shut_down(&self) {
        self.terminals.end_all().await;
        if self.config.ground() == Ground::Machine {
            self.stop.cancel();
            return;
        }
        match tokio::time::timeout(FLUSH, self.replica.flush()).await {
            Ok(Ok(revision)) => tracing::info!(revision, "Committed the workspace"),
            Ok(Err(error)) => tracing::warn!(%error, "Could not commit the workspace at the end"),
            Err(_) => tracing::warn!("Could not commit the workspace at the end in time"),
        }
        self.stop.cancel();
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the system for chance"
)]
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut bytes);
    bytes
}
