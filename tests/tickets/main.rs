//! System user tickets: bought once, kept while they live, shared across replicas.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed, and tells what it measured"
)]

mod crowds;
mod failures;
mod fleet;
mod link;
mod lives;
mod many;
mod processes;
mod redis_server;
mod replicas;
mod source;
