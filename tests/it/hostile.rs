//! Hostile programs in a session: each ends with a sentence for its user, and nobody else notices.
