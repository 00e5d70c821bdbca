//! The backend as seen from outside: typed REST, the event and terminal streams, reconnecting where it left off.
//! Used by the desktop app, the end-to-end tests and the benchmarks.
//!
//! Reading order: `rest` is the door, `account` to `run` are its typed calls, `socket` carries streams, `terminal`
//! resumes a byte log exactly, `sync` connects a folder, `reconnect` tries again, and `steady` is a viewer that does so
//! by itself.

pub mod account;
mod clock;
pub mod error;
pub mod file;
pub mod reconnect;
pub mod rest;
pub mod run;
pub mod session;
pub mod socket;
pub mod steady;
pub mod sync;
pub mod terminal;
pub mod workspace;
