//! The emulator keeps the contract it emulates, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says why it fails by failing"
)]
#![cfg(feature = "emulator")]

mod browser;
mod code_flow;
mod consent;
mod control;
mod demo_app;
mod documents;
mod legacy;
mod mint;
mod refusals;
mod scene;
mod tokens;
