//! Sync as pure functions: three trees in, steps out. No clock, no chance, no I/O.
//!
//! *Base* is what this replica and the hub last agreed on, *local* is the disk as last seen, *remote* is the hub.
//! `reconcile` decides for one path, `order` sets many steps in a safe order, `merge` joins two edits of one text,
//! `conflict` names copies of what cannot be joined, `brake` sees a disaster coming, `ignore` says what stays out,
//! `torn` knows what a loss of power leaves of a file.

pub mod brake;
pub mod conflict;
pub mod ignore;
pub mod merge;
pub mod node;
pub mod order;
pub mod reconcile;
pub mod torn;
