//! The egress proxy: listed hosts are reachable from a session, everything else is refused in words.
