//! Bad input over HTTP and the socket: each has a stable code, a sentence, and loses nothing.
