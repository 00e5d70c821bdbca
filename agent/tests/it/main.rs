//! The agent in process, on a Unix socket of its own, with real programs in real terminals.
mod harness;
mod run;
mod terminal;
