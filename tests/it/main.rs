//! Tests of the whole server over its public API: real Postgres, real agents, real sockets.
mod account;
mod archive;
mod database;
mod file;
mod host;
mod hostile;
mod hub;
mod input;
mod lab;
mod openapi;
mod raw;
mod repeated;
mod run;
mod runtime;
mod session;
mod workspace;
mod ws;
