//! The vocabulary of Slipway: ids, paths, hashes, limits and error codes. No async, no I/O, no clock, no chance.
//!
//! | word | meaning |
//! |---|---|
//! | workspace | a durable tree of files with an owner; its truth is the revision journal |
//! | revision | number of a committed change of a workspace, gap-free |
//! | replica | one copy of a workspace that syncs |
//! | session | one run of an isolated place in which a workspace executes |
//! | terminal | a PTY owned by an agent; its output is a byte log with offsets |
//! | run | one execution of a command on a known revision |

pub mod backoff;
pub mod code;
pub mod hash;
pub mod id;
pub mod limits;
pub mod path;
pub mod secret;
