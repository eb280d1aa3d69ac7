//! Certificates that are ordered: the real gateway over real sockets, before an authority of the
//! tests' own that believes nothing it has not seen.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod authority;
mod desk;
mod failures;
mod gate;
mod looks;
mod orders;
mod pebble;
mod signed;
