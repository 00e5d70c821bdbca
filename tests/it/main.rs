//! Tests of the whole server over its public API: real Postgres, real agents, real sockets.
mod account;
mod database;
mod file;
mod lab;
mod run;
mod session;
mod ws;
