//! `SessionRuntime`: makes and ends the isolated places in which sessions run. Local sandbox and Kubernetes
//! differ only here; both start the same agent and hand back how to dial it.
pub mod local;

use std::future::Future;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use slipway_api::session::Protection;
use slipway_core::code::Code;
use slipway_core::id::{SessionId, WorkspaceId};
use slipway_core::secret::Secret;
use tonic::transport::Channel;

/// A future that a trait object can hand out.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What a place is made for.
#[derive(Clone, Debug)]
pub struct PlaceSpec {
    /// The session.
    pub session: SessionId,
    /// Its workspace; places of one workspace share a volume, so that files and installed packages are still there.
    pub workspace: WorkspaceId,
    /// Bearer key that the agent will ask for.
    pub agent_key: Secret,
}

/// How a runtime finds a place again, kept in Postgres; opaque to everyone else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(pub serde_json::Value);

/// What became of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// Its agent's process exists.
    Running,
    /// It is gone.
    Gone {
        /// Why, for programs.
        code: Code,
        /// Why, for people: "out of memory: 512 MiB".
        text: String,
    },
}

/// Why a place could not be made or reached.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// This machine cannot isolate programs; the text says what is missing and what to do.
    #[error("isolate programs: {0}")]
    Unavailable(String),
    /// The execution image is missing or damaged.
    #[error("find the execution image: {0}")]
    Image(String),
    /// The agent's process ended before it answered; its last words.
    #[error("start the agent: {0}")]
    Start(String),
    /// The agent does not answer.
    #[error("reach the agent: {0}")]
    Unreachable(String),
    /// The system refused.
    #[error("{what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

/// Makes, finds and ends places. A second call with the same spec or place does no harm.
pub trait SessionRuntime: Send + Sync + 'static {
    /// Makes the place and starts its agent; returns when the agent listens.
    fn start<'a>(&'a self, spec: &'a PlaceSpec) -> Answer<'a, Result<Place, RuntimeError>>;
    /// Connects to a place's agent, by whichever server made it.
    fn dial<'a>(&'a self, place: &'a Place) -> Answer<'a, Result<Channel, RuntimeError>>;
    /// Looks whether a place still runs, and why not.
    fn observe<'a>(&'a self, place: &'a Place) -> Answer<'a, Observed>;
    /// Ends a place with all its processes; its volume stays.
    fn stop<'a>(&'a self, place: &'a Place) -> Answer<'a, Result<(), RuntimeError>>;
    /// Every place of this installation that exists, for the sweep of orphans.
    fn list(&self) -> Answer<'_, Result<Vec<(SessionId, Place)>, RuntimeError>>;
    /// Removes the volume of a workspace that is gone for good.
    fn forget(&self, workspace: WorkspaceId) -> Answer<'_, Result<(), RuntimeError>>;
    /// Every workspace that has a volume here, for the sweep of those that are gone.
    fn volumes(&self) -> Answer<'_, Result<Vec<WorkspaceId>, RuntimeError>>;
    /// What protects a session's place here, honestly.
    fn protections(&self) -> Vec<Protection>;
    /// Whether places can be made at all; the error says what is missing.
    fn check(&self) -> Answer<'_, Result<(), RuntimeError>>;
}
