//! The real gateway over real sockets, between an emulated SuperID and an app that keeps notes.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod api_client;
mod browser;
mod jar;
mod recorder;
mod sign_in;
mod wire;
mod world;
