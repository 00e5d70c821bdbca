//! The wire schema of `slipway/v1`, generated; `convert` is the only place that knows wire and core types both.

#[expect(
    missing_docs,
    clippy::all,
    reason = "generated; the schema carries the documentation"
)]
/// The generated messages and services; the schema carries their documentation.
pub mod v1 {
    tonic::include_proto!("slipway.v1");
}

/// Version of the schema. Each adds to the one before it and takes nothing away.
pub const PROTOCOL: u32 = 1;

/// Whether a program of another version is understood, and understands us: one version older or newer.
#[must_use]
pub const fn understands(other: u32) -> bool {
    other.abs_diff(PROTOCOL) <= 1
}

pub mod agent;
pub mod carrier;
pub mod codec;
pub mod convert;
pub mod digest;
pub mod relay;
