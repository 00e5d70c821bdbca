//! Hub side of a session's replica.
