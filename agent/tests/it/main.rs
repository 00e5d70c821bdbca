//! The agent in process, on a Unix socket of its own, with real programs in real terminals.
#![expect(
    clippy::unwrap_used,
    reason = "the harness of tests fails loudly, as tests do"
)]
mod beside;
mod harness;
mod run;
mod terminal;
