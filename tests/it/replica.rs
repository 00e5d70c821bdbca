//! Files both ways between the hub and a session's disk, in large numbers.
