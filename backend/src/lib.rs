//! `slipway-server`: accounts, workspaces, sessions and runs behind one port. The modules stand in reading order.

pub mod config;
pub mod state;

pub mod clock;
pub mod error;
pub mod telemetry;

pub mod db;
pub mod grpc;
pub mod http;
pub mod router;
pub mod ws;

pub mod account;
pub mod admin;
pub mod audit;

pub mod file;
pub mod hub;
pub mod replica;
pub mod workspace;

pub mod event;
pub mod run;
pub mod session;

pub mod egress;

pub mod doctor;
pub mod lock;
pub mod serve;
