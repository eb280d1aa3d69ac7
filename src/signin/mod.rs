//! From "not signed in" to a session: attempts, callbacks, and the way out.
