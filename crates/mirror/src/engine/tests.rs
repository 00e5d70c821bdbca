//! Tests of the engine follow.
