//! The server as a process: second server, taken port, killed Postgres, missing programs, full disk.
