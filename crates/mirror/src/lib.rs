//! The disk side of sync, used by the agent and the desktop: one engine per replica, on a thread of its own.
//! `disk` touches files by the calls of `volume`, `watch` hears of changes, `base` remembers what was agreed, `engine` decides and acts, `notice`
//! is what a person is told, `follow` keeps an engine connected that dials its hub.

pub mod base;
mod clock;
pub mod disk;
pub mod engine;
pub mod follow;
pub mod notice;
pub mod volume;
pub mod watch;
pub mod wire;
