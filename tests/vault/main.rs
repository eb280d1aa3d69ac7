//! The vault: what it promises of its entries, its file, its keys, and its commands.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod conformance;
mod crashes;
mod crowd;
mod damage;
mod disk;
mod entries;
mod keys;
mod repeatable;
mod world;
mod writer;
