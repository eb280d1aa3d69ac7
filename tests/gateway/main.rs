//! The real gateway over real sockets, between an emulated SuperID and an app that keeps notes.
#![cfg(feature = "emulator")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod access;
mod answers;
mod api_client;
mod browser;
mod callback;
mod commands;
mod drain;
mod front;
mod handover;
mod headers;
mod holes;
mod jar;
mod legacy;
mod liar;
mod limits;
mod operation;
mod outage;
mod rates;
mod recorder;
mod reload;
mod session;
mod sign_in;
mod sign_out;
mod slashes;
mod tls;
mod upgrade;
mod upstream;
mod wire;
mod world;
