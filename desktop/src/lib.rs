//! The desktop program without its window: the command line, the gateway that answers the window's page, and what both
//! are made of. The window itself is a program of its own (`window/`), which is built on this.
//!
//! Reading order: `main` parses and leaves with a code, `cli` is one file for each command, `opening` is what the window is
//! opened for and `gateway` what its page asks, `error` is what can go wrong in words and codes. `state` keeps who is signed in where, `sign_in`
//! is what that takes, `token` keeps the secret of it. `folder` knows which folders are workspaces, `keep` keeps one in
//! step and `control` lets other commands ask it. `local` finds and starts the agents that own terminals of this machine.
//! `config` reads the environment, and `tty` is the terminal at which a person sits.

pub mod cli;
mod clock;
pub mod config;
pub mod control;
pub mod error;
pub mod folder;
pub mod gateway;
pub mod keep;
pub mod local;
pub mod opening;
pub mod output;
mod part;
pub mod server;
pub mod sign_in;
pub mod state;
pub mod token;
pub mod tty;
