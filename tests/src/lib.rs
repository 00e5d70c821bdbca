//! What end-to-end tests, the smoke journey and the benchmarks share: real server processes, peers, measurements.

pub mod bench;
pub mod server;
