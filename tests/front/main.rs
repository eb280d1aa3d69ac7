//! The front door over real sockets: raw bytes in, and every byte the app gets read again strictly.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test says why it fails by failing"
)]

mod cases;
mod client;
mod conversations;
mod h2;
mod house;
mod llhttp;
mod misdirected;
mod repeatable;
mod scan;
mod splits;
mod stalls;
mod strict;
mod table;
mod upgrades;
mod upstream;
