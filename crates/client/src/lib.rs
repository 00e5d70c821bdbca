//! The backend as seen from outside: typed REST, the event and terminal streams, reconnecting where it left off.
//! Used by the desktop app, the end-to-end tests and the benchmarks.
//!
//! Reading order: `rest` is the door, `account` to `run` are its typed calls, `line` holds the connections of streams,
//! `stream` carries them by gRPC and `socket` by WebSocket as a browser does, `terminal` resumes a byte log exactly, `sync`
//! connects a folder, `reconnect` tries again, and `steady` is a viewer that does so by itself.

pub mod account;
mod clock;
pub mod error;
pub mod file;
mod line;
pub mod reconnect;
pub mod rest;
pub mod run;
pub mod session;
pub mod socket;
pub mod steady;
pub mod stream;
pub mod sync;
pub mod terminal;
pub mod workspace;
