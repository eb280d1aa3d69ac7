//! What keeps sessions: one contract, kept by every kind of store.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it measured"
)]

mod conformance;
mod ending;
mod kinds;
#[path = "../tickets/redis_server.rs"]
#[allow(dead_code, reason = "it is shared with the tests of tickets")]
mod redis_server;
mod refreshed;
mod size;
