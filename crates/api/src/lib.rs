//! Requests and answers of `/api/v1`, used by backend, desktop and tests; TypeScript is generated from them.

pub mod account;
pub mod desktop;
pub mod file;
pub mod problem;
pub mod run;
pub mod server;
pub mod session;
pub mod template;
pub mod workspace;
