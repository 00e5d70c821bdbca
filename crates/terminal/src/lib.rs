//! The pure part of terminals: byte log with absolute offsets, credits, exactly-once input, what one viewer is sent
//! next, and what programs that ask are answered. No async, no I/O, no clock: `now` comes in as milliseconds.

pub mod attach;
mod checkpoint;
pub mod colours;
mod column;
pub mod credit;
mod cursor;
mod element;
mod flood;
pub mod input;
pub mod log;
mod modes;
pub mod onward;
pub mod query;
