//! A walk over the described API: permissions, audit rows, and 404 for what belongs to others.
