//! `slipway-agent`: the process inside every session that owns terminals, runs and the session's copy of the files.

pub mod activity;
pub mod agent;
pub mod auth;
pub mod clock;
pub mod config;
pub mod egress;
pub mod environment;
pub mod error;
pub mod event;
pub mod process;
pub mod reaper;
pub mod replica;
pub mod run;
pub mod server;
pub mod service;
pub mod terminal;
pub mod terminate;
pub mod watchdog;
pub mod workspace;
