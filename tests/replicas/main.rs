//! Whole gateways on one Redis, with their tickets and their vault there: one exchange for all of them.
#![cfg(feature = "emulator")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it measured"
)]

#[path = "../jobs/client.rs"]
#[allow(dead_code, reason = "it is shared with the tests of jobs")]
mod client;
mod crowd;
mod one_clock;
#[path = "../jobs/partner.rs"]
#[allow(dead_code, reason = "it is shared with the tests of jobs")]
mod partner;
mod process;
mod processes;
#[path = "../tickets/redis_server.rs"]
#[allow(dead_code, reason = "it is shared with the tests of tickets")]
mod redis_server;
mod world;
