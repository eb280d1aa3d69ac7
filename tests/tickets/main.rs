//! System user tickets: bought once, kept while they live, shared across replicas.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod crowds;
mod failures;
mod lives;
mod source;
