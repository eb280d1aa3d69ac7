//! The vault: what it promises of its entries, its file, its keys, and its commands.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "counts are there to be read")]

mod command_line;
mod conformance;
mod crashes;
mod crowd;
mod damage;
mod disk;
mod entries;
mod keys;
mod kinds;
mod letters;
mod letters_in_redis;
mod lossy;
#[path = "../tickets/redis_server.rs"]
#[allow(dead_code, reason = "it is shared with the tests of tickets")]
mod redis_server;
mod repeatable;
mod shared;
mod shared_commands;
mod slow_disk;
mod telling;
mod waiting;
mod world;
mod writer;
