//! The disk side of sync, used by the agent and the desktop: one engine per replica, on a thread of its own.
//! `disk` touches files by the calls of `volume`, `watch` hears of changes, `base` remembers what was agreed in a `store`,
//! `engine` decides and acts, `notice` is what a person is told, `local` are the words of a person's own work, `files` reads
//! beside the engine, `history` keeps versions of files, `view` is how it stands, `conflict` and `arrival` are what a person
//! can look at and take back, `follow` keeps an engine connected that dials its hub, `wire` is between the planner's words
//! and the wire's, `chunk` cuts large contents, `clock` is where the time comes from, `memory` gives back what a bout of
//! work took; `planted` are known bugs that tests switch on.

pub mod arrival;
pub mod base;
mod chunk;
mod clock;
pub mod conflict;
pub mod disk;
pub mod engine;
pub mod files;
pub mod follow;
pub mod history;
pub mod local;
pub mod memory;
pub mod notice;
#[doc(hidden)]
pub mod planted;
pub mod store;
pub mod view;
pub mod volume;
pub mod watch;
pub mod wire;
