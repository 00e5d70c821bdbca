//! The pure part of terminals: byte log with absolute offsets, credits, exactly-once input, and what one viewer is
//! sent next. No async, no I/O, no clock: `now` comes in as milliseconds.

pub mod attach;
pub mod credit;
pub mod input;
pub mod log;
